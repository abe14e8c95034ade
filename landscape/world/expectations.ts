/** What must come of the first orders: a simple model of our own that hands out stock in order of arrival. */
import {
  dayAfter,
  factorOf,
  type Door,
  type Item,
  type Outcome,
  type Stock,
  type StockStatus,
  type World,
  type WorldOrder,
} from './world.ts'

export type Expectations = {
  orders: number
  outcomes: Record<Outcome, number>
  byDoor: Record<Door, number>
  /** Of orders that are neither held nor refused. */
  lines: {
    total: number
    shipAtOnce: number
    /** Of those that ship at once: while older lots stay on the shelf. */
    shipLaterLots: number
    backordered: number
    filled: number
  }
  /** How many shelves hold stock of each status when the world begins. */
  shelves: Record<StockStatus, number>
}

const NO_OUTCOMES: Record<Outcome, number> = {
  ships_at_once: 0,
  fills_later: 0,
  ships_later_lots: 0,
  fills_with_later_lots: 0,
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

type Lot = Pick<Stock, 'expiresOn' | 'quantity'>
type Backorder = { order: WorldOrder; item: string; missing: number }

const GOES_ON: ReadonlySet<Outcome> = new Set([
  'ships_at_once',
  'fills_later',
  'ships_later_lots',
  'fills_with_later_lots',
])

const goesOn = (order: WorldOrder): boolean => GOES_ON.has(order.expected)

function baseQuantity(items: ReadonlyMap<string, Item>, order: WorldOrder, nth: number): number {
  const line = order.lines[nth]
  const item = line && items.get(line.item)
  const factor = item && factorOf(item, line.unit)
  if (!line || !factor) throw new Error(`order ${order.nth} line ${nth + 1} cannot be counted in base units`)
  return (line.quantity * factor.numerator) / factor.denominator
}

const totalOf = (lots: readonly Lot[]): number => lots.reduce((sum, { quantity }) => sum + quantity, 0)

/** Takes what expires first of what lives long enough. */
function take(lots: readonly Lot[], wanted: number, from: string): void {
  let left = wanted
  for (const lot of lots) {
    const taken = lot.expiresOn < from ? 0 : Math.min(left, lot.quantity)
    lot.quantity -= taken
    left -= taken
  }
}

function lotsByItem({ stock }: World): Map<string, Lot[]> {
  const shelves = stock.filter(({ status }) => status === 'available').map((row) => ({ ...row }))
  const sorted = shelves.toSorted((a, b) => (a.expiresOn < b.expiresOn ? -1 : 1))
  return Map.groupBy(sorted, ({ item }) => item)
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
  const livesFor = new Map(world.customers.map(({ number, shelfLifeDays }) => [number, shelfLifeDays]))
  const free = lotsByItem(world)
  const arriving = totalByItem(world.receipts)
  const orders = world.orders(count)
  const backorders: Backorder[] = []
  const outcomes = { ...NO_OUTCOMES }
  const byDoor: Record<Door, number> = { api: 0, shop: 0, edi: 0 }
  const lines = { total: 0, shipAtOnce: 0, shipLaterLots: 0, backordered: 0, filled: 0 }
  const passing = new Set<WorldOrder>()

  for (const order of orders) {
    byDoor[order.door] += 1
    if (!goesOn(order)) {
      outcomes[order.expected] += 1
      continue
    }
    const days = livesFor.get(order.customer)
    order.lines.forEach((line, nth) => {
      const wanted = baseQuantity(items, order, nth)
      const isDated = days !== undefined && items.get(line.item)?.lotControlled === true
      const from = isDated ? dayAfter(world.today, days) : ''
      const lots = free.get(line.item) ?? []
      const onHand = totalOf(lots.filter(({ expiresOn }) => expiresOn >= from))
      const passes = totalOf(lots) > onHand
      take(lots, Math.min(wanted, onHand), from)
      lines.total += 1
      if (passes) passing.add(order)
      if (onHand >= wanted) {
        lines.shipAtOnce += 1
        lines.shipLaterLots += passes ? 1 : 0
      } else backorders.push({ order, item: line.item, missing: wanted - onHand })
    })
  }
  lines.backordered = backorders.length

  const state = new Map<WorldOrder, Outcome>(
    orders.filter(goesOn).map((order) => [order, passing.has(order) ? 'ships_later_lots' : 'ships_at_once']),
  )
  for (const { order, item, missing } of backorders) {
    const stock = arriving.get(item) ?? 0
    const filled = stock >= missing
    if (filled) arriving.set(item, stock - missing)
    lines.filled += filled ? 1 : 0
    if (!filled) state.set(order, 'stays_backordered')
    else if (state.get(order) !== 'stays_backordered')
      state.set(order, passing.has(order) ? 'fills_with_later_lots' : 'fills_later')
  }
  for (const outcome of state.values()) outcomes[outcome] += 1
  return { orders: count, outcomes, byDoor, lines, shelves: shelvesOf(world) }
}
