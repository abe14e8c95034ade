/** A warehouse system is away: papers go on for it, and when it is back its own facts are matched to them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest } from '#tests/support/house-query.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'

const WITHIN = { timeout: 20_000, interval: 50 }
const INVENTORY = '/process/inventory/v1'
const [SAME, LESS, LOST] = ['47401', '47402', '47403'] as const

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [SAME, LESS, LOST].map((number) => ({ number, stock: { DC1: 20 } })),
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: 0, shipAfterMs: 0 } } },
  )
}, 60_000)
afterAll(() => house.end())

const requestOf = async ({ doc }: Placed): Promise<string> => {
  const ask = () =>
    house.query<{ id: number }>('select id from shipments.fulfillment where order_id = $1', [doc])
  await expect.poll(ask, WITHIN).toHaveLength(1)
  return `F-${(await ask())[0]!.id}`
}
const shippedOn = async (request: string, quantity: number) => {
  const at = new Date().toISOString()
  const lines = [{ line: 1, quantity: String(quantity) }]
  const paper = {
    company: 'NWF',
    kind: 'shipped',
    request,
    reference: `note ${request}`,
    at,
    final: true,
    lines,
  }
  const { status } = await house.send('POST', `${INVENTORY}/by-hand`, { body: paper })
  expect(status).toBe(201)
}
const outcomes = async (): Promise<unknown> => {
  const { body } = await house.send('GET', `${INVENTORY}/by-hand?company=NWF`)
  const rows = body['items'] as { sku: string; outcome?: string }[]
  return Object.fromEntries(rows.map(({ sku, outcome = 'open' }) => [sku, outcome]))
}
const onShelf = async (sku: string): Promise<number> =>
  (
    await house.query<{ there: number }>(
      `select available + unreconciled as there from inventory.position p join items.item i on i.id = p.item_id
       where sku = $1 and location = 'DC1' and lot = ''`,
      [sku],
    )
  )[0]!.there

test('orders ship and are billed by paper while it is away, and what it tells later is matched, differs, or stays open', async () => {
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable' })
  const orders: Placed[] = []
  for (const sku of [SAME, LESS, LOST])
    orders.push(await house.order({ lines: [[sku, 6]], shippingRule: 'cancel-rest' }))
  const [same, less, lost] = await Promise.all(orders.map(requestOf))
  await shippedOn(same!, 6)
  await shippedOn(less!, 5)
  await shippedOn(lost!, 6)
  const counted = { kind: 'counted', sku: LOST, location: 'DC1', quantity: '13' }
  const sheet = { company: 'NWF', reason: 'outage', reference: 'sheet 1', lines: [counted] }
  expect((await house.send('POST', `${INVENTORY}/adjustments`, { body: sheet })).status).toBe(201)
  const invoices = () =>
    house.query<{ order: number }>('select order_id as order from billing.invoice order by 1')
  await expect.poll(invoices, WITHIN).toEqual(orders.map(({ doc }) => ({ order: doc })))
  expect(await Promise.all([SAME, LESS, LOST].map(onShelf))).toEqual([14, 15, 13])

  house.landscape.wms.faults.clear()
  await expect
    .poll(outcomes, { ...WITHIN, timeout: 40_000 })
    .toMatchObject({ [SAME]: 'known', [LESS]: 'differs' })
  // what the warehouse knows now: it shipped what the requests asked for, and has not counted
  expect(await Promise.all([SAME, LESS].map(onShelf))).toEqual([14, 14])
  expect(await house.openExceptions('shipments.by_hand_differs')).toMatchObject([
    { cause: `shipments.by_hand_differs:${less}` },
  ])
  house.landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku: LOST, delta: -1, reason: 'COUNT' })
  await expect.poll(outcomes, WITHIN).toEqual({ [SAME]: 'known', [LESS]: 'differs', [LOST]: 'known' })
  expect(await onShelf(LOST)).toBe(13)
  await atRest(house.query)
  expect(await violationsAtRest(house.query)).toEqual([])
  const shipped = await house.query<{ quantity: number }>(
    'select sum(quantity) as quantity from shipments.shipment_line group by item_id order by item_id',
  )
  expect(shipped.map(({ quantity }) => quantity)).toEqual([6, 5, 6])
}, 90_000)
