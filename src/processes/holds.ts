/** Holds with the exception that makes somebody look at them, and their release. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, openExceptionsOf } from '#platform/exceptions.ts'
import { restartSteps } from '#platform/desk.ts'
import { recordAudit } from '#platform/audit.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { HOLDS, type HoldType } from '#domains/orders/contract.ts'
import {
  addHolds,
  changeHeaders,
  expireHolds as endExpired,
  rejectOpenHolds,
  type ReleasedHold,
  releaseHolds,
} from '#domains/orders/operations.ts'
import { openHoldsOf } from '#domains/orders/views.ts'
import { holdNumber, orderNumber, type ProcessPorts } from './ports.ts'
import { type Sla, waitsForSomebody } from './sla.ts'

export type HoldToOpen = {
  readonly doc: number
  readonly company: string
  readonly type: HoldType
  readonly reason: string
  /** The type's own when absent. */
  readonly blocks?: readonly string[]
  readonly valueMinor: number
  readonly currency: string
  /** The same for every order that it stops; and what it is in business words. */
  readonly cause: string
  readonly title: string
  /** The type's own when absent. */
  readonly suggestedAction?: string
}

/** Puts orders on hold, each with an exception that has an owner. */
export async function openHolds(
  tx: Transaction,
  ports: ProcessPorts,
  holds: readonly HoldToOpen[],
): Promise<void> {
  if (holds.length === 0) return
  const ids = await ports.ids.documents(holds.length)
  const added = holds.map(({ doc, company, type, reason, blocks }, place) => ({
    id: ids[place]!,
    doc,
    company,
    type,
    reason,
    blocks: blocks ?? HOLDS[type].blocks,
    raisedBy: 'order-to-cash',
    owner: HOLDS[type].owner,
    expiresAt: expiryOf(ports, company),
  }))
  addHolds(tx, added)
  const waiting = added.filter((hold) => waitsForSomebody(ports.sla, [hold]))
  ports.sla.clocks.pause(
    tx,
    'order_to_erp_posting',
    waiting.map(({ doc }) => doc),
  )
  await openHoldExceptions(tx, ports, holds)
}

/** When a hold that is opened now needs no decision any more. */
export function expiryOf(ports: ProcessPorts, company: string): Date | null {
  const { holdsExpireAfterMs: afterMs } = ports.company(company)
  return afterMs === undefined ? null : new Date(ports.clock.now().getTime() + afterMs)
}

/** The exceptions of holds that stand already. */
export async function openHoldExceptions(
  tx: Transaction,
  ports: ProcessPorts,
  holds: readonly Omit<HoldToOpen, 'blocks'>[],
): Promise<void> {
  if (holds.length === 0) return
  await ports.openExceptions(
    tx,
    holds.map(({ doc, company, reason, valueMinor, currency, cause, title, type, suggestedAction }) => ({
      company,
      cause,
      code: codeOf(type),
      title,
      suggestedAction: suggestedAction ?? ADVICE[type] ?? 'Find out why, mend it, then release the hold.',
      facts: { reason, order: orderNumber(doc) },
      affects: { doc, kind: 'order', value: { amountMinor: valueMinor, currency } },
    })),
  )
}

const codeOf = (type: HoldType): string => `orders.hold.${type}`

const ADVICE: Readonly<Partial<Record<HoldType, string>>> = {
  credit: 'Check the open invoices and the limit; release the hold, ask for payment, or cancel the order.',
  price_review: "Compare the customer's price with the contract; release at our price, or cancel the line.",
  address:
    'Tell the warehouse what the address lacks, then release the hold; or cancel the order and ask for it anew.',
  inventory: 'Ask at the place whether the stock is there, then release the hold; or cancel the order.',
  manual: 'Read the refusal, mend its cause in the system that refused, then release the hold to try again.',
}

/** Ends the holds of orders of which nothing is left to stop, and what made people look at them. */
export async function endHolds(
  tx: Transaction,
  orders: readonly { readonly doc: number; readonly company: string }[],
  by: { readonly actor: string; readonly reason: string },
): Promise<void> {
  const docs = orders.map(({ doc }) => doc)
  await closeHoldExceptions(tx, await rejectOpenHolds(tx, docs, by), by.reason)
}

/** Ends holds on which nobody decided, and what asked people to. */
export async function expireHolds(
  tx: Transaction,
  holds: readonly { readonly doc: number; readonly id: number }[],
  by: { readonly actor: string; readonly reason: string },
): Promise<void> {
  await closeHoldExceptions(tx, await endExpired(tx, holds, by), by.reason)
}

async function closeHoldExceptions(
  tx: Transaction,
  ended: readonly ReleasedHold[],
  how: string,
): Promise<void> {
  if (ended.length === 0) return
  const docs = [...new Set(ended.map(({ doc }) => doc))]
  const open = await openExceptionsOf(tx, docs)
  const codes = new Set(ended.map(({ doc, type }) => `${doc} ${codeOf(type)}`))
  const gone = [...open].flatMap(([doc, each]) =>
    each.flatMap(({ code, company, cause }) =>
      codes.has(`${doc} ${code}`) ? [{ company, cause, doc }] : [],
    ),
  )
  await closeExceptions(tx, gone, how)
}

export type HoldRelease = {
  readonly doc: number
  readonly company: string
  readonly hold: number
  readonly actor: string
  readonly reason: string
}

/** Releases an order's hold: what it stopped goes on, what was refused is tried again, its exception closes. */
export async function releaseHold(
  tx: Transaction,
  sla: Sla,
  { doc, company, hold, ...by }: HoldRelease,
  cause: Cause,
): Promise<void> {
  const [released] = await releaseHolds(tx, doc, [hold], by)
  if (!released) {
    throw new Refusal('orders.hold_unknown', `${orderNumber(doc)} has no open hold ${holdNumber(hold)}`)
  }
  await restartSteps(tx, [doc], by.actor)
  if (!waitsForSomebody(sla, await openHoldsOf(tx, [doc]))) {
    await sla.clocks.resume(tx, 'order_to_erp_posting', [doc])
  }
  await changeHeaders(
    tx,
    [{ doc, company, data: { hold: holdNumber(hold), type: released.type, reason: by.reason } }],
    { change: 'touched', type: 'order.hold_released' },
    cause,
  )
  recordAudit(tx, [
    {
      actor: by.actor,
      action: 'orders.release_hold',
      company,
      kind: 'order',
      doc,
      reason: by.reason,
      after: { hold },
    },
  ])
  const open = (await openExceptionsOf(tx, [doc])).get(doc) ?? []
  await closeExceptions(
    tx,
    open.flatMap(({ code, cause }) => (code === codeOf(released.type) ? [{ company, cause, doc }] : [])),
    `${by.actor} released hold ${holdNumber(hold)}`,
  )
}
