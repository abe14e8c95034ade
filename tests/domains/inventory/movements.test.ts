/** Movements on a real database: what leaves, what moves, and that ledger and positions say the same. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bucket } from '#domains/inventory/contract.ts'
import {
  allocateOrder,
  type Departure,
  lockChannelStock,
  move,
  reserve,
  ship,
  type StockChange,
} from '#domains/inventory/operations.ts'
import { openBalances, type OpeningBalance } from '#domains/inventory/operations/opening.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { booksAgree, INSIDE, ledgerOf as ledgerIn, net } from '#tests/domains/inventory/ledger.ts'
import {
  AT,
  book,
  change,
  COMPANY,
  newItem,
  NORTH,
  positionOf,
  positionsOf,
  type PositionView,
  receive,
  SOUTH,
} from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const departure = (itemId: number, overrides: Partial<Departure> = {}): Departure => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  lot: '',
  quantity: 0,
  claimEnds: 0,
  short: 0,
  source: 'wms-test',
  sourceKey: 'S-1',
  doc: 7,
  at: AT,
  ...overrides,
})

const depart = (...departures: readonly Departure[]) => db.database.transaction((tx) => ship(tx, departures))

/** Reserves for an order that never ships, so that others must not take it. */
async function claim(itemId: number, quantity: Quantity): Promise<void> {
  await db.database.transaction(async (tx) => {
    const { rest: free } = await lockChannelStock(tx, [itemId], [NORTH])
    const [allocations] = allocateOrder(free, [{ itemId, quantity }], [NORTH])
    const line = { doc: 1_000_000 + itemId, line: 1, company: COMPANY, itemId }
    reserve(tx, [{ ...line, channel: 'api', allocations: allocations!, backordered: 0, waited: false }])
  })
}

/** As `ledger.ts` has it, of this file's database. */
const ledgerOf = (itemId: number) => ledgerIn(db, itemId)
const expectBooksToAgree = (itemId: number) => booksAgree(db, itemId)

describe('what leaves', () => {
  test('ends its claim and is gone from what is available', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await claim(item, units(6))
    expect(await depart(departure(item, { quantity: units(4), claimEnds: units(6) }))).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({ available: units(6), reserved: 0, unreconciled: 0 })
    await expectBooksToAgree(item)
  })

  test('beyond the books is not refused: the rest is unreconciled, and is answered', async () => {
    const item = newItem()
    await receive(db, item, units(3))
    const left = departure(item, { quantity: units(5) })
    const shortfall = { company: COMPANY, itemId: item, location: NORTH, quantity: units(2) }
    expect(await depart(left)).toEqual([shortfall])
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: -units(2) })
    expect(await depart(left)).toEqual([{ ...shortfall, quantity: units(5) }])
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: -units(7) })
    await expectBooksToAgree(item)
  })

  test('never takes what is reserved for others, so that no claim is left without stock', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await claim(item, units(8))
    const [shortfall] = await depart(departure(item, { quantity: units(5) }))
    expect(shortfall).toMatchObject({ quantity: units(3) })
    expect(await positionOf(db, item)).toMatchObject({
      available: units(8),
      reserved: units(8),
      unreconciled: -units(3),
    })
  })

  test('of an item that this location never had is in the books all the same', async () => {
    const item = newItem()
    const left = departure(item, { quantity: units(2), lot: 'L1' })
    expect(await depart(left)).toMatchObject([{ quantity: units(2) }])
    expect(await positionOf(db, item)).toMatchObject({ unreconciled: -units(2) })
    expect(await positionOf(db, item, NORTH, 'L1')).toMatchObject({ unreconciled: -units(2) })
    await expectBooksToAgree(item)
  })

  test('in one list draws on what those before it in the list have left', async () => {
    const item = newItem()
    await receive(db, item, units(5))
    const left = departure(item, { quantity: units(3) })
    expect(await depart(left, left)).toMatchObject([{ quantity: units(1) }])
    await expectBooksToAgree(item)
  })

  test('short of its claim leaves in doubt what was not found, and nobody is sold it', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await claim(item, units(6))
    const picked = [
      departure(item, { quantity: units(2), claimEnds: units(2), lot: 'L1' }),
      departure(item, { claimEnds: units(4), short: units(4) }),
    ]
    expect(await depart(...picked)).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({
      available: units(4),
      reserved: 0,
      unreconciled: units(4),
    })
    await expectBooksToAgree(item)
  })

  test('nothing at all only ends its claim', async () => {
    const item = newItem()
    await receive(db, item, units(5))
    await claim(item, units(5))
    expect(await depart(departure(item, { claimEnds: units(5) }))).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({ available: units(5), reserved: 0 })
  })
})

