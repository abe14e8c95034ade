/** The benchmark's wholesaler: one shelf that never empties, 240 customers without a limit. */
import { generateWorld } from '#landscape/world/generate.ts'
import type { World } from '#landscape/world/world.ts'

const ITEMS = 16_000
/** Reading fewer at the start leaves a short run time to measure. */
export const QUICK_ITEMS = 400
const ON_HAND = 50_000_000

/** The location that serves every order of the benchmark. */
export const SITE = 'DC1'

export function benchWorld(items = ITEMS): World {
  const world = generateWorld({ seed: 'bench', today: '2026-11-02', plannedOrders: 10, items })
  return {
    ...world,
    items: world.items.map((item) => ({
      ...item,
      discontinued: false,
      lotControlled: false,
      catchWeight: false,
      priceUnit: item.salesUnit,
    })),
    customers: world.customers.map((customer) => ({
      ...customer,
      creditBlocked: false,
      creditLimitMinor: 9_000_000_000_000,
    })),
    stock: world.items.map((item) => ({
      company: item.company,
      site: SITE,
      item: item.number,
      lot: '',
      expiresOn: '',
      status: 'available',
      quantity: ON_HAND,
    })),
    receipts: [],
    prices: world.prices.filter((price) => price.customer === undefined),
  }
}

export type BenchOrder = { readonly key: string; readonly body: string }

/** Orders of three lines; few items are asked for often, most seldom. */
export function orderMaker(world: World, run: string): (nth: number) => BenchOrder {
  const priced = new Map(world.prices.map((price) => [`${price.company} ${price.item}`, price.unit]))
  const items = Map.groupBy(
    world.items.filter((item) => (priced.get(`${item.company} ${item.number}`) ?? 'KG') !== 'KG'),
    (item) => item.company,
  )
  const units: Record<string, string> = { PL: 'XPX', KG: 'KGM', BG: 'XBG' }
  let state = 88172645463325252n
  const random = (): number => {
    state ^= (state << 13n) & 0xffffffffffffffffn
    state ^= state >> 7n
    state ^= (state << 17n) & 0xffffffffffffffffn
    return Number(state % 1_000_000n) / 1_000_000
  }
  return (nth) => {
    const customer = world.customers[Math.floor(random() * world.customers.length)]!
    const shelf = items.get(customer.company)!
    const lines = [1, 2, 3].map((line) => {
      const item = shelf[Math.floor(shelf.length * random() ** 3)]!
      const unit = priced.get(`${item.company} ${item.number}`)!
      return {
        line: String(line),
        sku: item.number,
        quantity: String(1 + Math.floor(random() * 9)),
        unit: units[unit] ?? unit,
      }
    })
    const order = {
      company: customer.company,
      customer: customer.number,
      customerOrder: `${run}-${nth}`,
      lines,
    }
    return { key: `${run}-${nth}`, body: JSON.stringify(order) }
  }
}
