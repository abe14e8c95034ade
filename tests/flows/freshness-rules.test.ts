/** A freshness rule that a person sets at one process while it runs: how another answers and promises by it at once. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openWholesaler, type Placed, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { type FrontDoor, openFrontDoor } from '#tests/routes/front-door.ts'

const ATP = '/process/available-to-promise/v1'
const RULES = '/process/inventory/v1/freshness-rules'
const SKUS = ['44001', '44002', '44003', '44004', '44005', '44006'] as const
const [ASKED, RESERVED, ORDERED, LOOSENED, FREED, SOLD] = SKUS
/** Processes look two or three times a second; what is beyond that in a test is the machine's. */
const A_SECOND_MS = 1_000
const LONG = { timeout: 25_000, interval: 50 }
const SOON = { timeout: 25_000, interval: 20 }

let worker: Wholesaler
let doors: FrontDoor
beforeAll(async () => {
  worker = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 100 } })),
    // held for credit, so that the warehouse is asked for nothing and has nothing to tell
    [{ number: '500001', creditLimitMinor: 1 }],
    { config: { publishing: { channels: ['shop'] } } },
  )
  doors = await openFrontDoor({ beside: worker, config: { role: 'api' } })
  worker.app.keepUp()
  doors.app.keepUp()
}, 60_000)
afterAll(async () => {
  await doors.end()
  await worker.end()
})

/** Of what its memory has, as callers ask who do not insist on the last state. */
async function placeOf(house: FrontDoor, sku: string = ASKED, more: object = {}) {
  const body = { company: 'NWF', location: 'DC1', ...more, items: [{ sku }] }
  const reply = await house.send('POST', `${ATP}/availability:query`, { body })
  const [item] = reply.body['items'] as {
    places: { available: string; confidence: string; careful?: { rule: string } }[]
  }[]
  return item!.places[0]!
}
const asked = async (house: FrontDoor): Promise<number> => Number((await placeOf(house)).available)

let keys = 0
const reserve = async (house: FrontDoor, sku: string, quantity: number) =>
  (
    await house.send('POST', `${ATP}/reservations`, {
      key: `cart-${++keys}`,
      body: {
        company: 'NWF',
        channel: 'portal',
        reference: 'cart',
        kind: 'firm',
        location: 'DC1',
        lines: [{ line: '1', sku, quantity: String(quantity), unit: 'EA' }],
      },
    })
  ).status

const SILENT = { source: 'tax', flow: 'readings', reason: 'nobody reaches it' }
/** A source that tells nothing is past this at once. */
const PAST = { ...SILENT, minutes: 0.001, locations: ['DC1'] }
async function change(house: FrontDoor, verb: 'set' | 'withdraw', body: object): Promise<void> {
  const reply = await house.send('POST', `${RULES}:${verb}`, { key: `rule-${++keys}`, body })
  expect([reply.status, reply.body]).toEqual([200, expect.anything()])
}
/** From then on it is known, and silent for longer than it may be. */
async function fallSilent(rule: object): Promise<void> {
  await change(worker, 'set', { ...PAST, minutes: 10, rule: 'zero' })
  await worker.query(`update inventory.source_state set heard_at = now() - interval '1 minute'`)
  await change(worker, 'set', { ...PAST, ...rule })
}

test('without a rule every process answers by the books', async () => {
  for (const house of [worker, doors])
    await vi.waitFor(async () => expect(await asked(house)).toBe(100), LONG)
})

test('another process answers by a rule within a second of its being set, changed and withdrawn', async () => {
  const latenciesMs: number[] = []
  /** How long after the command was answered. */
  async function seen(house: FrontDoor, available: number): Promise<void> {
    const startedMs = performance.now()
    await vi.waitFor(async () => expect(await asked(house)).toBe(available), SOON)
    latenciesMs.push(performance.now() - startedMs)
  }
  await fallSilent({ rule: 'cap', most: '25' })
  await seen(doors, 25)
  expect(await placeOf(doors)).toMatchObject({ confidence: 'careful', careful: { rule: 'cap' } })
  // read from the database
  expect(await placeOf(doors, ASKED, { customer: '500001' })).toMatchObject({ available: '25' })

  await change(doors, 'set', { ...PAST, rule: 'buffer', least: '40', factor: 0 })
  await seen(worker, 60)
  await change(worker, 'set', { ...PAST, minutes: 600, rule: 'zero' })
  await seen(doors, 100)
  await change(worker, 'set', { ...PAST, rule: 'zero' })
  await seen(doors, 0)
  await change(worker, 'withdraw', SILENT)
  await seen(doors, 100)
  expect(await placeOf(doors)).toMatchObject({ confidence: 'normal' })
  expect(latenciesMs.toSorted((a, b) => a - b)[2]).toBeLessThan(A_SECOND_MS)
})

