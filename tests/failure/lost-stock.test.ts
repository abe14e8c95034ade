/** A stock event of the warehouse that never came: asked for again, then counted, then told, until the books are the warehouse's. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { openQuery } from '#tests/support/house-query.ts'
import type { Query } from '#tests/support/books-rules.ts'

const GAP_AFTER_MS = 400
const SITE = 'DC1'
const OWNER = 'NWF'

let house: House
let query: Query
let disconnect: () => Promise<void>
let sku: string
beforeEach(async () => {
  house = await openHouse({
    landscape: { webhookBatch: 1 },
    config: { inbox: { gapAfterMs: GAP_AFTER_MS } },
  })
  house.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  sku = house.landscape.world.items.find(
    ({ company, lotControlled }) => company === OWNER && !lotControlled,
  )!.number
})
afterEach(async () => {
  await disconnect()
  await house.end()
})

const until = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 15_000 })
const wms = () => house.landscape.wms
const count = (delta: number): void => wms().adjust({ site: SITE, owner: OWNER, sku, delta, reason: 'COUNT' })
const requests = (operation: string): number => wms().received.report().operations[operation]?.requests ?? 0

/** What is for sale at the warehouse, by its own word. */
const theirs = (): number =>
  wms()
    .truth()
    .stock.filter((row) => row.site === SITE && row.owner === OWNER && row.sku === sku)
    .reduce((sum, row) => sum + (row.status === 'AVAIL' ? row.qty : 0), 0)

async function ours(): Promise<number> {
  const [row] = await query<{ available: string }>(
    `select p.available from inventory.position p join items.item i on i.id = p.item_id
     where i.company = '${OWNER}' and i.sku = '${sku}' and p.location = '${SITE}' and p.lot = ''`,
  )
  return Number(row!.available)
}
const told = () =>
  query<{ state: string }>(
    `select state from exceptions.exception where code = 'inventory.facts_missing' order by id`,
  )
const reasons = () =>
  query<{ reason: string; times: number }>(
    `select reason, count(*)::int as times from inventory.movement
     where source = 'wms' group by reason order by reason`,
  )

test('is asked for again and booked in its order; nothing is counted and nobody is bothered', async () => {
  count(5)
  await until(ours).toBe(theirs())
  wms().faults.set({ kind: 'webhook-drop', times: 1 })
  count(7)
  count(-3)
  await until(ours).toBe(theirs())
  expect(requests('stock')).toBe(0)
  expect(await told()).toEqual([])
  expect(await reasons()).toEqual([{ reason: 'count', times: 3 }])
})

test('that the warehouse does not tell again is counted, and what waited is booked behind the count', async () => {
  count(5)
  await until(ours).toBe(theirs())
  wms().faults.set([
    { kind: 'webhook-drop', times: 2 },
    { kind: 'server-error', operation: 'events' },
  ])
  count(7)
  count(11)
  count(-3)
  await until(ours).toBe(theirs())
  expect(await reasons()).toMatchObject([{ reason: 'count' }, { reason: 'snapshot', times: 1 }])
  await until(told).toEqual([])
  // what was lost comes at last
  wms().faults.clear()
  count(1)
  await until(ours).toBe(theirs())
}, 30_000)

test('the first word of an item was lost: what is there is counted, since nobody knows what was before', async () => {
  wms().faults.set({ kind: 'webhook-drop', times: 1 })
  count(7)
  count(-3)
  await until(ours).toBe(theirs())
  expect(requests('events')).toBe(0)
  expect(await reasons()).toEqual([{ reason: 'snapshot', times: 1 }])
})

test('is one exception that shows what is missing while the warehouse answers nothing, and closes by itself', async () => {
  count(5)
  await until(ours).toBe(theirs())
  const before = theirs()
  wms().faults.set([
    { kind: 'webhook-drop', times: 1 },
    { kind: 'server-error', operation: 'events' },
    { kind: 'server-error', operation: 'stock' },
  ])
  count(7)
  count(-3)
  const open = () => listExceptions(house.app.database, { code: 'inventory.facts_missing' })
  await until(open).toMatchObject([
    {
      owner: 'inventory',
      facts: { source: 'wms', sku, location: SITE, from: 2, to: 2, waiting: 1 },
      title: expect.stringContaining(`fact 2 of ${sku} at ${SITE} is missing`),
    },
  ])
  // parked: nothing of the item is booked past the gap
  expect(await ours()).toBe(before)
  wms().faults.clear()
  await until(ours).toBe(theirs())
  await until(told).toEqual([{ state: 'resolved' }])
}, 30_000)

test('events that come twice, late and in another order are booked once each', async () => {
  wms().faults.set([
    { kind: 'webhook-duplicate', copies: 2 },
    { kind: 'webhook-reorder', window: 4 },
    { kind: 'webhook-delay', ms: 30, jitterMs: 100, share: 0.5 },
  ])
  for (const delta of [5, -2, 9, 4, -1, 3]) count(delta)
  await until(reasons).toEqual([{ reason: 'count', times: 6 }])
  expect(await ours()).toBe(theirs())
})
