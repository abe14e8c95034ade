/** What must come of the first orders: a simple model of our own that hands out stock in order of arrival. */
import {
  factorOf,
  type Door,
  type Item,
  type Outcome,
  type StockStatus,
  type World,
  type WorldOrder,
} from './world.ts'

export type Expectations = {
  orders: number
  outcomes: Record<Outcome, number>
  byDoor: Record<Door, number>
  /** Of orders that are neither held nor refused. */
  lines: { total: number; shipAtOnce: number; backordered: number; filled: number }
  /** How many shelves hold stock of each status when the world begins. */
  shelves: Record<StockStatus, number>
}

const NO_OUTCOMES: Record<Outcome, number> = {
  ships_at_once: 0,
  fills_later: 0,
  stays_backordered: 0,
  held_credit_block: 0,
  held_over_limit: 0,
  held_price: 0,
  rejected_discontinued: 0,
  rejected_unknown_item: 0,
  rejected_unknown_customer: 0,
  rejected_bad_unit: 0,
  duplicate_of_earlier: 0,
  conflict_with_earlier: 0,
}

type Backorder = { order: WorldOrder; item: string; missing: number }

const goesOn = (order: WorldOrder): boolean =>
  order.expected === 'ships_at_once' || order.expected === 'fills_later'

function baseQuantity(items: ReadonlyMap<string, Item>, order: WorldOrder, nth: number): number {
  const line = order.lines[nth]
  const item = line && items.get(line.item)
  const factor = item && factorOf(item, line.unit)
  if (!line || !factor) throw new Error(`order ${order.nth} line ${nth + 1} cannot be counted in base units`)
  return (line.quantity * factor.numerator) / factor.denominator
}

function totalByItem(rows: Iterable<{ item: string; quantity: number }>): Map<string, number> {
  const total = new Map<string, number>()
  for (const row of rows) total.set(row.item, (total.get(row.item) ?? 0) + row.quantity)
  return total
}

function shelvesOf({ stock }: World): Expectations['shelves'] {
  const shelves = { available: 0, hold: 0, damaged: 0 }
  for (const { status } of stock) shelves[status] += 1
  return shelves
}

/** Receipts of all days have arrived at the end. Counts do not depend on the order of arrival (see docs/landscape.md). */
export function expectations(world: World, count: number): Expectations {
  const items = new Map(world.items.map((item) => [item.number, item]))
  const free = totalByItem(world.stock.filter((row) => row.status === 'available'))
  const arriving = totalByItem(world.receipts)
  const orders = world.orders(count)
  const backorders: Backorder[] = []
  const outcomes = { ...NO_OUTCOMES }
  const byDoor: Record<Door, number> = { api: 0, shop: 0, edi: 0 }
  const lines = { total: 0, shipAtOnce: 0, backordered: 0, filled: 0 }

  for (const order of orders) {
    byDoor[order.door] += 1
    if (!goesOn(order)) {
      outcomes[order.expected] += 1
      continue
    }
    order.lines.forEach((line, nth) => {
      const wanted = baseQuantity(items, order, nth)
      const onHand = free.get(line.item) ?? 0
      free.set(line.item, onHand - Math.min(wanted, onHand))
      lines.total += 1
      if (onHand >= wanted) lines.shipAtOnce += 1
      else backorders.push({ order, item: line.item, missing: wanted - onHand })
    })
  }
  lines.backordered = backorders.length

  const state = new Map<WorldOrder, Outcome>(orders.filter(goesOn).map((order) => [order, 'ships_at_once']))
  for (const { order, item, missing } of backorders) {
    const stock = arriving.get(item) ?? 0
    const filled = stock >= missing
    if (filled) arriving.set(item, stock - missing)
    lines.filled += filled ? 1 : 0
    if (!filled) state.set(order, 'stays_backordered')
    else if (state.get(order) === 'ships_at_once') state.set(order, 'fills_later')
  }
  for (const outcome of state.values()) outcomes[outcome] += 1
  return { orders: count, outcomes, byDoor, lines, shelves: shelvesOf(world) }
}
