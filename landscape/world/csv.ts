/** A folder of CSV files with Northwind's columns as a world: its customers, items and orders, all of one company. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { withLimits } from './generate.ts'
import { gln13, gtin14 } from './gs1.ts'
import { COMPANIES, doorOf, SITES } from './parties.ts'
import { demandOf, openingStock, receiptsFor } from './shelves.ts'
import {
  dayAfter,
  PRICE_TOLERANCE_PERCENT,
  type Address,
  type Customer,
  type Item,
  type Outcome,
  type Price,
  type World,
  type WorldOrder,
} from './world.ts'

export type CsvOptions = {
  seed: string
  today: string
  /** `current`: orders state today's price (default). `as_ordered`: the price and discount of the file. */
  prices?: 'current' | 'as_ordered'
}

type Row = Record<string, string>

const COMPANY = 'NWF'
/** Every so many-th item has nothing on its shelf until its receipts arrive. */
const AWAITED_EVERY = 7
const COUNTRY: Record<string, string> = {
  Argentina: 'AR',
  Austria: 'AT',
  Belgium: 'BE',
  Brazil: 'BR',
  Canada: 'CA',
  Denmark: 'DK',
  Finland: 'FI',
  France: 'FR',
  Germany: 'DE',
  Ireland: 'IE',
  Italy: 'IT',
  Mexico: 'MX',
  Norway: 'NO',
  Poland: 'PL',
  Portugal: 'PT',
  Spain: 'ES',
  Sweden: 'SE',
  Switzerland: 'CH',
  UK: 'GB',
  USA: 'US',
  Venezuela: 'VE',
}

async function rowsOf(dir: string, name: string): Promise<Row[]> {
  const text = await readFile(join(dir, `${name}.csv`), 'utf8')
  return parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true })
}

const minor = (decimal: string | undefined): number => Math.round(Number(decimal) * 100)

/** A country we have no code for, or none at all, is the seller's own. */
function addressOf(row: Row, prefix: '' | 'Ship', code: string, serial: number): Address {
  const name = prefix === '' ? row['CompanyName'] : row['ShipName']
  return {
    code,
    name: name ?? '',
    street: row[`${prefix}Address`] ?? '',
    city: row[`${prefix}City`] ?? '',
    region: row[`${prefix}Region`] ?? '',
    postalCode: row[`${prefix}PostalCode`] ?? '',
    country: COUNTRY[row[`${prefix}Country`] ?? ''] ?? 'US',
    gln: gln13(serial),
  }
}

const customerOf = (seed: string, row: Row, nth: number): Customer => ({
  company: COMPANY,
  number: row['CustomerID'] ?? '',
  name: row['CompanyName'] ?? '',
  addresses: [addressOf(row, '', '01', 30_000 + nth)],
  currency: 'USD',
  termsDays: 30,
  creditLimitMinor: 0,
  receivablesMinor: 0,
  creditBlocked: false,
  openOrdersFree: false,
  overLimit: false,
  resale: true,
  vatNumber: '',
  shipComplete: false,
  shelfLifeDays: row['ShelfLifeDays'] ? Number(row['ShelfLifeDays']) : undefined,
  ediId: String(4_155_560_000 + nth),
  door: doorOf(seed, COMPANY, nth),
  shopId: 72_000_000 + nth,
})

/** `Discontinued` says what is so today; the orders are from when the item was sold, so it is sold here. */
const itemOf = (row: Row, nth: number): Item => ({
  company: COMPANY,
  number: row['ProductID'] ?? '',
  name: `${row['ProductName'] ?? ''}, ${row['QuantityPerUnit'] ?? ''}`,
  baseUnit: 'EA',
  salesUnit: 'EA',
  units: [{ unit: 'EA', numerator: 1, denominator: 1, gtin: gtin14(0, 30_000 + nth) }],
  priceUnit: 'EA',
  discontinued: false,
  lotControlled: row['LotControlled'] === '1',
  serialControlled: false,
  catchWeight: false,
  nominalGrams: 1_000,
  taxClass: 'FOOD',
  supply: nth % AWAITED_EVERY === AWAITED_EVERY - 1 ? 'awaited' : 'ample',
  sites: ['DC1'],
})

const priceOf = (row: Row, today: string): Price => ({
  company: COMPANY,
  customer: undefined,
  item: row['ProductID'] ?? '',
  unit: 'EA',
  fromQuantity: 1,
  priceMinor: minor(row['UnitPrice']),
  currency: 'USD',
  validFrom: dayAfter(today, -300),
  validTo: dayAfter(today, 400),
})

