/** The door at which channels reserve: all that arrived at once is decided on, and written, in one transaction. */
import { recordAudit } from '#platform/audit.ts'
import { createDoor, type Door } from '#platform/batch.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Replay } from '#platform/http.ts'
import { claim, type ClaimState, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import { isOutage } from '#platform/outage.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { ChannelReservation, ReservationAnswer } from '#domains/inventory/contract/reservations.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import {
  type ChannelStock,
  coverableLines,
  type FreeStock,
  freeAt,
  lockUnclaimedStock,
} from '#domains/inventory/operations.ts'
import { markDoubts } from '#domains/inventory/operations/freshness.ts'
import { grantReservations } from '#domains/inventory/operations/reservations.ts'
import { tellReservation } from '#domains/inventory/views/reservations.ts'
import { BATCHES_WAITING_MAX, type DoorPorts } from './doors.ts'
import { reservationNumber } from './ports.ts'
import {
  readReservations,
  type ReservationArrival,
  type ReservationPorts,
  type Wanted,
} from './reservation-request.ts'

export type ReservationReceipt =
  | { readonly kind: 'granted'; readonly answer: ReservationAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'claimed'; readonly state: ClaimState }

/** Somebody waits for the answer, so they take no turns with messages. */
export const reservationDoor = ({
  clock,
  batchMax,
  queries,
  runner,
  ports,
}: Omit<DoorPorts, 'turnstile' | 'ports'> & { readonly ports: ReservationPorts }): Door<
  ReservationArrival,
  ReservationReceipt
> =>
  createDoor<ReservationArrival, ReservationReceipt>({
    clock,
    batchMax,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    bisects: (error) => !isOutage(error),
    async run(arrivals) {
      const read = await readReservations(queries, ports, arrivals)
      const cause = { source: 'api', actor: arrivals[0]!.client, traceId: arrivals[0]!.traceId }
      return runner().transaction(cause, async (tx) => {
        const states = await claim(
          tx,
          arrivals.map((arrival) => arrival.claim),
        )
        const open = arrivals.filter((arrival) => states.get(arrival.claim)!.state === 'new')
        const receipts = await decide(tx, ports, { open, read, cause })
        record(
          tx,
          open.flatMap((arrival) => resultOf(arrival, receipts.get(arrival)!)),
        )
        return new Map(
          arrivals.map((arrival) => [
            arrival,
            receipts.get(arrival) ?? { kind: 'claimed', state: states.get(arrival.claim)! },
          ]),
        )
      })
    },
  })

/** What an HTTP caller is answered; refusals are thrown, each to its own caller. */
export function reservationAnswer(receipt: ReservationReceipt): ReservationAnswer | Replay {
  if (receipt.kind === 'refused') throw receipt.refusal
  return receipt.kind === 'claimed' ? settle(receipt.state)! : receipt.answer
}

const resultOf = (arrival: ReservationArrival, receipt: ReservationReceipt) =>
  receipt.kind === 'granted' ? [{ ...arrival.claim, status: 201, body: receipt.answer }] : []

type Deciding = {
  readonly open: readonly ReservationArrival[]
  readonly read: ReadonlyMap<ReservationArrival, Wanted | Refusal>
  readonly cause: Cause
}

/** Shares out stock by priority, then in the order of arrival; demand for one item in the list is seen together. */
async function decide(
  tx: Transaction,
  ports: ReservationPorts,
  { open, read, cause }: Deciding,
): Promise<ReadonlyMap<ReservationArrival, ReservationReceipt>> {
  const receipts = new Map<ReservationArrival, ReservationReceipt>()
  const wanted: [ReservationArrival, Wanted][] = []
  for (const arrival of open) {
    const one = read.get(arrival)!
    if (one instanceof Refusal) receipts.set(arrival, { kind: 'refused', refusal: one })
    else wanted.push([arrival, one])
  }
  if (wanted.length === 0) return receipts
  const items = wanted.flatMap(([, { lines }]) => lines.map(({ itemId }) => itemId))
  const [stock, care] = await Promise.all([lockStock(tx, ports, wanted), ports.care.now(tx, items)])
  if (care) stock.beCareful(care.figure)
  const granted: ChannelReservation[] = []
  for (const [arrival, one] of wanted.toSorted(([a], [b]) => a.request.priority - b.request.priority)) {
    const reservation = grantOf(stock, arrival, one)
    if (reservation instanceof Refusal) {
      receipts.set(arrival, { kind: 'refused', refusal: reservation })
      continue
    }
    granted.push(reservation)
    receipts.set(arrival, { kind: 'granted', answer: tellReservation(reservation, reservationNumber) })
  }
  grantReservations(tx, granted, cause)
  if (care) markDoubts(tx, granted.flatMap(care.doubtsOf))
  auditGrants(tx, granted, cause)
  return receipts
}

