/** Purchase orders on a real database: which version counts, what receipts come to, what is late. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GivenSupply } from '#domains/supply/contract.ts'
import { placeReceipts } from '#domains/supply/operations.ts'
import { listSupply, supplyFor, troublesOf } from '#domains/supply/views.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import {
  COMPANY,
  figuresOf,
  line,
  load,
  MONDAY,
  newItem,
  newOrder,
  NORTH,
  receipt,
  receive,
  SOUTH,
  TUESDAY,
} from './purchases.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const place = () => db.database.transaction((tx) => placeReceipts(tx, 100))
const troubles = (today = '2026-03-01', toldBy = new Date(Date.now() + 60_000)) =>
  troublesOf(db.database, new Map([[COMPANY, today]]), toldBy)

describe('a line', () => {
  test('is taken once, and the same reading again changes nothing', async () => {
    const number = newOrder()
    expect(await load(db, [line(number)])).toMatchObject({ inserted: 1, updated: 0, unchanged: 0 })
    expect(await load(db, [line(number)])).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 })
  })

  test('that changed later is the newer one, however late an earlier one is read', async () => {
    const number = newOrder()
    await load(db, [line(number, { changedAt: TUESDAY, ordered: units(70) })])
    expect(await load(db, [line(number)], new Date('2026-03-09T09:00:00Z'))).toMatchObject({ superseded: 1 })
    expect(await figuresOf(db, number)).toMatchObject([{ open: 70 }])
    const changedAt = new Date('2026-03-04T09:00:00Z')
    expect(await load(db, [line(number, { changedAt, ordered: units(50) })])).toMatchObject({ updated: 1 })
    expect(await figuresOf(db, number)).toMatchObject([{ open: 50 }])
  })

  test('of one time of change is as it was read last', async () => {
    const number = newOrder()
    await load(db, [line(number, { ordered: units(70) })], TUESDAY)
    expect(await load(db, [line(number)], MONDAY)).toMatchObject({ superseded: 1 })
    expect(await load(db, [line(number, { ordered: units(60) })], TUESDAY)).toMatchObject({ updated: 1 })
  })

  test('is open for what is neither cancelled nor received', async () => {
    const number = newOrder()
    await load(db, [line(number, { received: units(30), cancelled: units(20) })])
    expect(await figuresOf(db, number)).toMatchObject([{ open: 50, carried: 30 }])
  })

  test('that is cancelled beyond what was ordered is rejected by its field, and its neighbour is taken', async () => {
    const [bad, good] = [newOrder(), newOrder()]
    const loaded = await load(db, [line(bad, { cancelled: units(101) }), line(good)])
    expect(loaded).toMatchObject({ inserted: 1, rejected: [{ key: `${bad} · 10` }] })
    expect(loaded.rejected[0]).toMatchObject({ code: 'supply.record_invalid' })
    expect(loaded.rejected[0]!.reason).toMatch(/cancelled/)
  })

  test('cannot be written with more cancelled than ordered, nor with an open quantity of anybody', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    const change = (what: string) => db.run(`update supply.line set ${what} where number = $1`, [number])
    await expect(change('cancelled = 101')).rejects.toThrow(/cancelled_is_part_of_ordered/)
    await expect(change('open = 7')).rejects.toThrow(/only be updated to DEFAULT/)
    await change('received = 500')
    expect(await figuresOf(db, number)).toMatchObject([{ open: 0, excess: 400 }])
  })

  test('in whatever order its changes are read, is as it was changed last', async () => {
    const changes = fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(changes, async (minutes) => {
        const number = newOrder()
        const at = (minute: number) => new Date(MONDAY.getTime() + minute * 60_000)
        for (const minute of minutes)
          await load(db, [line(number, { ordered: units(minute + 1), changedAt: at(minute) })], TUESDAY)
        expect(await figuresOf(db, number)).toMatchObject([{ open: Math.max(...minutes) + 1 }])
      }),
      { numRuns: 15 },
    )
  })
})

describe('a receipt', () => {
  test('lowers what is open, once, however often it is told', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    const told = receipt(number, { quantity: units(40) })
    await receive(db, told)
    await receive(db, told)
    expect(await figuresOf(db, number)).toMatchObject([{ open: 60, received: 40 }])
  })

  test('that the ERP counts as well is not counted twice', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    await receive(db, receipt(number, { quantity: units(40) }))
    await load(db, [line(number, { received: units(40), changedAt: TUESDAY })])
    expect(await figuresOf(db, number)).toMatchObject([{ open: 60, received: 40 }])
    await load(db, [line(number, { received: units(55), changedAt: new Date('2026-03-04T00:00:00Z') })])
    expect(await figuresOf(db, number)).toMatchObject([{ open: 45, received: 40 }])
  })

  test('comes on top of what the ERP had received before it was first read', async () => {
    const number = newOrder()
    await load(db, [line(number, { received: units(30) })])
    await receive(db, receipt(number, { quantity: units(40) }))
    expect(await figuresOf(db, number)).toMatchObject([{ open: 30, received: 40 }])
  })

  test('of more than is wanted is kept, and told', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    await receive(db, receipt(number, { quantity: units(130) }))
    expect(await figuresOf(db, number)).toMatchObject([{ open: 0, received: 130, excess: 30 }])
    const { exceeded } = await troubles()
    expect(exceeded.filter((one) => one.number === number)).toMatchObject([{ excess: units(30) }])
  })

  test('that comes before its order is told, and counts once the order is there', async () => {
    const number = newOrder()
    await receive(db, receipt(number, { quantity: units(40) }))
    const early = await troubles('2026-03-01', new Date(Date.now() - 60_000))
    expect(early.unplaced.filter((one) => one.number === number)).toEqual([])
    expect((await troubles()).unplaced.filter((one) => one.number === number)).toHaveLength(1)
    expect(await place()).toBe(0)
    await load(db, [line(number)])
    expect(await place()).toBe(1)
    expect(await figuresOf(db, number)).toMatchObject([{ open: 60, received: 40 }])
    expect((await troubles()).unplaced.filter((one) => one.number === number)).toEqual([])
  })

  test('that the ERP has counted before its order is there is not counted twice', async () => {
    const number = newOrder()
    await receive(db, receipt(number, { quantity: units(40) }))
    await load(db, [line(number, { received: units(40) })])
    await place()
    expect(await figuresOf(db, number)).toMatchObject([{ open: 60, received: 40, carried: 0 }])
  })

  test('of an item that its order does not have stays told', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    await receive(db, receipt(number, { itemId: newItem() }))
    expect(await place()).toBe(0)
    expect((await troubles()).unplaced.filter((one) => one.number === number)).toHaveLength(1)
  })

  test('that the warehouse takes back is to come again, and never takes back more than came', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    await receive(db, receipt(number, { quantity: units(40) }))
    await receive(db, receipt(number, { quantity: -units(15) }))
    expect(await figuresOf(db, number)).toMatchObject([{ open: 75, received: 25 }])
    await receive(db, receipt(number, { quantity: -units(30) }))
    expect(await figuresOf(db, number)).toMatchObject([{ open: 100, received: 0 }])
    const told = (await troubles()).unplaced.filter((one) => one.number === number)
    expect(told).toMatchObject([{ quantity: -units(5) }])
    expect(await place()).toBe(0)
  })

  test('that was taken back before its order was there counts nothing once it is', async () => {
    const number = newOrder()
    await receive(db, receipt(number, { quantity: units(40) }), receipt(number, { quantity: -units(40) }))
    await load(db, [line(number)])
    expect(await place()).toBe(1)
    expect(await figuresOf(db, number)).toMatchObject([{ open: 100, received: 0 }])
  })

  test('without an order is told for its place', async () => {
    const location = `dock-${newOrder()}`
    await receive(db, receipt('', { purchaseOrder: undefined, location }))
    expect((await troubles()).unplaced).toContainEqual(expect.objectContaining({ number: '', location }))
  })

  test('of one line that comes in many transactions at once is counted whole, also while the order changes', async () => {
    const number = newOrder()
    await load(db, [line(number), line(number, { line: 20, itemId: 2 })])
    const told = Array.from({ length: 8 }, (_, n) =>
      receipt(number, { quantity: units(5), itemId: (n % 2) + 1 }),
    )
    const changes = [1, 2, 3].map((minute) => {
      const changedAt = new Date(MONDAY.getTime() + minute * 60_000)
      const change = { changedAt, ordered: units(100 + minute) }
      return load(db, [line(number, { ...change, line: 20, itemId: 2 }), line(number, change)], changedAt)
    })
    await Promise.all([...told.map((one) => receive(db, one)), ...changes])
    const figures = await figuresOf(db, number)
    expect(figures.map(({ received, open }) => [received, open])).toEqual([
      [20, 83],
      [20, 83],
    ])
  })
})

describe('what comes', () => {
  test('is by item, place and day, without what has come', async () => {
    const [number, itemId] = [newOrder(), newItem()]
    const ofItem = (n: number, more: Partial<GivenSupply>) => line(number, { line: n, itemId, ...more })
    await load(db, [
      ofItem(1, {}),
      ofItem(2, { ordered: units(20) }),
      ofItem(3, { expectedOn: undefined }),
      ofItem(4, { location: SOUTH }),
      ofItem(5, { cancelled: units(100) }),
    ])
    expect(await supplyFor(db.database, [itemId])).toEqual([
      { itemId, location: NORTH, expectedOn: '2026-03-06', quantity: units(120) },
      { itemId, location: NORTH, expectedOn: null, quantity: units(100) },
      { itemId, location: SOUTH, expectedOn: '2026-03-06', quantity: units(100) },
    ])
    expect(await supplyFor(db.database, [])).toEqual([])
  })

  test('is listed page by page, what is due first before the rest, each line once', async () => {
    const [number, itemId] = [newOrder(), newItem()]
    const days = ['2026-03-09', undefined, '2026-03-04', '2026-03-04', undefined]
    await load(
      db,
      days.map((expectedOn, n) => line(number, { line: n + 1, itemId, expectedOn })),
    )
    const seen: number[] = []
    for (let after; ;) {
      const page = await listSupply(db.database, { company: COMPANY, itemId }, { after, limit: 2 })
      seen.push(...page.map((one) => one.line))
      after = page.at(-1)
      if (page.length < 2) break
    }
    expect(seen).toEqual([3, 4, 1, 2, 5])
    const before = { company: COMPANY, itemId, expectedBefore: '2026-03-09' }
    expect((await listSupply(db.database, before, { limit: 9 })).map((one) => one.line)).toEqual([3, 4])
    const south = { company: COMPANY, itemId, location: SOUTH }
    expect(await listSupply(db.database, south, { limit: 9 })).toEqual([])
  })

  test('is late from the day after it was to come, until it has come', async () => {
    const number = newOrder()
    await load(db, [line(number)])
    const isLate = async (today: string) =>
      (await troubles(today)).watched.some((one) => one.number === number)
    expect([await isLate('2026-03-06'), await isLate('2026-03-07')]).toEqual([false, true])
    await receive(db, receipt(number, { quantity: units(100) }))
    expect(await isLate('2026-03-07')).toBe(false)
  })
})
