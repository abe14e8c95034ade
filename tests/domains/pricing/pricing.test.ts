/** Prices on a real database: which of them counts, loading, retiring. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GivenPrice, priceKey, type PriceQuestion } from '#domains/pricing/contract.ts'
import { decidePrices, findPrices, retirePrices, upsertPrices } from '#domains/pricing/operations.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const MONDAY = new Date('2026-03-02T09:00:00Z')
const TUESDAY = new Date('2026-03-03T09:00:00Z')
const COMPANY = 'NWF'

let items = 0
/** An item of the test's own. */
async function newItem(company = COMPANY): Promise<number> {
  const [row] = await db.run<{ id: number }>(
    `insert into items.item (company, sku, name, status, base_unit, tax_class, source, as_of)
     values ($1, $2, 'Olives', 'active', 'EA', 'food', 'test', now()) returning id`,
    [company, `S-${++items}`],
  )
  return row!.id
}

const price = (itemId: number, overrides: Partial<GivenPrice> = {}): GivenPrice => ({
  itemId,
  sku: 'S',
  ...(overrides.customer === undefined ? { list: 'wholesale' } : {}),
  unit: 'CA',
  currency: 'USD',
  minQuantity: 0,
  amountMinor: 2_400,
  validFrom: '2026-01-01',
  ...overrides,
})

const question = (itemId: number, overrides: Partial<PriceQuestion> = {}): PriceQuestion => ({
  company: COMPANY,
  itemId,
  customerNumber: 'C-1',
  priceList: 'wholesale',
  unit: 'CA',
  currency: 'USD',
  quantity: units(1),
  date: '2026-03-02',
  ...overrides,
})

const load = (given: readonly GivenPrice[], asOf = MONDAY, company = COMPANY) =>
  db.database.transaction((tx) => upsertPrices(tx, { company, source: 'erp-main', asOf }, given))

async function ask(itemId: number, overrides: Partial<PriceQuestion> = {}): Promise<number | undefined> {
  const asked = question(itemId, overrides)
  return (await findPrices(db.database, [asked])).get(priceKey(asked))?.amountMinor
}

describe('the price that counts', () => {
  test("is the customer's contract before the list, even where the list is cheaper", async () => {
    const item = await newItem()
    await load([price(item), price(item, { customer: 'C-1', amountMinor: 2_500 })])
    expect(await ask(item)).toBe(2_500)
    expect(await ask(item, { customerNumber: 'C-2' })).toBe(2_400)
    expect(await ask(item, { customerNumber: 'C-2', priceList: 'retail' })).toBeUndefined()
  })

  test('is that of the deepest quantity break reached', async () => {
    const item = await newItem()
    const breaks = [price(item), price(item, { minQuantity: units(10), amountMinor: 2_200 })]
    await load([...breaks, price(item, { minQuantity: units(50), amountMinor: 2_000 })])
    const answers = await Promise.all(
      [units(9.9999), units(10), units(49), units(50), units(5_000)].map((quantity) =>
        ask(item, { quantity }),
      ),
    )
    expect(answers).toEqual([2_400, 2_200, 2_200, 2_000, 2_000])
  })

  test('is the contract also where only the list has a deeper break', async () => {
    const item = await newItem()
    await load([
      price(item, { customer: 'C-1', amountMinor: 2_300 }),
      price(item, { minQuantity: units(10), amountMinor: 1_000 }),
    ])
    expect(await ask(item, { quantity: units(20) })).toBe(2_300)
  })

  test('is valid on the first and the last of its days and not around them', async () => {
    const item = await newItem()
    await load([price(item, { validFrom: '2026-03-01', validTo: '2026-03-31' })])
    const answers = ['2026-02-28', '2026-03-01', '2026-03-31', '2026-04-01'].map((date) =>
      ask(item, { date }),
    )
    expect(await Promise.all(answers)).toEqual([undefined, 2_400, 2_400, undefined])
  })

  test('is the youngest of those valid at once', async () => {
    const item = await newItem()
    await load([price(item), price(item, { validFrom: '2026-03-01', amountMinor: 2_450 })])
    expect(await ask(item)).toBe(2_450)
    expect(await ask(item, { date: '2026-02-28' })).toBe(2_400)
  })

  test('is never that of another unit, currency or company', async () => {
    const item = await newItem()
    await load([price(item)])
    expect(await ask(item, { unit: 'EA' })).toBeUndefined()
    expect(await ask(item, { currency: 'EUR' })).toBeUndefined()
    expect(await ask(item, { company: 'OTHER' })).toBeUndefined()
  })

  test('says where it comes from', async () => {
    const item = await newItem()
    await load([price(item, { customer: 'C-1', minQuantity: units(2.5) })])
    const asked = question(item, { quantity: units(3) })
    expect((await findPrices(db.database, [asked, asked])).get(priceKey(asked))).toEqual({
      amountMinor: 2_400,
      unit: 'CA',
      list: 'customer:C-1',
      minQuantity: units(2.5),
      source: 'erp-main',
      asOf: MONDAY,
    })
  })

  test('is answered by key in a list where some have none', async () => {
    const [cheap, dear, none] = [await newItem(), await newItem(), await newItem()]
    await load([price(cheap, { amountMinor: 1 }), price(dear, { amountMinor: 9 })])
    const questions = [none, dear, none, cheap].map((item) => question(item))
    const found = await findPrices(db.database, questions)
    expect(questions.map((each) => found.get(priceKey(each))?.amountMinor)).toEqual([
      undefined,
      9,
      undefined,
      1,
    ])
  })
})

