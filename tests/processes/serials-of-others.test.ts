/** Units with serials that lie with us and are another's: each in one place and one owner's, and never among ours. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StockReason } from '#capabilities/stock.ts'
import { holdLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { countSerials, selectSerialFacts, selectSerials } from '#domains/inventory/store/serials.ts'
import { stockFacts } from '#domains/inventory/views/availability.ts'
import { promisableOf } from '#domains/inventory/views/promising.ts'
import { listSerials } from '#domains/inventory/views/serials.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { units as quantityOf } from '#platform/quantity.ts'
import { watchSerials } from '#processes/serials.ts'
import type { StockTold } from '#processes/stock-booking.ts'
import { takeSnapshot } from '#processes/stock-snapshots.ts'
import { AT, COMPANY, NORTH, SOUTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import {
  hearUnits,
  knownItem,
  type KnownItem,
  openExceptions,
  told,
  unitsTold as units,
} from './stock-told.ts'

const OWNER = 'ACME'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const numbered = (more = {}): Promise<KnownItem> => knownItem(db, { serialControlled: true, ...more })
const hear = (...all: readonly StockTold[]) => hearUnits(db, ...all)
const look = () => watchSerials({ database: db.database, companies: [COMPANY] })
const later = (minutes: number): Date => new Date(AT.getTime() + minutes * 60_000)

type More = Partial<StockTold>
const of = (item: KnownItem, reason: StockReason, serials: readonly string[], more: More = {}) =>
  units(item, reason, serials, { owner: OWNER, ...more })

const whose = async ({ itemId }: KnownItem, serial: string) => {
  const [row] = await selectSerials(db.database, [{ company: COMPANY, itemId, serial }])
  return row && [row.bucket, row.location, row.owner]
}
const atNorth = async ({ itemId }: KnownItem, owner?: string) =>
  (await listSerials(db.database, { company: COMPANY, itemId, location: NORTH, owner }, undefined, 50)).map(
    ({ serial }) => serial,
  )
/** Titles of what is open of the serials of the item. */
const toldOf = async ({ itemId }: KnownItem): Promise<string[]> =>
  (await listExceptions(db.database, { limit: 500 }))
    .filter(({ code, cause }) => code.includes('serial') && new RegExp(`:${itemId}[:@]`).test(cause))
    .map(({ title }) => title)
    .toSorted()

test('a unit comes, goes on hold, to another place and back to its owner, and is never among ours', async () => {
  const item = await numbered()
  const transfer = { number: `T-${item.sku}`, place: SOUTH }
  await hear(units(item, 'receipt', ['A']), of(item, 'receipt', ['B', 'C', 'D']))
  expect([await atNorth(item), await atNorth(item, 'own'), await atNorth(item, OWNER)]).toEqual([
    ['A', 'B', 'C', 'D'],
    ['A'],
    ['B', 'C', 'D'],
  ])
  await hear(of(item, 'quality-hold', ['B']), of(item, 'transfer-out', ['C'], { transfer }))
  expect(await whose(item, 'B')).toEqual(['quality_hold', NORTH, OWNER])
  expect(await whose(item, 'C')).toEqual(['in_transit', SOUTH, OWNER])
  await hear(of(item, 'transfer-in', ['C'], { location: SOUTH, transfer: { number: transfer.number } }))
  expect(await whose(item, 'C')).toEqual(['available', SOUTH, OWNER])
  await hear(of(item, 'ship', ['D'], { at: later(1) }), of(item, 'ship-other', ['C'], { location: SOUTH }))
  expect(await whose(item, 'D')).toEqual(['shipped', null, OWNER])
  expect(await whose(item, 'C')).toEqual(['shipped', null, OWNER])
  expect([await atNorth(item, 'own'), await toldOf(item)]).toEqual([['A'], []])
  const key = { company: COMPANY, itemId: item.itemId, serial: 'D' }
  const history = await selectSerialFacts(db.database, key, 5)
  expect(history.map(({ fromOwner, toOwner }) => [fromOwner, toOwner])).toEqual([
    [OWNER, OWNER],
    [OWNER, OWNER],
  ])
})

test('a unit of his that ships as ours is told, until his stock says that it has one less', async () => {
  const item = await numbered()
  await hear(units(item, 'receipt', ['A']), of(item, 'receipt', ['X']))
  await hear(units(item, 'ship', ['X'], { at: later(5) }))
  expect(await whose(item, 'X')).toEqual(['shipped', null, 'own'])
  expect(await toldOf(item)).toEqual(
    [
      `X of ${item.sku} is told of at ${NORTH} of ${OWNER}, and is shipped`,
      `${NORTH} has 0 available and 1 serials of ${item.sku}`,
      `${NORTH} has of ${OWNER} 1 available and 0 serials of ${item.sku}`,
    ].toSorted(),
  )
  await hear(told(item, 'count', -1, { owner: OWNER, at: later(6) }), told(item, 'count', 1))
  await look()
  expect(await toldOf(item)).toEqual([])
})

