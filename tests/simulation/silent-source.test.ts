/** A warehouse that tells nothing for thirty minutes: less is promised the longer it lasts, promises are marked, and all heals. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { benchConfig } from '../../bench/config.ts'
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import type { Sources } from '#domains/inventory/contract/freshness.ts'
import { smallWorld } from '#tests/processes/wholesaler.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { headersOf, type LeapingHouse, openLeapingHouse } from './leaping-house.ts'

const [SKU, CAPPED, LEFT_ALONE] = ['44001', '44002', '44003']
const [HERE, THERE, ASKED, FREED] = ['44004', '44005', '44006', '44007']
const ATP = '/process/available-to-promise/v1'
const O2C = '/process/order-to-cash/v1'
const MINUTE_MS = 60_000
const BUDGET_MINUTES = 10
const DROWSY = 12

const world = smallWorld(
  [
    ...[SKU, CAPPED, LEFT_ALONE].map((number) => ({ number, stock: { DC1: 100, DC2: 100 } })),
    { number: HERE, stock: { DC1: 40 } },
    { number: THERE, stock: { DC1: 40, DC2: 40 } },
    { number: FREED, stock: { DC2: 15 } },
    { number: ASKED, company: 'NWI', stock: { DC3: 40 } },
  ],
  // held for credit, so that nothing is sent to the warehouse and it has nothing to tell
  [
    { number: '500001', creditLimitMinor: 1 },
    { number: 'C60001', company: 'NWI' },
  ],
)
const silence = { minutes: BUDGET_MINUTES }

let cluster: Cluster
let house: LeapingHouse
beforeAll(async () => {
  cluster = await openCluster(0)
  house = await openLeapingHouse({
    cluster,
    world,
    config: (urls) => ({
      ...benchConfig(urls, 'single'),
      locations: world.sites.map(({ code, timeZone }) => ({ code, type: 'warehouse', wms: 'wms', timeZone })),
      freshness: [
        { ...silence, source: 'wms', locations: ['DC1'], rule: 'buffer', least: 10, factor: 2 },
        { ...silence, source: 'erp-foods', locations: ['DC2'], rule: 'cap', most: 15 },
        { ...silence, source: 'erp-industrial', locations: ['DC3'], rule: 'ask' },
      ],
      worker: { claimPollMs: 2_000 },
    }),
    checks: true,
    drowsy: DROWSY,
    longMs: 250,
  })
}, 120_000)
afterAll(async () => {
  await house?.end()
  await cluster?.end()
})

const pass = (minutes: number) => house.pass(minutes * MINUTE_MS)
const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
  (await cluster.side.query(text, values)).rows as Row[]

type Reply = {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly code: string; readonly id: string }
}
let keys = 0
async function send(method: 'GET' | 'POST', url: string, body?: object): Promise<Reply> {
  const asked = body ? { headers: headersOf(`key-${++keys}`), body: JSON.stringify(body) } : {}
  const called = await house.visit({ method, url, ...asked })
  return { status: called.status, body: JSON.parse(called.body) as Reply['body'] }
}
const sent = (...[method, url, body]: Parameters<typeof send>) => house.during(send(method, url, body))

const sources = async () => (await sent('GET', '/process/inventory/v1/sources')).body as unknown as Sources
const stateOf = async (source: string) => (await sources()).items.find((one) => one.source === source)?.state
const ask = async (sku: string, more: { readonly location: string; readonly explain?: boolean }) => {
  const question = { company: 'NWF', maxAgeMs: 0, items: [{ sku }], ...more }
  const { body } = await sent('POST', `${ATP}/availability:query`, question)
  const { items } = body as unknown as AvailabilityAnswer
  return items[0]!.places.find(({ location }) => location === more.location)!
}
const lines = (sku: string, quantity: number) => [{ line: '1', sku, quantity: String(quantity), unit: 'EA' }]
const CART = { company: 'NWF', channel: 'portal', reference: 'cart', kind: 'firm' }
const reservation = (sku: string, location: string, quantity: number) =>
  send('POST', `${ATP}/reservations`, { ...CART, location, lines: lines(sku, quantity) })
const reserve = (...[sku, location, quantity]: Parameters<typeof reservation>) =>
  house.during(reservation(sku, location, quantity))
let orders = 0
const BUYER = { company: 'NWF', customer: '500001' }
const ordered = (sku: string, quantity: number, buyer = BUYER) =>
  send('POST', `${O2C}/orders`, { ...buyer, customerOrder: `T-${++orders}`, lines: lines(sku, quantity) })
const order = (...asked: Parameters<typeof ordered>) => house.during(ordered(...asked))
const cancel = async ({ body }: Reply): Promise<void> => {
  const answer = await sent('POST', `${O2C}/orders/${body.id}:cancel`, { reason: 'no more' })
  expect(answer.status).toBe(202)
}
type Line = { readonly reserved: number; readonly backordered: number; readonly shipped: number }
const linesOf = ({ body }: Reply) =>
  query<Line>(
    `select reserved::float8, backordered::float8, shipped::float8 from orders.line where order_id = $1`,
    [body.id.slice(2)],
  )
const withheldOf = async ({ body }: Reply) => {
  const view = (await sent('GET', `${O2C}/orders/${body.id}`)).body
  return (view['lines'] as { withheld?: { source: string } }[])[0]!.withheld?.source
}
type Doubt = { kind: string; location: string; quantity: number; outcome: string | null }
const doubts = () =>
  query<Doubt>(
    'select kind, location, quantity::float8, outcome from inventory.doubt order by kind, location',
  )
const exceptions = (code: string) =>
  query<{ cause: string }>(
    'select cause from exceptions.exception where code = $1 and closed_at is null order by cause',
    [code],
  )
const toldOf = () =>
  query(
    `select distinct type, data ->> 'source' as source from log.event where type like 'source.%' order by 1, 2`,
  )

/** By its rule: 10 at once, and twice what it would have sold since it was heard, which is one an hour. */
async function figureNow(): Promise<number> {
  const { items } = await sources()
  const heardAt = Date.parse(items.find(({ source }) => source === 'wms')!.heardAt!)
  return 100 - 10 - (2 * (house.clock.now().getTime() - heardAt)) / (60 * MINUTE_MS)
}