describe('what moves', () => {
  test('makes a position that did not exist', async () => {
    const item = newItem()
    expect(await receive(db, item, units(2.5))).toEqual([])
    expect(await positionsOf(db, item)).toMatchObject([{ location: NORTH, lot: '', available: units(2.5) }])
  })

  test.each<[Bucket, keyof PositionView]>([
    ['quality_hold', 'quality_hold'],
    ['quarantine', 'quarantine'],
    ['damaged', 'damaged'],
    ['blocked', 'blocked'],
    ['in_transit', 'in_transit'],
  ])('from available to %s is no longer for sale and can come back', async (bucket, column) => {
    const item = newItem()
    await receive(db, item, units(5))
    await book(db, change(item, { from: 'available', to: bucket, quantity: units(2) }))
    expect(await positionOf(db, item)).toMatchObject({ available: units(3), [column]: units(2) })
    await book(db, change(item, { from: bucket, to: 'available', quantity: units(2) }))
    expect(await positionOf(db, item)).toMatchObject({ available: units(5), [column]: 0 })
    await expectBooksToAgree(item)
  })

  test('never takes from under a claim', async () => {
    const item = newItem()
    await receive(db, item, units(5))
    await claim(item, units(4))
    const broken = change(item, { from: 'available', to: 'damaged', quantity: units(3) })
    expect(await book(db, broken)).toMatchObject([{ company: COMPANY, quantity: units(2) }])
    expect(await positionOf(db, item)).toMatchObject({
      available: units(4),
      reserved: units(4),
      damaged: units(3),
      unreconciled: -units(2),
    })
    await expectBooksToAgree(item)
  })

  test('explains what was unreconciled', async () => {
    const item = newItem()
    await depart(departure(item, { quantity: units(4) }))
    expect(await book(db, change(item, { to: 'unreconciled', quantity: units(4) }))).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: 0 })
    await expectBooksToAgree(item)
  })

  test('into unreconciled takes what is there and no more', async () => {
    const item = newItem()
    await receive(db, item, units(3))
    const lost = change(item, { from: 'available', to: 'unreconciled', quantity: units(5) })
    expect(await book(db, lost)).toMatchObject([{ quantity: units(2) }])
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: units(3) })
    await expectBooksToAgree(item)
  })

  test('by lot is in the whole and in the lot', async () => {
    const item = newItem()
    await book(
      db,
      change(item, { lot: 'L1', quantity: units(4) }),
      change(item, { lot: 'L2', quantity: units(3) }),
      change(item, { lot: 'L1', from: 'available', to: 'quality_hold', quantity: units(1) }),
    )
    await depart(departure(item, { lot: 'L2', quantity: units(2) }))
    expect((await positionsOf(db, item)).map((row) => [row.lot, row.available, row.quality_hold])).toEqual([
      ['', units(4), units(1)],
      ['L1', units(3), units(1)],
      ['L2', units(1), 0],
    ])
  })

  test('and is told by nobody costs nothing', async () => {
    expect(await book(db)).toEqual([])
    expect(await depart()).toEqual([])
  })
})

