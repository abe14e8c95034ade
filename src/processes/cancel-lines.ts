/** Takes single lines back, or a part of them, as far as no warehouse has been asked for it: at once, without undoing anything. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { intentsOf } from '#platform/effects.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { convertQuantity, formatQuantity, parseQuantity, type Quantity, units } from '#platform/quantity.ts'
import { changeExposure } from '#domains/customers/operations.ts'
import type { Reservation } from '#domains/inventory/contract.ts'
import { comesWhole } from '#domains/items/operations.ts'
import { giveBack, reservationsOf, reserve } from '#domains/inventory/operations.ts'
import { exposureFreed, keepFromErp, lowerExposure, takeBackLines } from '#domains/orders/operations.ts'
import { isFinal, linesOf, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import type { Canceller } from './cancel.ts'
import { endHolds } from './holds.ts'
import { wakesOfFreed } from './order-undo.ts'
import { orderNumber } from './ports.ts'

export type LineToCancel = {
  /** The customer's line number. */
  readonly line: string
  /** In the unit that was ordered; all that can be taken back when absent. */
  readonly quantity?: string | undefined
}

type Cut = { readonly line: OrderLine; readonly waiting: Quantity; readonly claimed: Quantity }

/** For one locked order; all of the lines or none. Answers whose turn it is now at the stock that came free. */
export async function cancelParts(
  tx: Transaction,
  order: OrderHeader,
  { lines: asked, ...by }: Canceller & { readonly lines: readonly LineToCancel[] },
  cause: Cause,
): Promise<DeskRow[]> {
  const lines = await linesOf(tx, [order.doc])
  refuseRepeated(asked)
  const cuts = asked.map((one, at) => cutOf(order, lines, one, `/lines/${at}`))
  await giveUp(tx, order, cuts)
  const { doc, company } = order
  const numbers = cuts.map(({ line }) => line.n)
  const moved = cuts.map(({ line: { n }, waiting, claimed }) => ({
    n,
    cancelled: waiting + claimed,
    backordered: -waiting,
    reserved: -claimed,
  }))
  const data = { lines: numbers, reason: by.reason }
  await takeBackLines(tx, [{ doc, company, data, lines: moved }], cause)
  const left = lines.map((line) => ({ ...line, cancelled: line.cancelled + cancelledOf(cuts, line) }))
  if (left.every(isFinal))
    await endHolds(tx, [order], { actor: by.actor, reason: 'nothing is left of the order' })
  await keepUntold(tx, order, cuts)
  recordAudit(tx, [
    { ...by, action: 'orders.cancel_lines', company, kind: 'order', doc, after: { lines: numbers } },
  ])
  return wakesOfFreed(
    tx,
    cuts.map(({ line }) => line.itemId),
  )
}

function refuseRepeated(asked: readonly LineToCancel[]): void {
  if (new Set(asked.map(({ line }) => line)).size === asked.length) return
  throw new Refusal('orders.line_repeated', 'a line is named twice', {}, '/lines')
}

const cancelledOf = (cuts: readonly Cut[], { n }: OrderLine): Quantity =>
  cuts.reduce((sum, { line, waiting, claimed }) => sum + (line.n === n ? waiting + claimed : 0), 0)

/** What waits goes first: nobody misses it. */
function cutOf(order: OrderHeader, lines: readonly OrderLine[], asked: LineToCancel, at: string): Cut {
  const line = lines.find(({ customerLine }) => customerLine === asked.line)
  const number = orderNumber(order.doc)
  if (!line) throw new Refusal('orders.line_unknown', `${number} has no line ${asked.line}`, {}, `${at}/line`)
  const free = order.closed || order.cancelRequested ? 0 : line.backordered + line.reserved
  const wanted = asked.quantity === undefined ? free : inBase(line, asked.quantity, `${at}/quantity`)
  if (wanted === 0 || wanted > free) {
    const message = `of line ${asked.line} of ${number} no more than ${formatQuantity(free)} ${line.baseUnit} can be taken back`
    throw new Refusal('orders.too_late_to_cancel', message, { order: number }, `${at}/quantity`)
  }
  const waiting = Math.min(line.backordered, wanted)
  return { line, waiting, claimed: wanted - waiting }
}

function inBase({ numerator, denominator, unit, baseUnit }: OrderLine, text: string, at: string): Quantity {
  const base = convertQuantity(parseQuantity(text), { numerator, denominator })
  if (base !== undefined && !(comesWhole(baseUnit) && base % units(1) !== 0)) return base
  throw new Refusal('items.quantity_not_exact', `${text} ${unit} is no exact quantity of ${baseUnit}`, {}, at)
}

/** Credit, then stock and the queue: in the order in which everybody locks them. */
async function giveUp(tx: Transaction, order: OrderHeader, cuts: readonly Cut[]): Promise<void> {
  const { doc, company, channel, customerId } = order
  const amountMinor = exposureFreed(
    order,
    cuts.map(({ line, waiting, claimed }) => ({ line, quantity: waiting + claimed })),
  )
  changeExposure(tx, [{ customerId, amountMinor: -amountMinor }])
  lowerExposure(tx, [{ doc, amountMinor }])
  await giveBack(tx, claimsOf(cuts, await reservationsOf(tx, [doc])))
  reserve(
    tx,
    cuts.flatMap(({ line: { n, itemId, backordered }, waiting }) =>
      waiting === 0
        ? []
        : [
            {
              doc,
              line: n,
              company,
              channel,
              itemId,
              allocations: [],
              backordered: backordered - waiting,
              waited: true,
            },
          ],
    ),
  )
}

/** So much of the claims of each line, those of the places that were tried last first. */
function claimsOf(cuts: readonly Cut[], reservations: readonly Reservation[]): Reservation[] {
  return cuts.flatMap(({ line, claimed }) => {
    let left = claimed
    return reservations
      .filter((claim) => claim.line === line.n)
      .toReversed()
      .flatMap((claim) => {
        const quantity = Math.min(left, claim.quantity)
        left -= quantity
        return quantity > 0 ? [{ ...claim, quantity }] : []
      })
  })
}

/** An ERP that was never told of the order is told of the rest only; one that may have been is asked to close it. */
async function keepUntold(tx: Transaction, order: OrderHeader, cuts: readonly Cut[]): Promise<void> {
  if (order.erpNumber !== null) return
  const calls = await intentsOf(tx, [order.doc])
  if (calls.some(({ step }) => step === 'postToErp')) return
  keepFromErp(
    tx,
    cuts.map(({ line: { n, cancelled }, waiting, claimed }) => ({
      doc: order.doc,
      n,
      closed: cancelled + waiting + claimed,
    })),
  )
}
