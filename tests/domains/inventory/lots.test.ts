/** First expired, first out; a lot held and released among claims; statements of the ledger by index. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adjustmentOf, listAdjustments } from '#domains/inventory/operations/adjustments.ts'
import { holdLotEverywhere, releaseLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { takeTransfers } from '#domains/inventory/operations/transfers.ts'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { allocateOrder, lockChannelStock, move, reserve } from '#domains/inventory/operations.ts'
import { claimsLost, firstExpiredFirst } from '#domains/inventory/rules/lots.ts'
import { selectLots } from '#domains/inventory/store/lots.ts'
import { listMovements, listPositions } from '#domains/inventory/views/ledger.ts'
import { shippedOfLot } from '#domains/shipments/views.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'
import { booksAgree } from './ledger.ts'
import { AT, book, change, COMPANY, newItem, NORTH, positionOf, SOUTH } from './stock.ts'

test('of any lots, a quantity comes out of good ones alone, never more than is there, the earliest emptied first', () => {
  const lot = fc.record({
    lot: fc.string({ minLength: 1, maxLength: 3 }),
    expiresOn: fc.constantFrom(null, '2026-01-01', '2026-06-01', '2026-09-01'),
    held: fc.boolean(),
    available: fc.integer({ min: 0, max: 9 }),
  })
  fc.assert(
    fc.property(fc.array(lot, { maxLength: 6 }), fc.integer({ min: 1, max: 30 }), (lots, quantity) => {
      const taken = [...firstExpiredFirst(lots, quantity, '2026-05-01')]
      const isGood = (row: (typeof lots)[number]) => !row.held && row.expiresOn !== '2026-01-01'
      const there = lots.filter(isGood).reduce((sum, { available }) => sum + available, 0)
      expect(taken.reduce((sum, [, some]) => sum + some, 0)).toBe(Math.min(quantity, there))
      const good = taken.filter(([row]) => isGood(row))
      expect(taken.every(([row, some]) => some <= row.available && (isGood(row) || some === 0))).toBe(true)
      const partial = good.findIndex(([row, some]) => some < row.available)
      if (partial >= 0) expect(good.slice(partial + 1).every(([, some]) => some === 0)).toBe(true)
    }),
  )
})

test('of any claims the latest lose what is short, in whole parts, and nobody loses more than is needed', () => {
  const claim = fc.record({
    doc: fc.integer({ min: 1, max: 5 }),
    line: fc.integer({ min: 1, max: 2 }),
    itemId: fc.constant(1),
    location: fc.constantFrom(NORTH, SOUTH),
    quantity: fc.integer({ min: 1, max: 12 }),
    part: fc.constantFrom(1, 3, 12),
  })
  const short = fc.record({ north: fc.integer({ min: 0, max: 30 }), south: fc.integer({ min: 0, max: 30 }) })
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 8 }), short, (claims, { north, south }) => {
      const missing = new Map([
        [`1 ${NORTH}`, north],
        [`1 ${SOUTH}`, south],
      ])
      const lost = claimsLost(claims, missing)
      for (const [location, wanted] of [
        [NORTH, north],
        [SOUTH, south],
      ] as const) {
        const here = claims.filter((one) => one.location === location)
        const gone = lost.filter((one) => one.location === location)
        const sum = (some: typeof claims) => some.reduce((all, { quantity }) => all + quantity, 0)
        expect(sum(gone)).toBeGreaterThanOrEqual(Math.min(wanted, sum(here)))
        expect(sum(gone) - (gone.at(-1)?.quantity ?? 0)).toBeLessThan(Math.max(1, wanted))
        const kept = here.filter(({ doc }) => gone.every((one) => one.doc !== doc))
        expect(kept.every(({ doc }) => gone.every((one) => one.doc > doc))).toBe(true)
        const whole = ({ quantity, part }: (typeof claims)[number], of: number): boolean =>
          quantity % part === 0 || quantity === of
        expect(gone.every((one) => here.some((was) => was.doc === one.doc && whole(one, was.quantity)))).toBe(
          true,
        )
      }
    }),
  )
})

test('held and released in any order among claims, a lot leaves the books as they were, and claims covered', async () => {
  const db = await openTestDatabase()
  try {
    const lots = fc.constantFrom('L1', 'L2')
    const steps = fc.array(fc.tuple(fc.constantFrom('hold', 'release'), lots), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 15 }), async (acts, claimed) => {
        const item = newItem()
        await book(
          db,
          change(item, { lot: 'L1', quantity: units(10) }),
          change(item, { lot: 'L2', quantity: units(5) }),
        )
        await db.database.transaction(async (tx) => {
          const { rest: free } = await lockChannelStock(tx, [item], [NORTH])
          const [allocations] = allocateOrder(free, [{ itemId: item, quantity: units(claimed) }], [NORTH])
          const line = { doc: 2_000_000 + item, line: 1, company: COMPANY, itemId: item }
          reserve(tx, [{ ...line, channel: 'api', allocations: allocations!, backordered: 0, waited: false }])
        })
        const act = { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: AT }
        const run = (verb: string, lot: string) =>
          db.database.transaction((tx) =>
            (verb === 'hold' ? holdLotEverywhere : releaseLotEverywhere)(
              tx,
              { company: COMPANY, itemId: item, lot },
              act,
            ),
          )
        for (const [verb, lot] of acts) {
          await run(verb, lot)
          await booksAgree(db, item)
        }
        for (const lot of ['L1', 'L2']) await run('release', lot)
        await booksAgree(db, item)
        expect(await positionOf(db, item)).toMatchObject({
          available: units(15),
          reserved: units(claimed),
          quality_hold: 0,
          unreconciled: 0,
        })
      }),
      { numRuns: 25 },
    )
  } finally {
    await db.end()
  }
})

test('every statement of the ledger that grows with history goes by index', async () => {
  const db = await openTestDatabase()
  try {
    await db.run('analyze')
    const itemId = newItem()
    const places = [
      { itemId, location: NORTH },
      { itemId, location: SOUTH },
    ]
    const transfer = { company: COMPANY, number: 'T', itemId, lot: '', from: NORTH, to: SOUTH }
    await db.database.transaction((tx) =>
      takeTransfers(tx, [
        { ...transfer, act: 'sent', quantity: 1, status: 'available', source: 's', sourceKey: 'k', at: AT },
      ]),
    )
    await listPositions(db.database, { company: COMPANY }, undefined, 5)
    await listPositions(db.database, { company: COMPANY, location: NORTH }, undefined, 5)
    await listMovements(db.database, { company: COMPANY, places }, undefined, 5)
    await listAdjustments(db.database, { company: COMPANY }, undefined, 5)
    await listAdjustments(db.database, { company: COMPANY, state: 'pending' }, undefined, 5)
    await adjustmentOf(db.database, 1)
    await selectLots(db.database, { itemId, company: COMPANY, locations: [NORTH] })
    await shippedOfLot(db.database, { itemId, lot: 'L1' }, undefined, 5)
    const ours = [...db.statements()].filter(([name]) => /^(inventory|shipments)\./.test(name))
    expect(ours.length).toBeGreaterThanOrEqual(10)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const),
    )
    expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
  } finally {
    await db.end()
  }
})

test('what comes of a held lot, by any way, is held until the lot is released, and a snapshot does not undo that', async () => {
  const db = await openTestDatabase()
  try {
    const item = newItem()
    const lot = { company: COMPANY, itemId: item, lot: 'L1' }
    const act = { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: AT }
    await db.database.transaction((tx) => holdLotEverywhere(tx, lot, act))
    const transfer = { company: COMPANY, number: 'T', itemId: item, lot: 'L1', from: SOUTH, to: NORTH }
    const told = {
      ...transfer,
      quantity: units(2),
      status: 'available',
      source: 's',
      sourceKey: 'k',
      at: AT,
    } as const
    await book(
      db,
      change(item, { lot: 'L1', quantity: units(10) }),
      change(item, { lot: 'L2', quantity: units(5) }),
      change(item, { lot: 'L1', from: 'shipped', to: 'quarantine', quantity: units(3) }),
      change(item, { lot: 'L1', from: 'quarantine', quantity: units(3) }),
      change(item, { lot: 'L1', location: SOUTH, quantity: units(2) }),
    )
    await db.database.transaction(async (tx) => {
      const steps = await takeTransfers(tx, [{ ...told, act: 'arrived' }])
      await move(tx, [...steps.values()].flat())
    })
    expect(await positionOf(db, item, NORTH, 'L1')).toMatchObject({ available: 0, quality_hold: units(15) })
    expect(await positionOf(db, item)).toMatchObject({ available: units(5), quality_hold: units(15) })
    const counted = { available: units(15), qualityHold: 0, damaged: 0 }
    const lots = new Map([
      ['L1', counted],
      ['L2', { ...counted, available: units(5) }],
    ])
    const taking = { source: 'wms-test', sourceKey: 'S', mark: 9, takenAt: new Date(), askedAt: new Date() }
    await db.database.transaction((tx) =>
      takeCounts(tx, [{ company: COMPANY, itemId: item, location: NORTH, lots }], taking),
    )
    expect(await positionOf(db, item)).toMatchObject({ available: units(5), quality_hold: units(15) })
    await booksAgree(db, item)
    await db.database.transaction((tx) => releaseLotEverywhere(tx, lot, act))
    await book(db, change(item, { lot: 'L1', quantity: units(1) }))
    expect(await positionOf(db, item)).toMatchObject({ available: units(21), quality_hold: 0 })
    await booksAgree(db, item)
  } finally {
    await db.end()
  }
})
