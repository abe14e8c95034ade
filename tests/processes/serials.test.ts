/** Units with serials as systems tell of them: each in one place only, and who hears of it where what is told does not fit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { differingBuckets } from '#domains/inventory/rules/serials.ts'
import {
  countSerials,
  selectDoubted,
  selectSerialFacts,
  selectSerials,
} from '#domains/inventory/store/serials.ts'
import { listSerials, serialsNamed } from '#domains/inventory/views/serials.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import type { StockTold } from '#processes/stock-booking.ts'
import { watchSerials } from '#processes/serials.ts'
import { AT, COMPANY, NORTH, SOUTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { hearUnits, knownItem, type KnownItem, told, unitsTold as units } from './stock-told.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const numbered = (more = {}): Promise<KnownItem> => knownItem(db, { serialControlled: true, ...more })

const hear = (...all: readonly StockTold[]) => hearUnits(db, ...all)

const look = () => watchSerials({ database: db.database, companies: [COMPANY] })

const where = async ({ itemId }: KnownItem, serial: string) => {
  const [row] = await selectSerials(db.database, [{ company: COMPANY, itemId, serial }])
  return row && [row.bucket, row.location, ...(row.doubt === null ? [] : [row.doubt, row.doubtLocation])]
}

const codesOf = async ({ itemId, sku }: KnownItem): Promise<string[]> =>
  (await listExceptions(db.database, { limit: 500 }))
    .filter(({ cause, facts }) => cause.includes(`:${itemId}:`) && (facts as { sku?: string }).sku === sku)
    .map(({ code }) => code.replace('inventory.', ''))
    .toSorted()

const later = (minutes: number): Date => new Date(AT.getTime() + minutes * 60_000)

test('a unit goes where it is told to go, and each step of it is kept', async () => {
  const item = await numbered()
  const transfer = { number: 'T-9', place: SOUTH }
  await hear(units(item, 'receipt', ['A', 'B', 'C']))
  await hear(units(item, 'damage', ['A']), units(item, 'quality-hold', ['B']))
  await hear(units(item, 'transfer-out', ['C'], { transfer }))
  expect(await Promise.all(['A', 'B', 'C'].map((serial) => where(item, serial)))).toEqual([
    ['damaged', NORTH],
    ['quality_hold', NORTH],
    ['in_transit', SOUTH],
  ])
  await hear(units(item, 'transfer-in', ['C'], { location: SOUTH, transfer: { number: 'T-9' } }))
  await hear(units(item, 'ship', ['C'], { location: SOUTH, at: later(1) }))
  await hear(units(item, 'return', ['C'], { location: SOUTH, at: later(2) }))
  expect(await where(item, 'C')).toEqual(['quarantine', SOUTH])
  const key = { company: COMPANY, itemId: item.itemId, serial: 'C' }
  const history = await selectSerialFacts(db.database, key, 10)
  expect(history.map(({ reason, moved }) => [reason, moved])).toEqual([
    ['return', true],
    ['ship', true],
    ['transfer-in', true],
    ['transfer-out', true],
    ['receipt', true],
  ])
  expect(await codesOf(item)).toEqual([])
})

test('items without serials ask the database nothing, whatever serials are told of them', async () => {
  const plain = await knownItem(db)
  const before = new Set(db.statements().keys())
  await hear(units(plain, 'receipt', ['P1', 'P2']))
  const asked = [...db.statements().keys()].filter((name) => !before.has(name) && name.includes('serial'))
  expect([asked, await where(plain, 'P1')]).toEqual([[], undefined])
})

describe('a unit that is told of', () => {
  test('in two places is where it was told of last, until the other place says how it left', async () => {
    const item = await numbered()
    await hear(units(item, 'receipt', ['X'], { location: SOUTH }))
    await hear(units(item, 'receipt', ['X'], { at: later(5) }))
    expect(await where(item, 'X')).toEqual(['available', NORTH, 'elsewhere', SOUTH])
    expect(await codesOf(item)).toEqual(['serial_elsewhere', 'serials_differ'])
    const transfer = { number: 'T-X', place: NORTH }
    await hear(units(item, 'transfer-out', ['X'], { location: SOUTH, transfer, at: later(1) }))
    expect(await where(item, 'X')).toEqual(['available', NORTH])
    expect(await codesOf(item)).toEqual(['serials_differ'])
    // the transfer arrived as a receipt: so much of it is still in transit by the books
    await hear(told(item, 'transfer-missing', 1, { transfer: { number: 'T-X' }, at: later(6) }))
    expect(await codesOf(item)).toEqual([])
  })

  test('as shipped where it never was is told, until its receipt is', async () => {
    const item = await numbered()
    await hear(units(item, 'receipt', ['A']))
    await hear(units(item, 'ship', ['B'], { at: later(5) }))
    expect(await where(item, 'B')).toEqual(['shipped', null, 'never-here', NORTH])
    expect(await codesOf(item)).toEqual(['serial_never_here', 'serials_differ'])
    await hear(units(item, 'receipt', ['B'], { at: later(1) }))
    expect(await where(item, 'B')).toEqual(['shipped', null])
    expect(await codesOf(item)).toEqual([])
  })

  test('as received where it is already is told, until the other unit is named', async () => {
    const item = await numbered()
    await hear(units(item, 'receipt', ['A']))
    await hear(units(item, 'receipt', ['A'], { at: later(5) }))
    expect(await codesOf(item)).toEqual(['serial_here_already', 'serials_differ'])
    await hear(told(item, 'count', -1, { at: later(6) }))
    await look()
    expect(await where(item, 'A')).toEqual(['available', NORTH])
    expect(await codesOf(item)).toEqual([])
  })

  test('twice is told once, and its exceptions are opened once', async () => {
    const item = await numbered()
    await hear(units(item, 'receipt', ['X'], { location: SOUTH }))
    await hear(units(item, 'receipt', ['X'], { at: later(5) }))
    await hear(units(item, 'receipt', ['X'], { location: SOUTH, at: later(6) }))
    expect(await where(item, 'X')).toEqual(['available', SOUTH, 'elsewhere', NORTH])
    const causes = (await listExceptions(db.database, { code: 'inventory.serial_elsewhere' })).filter(
      ({ cause }) => cause.includes(`:${item.itemId}:`),
    )
    expect(causes).toMatchObject([
      { title: `X of ${item.sku} is told of at ${SOUTH}, and is available at ${NORTH}` },
    ])
    expect(causes[0]!.owner).not.toBe('')
    // the place that lost it last has fewer units than serials already, so it explains itself
    await hear(
      told(item, 'count', -1, { at: later(7) }),
      told(item, 'count', -2, { location: SOUTH, at: later(7) }),
    )
    await hear(units(item, 'receipt', ['X'], { at: later(8) }))
    expect(await where(item, 'X')).toEqual(['available', NORTH])
    expect(await codesOf(item)).toEqual([])
  })
})

describe('a place with another number of units than of serials', () => {
  test('is told with both, status by status, until they agree', async () => {
    const item = await numbered()
    await hear(told(item, 'receipt', 3, { serials: ['A', 'B'] }))
    await hear(told(item, 'damage', 1))
    const [one] = await listExceptions(db.database, { code: 'inventory.serials_differ', limit: 500 }).then(
      (all) => all.filter(({ cause }) => cause === `inventory.serials_differ:${item.itemId}:${NORTH}`),
    )
    expect(one).toMatchObject({ title: `${NORTH} has 3 available and 2 serials of ${item.sku}` })
    await hear(units(item, 'count', ['C']), told(item, 'damage', -1, { serials: ['A'] }))
    expect(await codesOf(item)).toEqual(['serials_differ'])
    await hear(told(item, 'count', -1, { serials: ['C'] }), told(item, 'count', -1))
    await look()
    expect(await codesOf(item)).toEqual(['serials_differ'])
  })

  test('names what nobody had named as it leaves, and a quantity that is not whole differs', async () => {
    const item = await numbered()
    await hear(told(item, 'receipt', 10))
    await hear(units(item, 'ship', ['N1', 'N2'], { at: later(1) }))
    expect(await where(item, 'N1')).toEqual(['shipped', null])
    expect(await codesOf(item)).toEqual(['serials_differ'])
    await hear(told(item, 'count', -8))
    expect(await codesOf(item)).toEqual([])
    await hear({ ...told(item, 'count', 1), quantity: 5_000 })
    expect(await codesOf(item)).toEqual(['serials_differ'])
  })
})

test('of an item that has no serials any more nobody is told that they are missing', async () => {
  const item = await numbered()
  await hear(told(item, 'receipt', 2))
  expect(await codesOf(item)).toEqual(['serials_differ'])
  await db.run('update items.item set serial_controlled = false where id = $1', [item.itemId])
  await look()
  expect(await codesOf(item)).toEqual([])
})

test('of a lot that is held a unit is on hold as it comes', async () => {
  const item = await numbered({ lotControlled: true })
  const lot = { company: COMPANY, itemId: item.itemId, lot: 'L1' }
  await db.database.transaction((tx) =>
    holdLotEverywhere(tx, lot, { by: 'ann', reason: 'recall', sourceKey: 'H', at: AT }),
  )
  await hear(units(item, 'receipt', ['A'], { lot: 'L1' }), units(item, 'receipt', ['B'], { lot: 'L2' }))
  expect([await where(item, 'A'), await where(item, 'B')]).toEqual([
    ['quality_hold', NORTH],
    ['available', NORTH],
  ])
  expect(await codesOf(item)).toEqual([])
})

test('of two places that tell of the same units at once both are heard, and each unit is in one of them', async () => {
  const item = await numbered()
  const serials = Array.from({ length: 20 }, (_, nth) => `S${nth}`)
  await Promise.all([
    hear(units(item, 'receipt', serials)),
    hear(units(item, 'receipt', serials.toReversed(), { location: SOUTH })),
  ])
  const found = await listSerials(db.database, { company: COMPANY, itemId: item.itemId }, undefined, 100)
  expect(found.map(({ serial }) => serial).toSorted()).toEqual(serials.toSorted())
  expect(new Set(found.map(({ location }) => location)).size).toBe(1)
  expect(found.every(({ doubt }) => doubt === 'elsewhere')).toBe(true)
  const facts = await selectSerialFacts(
    db.database,
    { company: COMPANY, itemId: item.itemId, serial: 'S7' },
    5,
  )
  expect(facts).toHaveLength(2)
  expect((await codesOf(item)).filter((code) => code === 'serial_elsewhere')).toHaveLength(20)
})

test('in whatever order a life of units is told, each has left in the end, and no place has it', async () => {
  const life = (item: KnownItem, serial: string): StockTold[] => [
    units(item, 'receipt', [serial], { at: later(1) }),
    units(item, 'damage', [serial], { at: later(2) }),
    units(item, 'status-change', [serial], {
      at: later(3),
      statuses: { from: 'damaged', to: 'available' },
    }),
    units(item, 'ship', [serial], { at: later(4) }),
  ]
  for (const order of ordersOf([0, 1, 2, 3])) {
    const item = await numbered()
    const facts = life(item, 'U')
    for (const nth of order) await hear(facts[nth]!)
    await look()
    const site = { company: COMPANY, itemId: item.itemId, location: NORTH }
    const [count] = await countSerials(db.database, [site])
    expect([order, (await where(item, 'U'))![0]]).toEqual([order, 'shipped'])
    expect(Object.values(count!.serials).every((some) => some === 0)).toBe(true)
  }
})

const ordersOf = (places: readonly number[]): number[][] =>
  places.length === 0
    ? [[]]
    : places.flatMap((first) =>
        ordersOf(places.filter((one) => one !== first)).map((rest) => [first, ...rest]),
      )

test('what is read and written of serials goes by index, however many there are', async () => {
  const item = await numbered()
  await hear(units(item, 'receipt', ['A']))
  await db.run('analyze')
  const filter = { company: COMPANY, itemId: item.itemId }
  await listSerials(db.database, filter, undefined, 5)
  await listSerials(db.database, { ...filter, location: NORTH }, undefined, 5)
  await serialsNamed(db.database, COMPANY, 'A')
  await selectSerialFacts(db.database, { ...filter, serial: 'A' }, 5)
  await selectDoubted(db.database, COMPANY, { itemId: 0, serial: '' }, 5)
  const ours = [...db.statements()].filter(([name]) => /serial/.test(name))
  expect(ours.length).toBeGreaterThanOrEqual(9)
  const reads = await Promise.all(ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const))
  expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
  expect(differingBuckets((await countSerials(db.database, [{ ...filter, location: NORTH }]))[0]!)).toEqual(
    [],
  )
})
