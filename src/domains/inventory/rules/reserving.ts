/** What becomes of a channel's reservation when a part of it is taken away; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { ChannelReservation, ReservedLine, Taking } from '../contract/reservations.ts'

/** Where an open quantity goes; `moved`: to another reservation. */
export type Ending = 'committed' | 'released' | 'expired' | 'moved'

/** So much of a line, from its places in their order; the line must have it open. */
export function takingsOfLine({ n, itemId, places }: ReservedLine, quantity: Quantity): Taking[] {
  let missing = quantity
  const takings: Taking[] = []
  for (const { location, quantity: here } of places) {
    const taken = Math.min(missing, here)
    if (taken > 0) takings.push({ n, itemId, location, quantity: taken })
    missing -= taken
  }
  if (missing > 0) throw new Error(`line ${n} has not so much at its places as it says is open`)
  return takings
}

/** All that is open. */
export const openQuantities = ({ lines }: ChannelReservation): Taking[] =>
  lines.flatMap((line) => takingsOfLine(line, line.open))

/** The same with one taking for each line and place. */
export function addedUp(takings: readonly Taking[]): Taking[] {
  const sums = new Map<string, Taking>()
  for (const taking of takings) {
    const key = `${taking.n} ${taking.location}`
    sums.set(key, { ...taking, quantity: taking.quantity + (sums.get(key)?.quantity ?? 0) })
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
  const taken = new Map<string, Quantity>()
  for (const { location, quantity: part } of takings) taken.set(location, (taken.get(location) ?? 0) + part)
  const places = line.places
    .map((place) => ({ ...place, quantity: place.quantity - (taken.get(place.location) ?? 0) }))
    .filter((place) => place.quantity > 0)
  const rest = { ...line, open: line.open - quantity, places }
  return ending === 'moved'
    ? { ...rest, granted: line.granted - quantity }
    : { ...rest, [ending]: line[ending] + quantity }
}

/** What the lines of a new reservation are that takes these over. */
export function splitLines(reservation: ChannelReservation, takings: readonly Taking[]): ReservedLine[] {
  const byLine = Map.groupBy(takings, ({ n }) => n)
  return reservation.lines.flatMap((line) => {
    const mine = byLine.get(line.n)
    if (!mine) return []
    const granted = mine.reduce((sum, taking) => sum + taking.quantity, 0)
    const places = mine.map(({ location, quantity }) => ({ location, quantity }))
    const asked = { requested: granted, unit: line.baseUnit, wanted: granted }
    const ended = { committed: 0, released: 0, expired: 0 }
    return [{ ...line, ...asked, ...ended, granted, open: granted, places }]
  })
}

/** Whether it keeps anything. */
export const stillOpen = ({ lines }: ChannelReservation): boolean => lines.some(({ open }) => open > 0)
