/** Claims on stock on a real database: reserving, handing over, giving back, waiting. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  fillableOrders,
  freeClaims,
  leaveQueue,
  lockChannelStock,
  lockUnclaimedStock,
  move,
  reservationsOf,
  reserve,
  takeBack,
} from '#domains/inventory/operations.ts'
import { setAllocations } from '#domains/inventory/operations/allocations.ts'
import { readWaiting, shareFor } from '#domains/inventory/operations/queue.ts'
import { stockKey } from '#domains/inventory/rules.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { newDoc, order, PLACES, type Step, Walk, type Wish } from '#tests/domains/inventory/claimants.ts'
import {
  change,
  claimsOn,
  COMPANY,
  newItem,
  NORTH,
  positionOf,
  receive,
  SOUTH,
} from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
let crowd: ConnectionPool
let crowded: Database
beforeAll(async () => {
  db = await openTestDatabase()
  crowd = openConnections({
    url: db.url,
    size: 8,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 20_000,
    plans: 'hot',
    onError: () => undefined,
  })
  crowded = createDatabase(crowd, { clock, random: () => 0.5, assertLockOrder: true })
})
afterAll(async () => {
  await crowd.end()
  await db.end()
})

const place = (doc: number, ...wishes: readonly Wish[]) =>
  db.database.transaction((tx) => order(tx, doc, wishes))

describe('reserving', () => {
  test('eight transactions at once never give more than there is, whatever they want', async () => {
    const wish = fc.record({ which: fc.nat(2), quantity: fc.integer({ min: 1, max: 60 }).map(units) })
    const demand = fc.array(wish, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(demand, { minLength: 8, maxLength: 8 }), async (demands) => {
        const items = [newItem(), newItem(), newItem()]
        for (const item of items) {
          await receive(db, item, units(60), NORTH)
          await receive(db, item, units(30), SOUTH)
        }
        const given = await Promise.all(
          demands.map((wishes) =>
            crowded.transaction((tx) =>
              order(
                tx,
                newDoc(),
                wishes.map(({ which, quantity }) => ({ itemId: items[which]!, quantity })),
              ),
            ),
          ),
        )
        for (const [which, item] of items.entries()) {
          const wanted = demands.flat().filter((wish) => wish.which === which)
          const asked = wanted.reduce((sum, { quantity }) => sum + quantity, 0)
          const got = demands.flatMap((wishes, at) =>
            wishes.flatMap((wish, line) => (wish.which === which ? [given[at]![line]!] : [])),
          )
          expect(got.reduce((sum, quantity) => sum + quantity, 0)).toBe(Math.min(asked, units(90)))
          for (const { reserved, claimed } of await claimsOn(db, item)) expect(reserved).toBe(claimed)
        }
      }),
      { numRuns: 12 },
    )
  })

  test('beyond what is there fails the transaction, whoever computed it', async () => {
    const item = newItem()
    await receive(db, item, units(5))
    const oversell = db.database.transaction(async (tx) => {
      const allocations = [{ location: NORTH, quantity: units(5) + 1 }]
      const line = { doc: newDoc(), line: 1, company: COMPANY, channel: 'api', itemId: item }
      reserve(tx, [{ ...line, allocations, backordered: 0, waited: false }])
    })
    await expect(oversell).rejects.toMatchObject({ code: '23514', constraint: 'never_oversold' })
    expect(await positionOf(db, item)).toMatchObject({ reserved: 0 })
  })

  test('is only of what those who wait leave over, wherever it lies', async () => {
    const [item, other] = [newItem(), newItem()]
    await place(newDoc(), { itemId: item, quantity: units(4) })
    await receive(db, item, units(3), NORTH)
    await receive(db, item, units(3), SOUTH)
    await receive(db, other, units(3), NORTH)
    const { rest } = await db.database.transaction((tx) => lockUnclaimedStock(tx, [item, other], PLACES))
    expect(rest).toEqual(
      new Map([
        [stockKey(item, NORTH), 0],
        [stockKey(item, SOUTH), units(2)],
        [stockKey(other, NORTH), units(3)],
      ]),
    )
  })

  test('sells nothing against stock that nobody can explain, neither the missing nor the surplus', async () => {
    const [missing, surplus] = [newItem(), newItem()]
    await receive(db, missing, units(10))
    await receive(db, surplus, units(10))
    await db.database.transaction((tx) =>
      move(tx, [
        change(missing, { from: 'unreconciled', to: 'shipped', quantity: units(4) }),
        change(surplus, { from: 'supplier', to: 'unreconciled', quantity: units(4) }),
      ]),
    )
    const wishes = [missing, surplus].map((itemId) => ({ itemId, quantity: units(20) }))
    expect(await place(newDoc(), ...wishes)).toEqual([units(6), units(10)])
  })

  test('of no items and of unknown items finds nothing', async () => {
    await db.database.transaction(async (tx) => {
      expect((await lockChannelStock(tx, [], PLACES)).rest).toEqual(new Map())
      expect((await lockChannelStock(tx, [newItem()], PLACES)).rest).toEqual(new Map())
    })
  })
})

describe('the reserved quantity of a position', () => {
  const step = fc.record({
    kind: fc.constantFrom<Step>(
      'order',
      'order',
      'release',
      'release',
      'ship',
      'shortPick',
      'refuse',
      'cancel',
      'receive',
    ),
    quantity: fc.integer({ min: 1, max: 30 }).map(units),
  })

  test('is what reservations and open fulfillment lines claim, after any steps in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const walk = new Walk(db)
        await receive(db, walk.item, units(40), NORTH)
        await receive(db, walk.item, units(25), SOUTH)
        for (const { kind, quantity } of steps) {
          await walk.take(kind, quantity)
          for (const { location, reserved, claimed } of await claimsOn(db, walk.item)) {
            expect({ after: kind, location, reserved }).toEqual({ after: kind, location, reserved: claimed })
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  test('falls when claims are freed', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await place(newDoc(), { itemId: item, quantity: units(8) })
    const claim = { company: COMPANY, itemId: item, location: NORTH, quantity: units(2) }
    await db.database.transaction((tx) => freeClaims(tx, [claim, claim]))
    expect(await positionOf(db, item)).toMatchObject({ available: units(10), reserved: units(4) })
  })

  test('stays when two requests of one order and location are taken back at once', async () => {
    const item = newItem()
    const doc = newDoc()
    const claim = { doc, line: 1, location: NORTH, company: COMPANY, itemId: item, quantity: units(2) }
    await db.database.transaction(async (tx) => takeBack(tx, [claim, { ...claim, quantity: units(3) }]))
    expect(await reservationsOf(db.database, [doc])).toEqual([{ ...claim, quantity: units(5) }])
  })
})

describe('a line that waits', () => {
  const waiting = (item: number) =>
    db.run<{ doc: number; quantity: Quantity }>(
      'select doc, quantity from inventory.backorder where item_id = $1 order by since, doc, line',
      [item],
    )

  test('keeps its place in the queue while it is filled in part, and leaves when it is filled', async () => {
    const item = newItem()
    const [first, second] = [newDoc(), newDoc()]
    await place(first, { itemId: item, quantity: units(5) })
    await place(second, { itemId: item, quantity: units(5) })
    await receive(db, item, units(3))
    const refill = (doc: number, quantity: Quantity) =>
      db.database.transaction((tx) => order(tx, doc, [{ itemId: item, quantity }], true))
    expect(await refill(first, units(5))).toEqual([units(3)])
    expect(await waiting(item)).toEqual([
      { doc: first, quantity: units(2) },
      { doc: second, quantity: units(5) },
    ])
    await receive(db, item, units(2))
    expect(await refill(first, units(2))).toEqual([units(2)])
    expect(await waiting(item)).toEqual([{ doc: second, quantity: units(5) }])
  })

  test('has its turn only when the stock reaches past those before it', async () => {
    const item = newItem()
    const [first, second, third] = [newDoc(), newDoc(), newDoc()]
    for (const doc of [first, second, third]) await place(doc, { itemId: item, quantity: units(5) })
    expect(await fillableOrders(db.database, [item])).toEqual([])
    await receive(db, item, units(5))
    expect(await fillableOrders(db.database, [item])).toEqual([first])
    await receive(db, item, 1, SOUTH)
    expect(await fillableOrders(db.database, [item])).toEqual([first, second])
    await receive(db, item, units(90))
    expect(await fillableOrders(db.database, [item])).toEqual([first, second, third])
  })

  test('has its turn with all others that the stock reaches, however many they are', async () => {
    const item = newItem()
    const docs = Array.from({ length: 1_200 }, newDoc)
    const common = { line: 1, company: COMPANY, channel: 'api' } as const
    const waits = { ...common, itemId: item, allocations: [], waited: false } as const
    await db.database.transaction(async (tx) =>
      reserve(
        tx,
        docs.map((doc) => ({ ...waits, doc, backordered: units(1) })),
      ),
    )
    await receive(db, item, units(1_200))
    expect(await fillableOrders(db.database, [item])).toEqual(docs)
  })

  test('has its turn past who wants lots to live long, also where something is kept for channels', async () => {
    const item = newItem()
    const [choosy, next, last] = [newDoc(), newDoc(), newDoc()]
    const waits = { line: 1, company: COMPANY, channel: 'api', itemId: item, allocations: [], waited: false }
    await db.database.transaction(async (tx) =>
      reserve(tx, [
        { ...waits, doc: choosy, backordered: units(50), minimumShelfLifeDays: 20 },
        { ...waits, doc: next, backordered: units(5) },
        { ...waits, doc: last, backordered: units(5) },
      ]),
    )
    await receive(db, item, units(7))
    const wall = { name: 'shop', kind: 'wall', channels: ['shop'], within: null, quantity: units(3) } as const
    const kept = { company: COMPANY, itemId: item, location: NORTH, allocations: [wall] }
    await db.database.transaction((tx) => setAllocations(tx, [kept], 'someone'))
    expect(await fillableOrders(db.database, [item])).toEqual([choosy, next])
  })

  test('is served by what one location has although another owes', async () => {
    const item = newItem()
    const doc = newDoc()
    await place(doc, { itemId: item, quantity: units(5) })
    await db.database.transaction((tx) =>
      move(tx, [change(item, { from: 'unreconciled', to: 'shipped', quantity: units(9), location: SOUTH })]),
    )
    await receive(db, item, units(2), NORTH)
    expect(await fillableOrders(db.database, [item])).toEqual([doc])
  })

  async function sharesOf(
    lines: readonly { readonly doc: number; readonly itemId: number }[],
    locations: readonly string[],
    part: Quantity = units(1),
  ) {
    const waits = await readWaiting(db.database, lines, locations)
    return waits.queued
      .map((line) => [line.doc, shareFor(waits, line, { locations, part })])
      .filter(([, share]) => share! > 0)
  }

  test('has as its share what those before it leave, at the locations that are asked for and nowhere else', async () => {
    const [item, gone] = [newItem(), newItem()]
    const [first, second, third] = [newDoc(), newDoc(), newDoc()]
    await place(first, { itemId: item, quantity: units(5) }, { itemId: gone, quantity: units(1) })
    await place(second, { itemId: item, quantity: units(5) })
    await place(third, { itemId: item, quantity: units(5) })
    await receive(db, item, units(7), SOUTH)
    const lines = [first, second, third].flatMap((doc) => [
      { doc, itemId: item },
      { doc, itemId: gone },
    ])
    expect(await sharesOf(lines, PLACES)).toEqual([
      [first, units(5)],
      [second, units(2)],
    ])
    expect(await sharesOf(lines.slice(2), PLACES)).toEqual([[second, units(2)]])
    expect(await sharesOf(lines, PLACES, units(3))).toEqual([[first, units(5)]])
    expect(await sharesOf(lines, [NORTH])).toEqual([])
  })

  test('of a cancelled order leaves the queue', async () => {
    const item = newItem()
    const [doc, other] = [newDoc(), newDoc()]
    await place(doc, { itemId: item, quantity: units(5) })
    await place(other, { itemId: item, quantity: units(5) })
    await db.database.transaction(async (tx) => leaveQueue(tx, [{ itemId: item, doc, line: 1 }]))
    expect(await waiting(item)).toEqual([{ doc: other, quantity: units(5) }])
    expect(await fillableOrders(db.database, [])).toEqual([])
  })
})