test('a place is promised by its books as long as its source is not silent for longer than it may be', async () => {
  // one an hour on the day before
  await query(
    `insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
     select 'NWF', id, 'DC1', 'available', 'shipped', 24, 'ship', 'test', 'test', now() from items.item where sku = $1`,
    [SKU],
  )
  await pass(BUDGET_MINUTES - 1)
  expect(await stateOf('wms')).toBe('heard')
  expect(await ask(SKU, { location: 'DC1' })).toMatchObject({ available: '100', confidence: 'normal' })
})

test('silent for longer, less is promised by its rule the longer it lasts, and the answer says so', async () => {
  await pass(3)
  const figures: number[] = []
  for (const minutes of [6, 6, 6]) {
    const place = await ask(SKU, { location: 'DC1', explain: true })
    figures.push(Number(place.available))
    expect(figures.at(-1)).toBeCloseTo(await figureNow(), 2)
    expect(place).toMatchObject({
      confidence: 'careful',
      careful: { source: 'wms', flow: 'messages', rule: 'buffer' },
    })
    expect(place.explain!.steps.at(-1)).toMatchObject({
      what: 'held back while wms is silent (buffer)',
      leaves: place.available,
    })
    await pass(minutes)
  }
  expect(figures).toEqual(figures.toSorted((a, b) => b - a))
  expect(figures[0]! - figures[2]!).toBeGreaterThan(0.3)
  const { body } = await sent('GET', `${ATP}/availability?company=NWF&sku=${SKU}&location=DC1&maxAgeMs=0`)
  expect(body['items']).toMatchObject([{ confidence: 'careful', careful: { rule: 'buffer' } }])
})

