/** The answer that a captured order was given, told again to whoever sends the same business document. */
import type { Queries } from '#platform/database.ts'
import { formatAmount } from '#platform/money.ts'
import { convertQuantity, formatQuantity } from '#platform/quantity.ts'
import type { LineOutcome, OrderAnswer } from '#domains/orders/contract.ts'
import { decideOutcome } from '#domains/orders/operations.ts'
import { headersOf, linesOf, openHoldsOf, type OrderLine } from '#domains/orders/views.ts'
import { holdNumber, orderNumber } from './ports.ts'

/** As the order stands now: quantities that were promised since then count as reserved. */
export async function capturedAnswers(queries: Queries, doc: number): Promise<OrderAnswer> {
  const [[order], lines, holds] = await Promise.all([
    headersOf(queries, [doc]),
    linesOf(queries, [doc]),
    openHoldsOf(queries, [doc]),
  ])
  if (!order) throw new Error(`order ${doc} does not exist`)
  const outcomes = lines.map(outcomeOf)
  return {
    id: orderNumber(doc),
    customerOrder: order.customerOrder,
    outcome: decideOutcome(outcomes, holds.length > 0),
    currency: order.currency,
    total: formatAmount(order.totalMinor, order.currency),
    holds: holds.map(({ id, type, reason, blocks }) => ({
      id: holdNumber(id),
      type,
      reason,
      blocks: [...blocks],
    })),
    lines: lines.map((line, place) => ({
      line: line.customerLine,
      sku: line.sku,
      outcome: outcomes[place]!,
      quantity: formatQuantity(line.quantity),
      unit: line.unit,
      reserved: inUnit(line, promised(line)),
      backordered: inUnit(line, line.backordered),
      ...(line.rejection === null
        ? { price: formatAmount(line.priceMinor, order.currency), priceUnit: line.priceUnit }
        : {
            reason: { code: line.rejection, message: 'The line was rejected when the order was captured.' },
          }),
    })),
  }
}

const promised = (line: OrderLine): number =>
  line.reserved + line.released + line.picked + line.packed + line.shipped

function outcomeOf(line: OrderLine): LineOutcome {
  if (line.rejection !== null) return 'rejected'
  if (line.backordered === 0) return promised(line) > 0 ? 'reserved' : 'rejected'
  return promised(line) > 0 ? 'partially-reserved' : 'backordered'
}

const inUnit = ({ numerator, denominator }: OrderLine, base: number): string =>
  formatQuantity(convertQuantity(base, { numerator: denominator, denominator: numerator }) ?? base)
