/** Master data from an ERP: complete and changed readings, interruption, bad records. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  ErpCustomer,
  ErpItem,
  ErpPrice,
  ErpReader,
  OpenOrderLine,
  Page,
  PageRequest,
  PurchaseOrderLine,
  StockOnHand,
} from '#capabilities/erp.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { findCustomers } from '#domains/customers/operations.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { priceKey } from '#domains/pricing/contract.ts'
import { findPrices } from '#domains/pricing/operations.ts'
import { listSupply } from '#domains/supply/views.ts'
import { Outage, Refusal } from '#platform/faults.ts'
import { units } from '#platform/quantity.ts'
import { rejectedRecords } from '#platform/readings.ts'
import type { StockRecord } from '#processes/master-data-resources.ts'
import { type MasterDataSync, syncMasterData, type SyncReport } from '#processes/master-data-sync.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

type Changed<T> = T & { readonly changedAt?: Date }
const START = new Date('2026-03-02T09:00:00Z')
const later = (minutes: number): Date => new Date(START.getTime() + minutes * 60_000)

const ON_HAND = { available: units(40), qualityHold: units(6), damaged: units(1) }

/** An ERP in memory that gives two records a page and knows when each was changed. */
class Erp implements ErpReader {
  readonly instance: string = 'erp-main'
  now = START
  readonly requests: (PageRequest & { readonly resource: string })[] = []
  customerRecords: Changed<ErpCustomer>[] = [customer('C-1'), customer('C-2'), customer('C-3')]
  itemRecords: Changed<ErpItem>[] = [item('S-1'), item('S-2'), item('S-3')]
  priceRecords: Changed<ErpPrice>[] = [price('S-1'), price('S-2'), price('S-3')]
  stockRecords: Changed<StockOnHand>[] = [{ sku: 'S-1', location: 'EAST', ...ON_HAND }]
  supplyRecords: PurchaseOrderLine[] = []
  orderRecords: OpenOrderLine[] = []
  /** Called with each request; may throw. */
  onRequest: (resource: string, request: PageRequest) => void = () => undefined

  customers = async (request: PageRequest) => this.#page('customers', this.customerRecords, request)
  items = async (request: PageRequest) => this.#page('items', this.itemRecords, request)
  prices = async (request: PageRequest) => this.#page('prices', this.priceRecords, request)
  stock = async (request: PageRequest) => this.#page('stock', this.stockRecords, request)
  supply = async (request: PageRequest) => this.#page('supply', this.supplyRecords, request)
  openOrders = async (request: PageRequest) => this.#page('openOrders', this.orderRecords, request)
  credit = async () => ({ creditLimitMinor: null, receivablesMinor: 0, creditHold: false, asOf: this.now })

  #page<T>(resource: string, records: readonly Changed<T>[], request: PageRequest): Page<T> {
    this.requests.push({ resource, ...request })
    this.onRequest(resource, request)
    const since = request.changedSince
    const changed = records.filter(({ changedAt }) => !since || (changedAt ?? new Date(0)) >= since)
    const from = Number(request.cursor ?? 0)
    const next = from + 2 < changed.length ? { next: String(from + 2) } : {}
    return { items: changed.slice(from, from + 2), asOf: this.now, ...next }
  }
}

const customer = (number: string, overrides: Partial<Changed<ErpCustomer>> = {}): Changed<ErpCustomer> => ({
  number,
  name: `Customer ${number}`,
  status: 'active',
  currency: 'USD',
  termsDays: 30,
  priceList: 'wholesale',
  creditLimitMinor: null,
  receivablesMinor: 0,
  creditHold: false,
  countsOpenOrders: true,
  taxExempt: false,
  shippingRule: 'ship-available',
  addresses: [{ code: 'MAIN' }],
  defaultShipTo: 'MAIN',
  ...overrides,
})

const item = (sku: string, overrides: Partial<Changed<ErpItem>> = {}): Changed<ErpItem> => ({
  sku,
  name: `Item ${sku}`,
  status: 'active',
  baseUnit: 'EA',
  units: [],
  catchWeight: false,
  lotControlled: false,
  serialControlled: false,
  taxClass: 'food',
  identifiers: [],
  ...overrides,
})

const price = (sku: string, overrides: Partial<Changed<ErpPrice>> = {}): Changed<ErpPrice> => ({
  sku,
  list: 'wholesale',
  unit: 'EA',
  currency: 'USD',
  minQuantity: 0,
  amountMinor: 500,
  validFrom: '2026-01-01',
  ...overrides,
})

