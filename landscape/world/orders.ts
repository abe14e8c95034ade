/** The stream of orders: every block of 100 holds the same planted cases at drawn places. */
import { draw, drawInteger, drawOne } from '../random.ts'
import { priceBook } from './goods.ts'
import { dayAfter, type Customer, type Item, type Outcome, type PlantedCase, type World, type WorldOrder } from './world.ts'

const BLOCK = 100
/** Duplicates come late in a block, so that there is something to repeat. */
const FIRST_DUPLICATE = 30
const PLANTED: [PlantedCase, number][] = [
  ['duplicate_same', 2],
  ['duplicate_changed', 1],
  ['credit_blocked', 2],
  ['over_limit', 2],
  ['price_mismatch', 2],
  ['price_tolerated', 3],
  ['discontinued', 1],
  ['unknown_item', 1],
  ['unknown_customer', 1],
  ['bad_unit', 1],
]

const OUTCOME: Record<Exclude<PlantedCase, 'regular'>, Outcome> = {
  credit_blocked: 'held_credit_block',
  over_limit: 'held_over_limit',
  price_mismatch: 'held_price',
  price_tolerated: 'ships_at_once',
  discontinued: 'rejected_discontinued',
  unknown_item: 'rejected_unknown_item',
  unknown_customer: 'rejected_unknown_customer',
  bad_unit: 'rejected_bad_unit',
  duplicate_same: 'duplicate_of_earlier',
  duplicate_changed: 'conflict_with_earlier',
}

const UNKNOWN_ITEM = '99999'
const UNKNOWN_CUSTOMER = { NWF: '999999', NWI: 'C99999' }
/** A unit that nobody keeps, in the words of X12. */
const BAD_UNIT = 'DZ'
/** The share of lines that ask for something not (enough) on stock. */
const SHORT_SHARE = 0.15
const FOODS_SHARE = 0.6

function casesOf(seed: string, block: number): PlantedCase[] {
  const cases = Array<PlantedCase>(BLOCK).fill('regular')
  const places = cases.map((_, place) => place)
  const rank = (place: number): number => draw(seed, `case/${block}`, place)
  const free = new Set(places.toSorted((a, b) => rank(a) - rank(b)))
  for (const [planted, count] of PLANTED) {
    for (let n = 0; n < count; n++) {
      const place = [...free].find((one) => one >= FIRST_DUPLICATE || !planted.startsWith('duplicate'))
      if (place === undefined) throw new Error('a block is full')
      free.delete(place)
      cases[place] = planted
    }
  }
  return cases
}

type Catalog = { ample: Item[]; short: Item[]; discontinued: Item[]; good: Customer[]; blocked: Customer[]; over: Customer[] }

function catalogOf(world: Omit<World, 'orders'>, company: string): Catalog {
  const items = world.items.filter((item) => item.company === company)
  const customers = world.customers.filter((customer) => customer.company === company)
  const sold = items.filter((item) => !item.discontinued)
  return {
    ample: sold.filter((item) => item.supply === 'ample'),
    short: sold.filter((item) => item.supply !== 'ample'),
    discontinued: items.filter((item) => item.discontinued),
    good: customers.filter((customer) => !customer.creditBlocked && !customer.overLimit),
    blocked: customers.filter((customer) => customer.creditBlocked),
    over: customers.filter((customer) => customer.overLimit),
  }
}

