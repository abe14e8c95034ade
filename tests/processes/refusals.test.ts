/** What is refused as a whole, each with the code and the place that say why; and what a warehouse tells that cannot be. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '37001', stock: { DC1: 50 } },
      { number: '37002', stock: { DC1: 50 }, item: { discontinued: true } },
    ],
    [{ number: '500001' }, { number: '500002' }],
  )
  await house.query("update customers.customer set status = 'blocked' where number = '500002'")
}, 60_000)
afterAll(() => house.end())

const line = { line: '1', sku: '37001', quantity: '1', unit: 'EA' }
const order = { company: 'NWF', customer: '500001', customerOrder: 'R-1', lines: [line] }

test.each([
  ['of a customer that the ERP has blocked', { customer: '500002' }, 'orders.customer_blocked', '/customer'],
  [
    'in another currency than the customer buys in',
    { currency: 'EUR' },
    'orders.currency_mismatch',
    '/currency',
  ],
  [
    'to an address code that the customer does not have',
    { shipTo: { code: 'MOON' } },
    'orders.address_unknown',
    '/shipTo/code',
  ],
  [
    'with a line number that stands twice',
    { lines: [line, { ...line, sku: '37002' }] },
    'orders.line_repeated',
    '/lines',
  ],
])('an order %s is refused', async (_, change, code, pointer) => {
  const { status, body } = await house.send('POST', `${O2C}/orders`, { body: { ...order, ...change } })
  expect([status, body.code]).toEqual([422, code])
  expect(body['errors']).toMatchObject([{ pointer }])
})

test('an order of which no line can be sold is refused with the reason of each line', async () => {
  const lines = [
    { ...line, sku: 'NOWHERE' },
    { ...line, line: '2', sku: '37002' },
    { ...line, line: '3', unit: 'CA', quantity: '1.5' },
  ]
  const { status, body } = await house.send('POST', `${O2C}/orders`, { body: { ...order, lines } })
  expect([status, body.code]).toEqual([422, 'orders.nothing_acceptable'])
  expect(body['errors']).toMatchObject([
    { pointer: '/lines/0', code: 'items.unknown' },
    { pointer: '/lines/1', code: 'orders.item_discontinued' },
    { pointer: '/lines/2', code: 'items.quantity_not_whole' },
  ])
})

describe('a shipment', () => {
  let told = 0
  function tell(system: string, facts: object): Promise<Response> {
    told += 1
    const at = new Date(Date.now()).toISOString()
    const event = {
      event_id: `X${told}`,
      transaction_id: `X${told}`,
      sequence: 1_000 + told,
      type: 'shipment.confirmed',
      occurred_at: at,
      shipped_at: at,
      wms_order_id: 'OB1',
      owner: 'NWF',
      site: 'DC1',
      order_sequence: 1,
      shipment_id: `SX${told}`,
      final: true,
      carrier: 'SWIFT',
      service: 'GROUND',
      packages: [],
      short_lines: [],
      ...facts,
    }
    const body = JSON.stringify({ delivery_id: `D${told}`, sent_at: at, events: [event] })
    const t = Math.floor(Date.now() / 1_000)
    const v1 = createHmac('sha256', 'wms-secret').update(`${t}.${body}`).digest('hex')
    const headers = {
      'content-type': 'application/json',
      'x-depot-delivery': `D${told}`,
      'x-depot-signature': `t=${t},v1=${v1}`,
    }
    return fetch(`${house.url}/system/${system}/v1/events`, { method: 'POST', headers, body })
  }
  const outcomeOf = async (response: Response) =>
    ((await response.json()) as { messages: { outcome: string }[] }).messages.map(({ outcome }) => outcome)

  test('of a request that we never sent is parked with an owner', async () => {
    expect(await outcomeOf(await tell('wms', { external_ref: 'F-999999999' }))).toEqual(['parked'])
    expect(await house.openExceptions('shipments.fulfillment_unknown')).toHaveLength(1)
  })

  test('of something else than was asked for, or of more, is parked and books nothing', async () => {
    await house.query("update customers.customer set credit_hold = false where number = '500001'")
    house.landscape.wms.faults.set({ kind: 'webhook-delay', ms: 5_000 })
    const released = async () => {
      const placed = await house.order({ lines: [['37001', 2]] })
      const requests = () =>
        house.query<{ id: number }>('select id from shipments.fulfillment where order_id = $1', [placed.doc])
      await expect.poll(requests, { timeout: 10_000 }).toHaveLength(1)
      return { placed, request: (await requests())[0]!.id }
    }
    const contents = (request: number, sku: string, qty: number) => ({
      external_ref: `F-${request}`,
      packages: [
        {
          sscc: '1',
          tracking_number: 'T1',
          weight_kg: 1,
          contents: [
            {
              line_no: 1,
              sku,
              qty,
              uom: 'EA',
              base_qty: qty,
              lot: null,
              expires_on: null,
              catch_weight_kg: null,
            },
          ],
        },
      ],
    })
    const [strange, excessive] = [await released(), await released()]
    expect(await outcomeOf(await tell('wms', contents(strange.request, '37002', 1)))).toEqual(['parked'])
    expect(await outcomeOf(await tell('wms', contents(excessive.request, '37001', 3)))).toEqual(['parked'])
    expect(await house.openExceptions('shipments.line_unknown')).toHaveLength(2)
    for (const { placed } of [strange, excessive])
      expect(await house.lines(placed)).toMatchObject([{ released: 2, shipped: 0 }])
    house.landscape.wms.faults.clear()
  })

  test('of what is known by its lot, told without one, is booked and somebody asks for the lot', async () => {
    await house.query("update items.item set lot_controlled = true where sku = '37001'")
    const placed = await house.order({ lines: [['37001', 1]] })
    await house.closed(placed)
    await house.query("update items.item set lot_controlled = false where sku = '37001'")
    await house.closed(await house.order({ lines: [['37001', 1]] }))
    expect(await house.openExceptions('shipments.lot_missing')).toMatchObject([
      { title: 'DC1 ships 37001 without saying which lots' },
    ])
    const affected = await house.query(
      `select a.doc from exceptions.affected a join exceptions.exception e on e.id = a.exception
       join shipments.shipment s on s.id = a.doc where e.code = 'shipments.lot_missing' and s.order_id = $1`,
      [placed.doc],
    )
    expect(affected).toHaveLength(1)
  })

  test('told to a system that nobody configured is not found', async () => {
    const response = await tell('nobody', { external_ref: 'F-1' })
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      404,
      'inbound.system_unknown',
    ])
  })
})
