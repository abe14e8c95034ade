/** The verbs of what channels reserve: grant, take away in parts, change; each for a list. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { ChannelReservation, Taking } from '../contract/reservations.ts'
import { freeClaims, sumByPosition } from '../operations.ts'
import {
  addedUp,
  type Ending,
  openQuantities,
  splitLines,
  stillOpen,
  cutTo,
  takingsOfLine,
  without,
} from '../rules/reserving.ts'
import { updateTaken } from '../store/allocations.ts'
import {
  insertChannelReservations,
  lockChannelReservations,
  lockDueReservations,
  reduceChannelClaims,
  updateChannelReservations,
} from '../store/channel-reservations.ts'
import { updateReserved } from '../store.ts'
import { channelReservations } from '../views/reservations.ts'

/** All that is open of a reservation, by line and place. */
export const openOf = openQuantities

/** Whether it keeps anything. */
export const isOpen = stillOpen

/** So much of a line, from its places in their order; the line must have it open. */
export const takingsOf = takingsOfLine
export const cutTaking = cutTo

/** Writes new reservations on stock that is locked in this transaction; the position's CHECK is the last guard. */
export function grantReservations(
  tx: Transaction,
  reservations: readonly ChannelReservation[],
  cause: Cause,
): void {
  if (reservations.length === 0) return
  insertReservations(tx, reservations, 'reservation.granted', cause)
  const claims = reservations.flatMap(claimsOf)
  updateReserved(tx, sumByPosition(claims))
  updateTaken(
    tx,
    claims.flatMap(({ from = [] }) => from),
  )
}

function insertReservations(
  tx: Transaction,
  reservations: readonly ChannelReservation[],
  type: string,
  cause: Cause,
): void {
  insertChannelReservations(tx, reservations)
  tellReservations(
    tx,
    reservations.map((reservation) => ({ reservation, type, data: wordsOf(reservation) })),
    cause,
  )
}

const claimsOf = ({ company, lines }: ChannelReservation) =>
  lines.flatMap(({ itemId, places }) => places.map((place) => ({ company, itemId, ...place })))

const wordsOf = ({ channel, reference, kind, lines }: ChannelReservation) => ({
  channel,
  reference,
  kind,
  lines: lines.map(({ line, sku, granted }) => ({ line, sku, granted: formatQuantity(granted) })),
})

type Told = { readonly reservation: ChannelReservation; readonly type: string; readonly data: object }

function tellReservations(tx: Transaction, told: readonly Told[], cause: Cause): void {
  appendEvents(
    tx,
    told.map(({ reservation: { id, company, version }, type, data }) => ({
      type,
      key: id,
      keyVersion: version,
      company,
      correlationId: id,
      data,
    })),
    cause,
  )
}

/** The reservation as it is once an order has these of it. */
export const withoutTaken = (
  reservation: ChannelReservation,
  takings: readonly Taking[],
): ChannelReservation => without(reservation, takings, 'committed')

export type LockedReservation = {
  readonly reservation: ChannelReservation
  /** Its time has come: nothing of it may be used any more, although nobody may have ended it yet. */
  readonly isPast: boolean
}

/** Locks these, by number in rising order; what is unknown is absent. */
export async function lockReservations(
  tx: Transaction,
  ids: readonly number[],
): Promise<ReadonlyMap<number, LockedReservation>> {
  if (ids.length === 0) return new Map()
  const sorted = [...new Set(ids)].toSorted((a, b) => a - b)
  tx.locking('document', sorted)
  // sent behind the lock, so that it sees them as whoever held the lock before has left them
  const [locked, found] = await Promise.all([
    lockChannelReservations(tx, sorted),
    channelReservations(tx, sorted),
  ])
  return new Map(
    locked.flatMap(({ id, isPast }) => {
      const reservation = found.get(id)
      return reservation ? [[id, { reservation, isPast }] as const] : []
    }),
  )
}

export type Taken = {
  readonly reservation: ChannelReservation
  readonly takings: readonly Taking[]
  /** What its event says beside the quantities. */
  readonly data?: object
}

