/** What people count on paper while a warehouse is away, and what its own system counts later: in the books once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HandView } from '#domains/inventory/contract/by-hand.ts'
import { bearer } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const COUNTED = Array.from({ length: 8 }, (_, at) => String(47_201 + at))
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    COUNTED.map((number) => ({ number, stock: { DC1: 20 } })),
    [{ number: '500001' }],
  )
}, 60_000)
afterAll(() => house.end())

const stockOf = async (sku: string) =>
  (
    await house.query<{ there: number }>(
      `select available + unreconciled as there from inventory.position p join items.item i on i.id = p.item_id
       where sku = $1 and location = 'DC1' and lot = ''`,
      [sku],
    )
  )[0]!
const listed = async (state: string): Promise<HandView[]> =>
  (await house.send('GET', `/process/inventory/v1/by-hand?company=NWF&state=${state}&limit=200`)).body[
    'items'
  ] as HandView[]

describe('a count by paper', () => {
  const count = (sku: string, kind: string, quantity: string) =>
    house.send('POST', '/process/inventory/v1/adjustments', {
      body: {
        company: 'NWF',
        reason: 'outage',
        reference: 'sheet 3',
        lines: [{ kind, sku, location: 'DC1', quantity }],
      },
    })
  const told = async (sku: string, delta: number): Promise<void> => {
    house.landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku, delta, reason: 'COUNT' })
    const counts = () =>
      house.query(
        `select from inbox.message where body::text like $1 and state in ('applied', 'superseded')`,
        [`%inventory.adjusted%${sku}%`],
      )
    const before = (await counts()).length
    await expect.poll(async () => (await counts()).length, WITHIN).toBeGreaterThanOrEqual(Math.max(1, before))
  }

  test('that the warehouse counts the same of books once', async () => {
    const sku = COUNTED.shift()!
    expect((await count(sku, 'counted', '15')).status).toBe(201)
    await told(sku, -5)
    await expect
      .poll(() => listed('open').then((rows) => rows.filter((row) => row.sku === sku)), WITHIN)
      .toEqual([])
    expect((await stockOf(sku)).there).toBe(15)
    expect(await house.openExceptions('inventory.by_hand_differs')).toEqual([])
  })

  test('that the warehouse counts otherwise books the difference once, and is told with both sides', async () => {
    const sku = COUNTED.shift()!
    await count(sku, 'counted', '15')
    await told(sku, -7)
    await expect.poll(() => stockOf(sku).then(({ there }) => there), WITHIN).toBe(13)
    expect(await house.openExceptions('inventory.by_hand_differs')).toMatchObject([
      { title: expect.stringContaining(`a count of -7 of ${sku} at DC1, where people entered -5`) },
    ])
  })

  test('that waits for another person is booked once, whoever speaks first', async () => {
    const [first, second, third] = [COUNTED.shift()!, COUNTED.shift()!, COUNTED.shift()!]
    const bob = bearer(await house.key({ client: 'bob', scopes: ['process.adjustments:approve'] }))
    const lines = [first, second, third].map((sku) => ({
      kind: 'counted',
      sku,
      location: 'DC1',
      quantity: '500',
    }))
    const { status, body } = await house.send('POST', '/process/inventory/v1/adjustments', {
      body: { company: 'NWF', reason: 'outage', reference: 'sheet 9', lines },
    })
    expect([status, body['state']]).toEqual([202, 'pending'])
    for (const [sku, delta] of [
      [first, 480],
      [second, 470],
    ] as const)
      house.landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku, delta, reason: 'COUNT' })
    await expect.poll(() => stockOf(second).then(({ there }) => there), WITHIN).toBe(490)
    const decided = await house.send('POST', `/process/inventory/v1/adjustments/${body.id}:approve`, {
      body: { reason: 'seen' },
      headers: bob,
    })
    expect(decided.status).toBe(200)
    const there = async () =>
      (await Promise.all([first, second, third].map((sku) => stockOf(sku)))).map((one) => one.there)
    expect(await there()).toEqual([500, 490, 500])
    house.landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku: third, delta: 480, reason: 'COUNT' })
    await expect
      .poll(async () => (await listed('open')).filter(({ sku }) => sku === third), WITHIN)
      .toEqual([])
    expect(await there()).toEqual([500, 490, 500])
  })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
