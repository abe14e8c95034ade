/** Statements of supply, on tables that were analyzed while they were empty. */
import { expect, test } from 'vitest'
import { placeReceipts } from '#domains/supply/operations.ts'
import { placeTold, takeAnswers, takeNotices } from '#domains/supply/operations/told.ts'
import { listSupply, supplyFor, troublesOf } from '#domains/supply/views.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'
import { COMPANY, line, load, MONDAY, newItem, newOrder, receipt, receive } from './purchases.ts'

test('every statement of supply goes by index', async () => {
  const db = await openTestDatabase()
  try {
    await db.run('analyze')
    const [number, itemId] = [newOrder(), newItem()]
    await receive(db, receipt(number, { itemId }))
    await load(db, [line(number, { itemId })])
    await db.database.transaction((tx) => placeReceipts(tx, 10))
    const told = { company: COMPANY, supplier: 'V1', source: 'edi', document: '1', at: MONDAY }
    const tolerance = { days: 0, ppm: 0 }
    await db.database.transaction(async (tx) => {
      await takeAnswers(tx, [{ ...told, number, itemId, parts: [], refused: 0, tolerance }])
      await takeNotices(tx, [
        { ...told, notice: 'N', tolerance, lines: [{ number, itemId, quantity: 1 }] },
        { ...told, notice: 'M', tolerance, lines: [] },
      ])
      placeTold(tx)
    })
    await supplyFor(db.database, [itemId])
    await listSupply(db.database, { company: COMPANY }, { limit: 1 })
    await listSupply(db.database, { company: COMPANY, itemId }, { limit: 1 })
    await troublesOf(db.database, new Map([[COMPANY, '2026-03-01']]), MONDAY)
    const ours = [...db.statements()].filter(([name]) => name.startsWith('supply.'))
    expect(ours.length).toBe(21)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const),
    )
    // the indexes of what stands on no line hold that alone
    const unplaced = ['Index Scan on receipt']
    expect(reads.filter(([, found]) => found.length > 0)).toEqual([
      ['supply.placeable', unplaced],
      ['supply.take_unplaced', unplaced],
      ['supply.place_answers', ['Index Scan on answer']],
      ['supply.place_shipped', ['Index Scan on shipped']],
    ])
  } finally {
    await db.end()
  }
})
