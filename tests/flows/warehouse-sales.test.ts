/** Orders that the warehouse took by itself: read, kept, explained; what leaves of them is counted once, whoever tells it first. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { checkInvariants } from '../../src/app-invariants.ts'
import { BEGINNING } from '#platform/invariants.ts'
import { type FrontDoor, openFrontDoor, shipsAtOnce } from '#tests/routes/front-door.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

let house: FrontDoor
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  house = await openFrontDoor({
    config: {
      freshness: [{ source: 'wms', flow: 'readings', minutes: 60, rule: 'zero' }],
      inbox: { gapAfterMs: 300 },
    },
  })
  house.app.keepUp()
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
})

async function readAgain(): Promise<void> {
  await query('update reading.turn set due_at = now()')
  expect((await house.app.sync(() => undefined)).failures).toEqual([])
}

/** An item of which there is plenty at the place, in lots. */
function plenty() {
  const { world } = house.landscape
  const isSold = (number: string): boolean => {
    const item = world.items.find((one) => one.number === number && one.company === 'NWF')!
    return !item.discontinued && !item.catchWeight && item.lotControlled
  }
  const { item, site } = world.stock.find(
    (row) => row.company === 'NWF' && row.status === 'available' && row.quantity > 100 && isSold(row.item),
  )!
  const unit = world.items.find(({ number, company }) => number === item && company === 'NWF')!.baseUnit
  return { item, site, unit }
}

async function placeOf(sku: string, site: string) {
  const { body } = await house.send('POST', '/process/available-to-promise/v1/availability:query', {
    body: { company: 'NWF', explain: true, maxAgeMs: 0, items: [{ sku }] },
  })
  const [answer] = body['items'] as {
    places: { location: string; available: string; explain: { reservedExternally: string; onHand: string } }[]
  }[]
  const { available, explain } = answer!.places.find(({ location }) => location === site)!
  return { available: Number(available), kept: Number(explain.reservedExternally) }
}
const list = async (sku: string) =>
  (await house.send('GET', `/process/inventory/v1/external-reservations?company=NWF&sku=${sku}`)).body[
    'items'
  ]
const leftOf = async (sku: string): Promise<number> => {
  const rows = await query<{ left: string }>(
    `select coalesce(sum(m.quantity), 0) as left from inventory.movement m join items.item i on i.id = m.item_id
     where i.sku = $1 and m.to_bucket = 'shipped' and m.reason = 'ship' and m.source = 'wms' and m.doc is null`,
    [sku],
  )
  return Number(rows[0]!.left)
}

test('an order that the warehouse took lowers what is promised until it is cancelled there', async () => {
  const { own } = house.landscape.wms
  const { item, site, unit } = plenty()
  const before = await placeOf(item, site)
  const lines = [{ item, quantity: 9, unit }]
  const number = own.key({ owner: 'NWF', site, customer: 'Portal 88', reference: 'MP-778', lines })
  await readAgain()
  expect(await placeOf(item, site)).toEqual({ available: before.available - 9, kept: 9 })
  expect(await list(item)).toMatchObject([
    { source: 'wms', document: number, owner: 'Portal 88', reference: 'MP-778', wanted: '9', claimed: '9' },
  ])
  own.allocate(number)
  await readAgain()
  expect(await placeOf(item, site)).toEqual({ available: before.available - 9, kept: 9 })
  own.cancel(number)
  await readAgain()
  expect(await placeOf(item, site)).toEqual(before)
})

test('what leaves of it is counted once, be it read before it is told or after', async () => {
  const { wms } = house.landscape
  const { item, site, unit } = plenty()
  const before = await placeOf(item, site)
  const number = wms.own.key({
    owner: 'NWF',
    site,
    customer: 'Portal 89',
    lines: [{ item, quantity: 12, unit }],
  })
  await readAgain()
  wms.own.ship(number, 5)
  await vi.waitFor(async () => expect(await leftOf(item)).toBe(5), { timeout: 10_000 })
  expect(await placeOf(item, site)).toEqual({ available: before.available - 12, kept: 7 })
  await readAgain()
  expect(await placeOf(item, site)).toEqual({ available: before.available - 12, kept: 7 })

  wms.faults.set({ kind: 'webhook-drop', times: 1 })
  wms.own.ship(number)
  await readAgain()
  expect(await placeOf(item, site)).toEqual({ available: before.available - 12, kept: 7 })
  wms.adjust({ site, owner: 'NWF', sku: item, delta: 0, reason: 'COUNT' })
  await vi.waitFor(async () => expect(await leftOf(item)).toBe(12), { timeout: 20_000 })
  expect(await placeOf(item, site)).toEqual({ available: before.available - 12, kept: 0 })
  expect(await list(item)).toEqual([])
})

test('requests of ours are in no list of others, and books, shelves and claims agree', async () => {
  for (let sent = 0; sent < 4; sent++) await house.submit(house.next(shipsAtOnce))
  await atRest(query)
  await readAgain()
  const { body } = await house.send('GET', '/process/inventory/v1/external-reservations?company=NWF')
  expect(body['items']).toEqual([])
  expect((await checkInvariants(house.app.database, BEGINNING)).violations).toEqual([])
  const sources = await house.send('GET', '/process/inventory/v1/sources')
  expect(JSON.stringify(sources.body)).toContain('readings')
})
