/** What can be promised on days ahead, asked at the door: by date, day by day, and explained. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import { findItems } from '#domains/items/operations.ts'
import { upsertSupply } from '#domains/supply/operations.ts'
import { units } from '#platform/quantity.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import type { Reply } from './front-door.ts'

const SKU = '44001'
const [SOON, LATER] = ['2999-02-01', '2999-03-01']

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 100 } }], [{ number: '500001' }])
  const { database } = house.app
  const [item] = (await findItems(database, [{ company: 'NWF', sku: SKU }])).values()
  const line = (number: string, expectedOn: string, count: number) => ({
    number,
    line: 1,
    supplier: 'ACME',
    itemId: item!.id,
    sku: SKU,
    location: 'DC1',
    ordered: units(count),
    received: 0,
    cancelled: 0,
    expectedOn,
    changedAt: new Date('2026-03-02T09:00:00Z'),
  })
  const reading = { company: 'NWF', source: 'erp-legacy', asOf: new Date('2026-03-02T09:00:00Z') }
  const lines = [line('PO-1', SOON, 40), line('PO-2', LATER, 60), line('PO-3', '2020-01-01', 500)]
  await database.transaction((tx) => upsertSupply(tx, reading, lines))
}, 60_000)
afterAll(() => house.end())

type Answered = Reply & { readonly body: AvailabilityAnswer }
const ask = async (more: object) =>
  (await house.send('POST', '/process/available-to-promise/v1/availability:query', {
    body: { company: 'NWF', location: 'DC1', maxAgeMs: 0, items: [{ sku: SKU, quantity: '140' }], ...more },
  })) as Answered

test('now there is the stock of today, and on a day ahead what comes until then as well', async () => {
  const [now, soon] = [(await ask({})).body, (await ask({ date: SOON })).body]
  expect(now.items[0]).toMatchObject({ available: '100', asked: { canBePromised: false } })
  expect(soon).toMatchObject({ date: SOON, formula: { version: 4 } })
  expect(soon.items[0]).toMatchObject({ available: '140', asked: { canBePromised: true } })
})

test('the days on which there is more are told with how much', async () => {
  const { body } = await ask({ dates: true })
  const days = body.items[0]!.places[0]!.dates!
  expect(days.slice(1)).toEqual([
    { date: SOON, available: '140' },
    { date: LATER, available: '200' },
  ])
  expect(days[0]!.available).toBe('100')
})

test('an explanation tells what is expected apart, and its steps add up', async () => {
  const { explain } = (await ask({ date: LATER, explain: true })).body.items[0]!.places[0]!
  expect(explain).toMatchObject({ onHand: '100', coming: '100' })
  expect(explain!.steps).toEqual([
    { what: 'on hand', change: '100', leaves: '100' },
    { what: 'expected until the date', change: '100', leaves: '200' },
  ])
})

test('when supply is moved, so is what can be promised', async () => {
  await house.app.database.transaction(async (tx) => {
    const [item] = (await findItems(tx, [{ company: 'NWF', sku: SKU }])).values()
    const asOf = new Date('2026-03-03T09:00:00Z')
    await upsertSupply(tx, { company: 'NWF', source: 'erp-legacy', asOf }, [
      {
        number: 'PO-1',
        line: 1,
        supplier: 'ACME',
        itemId: item!.id,
        sku: SKU,
        location: 'DC1',
        ordered: units(40),
        received: 0,
        cancelled: units(40),
        expectedOn: SOON,
        changedAt: asOf,
      },
    ])
  })
  expect((await ask({ date: SOON })).body.items[0]!.available).toBe('100')
})

test('a day that has passed, and one that is none, are refused by field', async () => {
  const past = await ask({ date: '2020-01-01' })
  expect([past.status, past.body.code]).toEqual([422, 'inventory.date_past'])
  expect(past.body['errors']).toMatchObject([{ pointer: '/date' }])
  expect((await ask({ date: '2026-02-31' })).body.code).toBe('http.invalid')
})