test('another process reserves no more than the rule leaves, and as before without it', async () => {
  await fallSilent({ rule: 'cap', most: '25' })
  const doubts = () => worker.query('select quantity::float8, outcome from inventory.doubt')
  await vi.waitFor(async () => {
    expect(await reserve(doors, RESERVED, 1)).toBe(201)
    expect(await doubts()).toMatchObject([{ quantity: 1, outcome: null }])
  }, SOON)
  expect(await reserve(doors, RESERVED, 25)).toBe(409)
  expect(await reserve(doors, RESERVED, 24)).toBe(201)
  expect(await reserve(doors, RESERVED, 1)).toBe(409)
  await change(worker, 'withdraw', SILENT)
  expect(await reserve(doors, RESERVED, 10)).toBe(201)
  // what was promised by the rule is checked as if the source had been heard
  const outcomes = (await doubts()).map((doubt) => (doubt as { outcome: string }).outcome)
  expect(outcomes).toEqual(['kept', 'kept'])
})

const lineOf = async (placed: Placed) => {
  const [line] = await worker.lines(placed)
  return { reserved: line!.reserved, backordered: line!.backordered }
}

test('another process gives an order nothing once a rule says so', async () => {
  await fallSilent({ rule: 'zero' })
  const lines = [{ line: '1', sku: ORDERED, quantity: '1', unit: 'EA' }]
  const body = () => ({ company: 'NWF', customer: '500001', customerOrder: `D-${++keys}`, lines })
  const path = '/process/order-to-cash/v1/orders'
  await vi.waitFor(async () => {
    const order = await doors.send('POST', path, { key: `order-${++keys}`, body: body() })
    const reason = { code: 'inventory.source_silent' }
    expect(order.body['lines']).toMatchObject([{ reserved: '0', backordered: '1', reason }])
  }, SOON)
  await change(worker, 'withdraw', SILENT)
})

const published = async () => {
  const [event] = await worker.query<{ available: string }>(
    `select data ->> 'available' as available from log.event
     where type = 'availability.changed' and data ->> 'sku' = $1 order by recorded_at desc, key_version desc limit 1`,
    [ASKED],
  )
  return event?.available
}

test('channels are told what another rule leaves as soon as it is set', async () => {
  await vi.waitFor(async () => expect(await published()).toBe('100'), LONG)
  await fallSilent({ rule: 'cap', most: '25' })
  await vi.waitFor(async () => expect(await published()).toBe('25'), LONG)
  await change(worker, 'set', { ...PAST, rule: 'cap', most: '12' })
  await vi.waitFor(async () => expect(await published()).toBe('12'), LONG)
  await change(worker, 'withdraw', SILENT)
  await vi.waitFor(async () => expect(await published()).toBe('100'), LONG)
})

test('an order waits for what the rule withholds, and is filled by a looser one, or when it is withdrawn', async () => {
  await fallSilent({ rule: 'cap', most: '10' })
  const waiting = await worker.order({ lines: [[LOOSENED, 30]] })
  const freed = await worker.order({ lines: [[FREED, 30]] })
  expect(await lineOf(waiting)).toEqual({ reserved: 10, backordered: 20 })
  expect(waiting.body['lines']).toMatchObject([{ reason: { code: 'inventory.source_silent' } }])

  await change(doors, 'set', { ...PAST, rule: 'cap', most: '25' })
  await vi.waitFor(async () => expect(await lineOf(waiting)).toEqual({ reserved: 25, backordered: 5 }), LONG)
  await change(doors, 'withdraw', SILENT)
  for (const one of [waiting, freed])
    await vi.waitFor(async () => expect(await lineOf(one)).toEqual({ reserved: 30, backordered: 0 }), LONG)
  expect(await worker.query('select from inventory.withheld')).toEqual([])
})

test('what an hour sold is counted when a rule that needs it begins in the middle of a silence', async () => {
  await worker.query(
    `insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
     select 'NWF', id, 'DC1', 'available', 'shipped', 48, 'ship', 'test', 'test', now() from items.item where sku = $1`,
    [SOLD],
  )
  await fallSilent({ rule: 'cap', most: '25' })
  await vi.waitFor(async () => expect((await placeOf(doors, SOLD)).available).toBe('25'), SOON)
  // two an hour on the day before, a minute ago
  await change(doors, 'set', { ...PAST, rule: 'buffer', least: '0', factor: 60 })
  await vi.waitFor(async () => {
    const available = Number((await placeOf(worker, SOLD)).available)
    expect(available).toBeLessThanOrEqual(98)
    expect(available).toBeGreaterThan(90)
  }, SOON)
  await change(doors, 'withdraw', SILENT)
})

test('nobody complains', () => expect([worker.complaints, doors.complaints]).toEqual([[], []]))
