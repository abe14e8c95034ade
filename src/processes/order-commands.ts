/** What people and clients ask of one order: cancel it, release a hold. Once per key, and its process sees it at once. */
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import { assertMatch } from '#platform/http-preconditions.ts'
import type { Cause } from '#platform/log.ts'
import type { Runner } from '#platform/runner.ts'
import type { CancelAnswer, HoldReleased } from '#domains/orders/contract/answers.ts'
import { headersOf, isPartners, lockHeaders, openHoldsOf, type OrderHeader } from '#domains/orders/views.ts'
import { cancelParts, type LineToCancel } from './cancel-lines.ts'
import { requestCancel } from './cancel.ts'
import { releaseHold } from './holds.ts'
import { holdView } from './order-reads.ts'
import { orderNumber } from './ports.ts'
import type { Sla } from './sla.ts'

export type OrderCommand = {
  readonly doc: number
  readonly actor: string
  readonly reason: string
  /** Sees its own orders only. */
  readonly partner: string | undefined
  /** The version that the decision was made on; any when absent. */
  readonly ifMatch: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

export type Given<Status extends number, Body> = { readonly status: Status; readonly body: Body }

export const cancelOrder = (
  runner: Runner,
  { lines, ...command }: OrderCommand & { readonly lines: readonly LineToCancel[] | undefined },
): Promise<Given<202, CancelAnswer> | Replay> =>
  once(runner, command, async (tx, order, cause) => {
    const { actor, reason, traceId } = command
    const by = { actor, reason, traceId }
    const wakes = lines && (await cancelParts(tx, order, { ...by, lines }, cause))
    if (!wakes) await requestCancel(tx, order, by, cause)
    const state = lines ? 'lines_cancelled' : 'cancel_requested'
    const body = { id: orderNumber(order.doc), state, version: await versionOf(tx, order) } as const
    return { status: 202, body, ...(wakes && { wakes }) }
  })

export const releaseHoldOf = (
  runner: Runner,
  sla: Sla,
  command: OrderCommand & { readonly hold: number },
): Promise<Given<200, HoldReleased> | Replay> =>
  once(runner, command, async (tx, order, cause) => {
    const before = await openHoldsOf(tx, [order.doc])
    const { doc, company } = order
    const { hold, actor, reason } = command
    await releaseHold(tx, sla, { doc, company, hold, actor, reason }, cause)
    const released = before.find(({ id }) => id === command.hold)!
    const holds = before.filter(({ id }) => id !== command.hold).map(holdView)
    const version = await versionOf(tx, order)
    return { status: 200, body: { id: orderNumber(order.doc), released: holdView(released), holds, version } }
  })

/** As this command left it; what its process does next raises it further. */
async function versionOf(tx: Transaction, { doc }: OrderHeader): Promise<number> {
  const [after] = await headersOf(tx, [doc])
  return after!.version
}

/** Claims the key, locks the order, checks that it may be seen and is as the caller knows it, then does the work. */
function once<Status extends number, Body>(
  runner: Runner,
  command: OrderCommand,
  work: (
    tx: Transaction,
    order: OrderHeader,
    cause: Cause,
  ) => Promise<Given<Status, Body> & { readonly wakes?: readonly DeskRow[] }>,
): Promise<Given<Status, Body> | Replay> {
  const cause = { source: 'api', actor: command.actor, traceId: command.traceId }
  return runner.transaction(cause, async (tx, turn) => {
    const states = await claim(tx, [command.claim])
    const earlier = settle(states.get(command.claim)!)
    if (earlier) return earlier
    tx.locking('document', [command.doc])
    const [order] = await lockHeaders(tx, [command.doc])
    if (!order || !isPartners(order, command.partner)) {
      throw new Refusal('orders.unknown', `there is no order ${orderNumber(command.doc)}`)
    }
    if (command.ifMatch !== undefined) assertMatch(command.ifMatch, order.version)
    const { wakes = [], ...given } = await work(tx, order, cause)
    // what is taken back frees credit, whose account is locked before any desk row
    turn.wakeAfterwards([
      {
        doc: order.doc,
        process: 'order-to-cash',
        company: order.company,
        priority: 2,
        share: order.customerId,
      },
      ...wakes,
    ])
    record(tx, [{ ...command.claim, ...given }])
    return given
  })
}
