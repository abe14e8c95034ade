/** A food and industrial wholesaler out of a seed: the same seed is the same world, order by order. */
import { itemsOf, pricesOf, withAging } from './goods.ts'
import { machinesOf } from './machines.ts'
import { OrderStream } from './orders.ts'
import { COMPANIES, customersOf, SITES, withLongLives } from './parties.ts'
import { demandOf, openingStock, receiptsFor } from './shelves.ts'
import { factorOf, type Customer, type Item, type World, type WorldOrder } from './world.ts'

export type WorldOptions = {
  seed: string
  /** Business date of all orders, ISO. */
  today: string
  /** Stock, receipts and credit limits suffice for so many orders. Default 830. */
  plannedOrders?: number
  customersPerCompany?: number
  /** Of both companies together. Default 400. */
  items?: number
  /** Items beside those whose units have serials. Default 0. */
  machines?: number
  /** Customers of Northway Foods who want goods to live for long; with them some items are aging. Default 0. */
  longLifeCustomers?: number
}

/** Foods have three of five items. */
const FOODS_OF_ITEMS = 0.6
const LIMIT_STEP_MINOR = 1_000_000
const LIMIT_RESERVE = 3

export function generateWorld(options: WorldOptions): World {
  const {
    seed,
    today,
    plannedOrders = 830,
    customersPerCompany = 120,
    items: itemCount = 400,
    machines = 0,
    longLifeCustomers = 0,
  } = options
  const foods = Math.round(itemCount * FOODS_OF_ITEMS)
  const perCompany = COMPANIES.map((company) => {
    const isFoods = company.code === 'NWF'
    const longLives = isFoods ? longLifeCustomers : 0
    const customers = withLongLives(customersOf(seed, company, customersPerCompany), longLives)
    const items = itemsOf(seed, company.code, isFoods ? foods : itemCount - foods)
    const aged = longLives > 0 ? withAging(items) : items
    const sold = isFoods ? aged : [...items, ...machinesOf(seed, machines)]
    return { customers, items: sold, prices: pricesOf(seed, sold, customers, today) }
  })
  const base = {
    seed,
    today,
    plannedOrders,
    companies: COMPANIES,
    sites: SITES,
    customers: perCompany.flatMap((one) => one.customers),
    items: perCompany.flatMap((one) => one.items),
    prices: perCompany.flatMap((one) => one.prices),
    stock: [],
    receipts: [],
    carriers: ['SWIFT'],
    suppliers: [],
  }
  const stream = new OrderStream(base)
  const orders = (count: number, from = 0): WorldOrder[] =>
    Array.from({ length: count }, (_, place) => stream.at(from + place))
  const planned = orders(plannedOrders)
  const byNumber = new Map(base.items.map((item) => [item.number, item]))
  const demand = demandOf(byNumber, planned)
  const stock = openingStock(seed, base.items, demand, today)
  const receipts = receiptsFor(seed, base.items, demand, today)
  return { ...base, customers: withLimits(base.customers, byNumber, planned), stock, receipts, orders }
}

/** Nominal value of a line before tax. */
export function lineValueMinor(item: Item | undefined, line: WorldOrder['lines'][number]): number {
  const ordered = item && factorOf(item, line.unit)
  const priced = item && factorOf(item, line.priceUnit)
  if (!ordered || !priced) return 0
  const quantity =
    (line.quantity * ordered.numerator * priced.denominator) / (ordered.denominator * priced.numerator)
  return Math.round(quantity * line.priceMinor)
}

/** Limits that three times the planned orders, taxes included, would not reach; those over their limit keep it. */
export function withLimits(
  customers: Customer[],
  items: ReadonlyMap<string, Item>,
  planned: readonly WorldOrder[],
): Customer[] {
  const value = new Map<string, number>()
  for (const order of planned) {
    const net = order.lines.reduce((sum, line) => sum + lineValueMinor(items.get(line.item), line), 0)
    value.set(order.customer, (value.get(order.customer) ?? 0) + net)
  }
  return customers.map((customer) => {
    if (customer.overLimit) return customer
    const need = customer.receivablesMinor + LIMIT_RESERVE * (value.get(customer.number) ?? 0)
    return { ...customer, creditLimitMinor: Math.ceil((need + 1) / LIMIT_STEP_MINOR) * LIMIT_STEP_MINOR }
  })
}
