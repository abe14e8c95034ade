/** Stock that lies with us and is another's: booked like our own, beside it, and never promised to anybody. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lockUnclaimedStock, readUnclaimedStock } from '#domains/inventory/operations.ts'
import { stockFacts } from '#domains/inventory/views/availability.ts'
import { blockedFeeds } from '#domains/inventory/views/feeds.ts'
import { promisableOf } from '#domains/inventory/views/promising.ts'
import type { WmsReader } from '#capabilities/wms.ts'
import { systemClock } from '#platform/clock.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import { units } from '#platform/quantity.ts'
import { feedGapWatch } from '#processes/stock-feed-gaps.ts'
import type { StockTold } from '#processes/stock-booking.ts'
import { type FeedTold, takeMovements } from '#processes/stock-feed.ts'
import { takeSnapshot } from '#processes/stock-snapshots.ts'
import { booksAgree } from '#tests/domains/inventory/ledger.ts'
import { COMPANY, NORTH, positionOf, positionsOf, SOUTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { bookTold, knownItem, told, type KnownItem } from './stock-told.ts'

const OWNER = 'ACME'
const PLACES = [NORTH, SOUTH]

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const of = (item: KnownItem, reason: StockTold['reason'], quantity: number, more: Partial<StockTold> = {}) =>
  told(item, reason, quantity, { owner: OWNER, ...more })
const theirs = async (item: KnownItem, location = NORTH) =>
  (await positionsOf(db, item.itemId, OWNER)).find((row) => row.location === location && row.lot === '')

describe('what is told of another owner', () => {
  test.each<[StockTold['reason'], object, object]>([
    ['receipt', {}, { available: units(13) }],
    ['return', {}, { available: units(10), quarantine: units(3) }],
    ['ship', {}, { available: units(7) }],
    ['ship-other', {}, { available: units(7) }],
    ['count', {}, { available: units(13) }],
    ['pick-short', {}, { available: units(7) }],
    ['damage', {}, { available: units(7), damaged: units(3) }],
    ['quality-hold', {}, { available: units(7), quality_hold: units(3) }],
    [
      'status-change',
      { statuses: { from: 'available', to: 'blocked' } },
      { available: units(7), blocked: units(3) },
    ],
    ['transfer-out', { transfer: { number: 'T-1', place: SOUTH } }, { available: units(7) }],
  ])('as a %s moves his stock alone', async (reason, more, expected) => {
    const item = await knownItem(db)
    const own = [told(item, 'receipt', 10)]
    await bookTold(db, ...own, of(item, 'receipt', 10), of(item, reason, 3, more))
    expect(await theirs(item)).toMatchObject({ unreconciled: 0, ...expected })
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(10), unreconciled: 0 })
    await Promise.all([booksAgree(db, item.itemId), booksAgree(db, item.itemId, OWNER)])
  })

  test('arrives of what was sent of him, and of nothing that was sent of ours under the same number', async () => {
    const item = await knownItem(db)
    const transfer = { number: `T-${item.sku}`, place: SOUTH }
    await bookTold(db, told(item, 'receipt', 10), of(item, 'receipt', 10))
    await bookTold(db, told(item, 'transfer-out', 6, { transfer }), of(item, 'transfer-out', 4, { transfer }))
    await bookTold(db, of(item, 'transfer-in', 5, { transfer: { number: transfer.number }, location: SOUTH }))
    expect(await theirs(item, SOUTH)).toMatchObject({ available: units(5), in_transit: 0 })
    expect(await positionOf(db, item.itemId, SOUTH)).toMatchObject({ available: 0, in_transit: units(6) })
    await Promise.all([booksAgree(db, item.itemId), booksAgree(db, item.itemId, OWNER)])
  })

  test('is in doubt beyond what his books have, and ours are not', async () => {
    const item = await knownItem(db)
    const { doubtful } = await bookTold(db, told(item, 'receipt', 10), of(item, 'ship', 4))
    expect(doubtful).toMatchObject([{ itemId: item.itemId, location: NORTH, owner: OWNER }])
    expect(await theirs(item)).toMatchObject({ available: 0, unreconciled: -units(4) })
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(10), unreconciled: 0 })
  })

  test('brings in nothing that a purchase order of ours waits for, and says so', async () => {
    const item = await knownItem(db)
    const purchaseOrder = { number: 'PO-1' }
    const { refused } = await bookTold(db, of(item, 'receipt', 4, { purchaseOrder }))
    expect([...refused.values()]).toMatchObject([
      {
        code: 'inventory.owner_contradicts',
        message: `what comes for ${OWNER} is of no purchase order of ours: leave that out`,
      },
    ])
    await bookTold(db, of(item, 'receipt', 4))
    expect(await db.run('select * from supply.receipt where item_id = $1', [item.itemId])).toEqual([])
  })

  test.each(['A B', 'OWN', 'x'.repeat(21), 'ÄCME', 'a/b'])(
    'under "%s" is refused with what a code is',
    async (owner) => {
      const item = await knownItem(db)
      const { refused } = await bookTold(db, told(item, 'receipt', 4, { owner }), told(item, 'receipt', 5))
      expect([...refused]).toMatchObject([
        [0, { code: 'inventory.owner_invalid', message: expect.stringContaining('1 to 20 letters') }],
      ])
      expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(5) })
    },
  )
})

const ports = {
  clock: { now: () => new Date('2026-03-05T09:00:00Z') },
  countsStock: () => true,
  openExceptions: () => Promise.resolve(),
} as unknown as Parameters<typeof takeMovements>[2]
const turn = { wakeAfterwards: () => undefined }

describe('what a source tells of an owner', () => {
  const take = async (...facts: readonly FeedTold[]) => {
    const standings = await db.database.transaction((tx) => takeMovements(tx, turn, ports, facts))
    return facts.map((fact) => standings.get(fact))
  }
  const nth = (item: KnownItem, sequence: number, owner?: string): FeedTold => ({
    ...told(item, 'receipt', 2, { owner }),
    sequence,
  })

  test('counts once in its own order: a gap in it keeps nothing of ours waiting', async () => {
    const item = await knownItem(db)
    expect(await take(nth(item, 1), nth(item, 1, OWNER), nth(item, 3, OWNER))).toEqual([
      'due',
      'due',
      'waiting',
    ])
    expect(await take(nth(item, 2), nth(item, 1, OWNER))).toEqual(['due', 'repeated'])
    const mine = (await blockedFeeds(db.database, 0)).filter(({ itemId }) => itemId === item.itemId)
    expect(mine).toMatchObject([{ owner: OWNER, missing: { from: 2, to: 2 }, waiting: 1 }])
    expect(await take(nth(item, 2, OWNER))).toEqual(['due'])
    expect(await theirs(item)).toMatchObject({ available: units(6) })
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(4) })
  })

  test('is asked of nobody where some of it is missing: a person is told whose it is', async () => {
    const item = await knownItem(db)
    await take(nth(item, 2, OWNER))
    const told: Occurrence[] = []
    const watch = feedGapWatch({
      database: db.database,
      clock: systemClock,
      companies: [COMPANY],
      readers: new Map([['wms-test', { instance: 'wms-test' } as WmsReader]]),
      hear: () => Promise.reject(new Error('nobody is asked')),
      held: () => Promise.reject(new Error('nobody is asked')),
      openExceptions(_, occurrences) {
        told.push(...occurrences)
        return Promise.resolve(new Map())
      },
      afterMs: 0,
      onError(_, error) {
        throw error
      },
    })
    await watch()
    expect(told.filter(({ facts }) => facts?.['itemId'] === item.itemId)).toMatchObject([
      {
        cause: `inventory.facts_missing:wms-test:${item.itemId}@${OWNER}:${NORTH}:1`,
        title: `wms-test: fact 1 of ${item.sku} of ${OWNER} at ${NORTH} is missing, and 1 later one waits`,
      },
    ])
  })

  test('a count of his stock is of his alone: what was told of it before is late, of ours it is due', async () => {
    const item = await knownItem(db)
    const after = { at: new Date('2026-03-04T09:00:00Z') }
    await bookTold(db, told(item, 'receipt', 10, after), of(item, 'receipt', 10))
    const counted = { sku: item.sku, location: NORTH, available: units(8), qualityHold: 0, damaged: 0 }
    const takenAt = new Date('2026-03-03T09:00:00Z')
    const snapshot = { company: COMPANY, location: NORTH, takenAt, scope: 'items' as const }
    const lines = [{ ...counted, owner: OWNER }]
    const given = {
      source: 'wms-test',
      sourceKey: 'count',
      askedAt: takenAt,
      snapshot: { ...snapshot, lines },
    }
    const { corrected } = await db.database.transaction((tx) => takeSnapshot(tx, turn, ports, given))
    expect(corrected).toMatchObject([{ owner: OWNER, itemId: item.itemId }])
    expect(await theirs(item)).toMatchObject({ available: units(8) })
    const before = { at: new Date('2026-03-02T12:00:00Z') }
    expect(
      await take(told(item, 'receipt', 3, before), told(item, 'receipt', 3, { owner: OWNER, ...before })),
    ).toEqual(['due', 'late'])
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(13) })
    await Promise.all([booksAgree(db, item.itemId), booksAgree(db, item.itemId, OWNER)])
  })
})

describe('whatever is told of others', () => {
  const reasons = fc.constantFrom<StockTold['reason']>(
    'receipt',
    'receipt',
    'return',
    'ship',
    'ship-other',
    'count',
    'pick-short',
    'damage',
    'quality-hold',
    'quality-release',
    'transfer-out',
    'transfer-in',
    'transfer-missing',
  )
  const step = fc.record({
    reason: reasons,
    quantity: fc.integer({ min: 1, max: 12 }),
    location: fc.constantFrom(...PLACES),
    lot: fc.constantFrom(undefined, 'L1', 'L2'),
    owner: fc.constantFrom(undefined, OWNER, 'BETA'),
    number: fc.constantFrom('T-1', 'T-2'),
  })

  /** All that doors, queues, sourcing and channels go by. */
  async function promisedOf({ itemId }: KnownItem) {
    const [facts, unclaimed, locked] = await Promise.all([
      stockFacts(db.database, [itemId]),
      readUnclaimedStock(db.database, [itemId], PLACES),
      db.database.transaction((tx) => lockUnclaimedStock(tx, [itemId], PLACES)),
    ])
    const line = { itemId, company: COMPANY }
    const figures = promisableOf(itemId, facts.get(itemId), { locations: PLACES, channel: undefined })
    return {
      figures: figures.map(({ toldMs: _, itemId: __, ...figure }) => figure),
      free: PLACES.map((location) =>
        [unclaimed, locked].map((stock) => stock.atFor('shop', line as never, location)),
      ),
    }
  }

  test('nothing of it is promised, and every ledger says what its positions say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const [alone, beside] = [await knownItem(db), await knownItem(db)]
        for (const { reason, quantity, location, lot, owner, number } of steps) {
          const place = PLACES.find((other) => other !== location)
          const isMoved = reason.startsWith('transfer')
          const moreOf = (item: KnownItem) =>
            isMoved ? { transfer: { number: `${number}-${item.sku}`, place } } : {}
          const as = (item: KnownItem) =>
            told(item, reason, quantity, { location, lot, owner, ...moreOf(item) })
          if (owner === undefined) await bookTold(db, as(alone))
          await bookTold(db, as(beside))
        }
        expect(await promisedOf(beside)).toEqual(await promisedOf(alone))
        expect(await positionsOf(db, beside.itemId)).toEqual(await positionsOf(db, alone.itemId))
        for (const owner of ['own', OWNER, 'BETA']) await booksAgree(db, beside.itemId, owner)
      }),
      { numRuns: 30 },
    )
  }, 60_000)

  test('the database lets nobody reserve it', async () => {
    const item = await knownItem(db)
    await bookTold(db, of(item, 'receipt', 5))
    await expect(
      db.run(`update inventory.position set reserved = 1 where item_id = $1`, [item.itemId]),
    ).rejects.toThrow(/of_others_nothing_is_reserved/)
  })
})
