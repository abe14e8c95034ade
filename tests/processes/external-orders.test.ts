/** Open orders of other systems: of ours nothing is counted twice, others keep stock, and a clash names both owners. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { externalPorts } from '../../src/app-erp-orders.ts'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { upsertCustomers } from '#domains/customers/operations.ts'
import { lockChannelStock, releaseOrders } from '#domains/inventory/operations.ts'
import { listExternal } from '#domains/inventory/views/external.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { units } from '#platform/quantity.ts'
import { fillExternalOrders, retireOpenOrders, takeOpenOrders } from '#processes/external-orders.ts'
import type { OpenOrderRecord } from '#processes/master-data-resources.ts'
import { claim } from '#tests/domains/inventory/feed-voice.ts'
import { claimsOn, COMPANY, newItem, NORTH, receive } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  const customer = {
    number: 'C-1',
    name: 'Harbor',
    status: 'active',
    currency: 'USD',
    termsDays: 30,
    priceList: 'wholesale',
    creditLimitMinor: null,
    receivablesMinor: 0,
    creditHold: false,
    countsOpenOrders: true,
    taxExempt: false,
    shippingRule: 'ship-available',
    addresses: [{ code: 'MAIN' }],
    defaultShipTo: 'MAIN',
  } as const
  await db.database.transaction((tx) =>
    upsertCustomers(tx, { source: 'erp', company: COMPANY, asOf: at(0) }, [customer]),
  )
})
afterAll(() => db.end())

const at = (minute: number): Date => new Date(Date.parse('2026-03-02T09:00:00Z') + minute * 60_000)
const config = loadConfig({ environment: {}, file: undefined })
const ports = {
  ...externalPorts(config, { openExceptions: exceptionsOf(config), countsStock: () => true }),
  isOurs: (location: string) => location === NORTH,
}
/** The ERP has warehouses ship what it sells. */
const selling = { ...ports, erpOf: () => 'erp', guardOf: () => units(1) }

const guardsAt = async (item: number) =>
  (
    await db.run<{ source: string }>(
      'select guards as source from inventory.allocation where item_id = $1 order by 1',
      [item],
    )
  ).map(({ source }) => source)

const line = (itemId: number, overrides: Partial<OpenOrderRecord> = {}): OpenOrderRecord => ({
  number: `SO-${itemId}`,
  line: '10',
  kind: 'order',
  customer: '100123',
  sku: String(itemId),
  itemId,
  location: NORTH,
  wanted: units(4),
  changedAt: at(0),
  ...overrides,
})
const read = (records: readonly OpenOrderRecord[], minute = 0) =>
  db.database.transaction((tx) =>
    takeOpenOrders(tx, selling, { company: COMPANY, source: 'erp', asOf: at(minute) }, records),
  )
/** An order of ours, as far as its number counts. */
const orderOf = (doc: number) =>
  db.run(
    `insert into orders.sales_order (id, company, customer_id, customer, terms_days, channel, sender, customer_order,
       currency, shipping_rule, total_minor, exposure_minor)
     select $1::bigint, company, id, 'C-1', 30, 'api', 'test', 'PO-' || $1::bigint, 'USD', 'ship-available', 0, 0
     from customers.customer limit 1`,
    [doc],
  )
const keptFor = async (item: number) =>
  (await listExternal(db.database, { company: COMPANY, sku: String(item) }, { after: [], limit: 50 })).map(
    ({ document, claimed }) => `${document} ${claimed}`,
  )
const told = async (item: number) =>
  (await listExceptions(db.database, { code: 'inventory.claims_clash' })).filter(({ cause }) =>
    cause.includes(`:${item}:`),
  )

test('what the ERP keeps for an order of ours is our claim already; a number like ours that is none is its own', async () => {
  const item = newItem()
  await receive(db, item, units(20))
  await orderOf(7001)
  await claim(db, 7001, item, units(4))
  await read([
    line(item, { number: 'A', reference: 'O-7001' }),
    line(item, { number: 'B', reference: 'O-7002' }),
    line(item, { number: 'C', reference: 'by phone' }),
    line(item, { number: 'D', location: 'elsewhere' }),
    line(item, { number: 'E', location: undefined }),
  ])
  expect(await keptFor(item)).toEqual(['B 4', 'C 4'])
  expect(await claimsOn(db, item)).toEqual([{ location: NORTH, reserved: units(12), claimed: units(12) }])
})

test('a request of ours that the warehouse lists is claimed already, and so is what it tells of no movement', async () => {
  const item = newItem()
  await receive(db, item, units(20))
  await orderOf(7003)
  await db.run(
    `insert into shipments.fulfillment (id, order_id, company, location, state) values (7004, 7003, $1, $2, 'requested')`,
    [COMPANY, NORTH],
  )
  await read([
    line(item, { number: 'A', reference: 'F-7004' }),
    line(item, { number: 'B', reference: 'F-7999' }),
    line(item, { number: 'C', wanted: units(1), shipped: units(3) }),
  ])
  expect(await keptFor(item)).toEqual(['B 4', 'C 4'])
  const silent = { ...ports, countsStock: () => false }
  const gone = line(item, { number: 'C', wanted: units(1), shipped: units(3), changedAt: at(1) })
  await db.database.transaction((tx) =>
    takeOpenOrders(tx, silent, { company: COMPANY, source: 'erp', asOf: at(1) }, [gone]),
  )
  expect(await keptFor(item)).toEqual(['B 4', 'C 1'])
})

