/** A house with a small world of its own: a few goods with known stock and prices, a few customers of each kind. */
import { expect } from 'vitest'
import { generateWorld } from '#landscape/world/generate.ts'
import type { CompanyCode, Customer, Item, Price, Stock, StockStatus, World } from '#landscape/world/world.ts'
import { openFrontDoor, O2C, type FrontDoor, type Reply } from '#tests/routes/front-door.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import type { HouseOptions } from '#tests/support/house.ts'

const TODAY = '2026-11-02'
const base = generateWorld({
  seed: 'wholesaler',
  today: TODAY,
  plannedOrders: 1,
  customersPerCompany: 8,
  items: 20,
})

export type Good = {
  readonly number: string
  readonly company?: CompanyCode
  readonly priceMinor?: number
  /** In base units, by site. */
  readonly stock?: Readonly<Record<string, number>>
  readonly onHold?: Readonly<Record<string, number>>
  readonly item?: Partial<Item>
}

const SALES_UNIT = { unit: 'CA', numerator: 12, denominator: 1, gtin: '' } as const
const PIECE = { unit: 'EA', numerator: 1, denominator: 1, gtin: '' } as const

const itemOf = ({ number, company = 'NWF', item }: Good): Item => ({
  company,
  number,
  name: `Good ${number}`,
  baseUnit: 'EA',
  salesUnit: 'CA',
  units: [PIECE, SALES_UNIT],
  priceUnit: 'EA',
  discontinued: false,
  lotControlled: false,
  serialControlled: false,
  catchWeight: false,
  nominalGrams: 1_000,
  taxClass: 'FOOD',
  supply: 'ample',
  sites: ['DC1', 'DC2'],
  ...item,
})

/** Sold by the case of four pieces and priced by the kilogram; a piece weighs 2.5 kg nominally. */
export const CATCH_WEIGHT: Partial<Item> = {
  catchWeight: true,
  nominalGrams: 2_500,
  priceUnit: 'KG',
  units: [
    PIECE,
    { ...SALES_UNIT, numerator: 4 },
    { unit: 'KG', numerator: 1_000, denominator: 2_500, gtin: '' },
  ],
}

const priceOf = (good: Good): Price => {
  const { company, number, priceUnit } = itemOf(good)
  return {
    company,
    customer: undefined,
    item: number,
    unit: priceUnit,
    fromQuantity: 1,
    priceMinor: good.priceMinor ?? 1_000,
    currency: company === 'NWF' ? 'USD' : 'EUR',
    validFrom: '2026-01-01',
    validTo: '2027-12-31',
  }
}

const shelvesOf = (
  { number, company = 'NWF' }: Good,
  status: StockStatus,
  stock: Good['stock'] = {},
): Stock[] =>
  Object.entries(stock).map(([site, quantity]) => ({
    company,
    site,
    item: number,
    lot: '',
    expiresOn: '',
    status,
    quantity,
  }))

export type Buyer = Partial<Customer> & { readonly number: string }

const customerOf = (buyer: Buyer): Customer => ({
  ...base.customers.find(({ company }) => company === (buyer.company ?? 'NWF'))!,
  creditLimitMinor: 100_000_000,
  receivablesMinor: 0,
  creditBlocked: false,
  openOrdersFree: false,
  overLimit: false,
  resale: false,
  ...buyer,
})

export function smallWorld(goods: readonly Good[], buyers: readonly Buyer[]): World {
  return {
    ...base,
    items: goods.map(itemOf),
    prices: goods.map(priceOf),
    customers: buyers.map(customerOf),
    stock: goods.flatMap((good) => [
      ...shelvesOf(good, 'available', good.stock),
      ...shelvesOf(good, 'hold', good.onHold),
    ]),
    receipts: [],
  }
}

export type Wanted = {
  readonly company?: CompanyCode
  readonly customer?: string
  readonly customerOrder?: string
  readonly channel?: string
  readonly shippingRule?: string
  readonly shipTo?: object
  /** Item, quantity, and its unit: pieces unless told otherwise. */
  readonly lines: readonly (readonly [sku: string, quantity: number, unit?: string])[]
}

export type Placed = Reply & { readonly doc: number }

export type Wholesaler = FrontDoor & {
  readonly query: Query
  order(wanted: Wanted): Promise<Placed>
  /** The order's lines, in pieces. */
  lines(
    order: Placed,
  ): Promise<Record<'shipped' | 'backordered' | 'reserved' | 'released' | 'cancelled', number>[]>
  /** Resolves once the order is closed. */
  closed(order: Placed): Promise<void>
  stageOf(order: Placed): Promise<unknown>
  /** What a count at a warehouse found more or less. */
  count(site: string, sku: string, delta: number): void
  openExceptions(code: string): Promise<{ cause: string; title: string }[]>
  holdsOf(order: Placed): Promise<{ id: number; type: string; status: string; reason: string }[]>
  releaseHold(order: Placed, type: string): Promise<Reply>
}

const WITHIN = { timeout: 10_000 }

export async function openWholesaler(
  goods: readonly Good[],
  buyers: readonly Buyer[],
  options: HouseOptions = {},
): Promise<Wholesaler> {
  const door = await openFrontDoor({ ...options, world: smallWorld(goods, buyers) })
  const { query, end } = await openQuery(door.databaseUrl)
  let orders = 0

  async function order(wanted: Wanted): Promise<Placed> {
    const {
      company = 'NWF',
      customer = buyers[0]!.number,
      customerOrder = `T-${++orders}`,
      lines,
      ...rest
    } = wanted
    const body = {
      ...rest,
      company,
      customer,
      customerOrder,
      lines: lines.map(([sku, quantity, unit = 'EA'], place) => ({
        line: String(place + 1),
        sku,
        quantity: String(quantity),
        unit,
      })),
    }
    const reply = await door.send('POST', `${O2C}/orders`, { body })
    return { ...reply, doc: reply.status < 300 ? Number(reply.body.id.slice(2)) : Number.NaN }
  }

  const stageOf = async ({ body }: Placed) =>
    (await door.send('GET', `${O2C}/orders/${body.id}`)).body['stage']
  const holdsOf: Wholesaler['holdsOf'] = ({ doc }) =>
    query('select id, type, status, reason from orders.hold where order_id = $1 order by id', [doc])
  return {
    ...door,
    query,
    order,
    stageOf,
    holdsOf,
    lines: ({ doc }) =>
      query(
        'select shipped, backordered, reserved, released, cancelled from orders.line where order_id = $1 order by n',
        [doc],
      ),
    closed: (placed) => expect.poll(() => stageOf(placed), WITHIN).toMatch(/^(closed|cancelled)$/),
    count: (site, sku, delta) =>
      door.landscape.wms.adjust({ site, owner: companyOf(goods, sku), sku, delta, reason: 'COUNT' }),
    openExceptions: (code) =>
      query('select cause, title from exceptions.exception where code = $1 and closed_at is null', [code]),
    async releaseHold(placed, type) {
      const hold = (await holdsOf(placed)).find((one) => one.type === type && one.status === 'open')!
      const path = `${O2C}/orders/${placed.body.id}/holds/H-${hold.id}:release`
      return door.send('POST', path, { body: { reason: 'checked' } })
    },
    async end() {
      await end()
      await door.end()
    },
  }
}

const companyOf = (goods: readonly Good[], sku: string): CompanyCode =>
  goods.find(({ number }) => number === sku)!.company ?? 'NWF'
