/** What other systems sold: claimed once, as far as it is there, whatever is read in whatever order. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenOrderRecord } from '#domains/inventory/contract/external.ts'
import { lockChannelStock, releaseOrders } from '#domains/inventory/operations.ts'
import { setAllocations } from '#domains/inventory/operations/allocations.ts'
import {
  endUnseen,
  fillExternal,
  shipExternal,
  takeExternal,
} from '#domains/inventory/operations/external.ts'
import { listExternal } from '#domains/inventory/views/external.ts'
import { units } from '#platform/quantity.ts'
import { claim, factOf, leave, received, SOURCE, take, tell } from '#tests/domains/inventory/feed-voice.ts'
import {
  AT,
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
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const minutes = (count: number): Date => new Date(AT.getTime() + count * 60_000)
const line = (itemId: number, overrides: Partial<OpenOrderRecord> = {}): OpenOrderRecord => ({
  document: `SO-${itemId}`,
  line: '10',
  kind: 'order',
  owner: '100123',
  itemId,
  sku: String(itemId),
  location: NORTH,
  wanted: units(4),
  changedAt: minutes(0),
  ...overrides,
})

type Read = { readonly asOf?: Date; readonly guard?: number; readonly source?: string }
const read = (
  records: readonly OpenOrderRecord[],
  { asOf = minutes(0), guard = 0, source = 'erp' }: Read = {},
) =>
  db.database.transaction((tx) =>
    takeExternal(tx, { company: COMPANY, source, asOf }, records, { guardOf: () => units(guard) }),
  )
const fill = () => db.database.transaction((tx) => fillExternal(tx))
const free = async (item: number) => {
  const { rest: stock } = await db.database.transaction((tx) => lockChannelStock(tx, [item], [NORTH]))
  return [...stock.values()][0]
}
const claimedOf = async (item: number) => {
  const rows = await listExternal(
    db.database,
    { company: COMPANY, sku: String(item) },
    { after: [], limit: 50 },
  )
  return rows.map(({ document, location, wanted, claimed }) =>
    [document, location, wanted, claimed].join(' '),
  )
}

describe('what another system sold', () => {
  test('lowers what is free until it is closed there, and an older reading does not bring it back', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    expect(await read([line(item)])).toMatchObject({ inserted: 1, updated: 0 })
    expect(await free(item)).toBe(units(6))
    expect(await read([line(item)], { asOf: minutes(1) })).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 1,
    })
    expect(
      await read([line(item, { wanted: 0, changedAt: minutes(5) })], { asOf: minutes(6) }),
    ).toMatchObject({
      updated: 1,
      freed: [item],
    })
    expect(await read([line(item)], { asOf: minutes(2) })).toMatchObject({ superseded: 1 })
    expect(await free(item)).toBe(units(10))
    expect(await claimedOf(item)).toEqual([])
  })

  test('moves with its line to another place', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await receive(db, item, units(10), SOUTH)
    await read([line(item)])
    await read([line(item, { location: SOUTH, wanted: units(5), changedAt: minutes(1) })])
    expect(await claimsOn(db, item)).toEqual([
      { location: NORTH, reserved: 0, claimed: 0 },
      { location: SOUTH, reserved: units(5), claimed: units(5) },
    ])
  })

  test('claims no more than there is, and the rest once it is free: first read, first served', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await claim(db, 500, item, units(7))
    await read([line(item, { document: 'A', wanted: units(5) })])
    await read([line(item, { document: 'B', wanted: units(5) })])
    expect(await claimedOf(item)).toEqual([`A ${NORTH} 5 3`, `B ${NORTH} 5 0`])
    await db.database.transaction((tx) => releaseOrders(tx, [500]))
    expect((await fill()).places).toEqual(
      expect.arrayContaining([{ company: COMPANY, itemId: item, location: NORTH }]),
    )
    expect(await claimedOf(item)).toEqual([`A ${NORTH} 5 5`, `B ${NORTH} 5 5`])
    expect(await free(item)).toBe(0)
  })

  test('ends when a complete reading does not name it any more', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await read([line(item), line(item, { document: 'kept' })], { source: 'erp-2' })
    await read([line(item, { document: 'kept' })], { source: 'erp-2', asOf: minutes(10) })
    const ended = await db.database.transaction((tx) =>
      endUnseen(tx, { company: COMPANY, source: 'erp-2', asOf: minutes(10) }, { guardOf: () => 0 }),
    )
    expect(ended).toMatchObject({ ended: 1, more: false, freed: [item] })
    expect(await claimedOf(item)).toEqual([`kept ${NORTH} 4 4`])
  })

  test('is listed as bad where it breaks a rule, and its neighbours are taken', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    const { rejected, inserted } = await read([line(item), line(item, { document: 'B', wanted: -1 })])
    expect(inserted).toBe(1)
    expect(rejected).toMatchObject([{ key: 'B · 10', code: 'inventory.open_order_invalid' }])
  })

  test('keeps a guard back where it sells by itself, which people cannot take away, until nothing is open', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await read([line(item)], { guard: 2 })
    expect(await free(item)).toBe(units(4))
    const place = { company: COMPANY, itemId: item, location: NORTH, allocations: [] }
    await db.database.transaction((tx) => setAllocations(tx, [place], 'someone'))
    expect(await free(item)).toBe(units(4))
    await read([line(item)], { guard: 3, asOf: minutes(1) })
    expect(await free(item)).toBe(units(3))
    await read([line(item, { wanted: 0, changedAt: minutes(2) })], { guard: 3, asOf: minutes(2) })
    expect(await free(item)).toBe(units(10))
  })
})

test('in any order of readings, orders of ours and shipments each unit is claimed once, and all that is there is', async () => {
  const states = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 })
  type Event =
    | { what: 'read'; at: number; lines: OpenOrderRecord[] }
    | { what: 'claim' | 'cancel' | 'ship'; doc: number }
    | { what: 'receive'; quantity: number }
    | { what: 'fill' }
  const scenario = fc.record({
    lines: fc.array(states, { minLength: 1, maxLength: 4 }),
    wishes: fc.array(
      fc.oneof(
        fc.record({ what: fc.constantFrom('claim', 'cancel', 'ship'), doc: fc.integer({ min: 1, max: 3 }) }),
        fc.record({ what: fc.constant('receive'), quantity: fc.integer({ min: 1, max: 20 }) }),
        fc.record({ what: fc.constant('fill') }),
      ),
      { maxLength: 12 },
    ),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ lines, wishes, order }) => {
      const item = newItem()
      await receive(db, item, units(20))
      const at = (n: number, version: number) =>
        line(item, {
          document: `P-${item}-${n}`,
          wanted: units(lines[n]![version]!),
          changedAt: minutes(version),
        })
      const readings = lines.flatMap((versions, n) =>
        versions.map((_, version): Event => ({ what: 'read', at: version, lines: [at(n, version)] })),
      )
      const last = lines.map((versions, n) => at(n, versions.length - 1))
      const events = [...readings, ...(wishes as Event[])]
        .map((event, place) => ({ event, rank: order[place % order.length]! * 100 + place }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ event }) => event)
      const claimed = new Set<number>()
      const shipped = new Set<number>()
      for (const event of events) {
        const doc = 'doc' in event ? item * 10 + event.doc : 0
        if (event.what === 'read') await read(event.lines, { asOf: minutes(event.at) })
        else if (event.what === 'receive') await receive(db, item, units(event.quantity))
        else if (event.what === 'fill') await fill()
        else if (event.what === 'claim' && !claimed.has(doc)) {
          claimed.add(doc)
          await claim(db, doc, item, units(5))
        } else if (event.what === 'cancel') await db.database.transaction((tx) => releaseOrders(tx, [doc]))
        else if (event.what === 'ship' && !shipped.has(doc)) {
          shipped.add(doc)
          await leave(db, item, 1, { mark: doc })
        }
        const [here] = await claimsOn(db, item)
        expect(here!.reserved).toBe(here!.claimed)
      }
      await read(last, { asOf: minutes(100) })
      await fill()
      const rows = await listExternal(
        db.database,
        { company: COMPANY, sku: String(item) },
        { after: [], limit: 50 },
      )
      const sum = (what: 'wanted' | 'claimed') => rows.reduce((all, row) => all + units(Number(row[what])), 0)
      const position = (await positionOf(db, item))!
      const left = position.available - position.reserved + Math.min(0, position.unreconciled)
      expect(sum('wanted')).toBe(last.reduce((all, { wanted }) => all + wanted, 0))
      expect(sum('claimed')).toBeLessThanOrEqual(sum('wanted'))
      // what was claimed stays, also where goods left that nobody had claimed
      if (left > 0) expect(sum('claimed')).toBe(sum('wanted'))
    }),
    { numRuns: 40 },
  )
}, 60_000)

/** What left of an order of the source, and how much of its line that makes in all. */
const shipped = (itemId: number, quantity: number, total: number, { source = 'wms' } = {}) =>
  db.database.transaction((tx) =>
    shipExternal(tx, [
      {
        company: COMPANY,
        source,
        sourceKey: `X-${itemId}-${total}`,
        itemId,
        sku: String(itemId),
        location: NORTH,
        lot: '',
        quantity: units(quantity),
        at: minutes(1),
        order: { number: `SO-${itemId}`, line: '10', shipped: units(total) },
      },
    ]),
  )

