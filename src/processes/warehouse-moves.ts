/** What became of requests at a warehouse, moved between the buckets of their orders' lines and told. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import { changeExposure } from '#domains/customers/operations.ts'
import { reserve } from '#domains/inventory/operations.ts'
import { recordShortPicks } from '#domains/inventory/operations/sourcing.ts'
import {
  exposureFreed,
  type LinesEvent,
  type LinesMoved,
  lowerExposure,
  moveLockedLines,
} from '#domains/orders/operations.ts'
import type { OrderHeader } from '#domains/orders/views.ts'
import { groupBy } from './order-facts.ts'
import { type Books, lineKey, lineOf, type LineStep, type Step, type Taken } from './warehouse-books.ts'

type Sum = Omit<LineStep, 'step' | 'line'>

export type OrderMove = {
  readonly order: OrderHeader
  readonly shipments: readonly number[]
  readonly lots: readonly string[]
  /** By order line. */
  readonly sums: Readonly<Record<Step, ReadonlyMap<number, Sum>>>
}

/** What the messages come to for each order, however many of them are its. */
export function movesOf(taken: readonly Taken[]): OrderMove[] {
  const of = groupBy(taken, ({ order }) => order.doc)
  const orders = [...new Set(taken.map(({ order }) => order))]
  return orders.map((order) => {
    const mine = of(order.doc)
    const steps = mine.flatMap((row) => row.steps)
    return {
      order,
      sums: {
        picked: sumOf(steps, 'picked'),
        packed: sumOf(steps, 'packed'),
        left: sumOf(steps, 'left'),
      },
      lots: [...new Set(mine.flatMap(({ lots }) => lots))],
      shipments: mine.flatMap(({ confirmed }) => confirmed?.shipment?.doc ?? []),
    }
  })
}

function sumOf(steps: readonly LineStep[], wanted: Step): ReadonlyMap<number, Sum> {
  const sums = new Map<number, Sum>()
  for (const { step, line, ...change } of steps) {
    if (step !== wanted) continue
    const sum = sums.get(line)
    sums.set(line, sum ? added(sum, change) : change)
  }
  return sums
}

const added = (a: Sum, b: Sum): Sum => ({
  released: a.released + b.released,
  picked: a.picked + b.picked,
  packed: a.packed + b.packed,
  shipped: a.shipped + b.shipped,
  short: a.short + b.short,
  reserved: a.reserved + b.reserved,
})

const cancelsRest = (order: OrderHeader): boolean => order.shippingRule === 'cancel-rest'

/** What was short and is not wanted later is no longer owed. Comes before the stock: credit accounts are locked first. */
export function cancelRests(tx: Transaction, { orderLines }: Books, moves: readonly OrderMove[]): void {
  const worth = moves.flatMap(({ order, sums }) => {
    if (!cancelsRest(order)) return []
    const amountMinor = exposureFreed(
      order,
      [...sums.left].map(([n, { short }]) => ({
        line: orderLines.get(lineKey(order.doc, n))!,
        quantity: short,
      })),
    )
    return amountMinor > 0 ? [{ doc: order.doc, customerId: order.customerId, amountMinor }] : []
  })
  changeExposure(
    tx,
    worth.map(({ customerId, amountMinor }) => ({ customerId, amountMinor: -amountMinor })),
  )
  lowerExposure(tx, worth)
}

/** Nobody is sent there again for what is still short of these lines until something else is told of the place. */
export function rememberShorts(tx: Transaction, books: Books, taken: readonly Taken[]): void {
  const short = taken.flatMap(({ order: { doc }, request, steps }) =>
    steps.flatMap(({ line, short: more }) => {
      if (more === 0 || lineOf(books, request.doc, line)!.short <= 0) return []
      const { itemId } = books.orderLines.get(lineKey(doc, line))!
      return [{ doc, line, location: request.location, itemId }]
    }),
  )
  const distinct = new Map(short.map((pick) => [`${pick.doc} ${pick.line} ${pick.location}`, pick]))
  recordShortPicks(tx, [...distinct.values()])
}

/** What was short waits again, unless its order wants no rest; what was not after all waits no more. */
export function queueShorts(tx: Transaction, { orderLines }: Books, moves: readonly OrderMove[]): void {
  reserve(
    tx,
    moves.flatMap(({ order, sums }) =>
      [...sums.left].flatMap(([n, { short }]) => {
        if (short === 0 || cancelsRest(order)) return []
        const { itemId, backordered, minimumShelfLifeDays } = orderLines.get(lineKey(order.doc, n))!
        return [
          {
            doc: order.doc,
            line: n,
            company: order.company,
            channel: order.channel,
            itemId,
            minimumShelfLifeDays,
            allocations: [],
            backordered: backordered + short,
            waited: backordered > 0,
          },
        ]
      }),
    ),
  )
}

const TOLD_AS: readonly (readonly [LinesEvent, Step])[] = [
  ['order.picked', 'picked'],
  ['order.packed', 'packed'],
  ['order.shipped', 'left'],
  ['order.picked_short', 'left'],
]

/** Each order is told of each step once, in the order of steps; its version goes up with each. */
export function moveOrderLines(tx: Transaction, moves: readonly OrderMove[], cause: Cause): void {
  const versions = new Map(moves.map(({ order }) => [order.doc, order.version]))
  for (const [type, step] of TOLD_AS) {
    const told = moves.filter((move) => isToldAs(move, type, step))
    const raised = moveLockedLines(
      tx,
      told.map((move) => ({ ...linesMoved(move, step), version: versions.get(move.order.doc)! })),
      type,
      cause,
    )
    for (const [doc, version] of raised) versions.set(doc, version)
  }
}

function isToldAs({ sums, shipments }: OrderMove, type: LinesEvent, step: Step): boolean {
  if (sums[step].size === 0) return false
  return step !== 'left' || shipments.length > 0 === (type === 'order.shipped')
}

function linesMoved(move: OrderMove, step: Step): LinesMoved {
  const { order, sums } = move
  return {
    doc: order.doc,
    company: order.company,
    data: dataOf(move, step),
    lines: [...sums[step]].map(([n, { short: missing, ...change }]) => ({
      n,
      ...change,
      ...restOf(order, missing),
    })),
  }
}

function dataOf({ sums, shipments, lots }: OrderMove, step: Step): object {
  const lines = [...sums[step]]
  if (step === 'packed') return { lines: lines.map(([n]) => n) }
  if (step === 'picked') return { lines: lines.map(([n]) => n), ...(lots.length > 0 ? { lots } : {}) }
  const short = lines.flatMap(([n, sum]) => (sum.short > 0 ? [n] : []))
  return { ...(shipments.length > 0 ? { shipments } : {}), ...(short.length > 0 ? { short } : {}) }
}

const restOf = (order: OrderHeader, missing: Quantity) =>
  cancelsRest(order) ? { cancelled: missing } : { backordered: missing }
