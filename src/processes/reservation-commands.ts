/** What is asked of one reservation: extend, transfer, split, release, commit. Once per key, in a transaction of its own. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { assertVersion } from '#platform/http-preconditions.ts'
import type { Cause } from '#platform/log.ts'
import { formatQuantity, parseQuantity } from '#platform/quantity.ts'
import type { Runner } from '#platform/runner.ts'
import type {
  ChannelReservation,
  Parts,
  ReservationAnswer,
  SplitAnswer,
  Taking,
} from '#domains/inventory/contract/reservations.ts'
import {
  changeReservations,
  isOpen,
  lockReservations,
  openOf,
  splitReservation,
  takeAway,
  takingsOf,
} from '#domains/inventory/operations/reservations.ts'
import { isPartners, tellReservation } from '#domains/inventory/views/reservations.ts'
import { comesWhole } from '#domains/items/operations.ts'
import { wakesOfFreed } from './order-undo.ts'
import { type ProcessPorts, reservationNumber } from './ports.ts'
import { checkedExpiry, refusedOr } from './reservation-request.ts'

/** What is asked, by whom, of which reservation. */
export type ReservationCommand = {
  readonly id: number
  readonly actor: string
  /** Acts on what it reserved itself only. */
  readonly partner: string | undefined
  /** The version that the decision was made on; any when absent. */
  readonly ifMatch: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

export type Reached<Body> = Promise<{ readonly status: 200; readonly body: Body } | Replay>

/** Makes a soft reservation end at another time. */
export const extendReservation = (
  runner: Runner,
  ports: ProcessPorts,
  { expiresAt, ...command }: ReservationCommand & { readonly expiresAt: string },
): Reached<ReservationAnswer> =>
  once(runner, command, async ({ tx, reservation, cause }) => {
    if (reservation.kind === 'firm') {
      const message = `${reservationNumber(reservation.id)} is firm and does not expire`
      throw new Refusal('inventory.firm_does_not_expire', message, {}, '/expiresAt')
    }
    const until = checkedExpiry(ports.company(reservation.company), expiresAt, ports.clock.now())
    const data = { expiresAt: until.toISOString() }
    return change(tx, { ...reservation, expiresAt: until }, { type: 'reservation.extended', data }, cause)
  })

type Transfer = { readonly channel?: string | undefined; readonly reference?: string | undefined }

/** Keeps it for another channel, or under another reference. */
export const transferReservation = (
  runner: Runner,
  { channel, reference, ...command }: ReservationCommand & Transfer,
): Reached<ReservationAnswer> =>
  once(runner, command, ({ tx, reservation, cause }) => {
    const data = { channel: channel ?? reservation.channel, reference: reference ?? reservation.reference }
    return change(tx, { ...reservation, ...data }, { type: 'reservation.transferred', data }, cause)
  })

/** Makes a soft reservation firm; a firm one stays as it is. */
export const commitReservation = (runner: Runner, command: ReservationCommand): Reached<ReservationAnswer> =>
  once(runner, command, ({ tx, reservation, cause }) => {
    if (reservation.kind === 'firm') return tellReservation(reservation, reservationNumber)
    const firm = { ...reservation, kind: 'firm', expiresAt: null } as const
    return change(tx, firm, { type: 'reservation.firmed', data: {} }, cause)
  })

/** Moves a part into a reservation of its own. */
export const splitOff = (
  runner: Runner,
  ports: ProcessPorts,
  { lines, channel, reference, ...command }: ReservationCommand & Transfer & { readonly lines: Parts },
): Reached<SplitAnswer> =>
  once(runner, command, async ({ tx, reservation, cause }) => {
    const takings = partsOf(reservation, lines)
    const [id] = await ports.ids.documents(1)
    const into = {
      id: id!,
      channel: channel ?? reservation.channel,
      reference: reference ?? reservation.reference,
      createdAt: ports.clock.now(),
    }
    const { kept, split } = splitReservation(tx, { reservation, takings, into }, reservationNumber, cause)
    auditAct(tx, kept, { action: 'inventory.split_reservation' }, cause)
    auditAct(tx, split, { action: 'inventory.reserve' }, cause)
    return {
      kept: tellReservation(kept, reservationNumber),
      split: tellReservation(split, reservationNumber),
    }
  })

/** Gives all or a part back to stock, and to who waits for it. */
export const releaseReservation = (
  runner: Runner,
  { lines, ...command }: ReservationCommand & { readonly lines?: Parts | undefined },
): Reached<ReservationAnswer> =>
  once(runner, command, async ({ tx, reservation, cause, freed }) => {
    const takings = lines ? partsOf(reservation, lines) : openOf(reservation)
    const now = await takeAway(tx, [{ reservation, takings }], 'released', cause)
    for (const { itemId } of takings) freed.add(itemId)
    auditAct(tx, reservation, { action: 'inventory.release_reservation' }, cause)
    return tellReservation(now.get(reservation.id)!, reservationNumber)
  })

const ACTIONS = {
  'reservation.extended': 'inventory.extend_reservation',
  'reservation.transferred': 'inventory.transfer_reservation',
  'reservation.firmed': 'inventory.commit_reservation',
} as const

type Change = { readonly type: keyof typeof ACTIONS; readonly data: object }

function change(
  tx: Transaction,
  reservation: ChannelReservation,
  { type, data }: Change,
  cause: Cause,
): ReservationAnswer {
  const now = changeReservations(tx, [{ reservation, type, data }], cause)
  auditAct(tx, reservation, { action: ACTIONS[type], after: data }, cause)
  return tellReservation(now.get(reservation.id)!, reservationNumber)
}

function auditAct(
  tx: Transaction,
  { id, company }: ChannelReservation,
  act: { readonly action: string; readonly after?: object },
  { actor, traceId }: Cause,
): void {
  recordAudit(tx, [{ actor, ...act, company, kind: 'reservation', doc: id, traceId }])
}

/** What is asked for of the open quantities, in base units; a line that is named twice counts with its sum. */
function partsOf(reservation: ChannelReservation, parts: Parts): Taking[] {
  const wanted = new Map<string, { quantity: number; place: number }>()
  for (const [place, { line, quantity: text }] of parts.entries()) {
    const quantity = (wanted.get(line)?.quantity ?? 0) + readPart(reservation, { line, text, place })
    wanted.set(line, { quantity, place })
  }
  return [...wanted].flatMap(([line, { quantity, place }]) => {
    const mine = reservation.lines.find((one) => one.line === line)!
    if (quantity > mine.open) {
      const message = `${formatQuantity(mine.open)} ${mine.baseUnit} of line ${line} are open, not ${formatQuantity(quantity)}`
      throw new Refusal('inventory.more_than_open', message, {}, `/lines/${place}/quantity`)
    }
    return takingsOf(mine, quantity)
  })
}

function readPart(
  { id, lines }: ChannelReservation,
  { line, text, place }: { readonly line: string; readonly text: string; readonly place: number },
): number {
  const mine = lines.find((one) => one.line === line)
  if (!mine) {
    const message = `${reservationNumber(id)} has no line ${line}`
    throw new Refusal('inventory.line_unknown', message, {}, `/lines/${place}/line`)
  }
  const pointer = `/lines/${place}/quantity`
  const quantity = refusedOr(() => parseQuantity(text))
  if (quantity instanceof Refusal) throw new Refusal(quantity.code, quantity.message, {}, pointer)
  if (quantity <= 0) {
    throw new Refusal('items.quantity_not_positive', `${text} of line ${line} is nothing`, {}, pointer)
  }
  if (comesWhole(mine.baseUnit) && !Number.isInteger(Number(text))) {
    const message = `${text} of line ${line}: ${mine.baseUnit} comes in whole numbers`
    throw new Refusal('items.quantity_not_whole', message, {}, pointer)
  }
  return quantity
}

type Acting = {
  readonly tx: Transaction
  readonly reservation: ChannelReservation
  readonly cause: Cause
  /** Items of which stock is given back. */
  readonly freed: Set<number>
}

/** Claims the key, locks the reservation, checks that it is the caller's and open, then does the work. */
function once<Body>(
  runner: Runner,
  command: ReservationCommand,
  work: (acting: Acting) => Body | Promise<Body>,
): Reached<Body> {
  const cause = { source: 'api', actor: command.actor, traceId: command.traceId }
  return runner.transaction(cause, async (tx, turn) => {
    const states = await claim(tx, [command.claim])
    const earlier = settle(states.get(command.claim)!)
    if (earlier) return earlier
    const reservation = await lockOpen(tx, command)
    const freed = new Set<number>()
    const answer = { status: 200, body: await work({ tx, reservation, cause, freed }) } as const
    if (freed.size > 0) turn.wakeAfterwards(await wakesOfFreed(tx, [...freed]))
    record(tx, [{ ...command.claim, ...answer }])
    return answer
  })
}

async function lockOpen(tx: Transaction, { id, partner, ifMatch }: ReservationCommand) {
  const found = (await lockReservations(tx, [id])).get(id)
  const number = reservationNumber(id)
  if (!found || !isPartners(found.reservation, partner)) {
    throw new Refusal('inventory.reservation_unknown', `there is no reservation ${number}`)
  }
  const { reservation, isPast } = found
  assertVersion(ifMatch, reservation.version)
  if (isPast || !isOpen(reservation)) {
    throw new Refusal('inventory.reservation_ended', `${number} keeps nothing any more`)
  }
  return reservation
}
