/** A warehouse that tells nothing for thirty minutes: less is promised by the rule, promises are marked, and all heals. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import type { Sources } from '#domains/inventory/contract/freshness.ts'
import { openWholesaler, type Placed, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { O2C, type Reply } from '#tests/routes/front-door.ts'

const [SKU, CAPPED, LEFT_ALONE] = ['44001', '44002', '44003']
const [HERE, THERE, ASKED, FREED] = ['44004', '44005', '44006', '44007']
const ATP = '/process/available-to-promise/v1'
const WITHIN = { timeout: 25_000 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...[SKU, CAPPED, LEFT_ALONE].map((number) => ({ number, stock: { DC1: 100, DC2: 100 } })),
      { number: HERE, stock: { DC1: 40 } },
      { number: THERE, stock: { DC1: 40, DC2: 40 } },
      { number: FREED, stock: { DC2: 15 } },
      { number: ASKED, company: 'NWI', stock: { DC3: 40 } },
    ],
    [{ number: '500001', creditLimitMinor: 1 }, { number: '500002' }, { number: 'C60001', company: 'NWI' }],
    {
      config: {
        freshness: [
          { source: 'wms', minutes: 30, locations: ['DC1'], rule: 'buffer', least: 10, factor: 2 },
          { source: 'shop', minutes: 30, locations: ['DC2'], rule: 'cap', most: 15 },
          { source: 'erp-industrial', minutes: 30, locations: ['DC3'], rule: 'ask' },
        ],
      },
    },
  )
  house.app.keepUp()
}, 60_000)
afterAll(() => house.end())

/** Lets so many minutes pass for whoever was heard: what they told lies so much further back. */
async function passMinutes(minutes: number): Promise<void> {
  const by = `interval '${minutes} minutes'`
  await house.query(`update inbox.message set received_at = received_at - ${by}`)
  await house.query(`update inventory.source_state set heard_at = heard_at - ${by}`)
}

const sources = async () =>
  (await house.send('GET', '/process/inventory/v1/sources')).body as unknown as Sources
const stateOf = async (source: string) => (await sources()).items.find((one) => one.source === source)?.state
const ask = async (sku: string, more: object = {}) => {
  const { body } = (await house.send('POST', `${ATP}/availability:query`, {
    body: { company: 'NWF', maxAgeMs: 0, items: [{ sku }], ...more },
  })) as Reply & { readonly body: AvailabilityAnswer }
  return body.items[0]!.places.find(({ location }) => location === (more as { location?: string }).location)!
}
const reserve = (sku: string, location: string, quantity: number) =>
  house.send('POST', `${ATP}/reservations`, {
    body: {
      company: 'NWF',
      channel: 'portal',
      reference: 'cart',
      kind: 'firm',
      location,
      lines: [{ line: '1', sku, quantity: String(quantity), unit: 'EA' }],
    },
  })
type Doubt = { kind: string; location: string; quantity: number; outcome: string | null }
const doubts = (): Promise<Doubt[]> =>
  house.query('select kind, location, quantity, outcome from inventory.doubt order by kind, location')
const toldOf = () =>
  house.query(
    `select distinct type, data ->> 'source' as source from log.event where type like 'source.%' order by 1, 2`,
  )

test('while its source is heard a place is promised by its books', async () => {
  await expect.poll(() => stateOf('wms'), WITHIN).toBe('heard')
  await expect.poll(() => stateOf('shop'), WITHIN).toBe('heard')
  expect(await ask(SKU, { location: 'DC1' })).toMatchObject({ available: '100', confidence: 'normal' })
})

