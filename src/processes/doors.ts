/** The doors through which orders and messages come in: each coalesces what arrives into one transaction. */
import { createDoor, type Door } from '#platform/batch.ts'
import type { Clock } from '#platform/clock.ts'
import { isOutage, type Queries } from '#platform/database.ts'
import type { Claim } from '#platform/http.ts'
import { claim, type ClaimState, record, settle } from '#platform/http-idempotency.ts'
import type { Process } from '#platform/process.ts'
import type { Runner } from '#platform/runner.ts'
import type { OrderAnswer } from '#domains/orders/contract.ts'
import { acceptOrders, type Arrival, type Captured, gather } from './accept.ts'
import { type Heard, hearWarehouses, type Told } from './inbound.ts'
import type { ProcessPorts } from './ports.ts'

export type DoorPorts = {
  readonly clock: Clock
  readonly queries: Queries
  readonly runner: () => Runner
  readonly batchMax: number
  readonly ports: ProcessPorts
}

/** An order with the key under which its client may repeat it. */
export type Submission = Arrival & { readonly claim: Claim }

export type Submitted =
  | { readonly kind: 'new'; readonly answer: OrderAnswer }
  | { readonly kind: 'replayed'; readonly status: number; readonly body: unknown }
  | Exclude<Captured, { readonly kind: 'new' }>
  | { readonly kind: 'claimed'; readonly state: ClaimState }

/** Orders over HTTP: decided and recorded with their idempotency result. */
export function orderDoor({ clock, queries, runner, batchMax, ports }: DoorPorts, process: Process): Door<Submission, Submitted> {
  return createDoor<Submission, Submitted>({
    clock,
    batchMax,
    bisects: (error) => !isOutage(error),
    async run(submissions) {
      const current = runner()
      await current.room()
      const gathered = await gather(queries, ports, submissions)
      return current.transaction(causeOf(submissions), async (tx, turn) => {
        const states = await claim(tx, submissions.map((submission) => submission.claim))
        const open = submissions.filter((submission) => states.get(submission.claim)!.state === 'new')
        const cause = causeOf(open)
        const captured = await acceptOrders(tx, turn, ports, { arrivals: open, gathered, process, cause })
        record(tx, open.flatMap((submission) => resultOf(submission, captured.get(submission)!)))
        return new Map(submissions.map((submission) => [submission, answerOf(submission, states, captured)]))
      })
    },
  })
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
    return state.state === 'replay' ? { kind: 'replayed', status: state.status, body: state.body } : { kind: 'claimed', state }
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
    default:
      return submitted
  }
}

/** What warehouses tell. */
export function warehouseDoor({ clock, runner, batchMax, ports }: DoorPorts, shipment: Process): Door<Told, Heard> {
  return createDoor<Told, Heard>({
    clock,
    batchMax,
    bisects: (error) => !isOutage(error),
    run: (told) => {
      const cause = { source: told[0]!.door.instance, actor: told[0]!.door.instance, traceId: told[0]!.traceId }
      return runner().transaction(cause, (tx, turn) => hearWarehouses(tx, turn, ports, { told, shipment, cause }))
    },
  })
}