describe('loading prices', () => {
  test('the same reading twice changes nothing', async () => {
    const item = await newItem()
    expect(await load([price(item)])).toEqual({
      inserted: 1,
      updated: 0,
      unchanged: 0,
      superseded: 0,
      rejected: [],
    })
    expect(await load([price(item)])).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 })
  })

  test('an older reading never overwrites a newer one', async () => {
    const item = await newItem()
    await load([price(item, { amountMinor: 2_600 })], TUESDAY)
    expect(await load([price(item)], MONDAY)).toMatchObject({ updated: 0, superseded: 1 })
    expect(await ask(item)).toBe(2_600)
  })

  test('a price gets a last day', async () => {
    const item = await newItem()
    await load([price(item)])
    expect(await load([price(item, { validTo: '2026-02-01' })], TUESDAY)).toMatchObject({ updated: 1 })
    expect(await ask(item)).toBeUndefined()
  })

  test('a bad record is listed with its reason and its neighbors are taken', async () => {
    const item = await newItem()
    const { inserted, rejected } = await load([
      price(item, { amountMinor: -1 }),
      price(item, { list: undefined, unit: 'EA' }),
      price(item, { list: 'customer:C-1', unit: 'PL' }),
      price(item, { validTo: '2025-01-01', unit: 'BX' }),
      price(item, { minQuantity: 0.5, unit: 'KGM' }),
      price(item, { validFrom: '2026-02-30', unit: 'LTR' }),
      price(item),
    ])
    expect(inserted).toBe(1)
    expect(rejected.map(({ code, reason }) => [code, reason.split(':')[0]])).toEqual(
      ['amountMinor', 'list', 'list', 'validTo', 'minQuantity', 'validFrom'].map((field) => [
        'pricing.record_invalid',
        field,
      ]),
    )
    expect(rejected[0]?.key).toBe('S · wholesale · CA USD from 0 · 2026-01-01')
  })

  test('prices that a complete reading no longer finds are gone, unless it found none', async () => {
    const item = await newItem('GONE')
    const reading = { company: 'GONE', source: 'erp-main', asOf: TUESDAY }
    await load([price(item), price(item, { unit: 'EA' })], MONDAY, 'GONE')
    expect(await retirePrices(db.database, reading)).toBe(0)
    await load([price(item)], TUESDAY, 'GONE')
    expect(await retirePrices(db.database, { ...reading, source: 'erp-other' })).toBe(0)
    expect(await retirePrices(db.database, reading)).toBe(1)
    expect(await ask(item, { company: 'GONE' })).toBe(2_400)
    expect(await ask(item, { company: 'GONE', unit: 'EA' })).toBeUndefined()
  })
})

test('lines are priced each by itself', () => {
  const policy = { tolerancePpm: 0, toleranceMinor: 0, within: 'ours', beyond: 'reject' } as const
  const line = (key: string, oursMinor?: number, expectedMinor?: number) => ({
    key,
    oursMinor,
    expectedMinor,
    currency: 'USD',
  })
  const decisions = decidePrices([line('1', 5), line('2'), line('3', 5, 4)], policy)
  expect([...decisions].map(([key, { kind }]) => [key, kind])).toEqual([
    ['1', 'ok'],
    ['2', 'refuse'],
    ['3', 'refuse'],
  ])
})

test('the search for a price goes by index, also on a table analyzed while empty', async () => {
  const empty = await openTestDatabase()
  try {
    await empty.run('analyze')
    await empty.database.transaction(async (tx) => {
      await findPrices(tx, [question(1)])
      await upsertPrices(tx, { company: COMPANY, source: 'erp-main', asOf: MONDAY }, [])
    })
    const reads = await Promise.all([...empty.statements().values()].map((each) => empty.fullReads(each)))
    expect(reads).toEqual([[], []])
  } finally {
    await empty.end()
  }
})