const sync = (company: string, erp: Erp, options: Partial<MasterDataSync> = {}): Promise<SyncReport> =>
  syncMasterData({ reader: erp, company, database: db.database, clock: fakeClock(), ...options })

const counts = ({ resources }: SyncReport) =>
  resources.map(({ resource, read, inserted, updated, unchanged, superseded, rejected }) => ({
    [resource]: [read, inserted, updated, unchanged, superseded, rejected].join(' '),
  }))

async function priceOf(company: string, sku: string): Promise<number | undefined> {
  const items = await findItems(db.database, [{ company, sku }])
  const question = {
    company,
    itemId: items.get(itemKey(company, sku))?.id ?? 0,
    customerNumber: 'C-1',
    priceList: 'wholesale',
    unit: 'EA',
    currency: 'USD',
    quantity: units(1),
    date: '2026-03-02',
  }
  return (await findPrices(db.database, [question])).get(priceKey(question))?.amountMinor
}

const rejectionsOf = (company: string) =>
  rejectedRecords(db.database, { company, source: '', resource: '', key: '' }, 100)

describe('the first reading', () => {
  test('takes everything, page by page', async () => {
    const erp = new Erp()
    expect(counts(await sync('F1', erp))).toEqual([
      { customers: '3 3 0 0 0 0' },
      { items: '3 3 0 0 0 0' },
      { prices: '3 3 0 0 0 0' },
      { supply: '0 0 0 0 0 0' },
    ])
    expect(await priceOf('F1', 'S-3')).toBe(500)
    expect(
      erp.requests.filter(({ resource }) => resource === 'customers').map(({ cursor }) => cursor),
    ).toEqual([undefined, '2'])
  })

  test('tells how far it is after each page', async () => {
    const heard: string[] = []
    const onProgress: MasterDataSync['onProgress'] = ({ resource, pages, read }) =>
      heard.push(`${resource} ${pages} ${read}`)
    await sync('F2', new Erp(), { onProgress, batchSize: 1 })
    expect(heard.filter((line) => line.startsWith('items'))).toEqual(['items 1 2', 'items 2 3', 'items 2 3'])
  })

  test('hands stock to its taker with our item numbers, and lists what it cannot place', async () => {
    const erp = new Erp()
    erp.stockRecords.push({ sku: 'NOWHERE', location: 'EAST', ...ON_HAND })
    const taken: StockRecord[] = []
    const { rejections } = await sync('F3', erp, {
      onStock: async (_tx, reading, records) => {
        expect(reading).toEqual({ company: 'F3', source: 'erp-main', asOf: START })
        taken.push(...records)
        return { inserted: records.length, updated: 0, unchanged: 0, superseded: 0, rejected: [] }
      },
    })
    expect(taken).toEqual([{ itemId: expect.any(Number), sku: 'S-1', location: 'EAST', ...ON_HAND }])
    expect(rejections).toEqual([
      expect.objectContaining({ resource: 'stock', key: 'NOWHERE · EAST', code: 'items.unknown' }),
    ])
  })
})

describe('the next reading', () => {
  test('asks only for what has changed since the first page of the one before', async () => {
    const erp = new Erp()
    await sync('N1', erp)
    erp.now = later(10)
    erp.itemRecords[1] = item('S-2', { name: 'New name', changedAt: later(5) })
    erp.requests.length = 0
    expect(counts(await sync('N1', erp))[1]).toEqual({ items: '1 0 1 0 0 0' })
    expect(erp.requests.every(({ changedSince }) => changedSince?.getTime() === START.getTime())).toBe(true)
    const found = await findItems(db.database, [{ company: 'N1', sku: 'S-2' }])
    expect(found.get(itemKey('N1', 'S-2'))?.name).toBe('New name')
  })

  test('finds what changed while the one before was running', async () => {
    const erp = new Erp()
    erp.onRequest = (resource, { cursor }) => {
      erp.now = later(cursor ? 5 : 0)
      if (resource === 'customers' && cursor) {
        erp.customerRecords[0] = customer('C-1', { status: 'blocked', changedAt: later(2) })
      }
    }
    await sync('N2', erp)
    erp.onRequest = () => undefined
    erp.now = later(10)
    await sync('N2', erp)
    const found = await findCustomers(db.database, [{ company: 'N2', number: 'C-1' }])
    expect(found.get(customerKey('N2', 'C-1'))?.status).toBe('blocked')
  })

  test('may be a complete one, which drops the prices that are gone', async () => {
    const erp = new Erp()
    await sync('N3', erp)
    erp.now = later(10)
    erp.priceRecords.splice(0, 1)
    await sync('N3', erp)
    expect(await priceOf('N3', 'S-1')).toBe(500)
    const { resources } = await sync('N3', erp, { complete: true })
    expect(resources[2]).toMatchObject({ resource: 'prices', unchanged: 2, retired: 1 })
    expect(await priceOf('N3', 'S-1')).toBeUndefined()
    expect(await priceOf('N3', 'S-2')).toBe(500)
  })
})