describe('what leaves for an order of another system', () => {
  test('takes its claim along, so that nothing is in doubt although all of the stock was claimed', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await claim(db, 900, item, units(6))
    await read([line(item)], { source: 'wms' })
    expect(await shipped(item, 4, 4)).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({
      available: units(6),
      reserved: units(6),
      unreconciled: 0,
    })
  })

  test('counts once, however readings of the order and movements of its stock overtake each other', async () => {
    // ten are ordered, four leave, then three; the rest is cancelled
    const versions = [
      { wanted: 10, shipped: 0, ordered: 10 },
      { wanted: 6, shipped: 4, ordered: 10 },
      { wanted: 3, shipped: 7, ordered: 10 },
      { wanted: 0, shipped: 7, ordered: 7 },
    ]
    const departures = [
      { quantity: 4, total: 4 },
      { quantity: 3, total: 7 },
    ]
    const tellings = fc.shuffledSubarray([0, 1, 2, 3, 'left', 'left'] as const, { minLength: 6 })
    await fc.assert(
      fc.asyncProperty(tellings, fc.array(fc.nat(3), { maxLength: 3 }), async (order, again) => {
        const item = newItem()
        await receive(db, item, units(20))
        let [newest, told] = [-1, 0]
        for (const event of [...order, ...again]) {
          if (event === 'left') {
            const { quantity, total } = departures[told++]!
            expect(await shipped(item, quantity, total)).toEqual([])
          } else {
            const { wanted, shipped: gone } = versions[event]!
            const at = minutes(event)
            const one = line(item, { wanted: units(wanted), shipped: units(gone), changedAt: at })
            await read([one], { source: 'wms', asOf: at })
            newest = Math.max(newest, event)
          }
          const left = departures.slice(0, told).reduce((sum, { quantity }) => sum + quantity, 0)
          const promised = Math.max(left, versions[newest]?.ordered ?? 0)
          expect(await free(item)).toBe(units(20 - promised))
          const [here] = await claimsOn(db, item)
          expect(here!.reserved).toBe(here!.claimed)
        }
        expect(await positionOf(db, item)).toMatchObject({ available: units(13), reserved: 0 })
        expect(await claimedOf(item)).toEqual([])
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  test('and was never told keeps its claim until its source has counted the place', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    const gone = line(item, { wanted: 0, shipped: units(4), changedAt: minutes(5) })
    await read([line(item)], { source: SOURCE })
    await read([gone], { source: SOURCE, asOf: minutes(6) })
    await tell(db, factOf(item, received(0), { sequence: 1, mark: 2 }))
    await take(db, item, { available: units(10), mark: 4 })
    await fill()
    expect(await free(item)).toBe(units(6))
    await take(db, item, { available: units(6), mark: 6 })
    expect(await free(item)).toBe(units(2))
    expect((await fill()).freed).toContain(item)
    expect(await free(item)).toBe(units(6))
    expect(await claimedOf(item)).toEqual([])
  })

  test('as something else than was ordered leaves the claim to the reading that says so', async () => {
    const [item, instead] = [newItem(), newItem()]
    await receive(db, item, units(10))
    await receive(db, instead, units(10))
    await read([line(item)], { source: 'wms' })
    await db.database.transaction((tx) =>
      shipExternal(tx, [
        {
          company: COMPANY,
          source: 'wms',
          sourceKey: 'X-instead',
          itemId: instead,
          sku: String(instead),
          location: NORTH,
          lot: '',
          quantity: units(4),
          at: minutes(1),
          order: { number: `SO-${item}`, line: '10', shipped: units(4) },
        },
      ]),
    )
    expect([await free(item), await free(instead)]).toEqual([units(6), units(6)])
  })
})