test('what the ERP sold and has a warehouse ship is claimed once, as long as it is open there', async () => {
  const item = newItem()
  await receive(db, item, units(20))
  const sale = (more: Partial<OpenOrderRecord> = {}) => read([line(item, { number: 'SO-88', ...more })])
  const atWarehouse = (minute: number) =>
    db.database.transaction((tx) =>
      takeOpenOrders(tx, selling, { company: COMPANY, source: 'wms', asOf: at(minute) }, [
        line(item, { number: 'WO-1', reference: 'SO-88', changedAt: at(minute) }),
        line(item, { number: 'WO-2', reference: 'SO-89', changedAt: at(minute) }),
      ]),
    )
  await sale()
  await atWarehouse(1)
  expect(await keptFor(item)).toEqual(['SO-88 4', 'WO-2 4'])
  await sale({ wanted: 0, changedAt: at(2) })
  await atWarehouse(3)
  expect(await keptFor(item)).toEqual(['WO-1 4', 'WO-2 4'])
  // the warehouse is read before the ERP is
  await sale({ changedAt: at(4) })
  expect(await keptFor(item)).toEqual(['SO-88 4', 'WO-2 4'])
  expect(await guardsAt(item)).toEqual(['erp', 'wms'])
  await read([line(item, { number: 'SO-89', changedAt: at(5) })], 5)
  expect(await keptFor(item)).toEqual(['SO-88 4', 'SO-89 4'])
  expect(await guardsAt(item)).toEqual(['erp'])
})

test('more sold than there is opens one exception with both owners, which closes when it fits', async () => {
  const item = newItem()
  await receive(db, item, units(10))
  await orderOf(7101)
  await claim(db, 7101, item, units(8))
  await read([line(item)])
  await read([line(item)], 1)
  const [clash, ...more] = await told(item)
  expect(more).toEqual([])
  expect(clash).toMatchObject({
    owner: 'inventory',
    facts: { wanted: '4', claimed: '2', theirs: [`erp SO-${item} for 100123: 4`], ours: ['O-7101'] },
  })
  await db.database.transaction((tx) => releaseOrders(tx, [7101]))
  await fillExternalOrders(db.database, ports)
  expect(await keptFor(item)).toEqual([`SO-${item} 4`])
  expect(await told(item)).toEqual([])
})

test('what its source names no more is free again, and nobody is told of it any more', async () => {
  const item = newItem()
  await receive(db, item, units(3))
  await read([line(item)])
  expect(await told(item)).toHaveLength(1)
  await retireOpenOrders(db.database, ports, { company: COMPANY, source: 'erp', asOf: at(10) })
  expect(await keptFor(item)).toEqual([])
  expect(await told(item)).toEqual([])
  const { rest: free } = await db.database.transaction((tx) => lockChannelStock(tx, [item], [NORTH]))
  expect([...free.values()]).toEqual([units(3)])
})

test('while orders of ours are posted, read back and end in any order, each unit is claimed once', async () => {
  let docs = 8000
  const step = fc.record({
    what: fc.constantFrom('accept', 'read ours', 'end ours', 'read theirs', 'look'),
    nth: fc.integer({ min: 0, max: 2 }),
    wanted: fc.integer({ min: 0, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const item = newItem()
      await receive(db, item, units(25))
      const ours = [0, 1, 2].map(() => ++docs)
      const open = new Map<number, boolean>()
      const theirs = new Map<number, number>()
      let minute = 0
      for (const { what, nth, wanted } of steps) {
        minute += 1
        const doc = ours[nth]!
        if (what === 'accept' && !open.has(doc)) {
          await orderOf(doc)
          await claim(db, doc, item, units(5))
          open.set(doc, true)
        } else if (what === 'read ours' && open.has(doc)) {
          // the ERP may still keep it long after it has left, or what it keeps may be less or more
          const one = line(item, { number: `own-${doc}`, reference: `O-${doc}`, wanted: units(wanted) })
          await read([{ ...one, changedAt: at(minute) }], minute)
        } else if (what === 'end ours' && open.get(doc)) {
          await db.database.transaction((tx) => releaseOrders(tx, [doc]))
          open.set(doc, false)
        } else if (what === 'read theirs') {
          theirs.set(nth, wanted)
          const one = line(item, { number: `theirs-${item}-${nth}`, wanted: units(wanted) })
          await read([{ ...one, changedAt: at(minute) }], minute)
        } else if (what === 'look') await fillExternalOrders(db.database, ports)
        const [here] = await claimsOn(db, item)
        expect(here!.reserved).toBe(here!.claimed)
      }
      await fillExternalOrders(db.database, ports)
      const mine = await db.run<{ quantity: number }>(
        'select coalesce(sum(quantity), 0) as quantity from inventory.reservation where item_id = $1',
        [item],
      )
      const wanted = units([...theirs.values()].reduce((sum, one) => sum + one, 0))
      const [here] = await claimsOn(db, item)
      expect(here!.reserved).toBe(Math.min(units(25), mine[0]!.quantity + wanted))
    }),
    { numRuns: 40 },
  )
}, 60_000)