test('silent for 30 minutes, less is promised by its rule, and the answer says so, by whichever door', async () => {
  // 24 of it were sold on the day before: one an hour
  await house.query(
    `insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
     select 'NWF', id, 'DC1', 'available', 'shipped', 24, 'ship', 'test', 'test', now() from items.item where sku = $1`,
    [SKU],
  )
  await passMinutes(31)
  await expect.poll(() => stateOf('wms'), WITHIN).toBe('silent')
  const place = await ask(SKU, { location: 'DC1', explain: true })
  // 10 at once, and twice what 31 minutes would have sold
  expect(Number(place.available)).toBeLessThanOrEqual(100 - 10 - 1)
  expect(Number(place.available)).toBeGreaterThan(100 - 10 - 2)
  expect(place).toMatchObject({
    confidence: 'careful',
    careful: { source: 'wms', flow: 'messages', rule: 'buffer' },
  })
  expect(place.explain!.steps.at(-1)).toMatchObject({
    what: 'held back while wms is silent (buffer)',
    leaves: place.available,
  })
  const { body } = await house.send(
    'GET',
    `${ATP}/availability?company=NWF&sku=${SKU}&location=DC1&maxAgeMs=0`,
  )
  expect(body['items']).toMatchObject([{ confidence: 'careful', careful: { rule: 'buffer' } }])
})

test('it shrinks with the silence', async () => {
  const before = Number((await ask(SKU, { location: 'DC1' })).available)
  await passMinutes(60)
  await expect
    .poll(async () => Number((await ask(SKU, { location: 'DC1' })).available), WITHIN)
    .toBeLessThan(before - 1)
})

