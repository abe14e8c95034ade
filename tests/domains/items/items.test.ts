/** Items on a real database: looking up by any number, resolving lines, loading. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GivenItem, identifierKey, itemKey } from '#domains/items/contract.ts'
import { findByIdentifier, findItems, resolveLines, upsertItems } from '#domains/items/operations.ts'
import { Refusal } from '#platform/faults.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const MONDAY = new Date('2026-03-02T09:00:00Z')
const TUESDAY = new Date('2026-03-03T09:00:00Z')

const item = (overrides: Partial<GivenItem> = {}): GivenItem => ({
  sku: 'S-1',
  name: 'Olives, green, 400 g',
  status: 'active',
  baseUnit: 'EA',
  units: [
    { unit: 'PL', factor: { numerator: 480, denominator: 1 } },
    { unit: 'CA', factor: { numerator: 12, denominator: 1 } },
  ],
  catchWeight: false,
  lotControlled: true,
  serialControlled: true,
  taxClass: 'food',
  identifiers: [{ scheme: 'gtin', value: '04006381333931' }],
  ...overrides,
})

const load = (company: string, given: readonly GivenItem[], asOf = MONDAY) =>
  db.database.transaction((tx) => upsertItems(tx, { company, source: 'erp-main', asOf }, given))

const find = async (company: string, sku: string) =>
  (await findItems(db.database, [{ company, sku }])).get(itemKey(company, sku))

async function skuOf(company: string, value: string): Promise<string | undefined> {
  const key = { company, scheme: 'gtin', value }
  return (await findByIdentifier(db.database, [key])).get(identifierKey(key))?.sku
}

describe('loading items', () => {
  test('takes them with their units and identifiers', async () => {
    expect(await load('L1', [item()])).toMatchObject({ inserted: 1, rejected: [] })
    expect(await find('L1', 'S-1')).toEqual({
      id: expect.any(Number),
      company: 'L1',
      sku: 'S-1',
      name: 'Olives, green, 400 g',
      status: 'active',
      baseUnit: 'EA',
      catchWeight: false,
      lotControlled: true,
      serialControlled: true,
      taxClass: 'food',
      units: new Map([
        ['EA', { numerator: 1, denominator: 1 }],
        ['CA', { numerator: 12, denominator: 1 }],
        ['PL', { numerator: 480, denominator: 1 }],
      ]),
      asOf: MONDAY,
    })
    expect(await skuOf('L1', '04006381333931')).toBe('S-1')
    expect(await skuOf('L2', '04006381333931')).toBeUndefined()
  })

  test('the same reading twice changes nothing, in whatever order its units come', async () => {
    await load('L3', [item()])
    const reversed = item({ units: [...item().units].reverse() })
    expect(await load('L3', [reversed], TUESDAY)).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 })
    expect((await find('L3', 'S-1'))?.asOf).toEqual(TUESDAY)
  })

  test('an older reading never overwrites a newer one', async () => {
    await load('L4', [item({ status: 'discontinued', units: [] })], TUESDAY)
    expect(await load('L4', [item()], MONDAY)).toMatchObject({ superseded: 1, updated: 0 })
    const found = await find('L4', 'S-1')
    expect(found?.status).toBe('discontinued')
    expect([...found!.units.keys()]).toEqual(['EA'])
  })

  test('a new base unit is refused, since stock is counted in the one we know', async () => {
    await load('L5', [item()])
    const { rejected, updated } = await load('L5', [item({ baseUnit: 'KGM' }), item({ sku: 'S-2' })], TUESDAY)
    expect(updated).toBe(0)
    expect(rejected).toEqual([
      { key: 'S-1', code: 'items.base_unit_changed', reason: 'baseUnit: KGM instead of EA' },
    ])
    expect((await find('L5', 'S-1'))?.baseUnit).toBe('EA')
    expect(await find('L5', 'S-2')).toBeDefined()
  })

  test('an identifier moves to the item that claims it last', async () => {
    await load('L6', [item({ sku: 'OLD' })])
    await load('L6', [item({ sku: 'NEW' })], TUESDAY)
    expect(await skuOf('L6', '04006381333931')).toBe('NEW')
    await load('L6', [item({ sku: 'OLD', identifiers: [] })], TUESDAY)
    expect(await skuOf('L6', '04006381333931')).toBe('NEW')
  })

  test('a bad record is listed with its reason and its neighbors are taken', async () => {
    const unit = { unit: 'CA', factor: { numerator: 12, denominator: 1 } }
    const { inserted, rejected } = await load('L7', [
      item({ sku: 'S-1', units: [unit, unit] }),
      item({ sku: 'S-2', units: [{ unit: 'EA', factor: { numerator: 2, denominator: 1 } }] }),
      item({ sku: 'S-3', units: [{ unit: 'CA', factor: { numerator: 0, denominator: 1 } }] }),
      item({ sku: 'S-4', baseUnit: 'each' }),
      item({ sku: 'S-5' }),
    ])
    expect(inserted).toBe(1)
    expect(rejected.map(({ key, code }) => [key, code])).toEqual(
      ['S-1', 'S-2', 'S-3', 'S-4'].map((sku) => [sku, 'items.record_invalid']),
    )
    expect(rejected[0]?.reason).toBe('units: a unit stands twice')
  })
})

test('lines are resolved to base units, or refused each for its own reason', async () => {
  await load('R1', [
    item({ sku: 'GOOD' }),
    item({ sku: 'BLOCKED', status: 'blocked', identifiers: [] }),
    item({ sku: 'GONE', status: 'discontinued', identifiers: [] }),
  ])
  const skus = ['GOOD', 'BLOCKED', 'GONE']
  const items = await findItems(
    db.database,
    skus.map((sku) => ({ company: 'R1', sku })),
  )
  const line = (key: string, sku: string, unit = 'CA') => ({
    key,
    company: 'R1',
    sku,
    unit,
    quantity: units(2),
  })
  const lines = [
    line('1', 'GOOD'),
    line('2', 'BLOCKED'),
    line('3', 'NONE'),
    line('4', 'GONE'),
    line('5', 'GOOD', 'BX'),
  ]
  const answers = [...resolveLines(items, lines)].map(([key, answer]) => [
    key,
    answer instanceof Refusal ? answer.code : answer.base,
  ])
  expect(answers).toEqual([
    ['1', units(24)],
    ['2', 'items.blocked'],
    ['3', 'items.unknown'],
    ['4', units(24)],
    ['5', 'items.unit_unknown'],
  ])
})

test('items of two companies are found in one list, each under its own key', async () => {
  await load('T1', [item({ name: 'One' })])
  await load('T2', [item({ name: 'Two' })])
  const keys = ['T2', 'T1', 'T3'].map((company) => ({ company, sku: 'S-1' }))
  const found = await findItems(db.database, keys)
  expect(keys.map(({ company, sku }) => found.get(itemKey(company, sku))?.name)).toEqual([
    'Two',
    'One',
    undefined,
  ])
})

test('every statement that an order waits for goes by index, also on tables analyzed while empty', async () => {
  const empty = await openTestDatabase()
  try {
    await empty.run('analyze')
    await empty.database.transaction(async (tx) => {
      await findItems(tx, [{ company: 'X', sku: 'S-1' }])
      await findByIdentifier(tx, [{ company: 'X', scheme: 'gtin', value: '1' }])
    })
    const reads = await Promise.all([...empty.statements().values()].map((each) => empty.fullReads(each)))
    expect(reads.length).toBe(2)
    expect(reads.flat()).toEqual([])
  } finally {
    await empty.end()
  }
})
