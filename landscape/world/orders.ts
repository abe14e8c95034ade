/** The stream of orders: every block of 100 holds the same planted cases at drawn places. */
import { draw, drawInteger, drawOne } from '../random.ts'
import { priceBook, type PriceBook } from './goods.ts'
import {
  dayAfter,
  type CompanyCode,
  type Customer,
  type Item,
  type OrderLine,
  type Outcome,
  type PlantedCase,
  type World,
  type WorldOrder,
} from './world.ts'

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

/** Where customers want goods to live for long. */
const PLANTED_LIVES: [PlantedCase, number][] = [
  ['long_life', 2],
  ['too_old', 2],
]
const LIVES: ReadonlySet<PlantedCase> = new Set(PLANTED_LIVES.map(([planted]) => planted))

const OUTCOME: Record<Exclude<PlantedCase, 'regular'>, Outcome> = {
  credit_blocked: 'held_credit_block',
  over_limit: 'held_over_limit',
  price_mismatch: 'held_price',
  price_tolerated: 'ships_at_once',
  discontinued: 'rejected_discontinued',
  unknown_item: 'rejected_unknown_item',
  unknown_customer: 'rejected_unknown_customer',
  bad_unit: 'rejected_bad_unit',
  long_life: 'ships_later_lots',
  too_old: 'fills_with_later_lots',
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
/** The share of regular orders that want a machine besides. */
const MACHINE_SHARE = 0.1
const LINES = [1, 2, 2, 3, 3, 4, 5]
/** Orders are wanted so many days later. */
const [FIRST_DAY, LAST_DAY] = [2, 6]
/** One bad line is the whole order, so that its outcome is the order's. */
const SINGLE_LINE: ReadonlySet<PlantedCase> = new Set(['unknown_item', 'unknown_customer', 'bad_unit'])
/** What the order states of our price. */
const STATED: Partial<Record<PlantedCase, number>> = { price_mismatch: 0.9, price_tolerated: 0.99 }

function casesOf(seed: string, block: number, counts: readonly [PlantedCase, number][]): PlantedCase[] {
  const cases = Array<PlantedCase>(BLOCK).fill('regular')
  const places = cases.map((_, place) => place)
  const ranks = places.map((place) => draw(seed, `case/${block}`, place))
  const free = new Set(places.toSorted((a, b) => ranks[a]! - ranks[b]!))
  for (const [planted, count] of counts) {
    for (let n = 0; n < count; n++) {
      const place = [...free].find((one) => one >= FIRST_DUPLICATE || !planted.startsWith('duplicate'))
      if (place === undefined) throw new Error('a block is full')
      free.delete(place)
      cases[place] = planted
    }
  }
  return cases
}

type Catalog = {
  ample: Item[]
  /** Of the ample ones those that have lots of several ages. */
  lots: Item[]
  aging: Item[]
  short: Item[]
  discontinued: Item[]
  machines: Item[]
  good: Customer[]
  /** Of the good ones those that can write what they like: the shop sells only what it shows. */
  writing: Customer[]
  longLife: Customer[]
  blocked: Customer[]
  over: Customer[]
}

type LineAbout = { planted: PlantedCase; customer: Customer; item: Item; nth: number }

const isShort = ({ supply }: Item): boolean => supply === 'awaited' || supply === 'scarce'

function catalogOf(world: Omit<World, 'orders'>, company: string): Catalog {
  const items = world.items.filter((item) => item.company === company)
  const customers = world.customers.filter((customer) => customer.company === company)
  const solvent = customers.filter((customer) => !customer.creditBlocked && !customer.overLimit)
  const good = solvent.filter((customer) => customer.shelfLifeDays === undefined)
  const sold = items.filter((item) => !item.discontinued && !item.serialControlled)
  return {
    ample: sold.filter((item) => !isShort(item)),
    lots: sold.filter((item) => item.supply === 'ample' && item.lotControlled),
    aging: sold.filter((item) => item.supply === 'aging'),
    short: sold.filter(isShort),
    discontinued: items.filter((item) => item.discontinued),
    machines: items.filter((item) => item.serialControlled),
    good,
    writing: good.filter((customer) => customer.door !== 'shop'),
    longLife: solvent.filter((customer) => customer.shelfLifeDays !== undefined),
    blocked: customers.filter((customer) => customer.creditBlocked),
    over: customers.filter((customer) => customer.overLimit),
  }
}

/** What is too old is the first line of an order whose others ship at once. */
function listFor(planted: PlantedCase, { ample, lots, aging }: Catalog, nth: number): Item[] {
  if (!LIVES.has(planted)) return ample
  return planted === 'too_old' && nth === 0 ? aging : lots
}

/** The stream of a world; an order is a pure function of its place. */
export class OrderStream {
  private readonly seed: string
  private readonly today: string
  private readonly catalogs: Record<CompanyCode, Catalog>
  private readonly priceOf: PriceBook
  private readonly planted: readonly [PlantedCase, number][]
  private readonly cases = new Map<number, PlantedCase[]>()
  private readonly days: readonly string[]

  constructor(world: Omit<World, 'orders'>) {
    this.seed = world.seed
    this.today = world.today
    this.days = Array.from({ length: LAST_DAY + 1 }, (_, days) => dayAfter(world.today, days))
    this.catalogs = { NWF: catalogOf(world, 'NWF'), NWI: catalogOf(world, 'NWI') }
    this.priceOf = priceBook(world.prices)
    this.planted = this.catalogs.NWF.longLife.length > 0 ? [...PLANTED, ...PLANTED_LIVES] : PLANTED
  }

  at(nth: number): WorldOrder {
    const planted = this.caseOf(nth)
    const repeats = planted === 'duplicate_same' || planted === 'duplicate_changed'
    return repeats ? this.duplicate(nth, planted) : this.original(nth)
  }

  private caseOf(nth: number): PlantedCase {
    const block = Math.floor(nth / BLOCK)
    let found = this.cases.get(block)
    if (!found) this.cases.set(block, (found = casesOf(this.seed, block, this.planted)))
    return found[nth % BLOCK] ?? 'regular'
  }

  private original(nth: number): WorldOrder {
    const { seed, today } = this
    const planted = this.caseOf(nth)
    const isFoods = LIVES.has(planted) || draw(seed, 'order/company', nth) < FOODS_SHARE
    const company = isFoods ? 'NWF' : 'NWI'
    const catalog = this.catalogs[company]
    const customer = this.customerFor(planted, catalog, nth)
    const items = this.itemsFor(planted, catalog, nth)
    const unknown = planted === 'unknown_customer'
    return {
      nth,
      company,
      door: unknown ? 'api' : customer.door,
      customer: unknown ? UNKNOWN_CUSTOMER[company] : customer.number,
      poNumber: `PO-${100_000 + nth}`,
      orderedOn: today,
      requestedOn: this.days[drawInteger(seed, 'order/days', nth, [FIRST_DAY, LAST_DAY])]!,
      shipTo: drawOne(seed, 'order/ship-to', nth, customer.addresses).code,
      currency: customer.currency,
      lines: items.map((item, place) => this.line({ planted, customer, item, nth }, place)),
      case: planted,
      repeats: undefined,
      expected:
        planted !== 'regular' ? OUTCOME[planted] : items.some(isShort) ? 'fills_later' : 'ships_at_once',
    }
  }

  private customerFor(planted: PlantedCase, catalog: Catalog, nth: number): Customer {
    const { seed } = this
    if (planted === 'credit_blocked') return drawOne(seed, 'order/blocked', nth, catalog.blocked)
    if (planted === 'over_limit') return drawOne(seed, 'order/over', nth, catalog.over)
    if (LIVES.has(planted)) return drawOne(seed, 'order/long-life', nth, catalog.longLife)
    return drawOne(seed, 'order/customer', nth, planted === 'bad_unit' ? catalog.writing : catalog.good)
  }

  private itemsFor(planted: PlantedCase, catalog: Catalog, nth: number): Item[] {
    const { seed } = this
    if (planted === 'discontinued') return [drawOne(seed, 'order/discontinued', nth, catalog.discontinued)]
    const count = SINGLE_LINE.has(planted) ? 1 : drawOne(seed, 'order/lines', nth, LINES)
    const picked = new Set<Item>()
    for (let n = 0; n < count; n++) {
      const short = planted === 'regular' && draw(seed, `order/short/${nth}`, n) < SHORT_SHARE
      const list = short ? catalog.short : listFor(planted, catalog, n)
      // Squaring the draw makes the first items popular, as in every catalog.
      const item = list[Math.floor(draw(seed, `order/item/${nth}`, n) ** 2 * list.length)]
      if (item) picked.add(item)
    }
    const wantsMachine = planted === 'regular' && draw(seed, 'order/wants-machine', nth) < MACHINE_SHARE
    return wantsMachine && catalog.machines.length > 0
      ? [...picked, drawOne(seed, 'order/machine', nth, catalog.machines)]
      : [...picked]
  }

  private line({ planted, customer, item, nth }: LineAbout, place: number): OrderLine {
    const range: [number, number] = item.serialControlled
      ? [1, 2]
      : item.supply === 'scarce'
        ? [2, 6]
        : [1, 12]
    const quantity = drawInteger(this.seed, `order/quantity/${nth}`, place, range)
    const priceMinor = this.priceOf(customer.number, item, quantity, this.today)
    return {
      line: place + 1,
      item: planted === 'unknown_item' ? UNKNOWN_ITEM : item.number,
      quantity,
      unit: planted === 'bad_unit' ? BAD_UNIT : item.salesUnit,
      priceMinor: Math.round(priceMinor * (STATED[planted] ?? 1)),
      priceUnit: item.priceUnit,
    }
  }

  /** A duplicate repeats the nearest earlier order of its block that shipped at once and came by API or EDI. */
  private duplicate(nth: number, planted: 'duplicate_same' | 'duplicate_changed'): WorldOrder {
    const taken = this.repeatedBefore(nth)
    for (let earlier = nth - 5; earlier >= nth - (nth % BLOCK); earlier--) {
      if (this.caseOf(earlier) !== 'regular' || taken.has(earlier)) continue
      const order = this.original(earlier)
      if (order.door === 'shop' || order.expected !== 'ships_at_once') continue
      const more = planted === 'duplicate_changed' ? 1 : 0
      const lines = order.lines.map((line) =>
        line.line === 1 ? { ...line, quantity: line.quantity + more } : line,
      )
      return { ...order, nth, lines, case: planted, repeats: earlier, expected: OUTCOME[planted] }
    }
    throw new Error(`nothing to repeat before order ${nth}`)
  }

  /** What earlier duplicates of the block repeat: an order is repeated once at most. */
  private repeatedBefore(nth: number): Set<number> {
    const taken = new Set<number>()
    for (let earlier = nth - (nth % BLOCK) + FIRST_DUPLICATE; earlier < nth; earlier++) {
      const planted = this.caseOf(earlier)
      if (planted !== 'duplicate_same' && planted !== 'duplicate_changed') continue
      const { repeats } = this.duplicate(earlier, planted)
      if (repeats !== undefined) taken.add(repeats)
    }
    return taken
  }
}