describe('movements of any kind in any order', () => {
  const buckets: fc.Arbitrary<Bucket> = fc.constantFrom(
    'available',
    'available',
    'quality_hold',
    'quarantine',
    'damaged',
    'blocked',
    'in_transit',
    'unreconciled',
    'supplier',
    'adjustment',
  )
  const where = { location: fc.constantFrom(NORTH, SOUTH), lot: fc.constantFrom('L1', 'L2') }
  const quantity = fc.integer({ min: 1, max: 200_000 })
  const moving = fc
    .record({ ...where, quantity, from: buckets, to: buckets })
    .filter(({ from, to }) => from !== to)
    .map((given) => ({ kind: 'move' as const, given }))
  const leaving = fc.record({ ...where, quantity }).map((given) => ({ kind: 'ship' as const, given }))
  const list = fc.array(fc.oneof(moving, moving, leaving), { minLength: 1, maxLength: 4 })

  const isInside = (bucket: Bucket): boolean => INSIDE.includes(bucket as 'available')

  test('keep ledger and positions equal, lots the breakdown of the whole, and no unit made or lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(list, { minLength: 1, maxLength: 6 }), async (lists) => {
        const item = newItem()
        await book(db, change(item, { lot: 'L1', quantity: units(15) }))
        await claim(item, units(6))
        /** What is physically there, by location and lot, counted by the test itself. */
        const there = new Map([[`${NORTH} L1`, units(15)]])
        for (const each of lists) {
          const moves = each.flatMap((row): StockChange[] =>
            row.kind === 'move' ? [change(item, row.given)] : [],
          )
          const departures = each.flatMap((row) => (row.kind === 'ship' ? [departure(item, row.given)] : []))
          for (const row of [...moves, ...departures]) {
            const key = `${row.location} ${row.lot}`
            const came = 'to' in row && isInside(row.to) ? row.quantity : 0
            const went = !('from' in row) || isInside(row.from) ? row.quantity : 0
            there.set(key, (there.get(key) ?? 0) + came - went)
          }
          await db.database.transaction(async (tx) => {
            await move(tx, moves)
            await ship(tx, departures)
          })
          await expectBooksToAgree(item)
        }
        const positions = await positionsOf(db, item)
        for (const row of positions) {
          const inLots = positions.filter(({ location, lot }) => location === row.location && lot !== '')
          const expected =
            row.lot === ''
              ? inLots.reduce((sum, lot) => sum + net(lot), 0)
              : there.get(`${row.location} ${row.lot}`)
          expect(net(row)).toBe(expected)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('opening balances', () => {
  const balance = (itemId: number, overrides: Partial<OpeningBalance> = {}): OpeningBalance => ({
    company: COMPANY,
    itemId,
    location: NORTH,
    lot: '',
    available: units(8),
    qualityHold: 0,
    damaged: 0,
    source: 'erp-test',
    sourceKey: 'opening/1',
    at: AT,
    ...overrides,
  })
  const open = (...balances: readonly OpeningBalance[]) =>
    db.database.transaction((tx) => openBalances(tx, balances))

  test('are taken once; a position with a history of its own is left as it is', async () => {
    const item = newItem()
    expect(await open(balance(item))).toBe(1)
    expect(await open(balance(item, { available: units(99) }))).toBe(0)
    expect(await positionOf(db, item)).toMatchObject({ available: units(8) })
    await expectBooksToAgree(item)
  })

  test('of one more lot add to the total while nothing but balances by lot made it', async () => {
    const item = newItem()
    expect(await open(balance(item, { lot: 'L1' }))).toBe(1)
    expect(await open(balance(item, { lot: 'L1' }), balance(item, { lot: 'L2', available: units(3) }))).toBe(
      1,
    )
    expect(await positionOf(db, item)).toMatchObject({ available: units(11) })
    await expectBooksToAgree(item)
  })

  test.each([
    ['a balance without a lot', (item: number) => open(balance(item)).then(() => undefined)],
    ['a receipt', (item: number) => receive(db, item, units(8)).then(() => undefined)],
  ])('of a lot at a place that %s has filled are in its total already', async (_, fill) => {
    const item = newItem()
    await fill(item)
    expect(await open(balance(item, { lot: 'L9', available: units(5), damaged: units(1) }))).toBe(0)
    expect(await positionOf(db, item)).toMatchObject({ available: units(8) })
    await expectBooksToAgree(item)
  })

  test('of each status lie in a bucket of their own, of which only one is for sale', async () => {
    const item = newItem()
    const lots = ['L1', 'L2'].map((lot) => balance(item, { lot, qualityHold: units(3), damaged: units(1) }))
    await open(...lots, balance(item, { location: SOUTH, available: units(-2), qualityHold: units(5) }))
    expect(await positionOf(db, item)).toMatchObject({
      available: units(16),
      quality_hold: units(6),
      damaged: units(2),
    })
    expect(await positionOf(db, item, SOUTH)).toMatchObject({ available: 0, quality_hold: units(5) })
    await expectBooksToAgree(item)
    const { rest: free } = await db.database.transaction((tx) => lockChannelStock(tx, [item], [NORTH, SOUTH]))
    expect([...free.values()]).toEqual([units(16), 0])
  })

  test('of zero make a position without a movement', async () => {
    const item = newItem()
    await open(balance(item, { available: 0 }))
    expect(await positionOf(db, item)).toMatchObject({ available: 0 })
    expect(await ledgerOf(item)).toEqual([])
  })
})

test('a position below zero and a movement from a bucket to itself are refused, not booked', async () => {
  const item = newItem()
  await receive(db, item, units(1))
  await expect(
    db.run('update inventory.position set damaged = -1 where item_id = $1', [item]),
  ).rejects.toMatchObject({ code: '23514' })
  await expect(book(db, change(item, { from: 'damaged', to: 'damaged', quantity: 1 }))).rejects.toThrow(
    'from damaged to itself',
  )
})