type Known = { customers: Map<string, Customer>; items: Map<string, Item>; prices: Map<string, number> }

function outcomeOf(
  order: Omit<WorldOrder, 'expected' | 'case'>,
  { customers, items, prices }: Known,
): Outcome {
  if (!customers.has(order.customer)) return 'rejected_unknown_customer'
  if (order.lines.some((line) => !items.has(line.item))) return 'rejected_unknown_item'
  const isOff = (line: WorldOrder['lines'][number]): boolean => {
    const ours = prices.get(line.item) ?? 0
    return Math.abs(line.priceMinor - ours) * 100 > ours * PRICE_TOLERANCE_PERCENT
  }
  if (order.lines.some(isOff)) return 'held_price'
  return order.lines.some((line) => items.get(line.item)?.supply === 'awaited')
    ? 'fills_later'
    : 'ships_at_once'
}

/** A ship-to that is not the customer's own address becomes one of its addresses. */
function shipToOf(customer: Customer | undefined, row: Row): string {
  if (!customer) return '01'
  const code = String(customer.addresses.length + 1).padStart(2, '0')
  const address = addressOf(row, 'Ship', code, 40_000 + (Number(row['OrderID']) % 10_000))
  const same = customer.addresses.find((one) => one.street === address.street && one.city === address.city)
  if (!same) customer.addresses.push(address)
  return same?.code ?? code
}

function orderOf(
  [row, lines]: [Row, Row[]],
  nth: number,
  about: Known & { options: CsvOptions },
): WorldOrder {
  const number = row['CustomerID'] ?? ''
  const customer = about.customers.get(number)
  const order = {
    nth,
    company: COMPANY as WorldOrder['company'],
    door: customer?.door ?? ('api' as const),
    customer: number,
    poNumber: `NW-${row['OrderID'] ?? ''}`,
    orderedOn: about.options.today,
    requestedOn: dayAfter(about.options.today, 5),
    shipTo: shipToOf(customer, row),
    currency: 'USD',
    lines: lines.map((line, place) => {
      const item = line['ProductID'] ?? ''
      const asOrdered = Math.round(Number(line['UnitPrice']) * (1 - Number(line['Discount'] ?? 0)) * 100)
      const current = about.options.prices === 'as_ordered' ? undefined : about.prices.get(item)
      const priceMinor = current ?? asOrdered
      return {
        line: place + 1,
        item,
        quantity: Number(line['Quantity']),
        unit: 'EA',
        priceMinor,
        priceUnit: 'EA' as const,
      }
    }),
    repeats: undefined,
  }
  return { ...order, case: 'regular', expected: outcomeOf(order, about) }
}

export async function loadCsvWorld(dir: string, options: CsvOptions): Promise<World> {
  const { seed, today } = options
  const names = ['carriers', 'customers', 'items', 'order-lines', 'orders', 'suppliers']
  const [carriers, customerRows, itemRows, lineRows, orderRows, suppliers] = await Promise.all(
    names.map((name) => rowsOf(dir, name)),
  )
  const items = (itemRows ?? []).map(itemOf)
  const customers = (customerRows ?? []).map((row, nth) => customerOf(seed, row, nth))
  const prices = (itemRows ?? []).map((row) => priceOf(row, today))
  const known: Known = {
    customers: new Map(customers.map((customer) => [customer.number, customer])),
    items: new Map(items.map((item) => [item.number, item])),
    prices: new Map(prices.map((price) => [price.item, price.priceMinor])),
  }
  const linesOf = Map.groupBy(lineRows ?? [], (line) => line['OrderID'])
  const stream = (orderRows ?? []).map((row, nth) =>
    orderOf([row, linesOf.get(row['OrderID']) ?? []], nth, { ...known, options }),
  )
  const demand = demandOf(known.items, stream)
  return {
    seed,
    today,
    plannedOrders: stream.length,
    companies: COMPANIES,
    sites: SITES,
    customers: withLimits(customers, known.items, stream),
    items,
    prices,
    stock: openingStock(seed, items, demand, today),
    receipts: receiptsFor(seed, items, demand, today),
    carriers: (carriers ?? []).map((row) => row['CompanyName'] ?? ''),
    suppliers: (suppliers ?? []).map((row) => ({
      number: row['SupplierID'] ?? '',
      name: row['CompanyName'] ?? '',
    })),
    orders: (count, from = 0) => stream.slice(from, from + count),
  }
}