describe('an interrupted reading', () => {
  test('goes on at the page that failed', async () => {
    const erp = new Erp()
    erp.onRequest = (resource, { cursor }) => {
      if (resource === 'items' && cursor === '2') throw new Outage('erp-main', 'gone for lunch')
    }
    await expect(sync('I1', erp)).rejects.toThrow(Outage)
    erp.onRequest = () => undefined
    erp.requests.length = 0
    await sync('I1', erp)
    expect(erp.requests.filter(({ resource }) => resource === 'items')).toEqual([
      { resource: 'items', cursor: '2', changedSince: undefined },
    ])
    expect(await priceOf('I1', 'S-3')).toBe(500)
  })

  test('starts anew where the ERP has forgotten the page', async () => {
    const erp = new Erp()
    erp.onRequest = (_resource, { cursor }) => {
      if (cursor) throw new Outage('erp-main', 'gone for lunch')
    }
    await expect(sync('I2', erp)).rejects.toThrow(Outage)
    let refused = 0
    erp.onRequest = (_resource, { cursor }) => {
      if (cursor && refused++ === 0) throw new Refusal('erp.cursor_expired', 'that page is no more')
    }
    expect(counts(await sync('I2', erp))[0]).toEqual({ customers: '3 1 0 2 0 0' })
  })

  test('stops between batches when it is told to, and loses nothing', async () => {
    const erp = new Erp()
    const controller = new AbortController()
    const stopping = sync('I3', erp, { signal: controller.signal, onProgress: () => controller.abort() })
    await expect(stopping).rejects.toThrow(/abort/)
    expect(counts(await sync('I3', erp))[0]).toEqual({ customers: '1 1 0 0 0 0' })
  })

  test('never asks for the same page for ever', async () => {
    const erp = new Erp()
    erp.items = async () => ({ items: [], next: '2', asOf: START })
    await expect(sync('I4', erp)).rejects.toThrow('the page after 2 of items is that page again')
  })
})

describe('a bad record', () => {
  test('stops nobody, is listed with its reason, and leaves the list once it is corrected', async () => {
    const erp = new Erp()
    erp.customerRecords[1] = customer('C-2', { defaultShipTo: 'NOWHERE' })
    const report = await sync('B1', erp)
    expect(counts(report)[0]).toEqual({ customers: '3 2 0 0 0 1' })
    const expected = { resource: 'customers', key: 'C-2', code: 'customers.record_invalid' }
    expect(report.rejections).toEqual([expect.objectContaining(expected)])
    expect(await rejectionsOf('B1')).toEqual([
      expect.objectContaining({
        ...expected,
        reason: 'defaultShipTo: is not one of the addresses',
        asOf: START,
      }),
    ])
    erp.now = later(10)
    erp.customerRecords[1] = customer('C-2', { changedAt: later(5) })
    await sync('B1', erp)
    expect(await rejectionsOf('B1')).toEqual([])
  })

  test('without so much as a number is listed all the same', async () => {
    const erp = new Erp()
    erp.customerRecords[0] = JSON.parse('{"name": "Nobody"}') as ErpCustomer
    const report = await sync('B4', erp)
    expect(counts(report)[0]).toEqual({ customers: '3 2 0 0 0 1' })
    expect(report.rejections).toEqual([
      expect.objectContaining({ key: '?', code: 'customers.record_invalid' }),
    ])
  })

  test('that PostgreSQL itself refuses is found among its neighbors', async () => {
    const erp = new Erp()
    erp.itemRecords = ['S-1', 'S-2', 'S-3', 'S-4'].map((sku) =>
      item(sku, sku === 'S-2' ? { name: 'a\0b' } : {}),
    )
    const report = await sync('B2', erp)
    expect(counts(report)[1]).toEqual({ items: '4 3 0 0 0 1' })
    expect(report.rejections).toContainEqual(
      expect.objectContaining({ key: 'S-2', code: 'master_data.record_refused' }),
    )
    expect(await priceOf('B2', 'S-1')).toBe(500)
  })

  test('that is a price of an item we do not have waits for the item', async () => {
    const erp = new Erp()
    erp.priceRecords.push(price('S-9', { amountMinor: 900 }))
    const report = await sync('B3', erp)
    expect(counts(report)[2]).toEqual({ prices: '4 3 0 0 0 1' })
    expect(report.rejections).toEqual([expect.objectContaining({ code: 'pricing.item_unknown' })])
    erp.now = later(10)
    await sync('B3', erp)
    expect(await rejectionsOf('B3')).toHaveLength(1)
    erp.now = later(20)
    erp.itemRecords.push(item('S-9', { changedAt: later(15) }))
    await sync('B3', erp)
    expect(await priceOf('B3', 'S-9')).toBe(900)
    expect(await rejectionsOf('B3')).toEqual([])
  })
})