/** Of all locations of the companies, since who waits for stock may be served from any of them. */
function lockStock(
  tx: Transaction,
  ports: ReservationPorts,
  wanted: readonly (readonly [ReservationArrival, Wanted])[],
): Promise<ChannelStock> {
  const companies = new Set(wanted.map(([{ request }]) => request.company))
  const locations = new Set([...companies].flatMap((code) => ports.company(code).locations))
  return lockUnclaimedStock(
    tx,
    wanted.flatMap(([, { lines }]) => lines.map(({ itemId }) => itemId)),
    [...locations],
  )
}

/** What it gets; counts stock down by that alone. */
function grantOf(
  stock: ChannelStock,
  { request, client, partner }: ReservationArrival,
  { id, lines, locations, expiresAt, at }: Wanted,
): ChannelReservation | Refusal {
  const asked = lines.map(({ itemId, wanted, part }) => ({ itemId, quantity: wanted, part }))
  const items = asked.map(({ itemId }) => itemId)
  const free = stock.of(request.channel, items, locations)
  const covered = coverableLines(free, asked, locations)
  if (request.mode === 'all_or_nothing' && covered.length < asked.length) {
    return notAvailable(free, lines, locations)
  }
  const given = stock.allocate(request.channel, asked, locations)
  if (given.every((some) => some.length === 0)) return notAvailable(free, lines, locations)
  const { company, channel, reference, kind, priority } = request
  return {
    id,
    company,
    client,
    partner: partner ?? null,
    channel,
    reference,
    class: request.class,
    priority,
    kind,
    expiresAt,
    version: 1,
    createdAt: at,
    endedAt: null,
    lines: lines.map((line, place) => grantedLine(line, given[place]!)),
  }
}

function grantedLine({ part: _, ...line }: Wanted['lines'][number], places: readonly Allocation[]) {
  const granted = places.reduce((sum, { quantity }) => sum + quantity, 0)
  return { ...line, granted, open: granted, committed: 0, released: 0, expired: 0, places }
}

/** Says of each line whose item falls short how much of it there is, or that no places have it in whole units. */
function notAvailable(free: FreeStock, lines: Wanted['lines'], locations: readonly string[]): Refusal {
  const totals = new Map<number, Quantity>()
  for (const { itemId, wanted } of lines) totals.set(itemId, (totals.get(itemId) ?? 0) + wanted)
  const asked = lines.map(({ n, itemId, wanted, part }) => ({ n, itemId, quantity: wanted, part }))
  const covered = new Set(coverableLines(free, asked, locations).map(({ n }) => n))
  const errors = lines.flatMap(({ n, itemId, sku, baseUnit, unit }) => {
    const [there, total] = [freeAt(free, itemId, locations), totals.get(itemId)!]
    if (there >= total && covered.has(n)) return []
    const have = `${formatQuantity(there)} ${baseUnit} of ${sku} can be promised`
    const message =
      there < total
        ? `${have}, ${formatQuantity(total)} are asked for`
        : `${have}, but no places have so much of it in whole ${unit}`
    return [{ pointer: `/lines/${n - 1}/quantity`, code: 'inventory.not_available', message }]
  })
  return new Refusal('inventory.not_available', errors[0]!.message, { errors })
}

function auditGrants(tx: Transaction, granted: readonly ChannelReservation[], { traceId }: Cause): void {
  recordAudit(
    tx,
    granted.map(({ id, company, client, channel, reference }) => ({
      actor: client,
      action: 'inventory.reserve',
      company,
      kind: 'reservation',
      doc: id,
      after: { channel, reference },
      traceId,
    })),
  )
}
