/** The doors through which orders and messages come in: each coalesces what arrives into one transaction. */
import { createDoor, type Door, REST_MS, type Turnstile } from '#platform/batch.ts'
import type { Clock } from '#platform/clock.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { isOutage } from '#platform/outage.ts'
import type { Claim } from '#platform/http.ts'
import { claim, type ClaimState, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import type { Process } from '#platform/process.ts'
import type { Runner } from '#platform/runner.ts'
import type { OrderAnswer } from '#domains/orders/contract.ts'
import { acceptOrders, type Captured, gather } from './accept.ts'
import type { Arrival } from './captured-order.ts'
import type { ChannelTold } from './channel-words.ts'
import { arrivalsOf, hearChannels } from './channels.ts'
import { hearWarehouses, type Told, type WarehouseDoor } from './inbound.ts'
import type { Heard } from './message-filing.ts'
import { goOnBehind, goOnWithout, type Lift, type Skip } from './message-order.ts'
import type { ProcessPorts } from './ports.ts'
import { hearCarriers, type ScanTold } from './tracking.ts'

/** What callers wait for at once: about as much as is answered before they give up. */
export const BATCHES_WAITING_MAX = 100

export type DoorPorts = {
  readonly clock: Clock
  readonly queries: Queries
  readonly runner: () => Runner
  readonly batchMax: number
  /** Shared by the doors of messages and payments. */
  readonly turnstile: Turnstile
  readonly ports: ProcessPorts
}

/** An order with the key under which its client may repeat it. */
export type Submission = Arrival & { readonly claim: Claim }

export type Submitted =
  | { readonly kind: 'new'; readonly answer: OrderAnswer }
  | { readonly kind: 'replayed'; readonly status: number; readonly body: unknown }
  | Exclude<Captured, { readonly kind: 'new' }>
  | { readonly kind: 'claimed'; readonly state: ClaimState }

/**
 * Orders over HTTP: decided and recorded with their idempotency result. Somebody waits for the answer, so they take
 * no turns with messages and no rest.
 */
export function orderDoor(
  { runner, ports, clock, batchMax }: Omit<DoorPorts, 'turnstile'>,
  process: Process,
): Door<Submission, Submitted> {
  return createDoor<Submission, Submitted>({
    clock,
    batchMax,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    ready: () => roomIn(runner),
    bisects: (error) => !isOutage(error),
    async run(submissions) {
      return runner().transaction(causeOf(submissions), async (tx, turn) => {
        const claims = submissions.map((submission) => submission.claim)
        const [states, gathered] = await Promise.all([claim(tx, claims), gather(tx, ports, submissions)])
        const open = submissions.filter((submission) => states.get(submission.claim)!.state === 'new')
        const cause = causeOf(open)
        const captured = await acceptOrders(tx, turn, ports, { arrivals: open, gathered, process, cause })
        record(
          tx,
          open.flatMap((submission) => resultOf(submission, captured.get(submission)!)),
        )
        return new Map(submissions.map((submission) => [submission, answerOf(submission, states, captured)]))
      })
    },
  })
}

/** Waits for room before a turn is taken. Without a runner there is nothing to wait for: the batch itself says why. */
async function roomIn(runner: () => Runner): Promise<void> {
  let current: Runner
  try {
    current = runner()
  } catch {
    return
  }
  await current.room()
}

/** Events of a batch carry the trace of its first order; each order keeps its own. */
const causeOf = (arrivals: readonly Arrival[]) => ({
  source: 'api',
  actor: arrivals[0]?.actor ?? 'api',
  traceId: arrivals[0]?.traceId,
})

const resultOf = (submission: Submission, captured: Captured) =>
  captured.kind === 'new' ? [{ ...submission.claim, status: 201, body: captured.answer }] : []

function answerOf(
  submission: Submission,
  states: ReadonlyMap<Claim, ClaimState>,
  captured: ReadonlyMap<Arrival, Captured>,
): Submitted {
  const state = states.get(submission.claim)!
  if (state.state !== 'new') {
    return state.state === 'replay'
      ? { kind: 'replayed', status: state.status, body: state.body }
      : { kind: 'claimed', state }
  }
  return captured.get(submission)!
}

/** What an HTTP caller is answered; refusals are thrown, each to its own caller. */
export function orderAnswer(submitted: Submitted) {
  switch (submitted.kind) {
    case 'refused':
      throw submitted.refusal
    case 'claimed':
      return settle(submitted.state)!
    case 'replayed':
      return { replayed: { status: submitted.status, body: submitted.body } }
    case 'new':
    case 'known':
      return submitted
  }
}

/** Events carry the trace of the first message of their batch, and who had it replayed. */
function causeOfTold([first]: readonly (Told | ChannelTold | ScanTold)[]): Cause {
  const { door, parked, traceId } = first!
  return { source: door.instance, actor: parked?.settledBy ?? door.instance, traceId }
}

/** What warehouses tell. */
export function warehouseDoor({ runner, ports, ...door }: DoorPorts, shipment: Process): Door<Told, Heard> {
  return createDoor<Told, Heard>({
    ...door,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    restMs: REST_MS,
    bisects: (error) => !isOutage(error),
    run: (told) => {
      const cause = causeOfTold(told)
      return runner().transaction(cause, (tx, turn) =>
        hearWarehouses(tx, turn, ports, { told, shipment, cause }),
      )
    },
  })
}

/** What carriers tell. */
export function carrierDoor({ runner, ports, ...door }: DoorPorts): Door<ScanTold, Heard> {
  return createDoor<ScanTold, Heard>({
    ...door,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    restMs: REST_MS,
    bisects: (error) => !isOutage(error),
    run: (told) => {
      const cause = causeOfTold(told)
      return runner().transaction(cause, (tx) => hearCarriers(tx, ports, { told, cause }))
    },
  })
}

/** Lets a warehouse's stream go on without what it misses, or behind a message that a person has settled. */
export const warehouseGoesOn =
  ({ runner, ports }: DoorPorts, shipment: Process) =>
  (at: Skip<WarehouseDoor> | Lift<WarehouseDoor>): Promise<unknown> => {
    const source = at.door.instance
    const cause = { source, actor: 'parked' in at ? (at.parked.settledBy ?? source) : source }
    const goOn = (tx: Transaction) => ('parked' in at ? goOnWithout<Told>(tx, at) : goOnBehind<Told>(tx, at))
    return runner().transaction(cause, (tx, turn) =>
      hearWarehouses(tx, turn, ports, { told: [], goOn, shipment, cause }),
    )
  }

/** What channels tell. An order of a batch is there before its withdrawal in the same batch is heard. */
export function channelDoor(
  { queries, runner, ports, ...door }: DoorPorts,
  process: Process,
): Door<ChannelTold, Heard> {
  async function hear(told: readonly ChannelTold[]): Promise<ReadonlyMap<ChannelTold, Heard>> {
    if (told.length === 0) return new Map()
    const arrivals = arrivalsOf(told)
    const gathered = await gather(queries, ports, [...arrivals.values()])
    const cause = causeOfTold(told)
    const hearing = { told, arrivals, gathered, process, cause }
    return runner().transaction(cause, (tx, turn) => hearChannels(tx, turn, ports, hearing))
  }

  return createDoor<ChannelTold, Heard>({
    ...door,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    restMs: REST_MS,
    ready: () => roomIn(runner),
    bisects: (error) => !isOutage(error),
    async run(told) {
      const places = ({ inbound }: ChannelTold): boolean => inbound.message?.type === 'order-placed'
      const counts = ({ inbound }: ChannelTold): boolean => inbound.message?.type === 'stock-counted'
      const rest = told.filter((one) => !places(one) && !counts(one))
      const heard = [...(await hear(told.filter(places))), ...(await hear(rest))]
      // each locks the stock that it counts
      for (const count of told.filter(counts)) heard.push(...(await hear([count])))
      return new Map(heard)
    },
  })
}