/** What the stream knows; an order is a pure function of its place. */
export function orderStream(world: Omit<World, 'orders'>): (nth: number) => WorldOrder {
  const { seed, today } = world
  const catalogs = { NWF: catalogOf(world, 'NWF'), NWI: catalogOf(world, 'NWI') }
  const priceOf = priceBook(world.prices)
  const items = new Map(world.items.map((item) => [item.number, item]))
  const cases = new Map<number, PlantedCase[]>()

  function caseOf(nth: number): PlantedCase {
    const block = Math.floor(nth / BLOCK)
    let found = cases.get(block)
    if (!found) cases.set(block, (found = casesOf(seed, block)))
    return found[nth % BLOCK] ?? 'regular'
  }

  function customerFor(planted: PlantedCase, catalog: Catalog, nth: number): Customer {
    if (planted === 'credit_blocked') return drawOne(seed, 'order/blocked', nth, catalog.blocked)
    if (planted === 'over_limit') return drawOne(seed, 'order/over', nth, catalog.over)
    const writes = catalog.good.filter((customer) => customer.door !== 'shop')
    return drawOne(seed, 'order/customer', nth, planted === 'bad_unit' ? writes : catalog.good)
  }

  function itemsFor(planted: PlantedCase, catalog: Catalog, nth: number): Item[] {
    if (planted === 'discontinued') return [drawOne(seed, 'order/discontinued', nth, catalog.discontinued)]
    const single = planted === 'unknown_item' || planted === 'unknown_customer' || planted === 'bad_unit'
    const count = single ? 1 : drawOne(seed, 'order/lines', nth, [1, 2, 2, 3, 3, 4, 5])
    const picked = new Set<Item>()
    for (let n = 0; n < count; n++) {
      const short = planted === 'regular' && draw(seed, `order/short/${nth}`, n) < SHORT_SHARE
      const list = short ? catalog.short : catalog.ample
      // Squaring the draw makes the first items popular, as in every catalog.
      const item = list[Math.floor(draw(seed, `order/item/${nth}`, n) ** 2 * list.length)]
      if (item) picked.add(item)
    }
    return [...picked]
  }

  function statedPrice(planted: PlantedCase, priceMinor: number): number {
    if (planted === 'price_mismatch') return Math.round(priceMinor * 0.9)
    return planted === 'price_tolerated' ? Math.round(priceMinor * 0.99) : priceMinor
  }

  function original(nth: number): WorldOrder {
    const planted = caseOf(nth)
    const company = draw(seed, 'order/company', nth) < FOODS_SHARE ? 'NWF' : 'NWI'
    const catalog = catalogs[company]
    const customer = customerFor(planted, catalog, nth)
    const wanted = itemsFor(planted, catalog, nth)
    const lines = wanted.map((item, n) => {
      const scarce = item.supply === 'scarce'
      const quantity = drawInteger(seed, `order/quantity/${nth}`, n, scarce ? [2, 6] : [1, 12])
      const priceMinor = statedPrice(planted, priceOf(customer.number, item, quantity, today))
      return { line: n + 1, item: item.number, quantity, unit: item.salesUnit as string, priceMinor, priceUnit: item.priceUnit }
    })
    const first = lines[0]
    if (first && planted === 'unknown_item') first.item = UNKNOWN_ITEM
    if (first && planted === 'bad_unit') first.unit = BAD_UNIT
    const short = wanted.some((item) => item.supply !== 'ample')
    return {
      nth,
      company,
      door: planted === 'unknown_customer' ? 'api' : customer.door,
      customer: planted === 'unknown_customer' ? UNKNOWN_CUSTOMER[company] : customer.number,
      poNumber: `PO-${100_000 + nth}`,
      orderedOn: today,
      requestedOn: dayAfter(today, drawInteger(seed, 'order/days', nth, [2, 6])),
      shipTo: drawOne(seed, 'order/ship-to', nth, customer.addresses).code,
      currency: customer.currency,
      lines,
      case: planted,
      repeats: undefined,
      expected: planted !== 'regular' ? OUTCOME[planted] : short ? 'fills_later' : 'ships_at_once',
    }
  }

  /** A duplicate repeats the nearest earlier order of its block that shipped at once and came by API or EDI. */
  function duplicate(nth: number, planted: 'duplicate_same' | 'duplicate_changed'): WorldOrder {
    const taken = repeatedBefore(nth)
    for (let earlier = nth - 5; earlier >= nth - (nth % BLOCK); earlier--) {
      if (caseOf(earlier) !== 'regular' || taken.has(earlier)) continue
      const order = original(earlier)
      if (order.door === 'shop' || order.expected !== 'ships_at_once') continue
      const changed = planted === 'duplicate_changed' ? 1 : 0
      const lines = order.lines.map((line, n) => (n === 0 ? { ...line, quantity: line.quantity + changed } : line))
      return { ...order, nth, lines, case: planted, repeats: earlier, expected: OUTCOME[planted] }
    }
    throw new Error(`nothing to repeat before order ${nth}`)
  }

  /** What earlier duplicates of the block repeat: an order is repeated once at most. */
  function repeatedBefore(nth: number): Set<number> {
    const taken = new Set<number>()
    for (let earlier = nth - (nth % BLOCK) + FIRST_DUPLICATE; earlier < nth; earlier++) {
      const planted = caseOf(earlier)
      if (planted !== 'duplicate_same' && planted !== 'duplicate_changed') continue
      const repeats = duplicate(earlier, planted).repeats
      if (repeats !== undefined) taken.add(repeats)
    }
    return taken
  }

  return (nth) => {
    const planted = caseOf(nth)
    const order =
      planted === 'duplicate_same' || planted === 'duplicate_changed' ? duplicate(nth, planted) : original(nth)
    if (order.lines.some((line) => !items.has(line.item)) !== (planted === 'unknown_item')) {
      throw new Error(`order ${nth} names an item that the world lacks`)
    }
    return order
  }
}