/**
 * Takes parts of locked reservations away and gives the stock back, what was kept for a channel to the channel. What an
 * order takes over it claims anew in the same transaction. Answers the reservations as they are now.
 */
export async function takeAway(
  tx: Transaction,
  taken: readonly Taken[],
  ending: Exclude<Ending, 'moved'>,
  cause: Cause,
): Promise<ReadonlyMap<number, ChannelReservation>> {
  if (taken.length === 0) return new Map()
  const freed = taken.flatMap(({ reservation: { company }, takings }) =>
    takings.map((taking) => ({ company, ...taking })),
  )
  await freeClaims(tx, freed)
  if (ending !== 'committed') {
    const portions = freed.flatMap(({ from = [] }) => from)
    updateTaken(
      tx,
      portions.map(({ id, quantity }) => ({ id, quantity: -quantity })),
    )
  }
  return writeTaken(tx, taken, ending, cause)
}

function writeTaken(
  tx: Transaction,
  taken: readonly Taken[],
  ending: Ending,
  cause: Cause,
): ReadonlyMap<number, ChannelReservation> {
  reduceChannelClaims(
    tx,
    taken.flatMap(({ reservation: { id }, takings }) =>
      addedUp(takings).map((taking) => ({ reservation: id, ...taking })),
    ),
  )
  return changeReservations(
    tx,
    taken.map(({ reservation, takings, data }) => ({
      reservation: without(reservation, takings, ending),
      type: ending === 'moved' ? 'reservation.split' : `reservation.${ending}`,
      data: { ...data, lines: quantitiesOf(reservation, takings) },
    })),
    cause,
  )
}

function quantitiesOf({ lines }: ChannelReservation, takings: readonly Taking[]) {
  const sums = new Map<number, Quantity>()
  for (const { n, quantity } of takings) sums.set(n, (sums.get(n) ?? 0) + quantity)
  return lines.flatMap(({ n, line, sku }) => {
    const quantity = sums.get(n)
    return quantity === undefined ? [] : [{ line, sku, quantity: formatQuantity(quantity) }]
  })
}

/** Writes locked reservations as they are to be, each with its event; answers them with their new version. */
export function changeReservations(
  tx: Transaction,
  changes: readonly Told[],
  cause: Cause,
): ReadonlyMap<number, ChannelReservation> {
  updateChannelReservations(
    tx,
    changes.map(({ reservation }) => ({ reservation, open: isOpen(reservation) })),
  )
  const changed = changes.map(({ reservation, ...told }) => ({
    ...told,
    reservation: { ...reservation, version: reservation.version + 1 },
  }))
  tellReservations(tx, changed, cause)
  return new Map(changed.map(({ reservation }) => [reservation.id, reservation]))
}

export type Split = {
  readonly reservation: ChannelReservation
  readonly takings: readonly Taking[]
  /** Whose the part is to be. */
  readonly into: Pick<ChannelReservation, 'id' | 'channel' | 'reference' | 'createdAt'>
}

/** Moves a part of a locked reservation into a new one; the stock stays where it is kept. */
export function splitReservation(
  tx: Transaction,
  { reservation, takings, into }: Split,
  numberOf: (id: number) => string,
  cause: Cause,
): { readonly kept: ChannelReservation; readonly split: ChannelReservation } {
  const data = { into: numberOf(into.id) }
  const kept = writeTaken(tx, [{ reservation, takings, data }], 'moved', cause).get(reservation.id)!
  const split = {
    ...reservation,
    ...into,
    version: 1,
    endedAt: null,
    lines: splitLines(reservation, takings),
  }
  insertReservations(tx, [split], 'reservation.granted', cause)
  return { kept, split }
}

/** Ends soft reservations whose time has come, at most so many; answers them as they were. */
export async function expireReservations(
  tx: Transaction,
  limit: number,
  cause: Cause,
): Promise<readonly ChannelReservation[]> {
  const ids = await lockDueReservations(tx, limit)
  const due = [...(await lockReservations(tx, ids)).values()].map(({ reservation }) => reservation)
  await takeAway(
    tx,
    due.map((reservation) => ({ reservation, takings: openOf(reservation) })),
    'expired',
    cause,
  )
  return due
}