describe('purchase orders', () => {
  const purchase = (line: number, overrides: Partial<PurchaseOrderLine> = {}): PurchaseOrderLine => ({
    number: 'P-1',
    line,
    supplier: 'V-1',
    sku: 'S-1',
    location: 'EAST',
    unit: 'CA',
    ordered: units(10),
    received: units(1),
    cancelled: 0,
    expectedOn: '2026-03-09',
    changedAt: later(-60),
    ...overrides,
  })
  const inCases = item('S-1', { units: [{ unit: 'CA', factor: { numerator: 12, denominator: 1 } }] })
  const open = async (company: string) =>
    (await listSupply(db.database, { company }, { limit: 100 })).map((one) => [one.line, one.open])

  test('are taken in base units, and again only what changed of them', async () => {
    const erp = new Erp()
    erp.itemRecords[0] = inCases
    erp.supplyRecords = [purchase(1), purchase(2, { unit: 'EA', cancelled: units(3) })]
    expect(counts(await sync('P1', erp)).at(-1)).toEqual({ supply: '2 2 0 0 0 0' })
    expect(await open('P1')).toEqual([
      [1, units(108)],
      [2, units(6)],
    ])
    erp.now = later(10)
    erp.supplyRecords[0] = purchase(1, { cancelled: units(9), changedAt: later(5) })
    expect(counts(await sync('P1', erp)).at(-1)).toEqual({ supply: '1 0 1 0 0 0' })
    expect(await open('P1')).toEqual([[2, units(6)]])
  })

  test('of an item or a unit that we do not have wait for it', async () => {
    const erp = new Erp()
    erp.supplyRecords = [purchase(1), purchase(2, { sku: 'S-9', unit: 'EA' })]
    const report = await sync('P2', erp)
    expect(report.rejections.map(({ key, code }) => [key, code])).toEqual([
      ['P-1 · 2', 'supply.item_unknown'],
      ['P-1 · 1', 'supply.unit_unknown'],
    ])
    erp.now = later(10)
    erp.itemRecords = [{ ...inCases, changedAt: later(5) }, item('S-9', { changedAt: later(5) })]
    await sync('P2', erp)
    expect(await open('P2')).toEqual([
      [1, units(108)],
      [2, units(9)],
    ])
    expect(await rejectionsOf('P2')).toEqual([])
  })

  test('of a quantity that has no exact equivalent are rejected and not rounded', async () => {
    const erp = new Erp()
    erp.itemRecords[0] = item('S-1', { units: [{ unit: 'CA', factor: { numerator: 1, denominator: 3 } }] })
    erp.supplyRecords = [purchase(1)]
    expect((await sync('P3', erp)).rejections).toMatchObject([{ code: 'supply.quantity_not_exact' }])
    expect(await open('P3')).toEqual([])
  })
})

test('two companies on two ERPs are read apart', async () => {
  const [one, two] = [new Erp(), new Erp()]
  two.priceRecords = [price('S-1', { amountMinor: 777 })]
  await Promise.all([sync('T1', one), sync('T2', two)])
  expect(await priceOf('T1', 'S-1')).toBe(500)
  expect(await priceOf('T2', 'S-1')).toBe(777)
  expect(await priceOf('T2', 'S-2')).toBeUndefined()
})