test('fewer units than his stock counts are told with his name, beside ours that agree', async () => {
  const item = await numbered()
  await hear(units(item, 'receipt', ['A']), of(item, 'receipt', ['X']))
  const ports = { openExceptions, countsStock: () => true }
  const count = (available: number, minutes: number) => {
    const lines = [
      {
        sku: item.sku,
        location: NORTH,
        owner: OWNER,
        available: quantityOf(available),
        qualityHold: 0,
        damaged: 0,
      },
    ]
    const takenAt = later(minutes)
    const snapshot = { company: COMPANY, location: NORTH, takenAt, scope: 'items' as const, lines }
    const given = { source: 'wms-test', sourceKey: `C-${minutes}`, askedAt: takenAt, snapshot }
    const turn = { wakeAfterwards: () => undefined }
    return db.database.transaction((tx) => takeSnapshot(tx, turn, ports, given))
  }
  await count(2, 5)
  expect(await toldOf(item)).toEqual([`${NORTH} has of ${OWNER} 2 available and 1 serials of ${item.sku}`])
  await look()
  expect(await toldOf(item)).toHaveLength(1)
  await count(1, 6)
  expect(await toldOf(item)).toEqual([])
})

test('of a lot that we hold his units stay as they are', async () => {
  const item = await numbered({ lotControlled: true })
  const lot = { company: COMPANY, itemId: item.itemId, lot: 'L1' }
  await db.database.transaction((tx) =>
    holdLotEverywhere(tx, lot, { by: 'ann', reason: 'recall', sourceKey: 'H', at: AT }),
  )
  await hear(units(item, 'receipt', ['A'], { lot: 'L1' }), of(item, 'receipt', ['X'], { lot: 'L1' }))
  expect([await whose(item, 'A'), await whose(item, 'X')]).toEqual([
    ['quality_hold', NORTH, 'own'],
    ['available', NORTH, OWNER],
  ])
  expect(await toldOf(item)).toEqual([])
})

test('the database lets nobody sell his units, nor have one of them a second owner or none', async () => {
  const item = await numbered()
  await hear(of(item, 'receipt', ['X']))
  const write = (set: string) =>
    db.run(`update inventory.serial set ${set} where item_id = $1`, [item.itemId])
  await expect(write(`location = null, bucket = 'shipped', shipment_id = 1, order_id = 2`)).rejects.toThrow(
    /of_others_nothing_is_sold/,
  )
  await expect(write(`owner = ''`)).rejects.toThrow(/owner_is_a_code/)
  await expect(
    db.run(
      `insert into inventory.serial (company, item_id, serial, location, bucket, owner)
       select company, item_id, serial, location, bucket, 'own' from inventory.serial where item_id = $1`,
      [item.itemId],
    ),
  ).rejects.toThrow(/serial_pkey/)
})

test('whatever is told of whom, a unit is in one place and one owner’s, and ours are promised as without his', async () => {
  const step = fc.record({
    reason: fc.constantFrom<StockReason>('receipt', 'receipt', 'ship', 'damage', 'return', 'count'),
    serial: fc.constantFrom('1', '2', '3'),
    owner: fc.constantFrom(undefined, OWNER, 'BETA'),
    location: fc.constantFrom(NORTH, SOUTH),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const [alone, beside] = [await numbered(), await numbered()]
      for (const [minute, { reason, serial, ...more }] of steps.entries()) {
        const at = later(minute)
        await hear(units(beside, reason, [serial], { ...more, at }))
        if (more.owner === undefined) await hear(units(alone, reason, [serial], { ...more, at }))
      }
      const figures = async ({ itemId }: KnownItem) =>
        promisableOf(itemId, (await stockFacts(db.database, [itemId])).get(itemId), {
          locations: [NORTH, SOUTH],
          channel: undefined,
        }).map(({ toldMs: _, itemId: __, ...figure }) => figure)
      expect(await figures(beside)).toEqual(await figures(alone))
      const last = new Map(steps.map((one) => [one.serial, one]))
      for (const [serial, { owner = 'own' }] of last) expect((await whose(beside, serial))![2]).toBe(owner)
      const sites = [NORTH, SOUTH].flatMap((location) =>
        ['own', OWNER, 'BETA'].map((owner) => ({ company: COMPANY, itemId: beside.itemId, location, owner })),
      )
      const counted = (await countSerials(db.database, sites)).flatMap(({ serials }) =>
        Object.values(serials),
      )
      const all = await listSerials(db.database, { company: COMPANY, itemId: beside.itemId }, undefined, 50)
      expect(counted.reduce((sum, some) => sum + some, 0)).toBe(all.length)
    }),
    { numRuns: 25 },
  )
}, 60_000)
