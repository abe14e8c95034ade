/** Reservations of channels that orders name: what they keep becomes the order's own, and nobody is granted it twice. */
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { ChannelReservation, Taking } from '#domains/inventory/contract/reservations.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import {
  isOpen,
  type LockedReservation,
  lockReservations,
  takeAway,
  takingsOf,
  withoutTaken,
} from '#domains/inventory/operations/reservations.ts'
import { isPartners } from '#domains/inventory/views/reservations.ts'
import type { Candidate } from './captured-order.ts'
import { orderNumber, parseNumber } from './ports.ts'

type Asked = { readonly itemId: number; readonly quantity: Quantity }

/** Locks those that these orders name. Without any nothing is asked of the database. */
export async function lockNamedReservations(
  tx: Transaction,
  candidates: readonly Candidate[],
): Promise<NamedReservations> {
  const ids = candidates.flatMap((candidate) => idOf(candidate) ?? [])
  return new NamedReservations(await lockReservations(tx, ids))
}

const idOf = ({ arrival }: Candidate): number | undefined => {
  const { reservationId } = arrival.request
  return reservationId === undefined ? undefined : parseNumber(reservationId, 'R')
}

/** Counts down what orders of one list take over, one after the other. */
export class NamedReservations {
  readonly #locked: ReadonlyMap<number, LockedReservation>
  readonly #left = new Map<number, ChannelReservation>()
  readonly #taken = new Map<number, { takings: Taking[]; orders: string[] }>()

  constructor(locked: ReadonlyMap<number, LockedReservation>) {
    this.#locked = locked
    for (const [id, { reservation }] of locked) this.#left.set(id, reservation)
  }

  /** Why an order cannot have what it names; undefined where it can, or names nothing. */
  refusalOf(candidate: Candidate): Refusal | undefined {
    const { company, reservationId } = candidate.arrival.request
    if (reservationId === undefined) return undefined
    const found = this.#locked.get(idOf(candidate) ?? 0)
    if (found?.reservation.company !== company || !isPartners(found.reservation, candidate.arrival.partner)) {
      const message = `${company} keeps nothing under ${reservationId}`
      return new Refusal('orders.reservation_unknown', message, {}, '/reservationId')
    }
    if (!found.isPast && isOpen(found.reservation)) return undefined
    const message = `${reservationId} keeps nothing any more`
    return new Refusal('inventory.reservation_ended', message, {}, '/reservationId')
  }

  /** What is kept for each line of an order; nothing is taken by asking. */
  offer(candidate: Candidate, asked: readonly Asked[]): readonly (readonly Taking[])[] {
    let left = this.#left.get(idOf(candidate) ?? 0)
    return asked.map(({ itemId, quantity }) => {
      const takings = left ? takingsOfItem(left, itemId, quantity) : []
      left &&= withoutTaken(left, takings)
      return takings
    })
  }

  take(candidate: Candidate, takings: readonly Taking[]): void {
    const id = idOf(candidate)
    if (id === undefined || takings.length === 0) return
    this.#left.set(id, withoutTaken(this.#left.get(id)!, takings))
    const taken = this.#taken.get(id) ?? { takings: [], orders: [] }
    taken.takings.push(...takings)
    taken.orders.push(orderNumber(candidate.doc))
    this.#taken.set(id, taken)
  }

  /** Gives up the claims that were taken over; whoever took them claims them anew in the same transaction. */
  async write(tx: Transaction, cause: Cause): Promise<void> {
    const taken = [...this.#taken].map(([id, { takings, orders }]) => ({
      reservation: this.#locked.get(id)!.reservation,
      takings,
      data: { orders },
    }))
    await takeAway(tx, taken, 'committed', cause)
  }
}

function takingsOfItem({ lines }: ChannelReservation, itemId: number, quantity: Quantity): readonly Taking[] {
  let missing = quantity
  return lines.flatMap((line) => {
    if (line.itemId !== itemId) return []
    const taken = Math.min(missing, line.open)
    missing -= taken
    return takingsOf(line, taken)
  })
}

/** What a line was given by its reservation and of free stock, by location. */
export function joined(takings: readonly Taking[], given: readonly Allocation[]): readonly Allocation[] {
  if (takings.length === 0) return given
  const sums = new Map(given.map((one) => [one.location, one]))
  for (const { location, quantity } of takings) {
    const before = sums.get(location)
    sums.set(location, { ...before, location, quantity: quantity + (before?.quantity ?? 0) })
  }
  return [...sums.values()]
}