test('reservations are granted no more than that, also when they come one after the other', async () => {
  const available = Math.floor(Number((await ask(SKU, { location: 'DC1' })).available))
  expect((await reserve(SKU, 'DC1', available + 1)).body.code).toBe('inventory.not_available')
  expect((await reserve(SKU, 'DC1', 20)).status).toBe(201)
  expect(await ask(CAPPED, { location: 'DC2' })).toMatchObject({ available: '15', confidence: 'careful' })
  const wanted = [8, 8, 7, 7]
  const grants = await house.during(
    Promise.all(wanted.map((quantity) => reservation(CAPPED, 'DC2', quantity))),
  )
  const granted = grants.flatMap(({ status }, at) => (status === 201 ? [wanted[at]!] : []))
  expect(granted.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(15)
  expect(granted.length).toBeGreaterThan(0)
  expect((await reserve(CAPPED, 'DC2', 15)).status).toBe(409)
})

test('what was promised meanwhile is marked, also of orders, and somebody owns the silence', async () => {
  expect((await order(LEFT_ALONE, 5)).status).toBe(201)
  const marked = (await doubts()).filter(({ kind }) => kind === 'order')
  expect(marked).toEqual([{ kind: 'order', location: 'DC1', quantity: 5, outcome: null }])
  expect((await sources()).openDoubts).toBeGreaterThan(1)
  const path = '/experience/control-tower/v1/exceptions?code=inventory.source_silent'
  const { items } = (await sent('GET', path)).body as unknown as { items: object[] }
  expect(items).toHaveLength(3)
  expect(items[0]).toMatchObject({ owner: 'inventory', severity: 'high' })
  expect(await toldOf()).toEqual([
    { type: 'source.silent', source: 'erp-foods' },
    { type: 'source.silent', source: 'erp-industrial' },
    { type: 'source.silent', source: 'wms' },
  ])
})

let waiting: Reply
describe('an order is given no more of a silent place than its rule leaves', () => {
  test('and what it lacks waits, says for whom, and is not filled from the books meanwhile', async () => {
    waiting = await order(HERE, 35)
    // 10 are held back, and what an hour sells is nothing
    const reason = {
      code: 'inventory.source_silent',
      message: expect.stringContaining('wms') as unknown,
    }
    expect(waiting.body['lines']).toMatchObject([
      { outcome: 'partially-reserved', reserved: '30', backordered: '5', reason },
    ])
    const behind = await order(HERE, 1)
    expect(behind.body['lines']).toMatchObject([{ reserved: '0', backordered: '1' }])
    expect(await withheldOf(waiting)).toBe('wms')
    await cancel(behind)
    await pass(0.5)
    expect(await linesOf(behind)).toMatchObject([{ backordered: 0 }])
    expect(await linesOf(waiting)).toMatchObject([{ reserved: 30, backordered: 5 }])
  })

  test('nor is what comes free meanwhile given to who waits', async () => {
    const first = await order(FREED, 15)
    expect(first.body['lines']).toMatchObject([{ reserved: '15' }])
    const second = await order(FREED, 5)
    expect(second.body['lines']).toMatchObject([{ backordered: '5' }])
    expect(second.body['lines']).not.toMatchObject([{ reason: {} }])
    await cancel(first)
    await pass(0.5)
    expect(await withheldOf(second)).toBe('erp-foods')
    expect(await linesOf(second)).toMatchObject([{ reserved: 0, backordered: 5 }])
  })

  test('nor is any of many that come at once', async () => {
    const many = await house.during(Promise.all(Array.from({ length: 8 }, () => ordered(THERE, 10))))
    const rows = await Promise.all(many.map(linesOf))
    // a buffer of 10 at the one place, a cap of 15 at the other
    expect(rows.flat().reduce((sum, { reserved }) => sum + reserved, 0)).toBe(30 + 15)
  })
})

test('when it is heard again after thirty minutes everything heals by itself', async () => {
  const { items } = await sources()
  const heardAt = Date.parse(items.find(({ source }) => source === 'wms')!.heardAt!)
  await house.pass(Math.max(0, heardAt + 30 * MINUTE_MS - house.clock.now().getTime()))
  const place = await ask(SKU, { location: 'DC1' })
  // 20 of it are reserved by now
  expect(Number(place.available)).toBeCloseTo((await figureNow()) - 20, 2)
  house.landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku: LEFT_ALONE, delta: 3, reason: 'COUNT' })
  await pass(1.5)
  expect(await stateOf('wms')).toBe('heard')
  expect(await ask(SKU, { location: 'DC1' })).toMatchObject({ available: '80', confidence: 'normal' })
  expect((await exceptions('inventory.source_silent')).map(({ cause }) => cause)).toEqual([
    'inventory.source_silent:erp-foods:messages',
    'inventory.source_silent:erp-industrial:messages',
  ])
  expect(await toldOf()).toContainEqual({ type: 'source.heard', source: 'wms' })
  const ofNorth = (await doubts()).filter(({ location }) => location === 'DC1')
  expect(new Set(ofNorth.map(({ outcome }) => outcome))).toEqual(new Set(['kept']))
  expect(await stateOf('erp-foods')).toBe('silent')
})

test('orders that waited for who is heard are filled by themselves', async () => {
  expect(await linesOf(waiting)).toMatchObject([{ reserved: 35, backordered: 0 }])
  expect(await withheldOf(waiting)).toBeUndefined()
  const left = await query('select distinct source from inventory.withheld')
  expect(left).toEqual([{ source: 'erp-foods' }])
})

test('where a person has to be asked an order is held until one releases it', async () => {
  const held = await order(ASKED, 5, { company: 'NWI', customer: 'C60001' })
  const [hold] = held.body['holds'] as { id: string; type: string; reason: string; blocks: string[] }[]
  expect(hold).toMatchObject({ type: 'inventory', blocks: ['release'] })
  expect(hold!.reason).toContain('DC3')
  expect(held.body['lines']).toMatchObject([{ reserved: '5' }])
  expect(await exceptions('orders.hold.inventory')).toHaveLength(1)
  expect(await doubts()).toContainEqual({ kind: 'order', location: 'DC3', quantity: 5, outcome: null })
  const path = `${O2C}/orders/${held.body.id}/holds/${hold!.id}:release`
  expect((await sent('POST', path, { reason: 'checked' })).status).toBe(200)
  await pass(1)
  expect(await linesOf(held)).toMatchObject([{ shipped: 5 }])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