test('reservations are granted no more than that, also when they come one after the other', async () => {
  const available = Math.floor(Number((await ask(SKU, { location: 'DC1' })).available))
  expect((await reserve(SKU, 'DC1', available + 1)).body.code).toBe('inventory.not_available')
  expect((await reserve(SKU, 'DC1', 20)).status).toBe(201)
  await expect.poll(() => stateOf('shop'), WITHIN).toBe('silent')
  expect(await ask(CAPPED, { location: 'DC2' })).toMatchObject({ available: '15', confidence: 'careful' })
  const grants = await Promise.all([8, 8, 7, 7].map((quantity) => reserve(CAPPED, 'DC2', quantity)))
  const granted = grants.flatMap(({ status }, at) => (status === 201 ? [[8, 8, 7, 7][at]!] : []))
  expect(granted.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(15)
  expect(granted.length).toBeGreaterThan(0)
  expect((await reserve(CAPPED, 'DC2', 15)).status).toBe(409)
})

test('what was promised meanwhile is marked, also of orders, and somebody owns the silence', async () => {
  const order = await house.order({ lines: [[LEFT_ALONE, 5]] })
  expect(order.status).toBe(201)
  await expect
    .poll(async () => (await doubts()).filter(({ kind }) => kind === 'order'), WITHIN)
    .toMatchObject([{ location: 'DC1', quantity: 5, outcome: null }])
  expect((await sources()).openDoubts).toBeGreaterThan(1)
  const path = '/experience/control-tower/v1/exceptions?code=inventory.source_silent'
  const { items } = (await house.send('GET', path)).body as unknown as { items: object[] }
  expect(items).toHaveLength(3)
  expect(items[0]).toMatchObject({ owner: 'inventory', severity: 'high' })
  expect(await toldOf()).toEqual([
    { type: 'source.silent', source: 'erp-industrial' },
    { type: 'source.silent', source: 'shop' },
    { type: 'source.silent', source: 'wms' },
  ])
})

const view = async (placed: Placed) =>
  (await house.send('GET', `${O2C}/orders/${placed.body.id}`)).body as unknown as {
    lines: { withheld?: { source: string } }[]
  }

let waiting: Placed
describe('an order is given no more of a silent place than its rule leaves', () => {
  test('and what it lacks waits, says for whom, and is not filled from the books meanwhile', async () => {
    waiting = await house.order({ lines: [[HERE, 35]] })
    expect([waiting.status, waiting.body]).toMatchObject([
      201,
      {
        lines: [
          {
            outcome: 'partially-reserved',
            reserved: '30',
            backordered: '5',
            reason: { code: 'inventory.source_silent', message: expect.stringContaining('wms') as string },
          },
        ],
      },
    ])
    const behind = await house.order({ lines: [[HERE, 1]] })
    expect(behind.body).toMatchObject({ lines: [{ reserved: '0', backordered: '1' }] })
    expect((await view(waiting)).lines).toMatchObject([{ withheld: { source: 'wms' } }])
    const asleep = 'select version from desk.document where doc = $1 and owner is null and due_at > now()'
    const looks = async () => (await house.query<{ version: number }>(asleep, [waiting.doc]))[0]?.version ?? 0
    await expect.poll(looks, WITHIN).toBeGreaterThan(0)
    const before = await looks()
    const cancel = { body: { reason: 'no more' } }
    expect((await house.send('POST', `${O2C}/orders/${behind.body.id}:cancel`, cancel)).status).toBe(202)
    await house.closed(behind)
    await expect.poll(looks, WITHIN).toBeGreaterThan(before)
    expect(await house.lines(waiting)).toMatchObject([{ reserved: 30, backordered: 5 }])
  })

  test('nor is what comes free meanwhile given to who waits', async () => {
    const first = await house.order({ lines: [[FREED, 15]] })
    expect(first.body).toMatchObject({ lines: [{ reserved: '15' }] })
    const second = await house.order({ lines: [[FREED, 5]] })
    expect(second.body['lines']).toMatchObject([{ backordered: '5' }])
    expect(second.body['lines']).not.toMatchObject([{ reason: {} }])
    const cancel = { body: { reason: 'no more' } }
    expect((await house.send('POST', `${O2C}/orders/${first.body.id}:cancel`, cancel)).status).toBe(202)
    await house.closed(first)
    const waits = async () => (await view(second)).lines[0]?.withheld?.source
    await expect.poll(waits, WITHIN).toBe('shop')
    expect(await house.lines(second)).toMatchObject([{ reserved: 0, backordered: 5 }])
  })

  test('nor is any of many that come at once', async () => {
    const orders = await Promise.all(Array.from({ length: 8 }, () => house.order({ lines: [[THERE, 10]] })))
    const lines = []
    for (const order of orders) lines.push(...(await house.lines(order)))
    // a buffer of 10 at the one place, a cap of 15 at the other
    expect(lines.reduce((sum, { reserved }) => sum + reserved, 0)).toBe(30 + 15)
  })
})

test('when it is heard again everything heals by itself', async () => {
  house.count('DC1', LEFT_ALONE, 3)
  await expect.poll(() => stateOf('wms'), WITHIN).toBe('heard')
  expect(await ask(SKU, { location: 'DC1' })).toMatchObject({ available: '80', confidence: 'normal' })
  const silent = (await house.openExceptions('inventory.source_silent')).map(({ cause }) => cause)
  expect(silent.toSorted()).toEqual([
    'inventory.source_silent:erp-industrial:messages',
    'inventory.source_silent:shop:messages',
  ])
  expect(await toldOf()).toContainEqual({ type: 'source.heard', source: 'wms' })
  const ofNorth = (await doubts()).filter(({ location }) => location === 'DC1')
  expect(new Set(ofNorth.map(({ outcome }) => outcome))).toEqual(new Set(['kept']))
  expect(await stateOf('shop')).toBe('silent')
})

test('orders that waited for who is heard are filled by themselves', async () => {
  await expect.poll(() => house.lines(waiting), WITHIN).toMatchObject([{ reserved: 35, backordered: 0 }])
  expect((await view(waiting)).lines[0]!.withheld).toBeUndefined()
  const left = await house.query<{ source: string }>('select distinct source from inventory.withheld')
  expect(left).toEqual([{ source: 'shop' }])
})

test('where a person has to be asked an order is held until one releases it', async () => {
  const held = await house.order({ company: 'NWI', customer: 'C60001', lines: [[ASKED, 5]] })
  expect(held.body).toMatchObject({
    holds: [{ type: 'inventory', reason: expect.stringContaining('DC3') as string, blocks: ['release'] }],
    lines: [{ reserved: '5' }],
  })
  expect(await house.openExceptions('orders.hold.inventory')).toHaveLength(1)
  expect(await doubts()).toContainEqual({ kind: 'order', location: 'DC3', quantity: 5, outcome: null })
  expect((await house.releaseHold(held, 'inventory')).status).toBe(200)
  await house.closed(held)
  expect(await house.lines(held)).toMatchObject([{ shipped: 5 }])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
