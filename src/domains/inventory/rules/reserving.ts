/** What becomes of a channel's reservation when a part of it is taken away; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Portion } from '../contract.ts'
import type { ChannelReservation, ReservedLine, Taking } from '../contract/reservations.ts'

/** Where an open quantity goes; `moved`: to another reservation. */
export type Ending = 'committed' | 'released' | 'expired' | 'moved'

/** So much of a line, from its places in their order; the line must have it open. */
export function takingsOfLine({ n, itemId, places }: ReservedLine, quantity: Quantity): Taking[] {
  let missing = quantity
  const takings: Taking[] = []
  for (const { location, quantity: here, from } of places) {
    const taken = Math.min(missing, here)
    if (taken > 0) takings.push({ n, itemId, location, quantity: taken, from: partsOf(from, taken) })
    missing -= taken
  }
  if (missing > 0) throw new Error(`line ${n} has not so much at its places as it says is open`)
  return takings
}

/** No more of a taking than so much. */
export const cutTo = (taking: Taking, quantity: Quantity): Taking =>
  taking.quantity <= quantity ? taking : { ...taking, quantity, from: partsOf(taking.from, quantity) }

/** What of a claim is kept for its channel ends first, since it returns to it; each portion of the claim has its place. */
function partsOf(from: readonly Portion[] = [], quantity: Quantity): readonly Portion[] {
  let missing = quantity
  return from.map(({ id, quantity: kept }) => {
    const taken = Math.min(missing, kept)
    missing -= taken
    return { id, quantity: taken }
  })
}

/** Portions of one claim: `sign` times the second beside the first. */
const joined = (
  a: readonly Portion[] = [],
  b: readonly Portion[] = [],
  sign: 1 | -1 = 1,
): readonly Portion[] =>
  a.length === 0
    ? b
    : a.map(({ id, quantity }, at) => ({ id, quantity: quantity + sign * (b[at]?.quantity ?? 0) }))

/** All that is open. */
export const openQuantities = ({ lines }: ChannelReservation): Taking[] =>
  lines.flatMap((line) => takingsOfLine(line, line.open))

/** The same with one taking for each line and place. */
export function addedUp(takings: readonly Taking[]): Taking[] {
  const sums = new Map<string, Taking>()
  for (const taking of takings) {
    const key = `${taking.n} ${taking.location}`
    const before = sums.get(key)
    const quantity = taking.quantity + (before?.quantity ?? 0)
    sums.set(key, { ...taking, quantity, from: joined(before?.from, taking.from) })
  }
  return [...sums.values()]
}

/** The reservation without these takings. What is moved was never granted to it. */
export function without(
  reservation: ChannelReservation,
  takings: readonly Taking[],
  ending: Ending,
): ChannelReservation {
  const byLine = Map.groupBy(takings, ({ n }) => n)
  const lines = reservation.lines.map((line) => lineWithout(line, byLine.get(line.n) ?? [], ending))
  return { ...reservation, lines }
}

function lineWithout(line: ReservedLine, takings: readonly Taking[], ending: Ending): ReservedLine {
  if (takings.length === 0) return line
  const quantity = takings.reduce((sum, taking) => sum + taking.quantity, 0)
  const taken = new Map(addedUp(takings).map((taking) => [taking.location, taking]))
  const places = line.places
    .map((place) => placeWithout(place, taken.get(place.location)))
    .filter((place) => place.quantity > 0)
  const rest = { ...line, open: line.open - quantity, places }
  return ending === 'moved'
    ? { ...rest, granted: line.granted - quantity }
    : { ...rest, [ending]: line[ending] + quantity }
}

const placeWithout = (place: Allocation, taken: Taking | undefined): Allocation =>
  taken
    ? {
        location: place.location,
        quantity: place.quantity - taken.quantity,
        from: joined(place.from, taken.from, -1),
      }
    : place

/** What the lines of a new reservation are that takes these over. */
export function splitLines(reservation: ChannelReservation, takings: readonly Taking[]): ReservedLine[] {
  const byLine = Map.groupBy(takings, ({ n }) => n)
  return reservation.lines.flatMap((line) => {
    const mine = byLine.get(line.n)
    if (!mine) return []
    const granted = mine.reduce((sum, taking) => sum + taking.quantity, 0)
    const places = mine.map(({ location, quantity, from }) => ({ location, quantity, from }))
    const asked = { requested: granted, unit: line.baseUnit, wanted: granted }
    const ended = { committed: 0, released: 0, expired: 0 }
    return [{ ...line, ...asked, ...ended, granted, open: granted, places }]
  })
}

/** Whether it keeps anything. */
export const stillOpen = ({ lines }: ChannelReservation): boolean => lines.some(({ open }) => open > 0)
