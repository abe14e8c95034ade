/** Who waits is promised a day from supply, kept as supply moves; who was promised an earlier one is told. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { upsertSupply } from '#domains/supply/operations.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { units } from '#platform/quantity.ts'
import { watchPromises } from '#processes/promise-watch.ts'
import { OWNERSHIP } from '#processes/trouble.ts'
import { bearer, O2C } from '#tests/routes/front-door.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKUS = Array.from({ length: 8 }, (_, at) => String(46_001 + at))
const WAITING = '/process/inventory/v1/waiting'
const clock = fakeClock('2040-03-02T12:00:00Z')
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 5 } })),
    [{ number: '500001' }],
  )
}, 60_000)
afterAll(() => house.end())

const next = () => SKUS.shift()!
const always = { addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }
const look = () =>
  watchPromises({
    database: house.app.database,
    runner: () => house.app.worker.runner(),
    clock,
    companies: [{ code: 'NWF', timeZone: 'UTC', locations: ['DC1', 'DC2'] }],
    openExceptions: exceptionOpener({ ...OWNERSHIP, calendarOf: () => always }),
  })

let changes = 0
async function supply(sku: string, expectedOn: string, count: number) {
  const [item] = await house.query<{ id: number }>('select id from items.item where sku = $1', [sku])
  const changedAt = new Date(Date.UTC(2040, 1, 1) + ++changes * 1_000)
  const line = { number: `45-${sku}`, line: 10, supplier: 'V1', itemId: item!.id, sku, location: 'DC2' }
  const quantities = { ordered: units(count), received: 0, cancelled: 0, expectedOn, changedAt }
  await house.app.database.transaction((tx) =>
    upsertSupply(tx, { company: 'NWF', source: 'erp-test', asOf: changedAt }, [{ ...line, ...quantities }]),
  )
}

const promiseOf = async ({ doc }: Placed) =>
  (
    await house.query<{ on: string | null; slipped: string | null }>(
      'select promised_on::text as "on", slipped_from::text as slipped from inventory.backorder where doc = $1',
      [doc],
    )
  )[0]
const eventsOf = async ({ doc }: Placed, type: string) =>
  house.query<{ data: { promises: object[] } }>(
    'select data from log.event where key = $1 and type = $2 order by position',
    [doc, type],
  )
const turnOf = async ({ doc }: Placed) =>
  (await house.query<{ turn: number }>('select turn from orders.sales_order where id = $1', [doc]))[0]!.turn

test('each has the day on which supply reaches it by its place in the queue, told once as an event of its order', async () => {
  const sku = next()
  const first = await house.order({ lines: [[sku, 9]] })
  const second = await house.order({ lines: [[sku, 7]] })
  await supply(sku, '2040-03-10', 10)
  await look()
  await look()
  expect(await promiseOf(first)).toEqual({ on: '2040-03-10', slipped: null })
  expect(await promiseOf(second)).toEqual({ on: null, slipped: null })
  expect(await eventsOf(first, 'order.promised')).toEqual([
    { data: { promises: [{ line: 1, from: null, on: '2040-03-10' }] } },
  ])
  expect(await turnOf(first)).toBe(1)
  const story = await house.send('GET', `${O2C}/orders/${first.body.id}/story`)
  const titles = (story.body['entries'] as { title: string }[]).map(({ title }) => title)
  expect(titles).toContain('line 1 is expected on 2040-03-10')
})

test('a promise that slips raises an owned exception and a turn of the order, and closes when it can be kept again', async () => {
  const sku = next()
  const order = await house.order({ lines: [[sku, 9]] })
  await supply(sku, '2040-03-10', 10)
  await look()
  await supply(sku, '2040-03-20', 10)
  await look()
  expect(await promiseOf(order)).toEqual({ on: '2040-03-20', slipped: '2040-03-10' })
  expect(await turnOf(order)).toBe(2)
  expect(await eventsOf(order, 'order.promise_slipped')).toHaveLength(1)
  const title = `${sku} comes later than those who wait for it were promised`
  expect(await house.openExceptions('orders.promise_slipped')).toContainEqual(
    expect.objectContaining({ title }),
  )
  await look()
  expect(await turnOf(order)).toBe(2)
  await supply(sku, '2040-03-09', 10)
  await look()
  expect(await promiseOf(order)).toEqual({ on: '2040-03-09', slipped: null })
  expect(await house.openExceptions('orders.promise_slipped')).not.toContainEqual(
    expect.objectContaining({ title }),
  )
})

test('what is filled has no promise left, and its exception closes', async () => {
  const sku = next()
  const order = await house.order({ lines: [[sku, 9]] })
  await supply(sku, '2040-03-10', 10)
  await look()
  await supply(sku, '2040-03-10', 1)
  await look()
  expect(await promiseOf(order)).toEqual({ on: null, slipped: '2040-03-10' })
  house.count('DC1', sku, 4)
  await house.closed(order)
  expect(await promiseOf(order)).toBeUndefined()
  await look()
  const title = `${sku} comes later than those who wait for it were promised`
  expect(await house.openExceptions('orders.promise_slipped')).not.toContainEqual(
    expect.objectContaining({ title }),
  )
})

test('who waits is listed by item and queue, with what it is worth', async () => {
  const [reached, lost, untold] = [next(), next(), next()]
  await house.order({ lines: [[reached, 8]] })
  await house.order({ lines: [[lost, 6]] })
  await house.order({ lines: [[lost, 1]] })
  await supply(reached, '2040-03-10', 10)
  await look()
  await house.order({ lines: [[untold, 6]] })
  const list = async (query: string) => {
    const rows: { sku: string }[] = []
    for (let cursor = ''; ;) {
      const { body } = await house.send('GET', `${WAITING}?company=NWF&limit=2${query}${cursor}`)
      rows.push(...(body['items'] as { sku: string }[]))
      if (body['nextCursor'] === undefined) return rows
      cursor = `&cursor=${body['nextCursor'] as string}`
    }
  }
  const all = await list('')
  const of = (sku: string) => all.find((row) => row.sku === sku)
  expect(of(reached)).toMatchObject({
    queue: 'promised',
    quantity: '3',
    promisedFrom: '2040-03-10',
    slipped: 0,
  })
  expect(of(lost)).toMatchObject({
    queue: 'unfillable',
    lines: 2,
    orders: 2,
    quantity: '2',
    value: [{ amount: '20.00', currency: 'USD' }],
  })
  expect(of(untold)).toMatchObject({ queue: 'new' })
  const unfillable = await list('&queue=unfillable')
  expect(unfillable.map(({ sku }) => sku)).toContain(lost)
  expect(unfillable.map(({ sku }) => sku)).not.toContain(reached)
  expect((await house.send('GET', `${WAITING}?company=NOPE`)).body.code).toBe('inventory.company_unknown')
  const headers = bearer(await house.key({ client: 'auditor', scopes: ['process.orders:read'] }))
  expect((await house.send('GET', `${WAITING}?company=NWF`, { headers })).status).toBe(403)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
