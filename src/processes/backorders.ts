/** Waiting lines are given what has become free, in the order of the queue. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import {
  allocateOrder,
  coverableLines,
  type FillableLine,
  type FreeStock,
  lockFreeStock,
  reserve,
  type ReservedLine,
} from '#domains/inventory/operations.ts'
import { type LinesMoved, moveLines } from '#domains/orders/operations.ts'
import { linesOfFulfillments } from '#domains/shipments/views.ts'
import { fillableByOrder, type OrderFacts } from './order-facts.ts'
import { lookAll, type OrderWork } from './order-work.ts'
import type { ProcessPorts } from './ports.ts'

/** Gives waiting lines their share of the stock that has become free, nobody what an earlier one waits for. */
export function fillBackorders(ports: ProcessPorts) {
  return async (tx: Transaction, works: readonly OrderWork[], cause: Cause) => {
    const orders = works.map(({ facts }) => facts.order)
    const waiting = works.flatMap(({ facts }) => facts.lines.filter((line) => line.backordered > 0))
    const locations = [...new Set(orders.flatMap(({ company }) => ports.company(company).locations))]
    const free = await lockFreeStock(
      tx,
      waiting.map((line) => line.itemId),
      locations,
    )
    const [sharesOf, shortAt] = await Promise.all([
      fillableByOrder(tx, orders, waiting, ports.company),
      shortLocations(tx, works),
    ])
    const filled = works.map(({ facts }) => {
      const missing = shortAt.get(facts.doc) ?? new Set()
      const preferred = ports
        .company(facts.company)
        .locations.toSorted((a, b) => Number(missing.has(a)) - Number(missing.has(b)))
      return { facts, lines: fillOrder(free, facts, { shares: sharesOf(facts.doc), locations: preferred }) }
    })
    reserve(
      tx,
      filled.flatMap(({ lines }) => lines),
    )
    const moved = filled.filter(({ lines }) => lines.length > 0)
    await moveLines(tx, moved.map(allocatedLines), 'order.allocated', cause)
    return lookAll(works)
  }
}

/** Where a pick of an order found too little: tried last, since its shelves are in doubt. */
async function shortLocations(
  tx: Transaction,
  works: readonly OrderWork[],
): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const requests = works.flatMap(({ facts }) =>
    facts.fulfillments.map((request) => ({ order: facts.doc, ...request })),
  )
  if (requests.length === 0) return new Map()
  const lines = await linesOfFulfillments(
    tx,
    requests.map(({ doc }) => doc),
  )
  const short = new Set(lines.filter((line) => line.short > 0).map((line) => line.doc))
  const found = Map.groupBy(
    requests.filter(({ doc }) => short.has(doc)),
    ({ order }) => order,
  )
  return new Map([...found].map(([order, group]) => [order, new Set(group.map(({ location }) => location))]))
}

type Supply = { readonly shares: readonly FillableLine[]; readonly locations: readonly string[] }

function fillOrder(free: FreeStock, facts: OrderFacts, { shares, locations }: Supply): ReservedLine[] {
  const lineOf = new Map(facts.lines.map((line) => [line.n, line]))
  const asked = shares.map(({ line, share }) => ({ line, itemId: lineOf.get(line)!.itemId, quantity: share }))
  // A share is read after the stock was locked and may count on some that came in between, at a place that had none:
  // whoever brought it has woken the order, which looks again.
  const covered = coverableLines(free, asked, locations)
  const given = allocateOrder(free, covered, locations)
  return covered.map(({ line, itemId, quantity }, place) => ({
    doc: facts.doc,
    line,
    company: facts.company,
    itemId,
    allocations: given[place]!,
    backordered: lineOf.get(line)!.backordered - quantity,
    waited: true,
  }))
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
