/** Waiting lines are given what has become free, in the order of the queue. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import {
  type ChannelStock,
  lockChannelStock,
  reserve,
  type ReservedLine,
} from '#domains/inventory/operations.ts'
import { markMore, withhold } from '#domains/inventory/operations/freshness.ts'
import { recordDecisions } from '#domains/inventory/operations/sourcing.ts'
import { type LinesMoved, moveLines } from '#domains/orders/operations.ts'
import { isActive } from '#domains/shipments/contract.ts'
import { ofSilentPlaces } from './careful-orders.ts'
import { type Filled, fillOf, readOrdersWaiting, within } from './fills.ts'
import type { OrderFacts } from './order-facts.ts'
import { lookAll, type OrderWork } from './order-work.ts'
import type { ProcessPorts } from './ports.ts'

/** Gives waiting lines their share of the stock that has become free, nobody what an earlier one waits for. */
export function fillBackorders(ports: ProcessPorts) {
  return async (tx: Transaction, works: readonly OrderWork[], cause: Cause) => {
    const lines = works.flatMap(({ facts }) => facts.lines.filter((line) => line.backordered > 0))
    const locations = [...new Set(works.flatMap(({ facts }) => ports.company(facts.company).locations))]
    const stock = await lockChannelStock(
      tx,
      lines.map((line) => line.itemId),
      locations,
    )
    const filled = await fillAll(tx, ports, { works, lines, stock, locations })
    reserve(
      tx,
      filled.flatMap(({ lines: own }) => own),
    )
    recordDecisions(
      tx,
      filled.flatMap(({ facts: { doc }, decided }) => (decided ? [{ doc, ...decided }] : [])),
    )
    await moveLines(tx, filled.map(allocatedLines), 'order.allocated', cause)
    return lookAll(works)
  }
}

/** Remembers what a silence keeps from being filled. */
export async function noteWithheld(tx: Transaction, works: readonly OrderWork[]) {
  withhold(
    tx,
    works.flatMap(({ facts }) => facts.withheld),
  )
  return lookAll(works)
}

type Filling = {
  readonly works: readonly OrderWork[]
  readonly lines: OrderFacts['lines']
  readonly stock: ChannelStock
  readonly locations: readonly string[]
}

type FilledOrder = Pick<Filled, 'decided'> & {
  readonly facts: OrderFacts
  readonly lines: readonly ReservedLine[]
}

/** One order after the other, each of what those before it leave. */
async function fillAll(
  tx: Transaction,
  ports: ProcessPorts,
  { works, lines, stock, locations }: Filling,
): Promise<FilledOrder[]> {
  const waiting = await readOrdersWaiting(tx, ports, lines, locations)
  if (!waiting) return []
  within(stock, waiting)
  const filled = works.flatMap(({ facts }) => {
    const requestedAt = facts.fulfillments.filter(isActive).map(({ location }) => location)
    const order = { ...facts.order, ...facts, requestedAt }
    const fill = fillOf(waiting, order, { stock, company: ports.company(facts.company) })
    if (fill.lines.length === 0) return []
    return [{ facts, decided: fill.decided, lines: fill.lines.map((line) => reservedLine(facts, line)) }]
  })
  if (waiting.care) markMore(tx, ofSilentPlaces(waiting.care, filled.flatMap(promisedTo)))
  return filled
}

const promisedTo = ({ lines }: FilledOrder) =>
  lines.flatMap(({ doc, company, itemId, allocations }) =>
    allocations.map(({ location, quantity }) => ({ doc, company, itemId, location, quantity })),
  )

const reservedLine = (
  { doc, company, order, lines }: OrderFacts,
  { n, itemId, quantity, allocations }: Filled['lines'][number],
): ReservedLine => {
  const { backordered, minimumShelfLifeDays } = lines.find((line) => line.n === n)!
  return {
    doc,
    line: n,
    company,
    channel: order.channel,
    itemId,
    minimumShelfLifeDays,
    allocations,
    backordered: backordered - quantity,
    waited: true,
  }
}

const allocatedLines = ({
  facts,
  lines,
}: {
  facts: OrderFacts
  lines: readonly ReservedLine[]
}): LinesMoved => ({
  ...facts,
  data: { lines: lines.map(({ line }) => line) },
  lines: lines.map(({ line, allocations }) => {
    const quantity = allocations.reduce((sum, allocation) => sum + allocation.quantity, 0)
    return { n: line, backordered: -quantity, reserved: quantity }
  }),
})
