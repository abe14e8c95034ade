/** When lots expire is learned from what warehouses tell; the first day stands, and another one is for a person. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { depotVoice, type DepotVoice, type Request } from './depot-voice.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '47501'
const LOTS = '/process/inventory/v1/lots'

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler(
    [{ number: SKU, stock: { DC1: 100 }, item: { lotControlled: true } }],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
}, 60_000)
afterAll(() => house.end())

let told = 0
const receive = (lot: string, expiresOn: string | null) => {
  const sequence = ++told + 1_000
  const request = { doc: 1, location: 'DC1', sku: SKU }
  const facts = { sequence, sku: SKU, lot, expires_on: expiresOn, status: 'AVAIL', qty: 5, uom: 'EA' }
  return depot.tell(request, 'inventory.received', facts)
}
const expiryOf = async (lot: string): Promise<unknown> => {
  const { body } = await house.send('GET', `${LOTS}?company=NWF&sku=${SKU}&location=DC1`)
  return (body['items'] as { lot: string; expiresOn?: string }[]).find((one) => one.lot === lot)?.expiresOn
}
const differing = () => house.openExceptions('inventory.lot_expiry_differs')

test('a receipt says when its lot expires, and another day is told and never written over it, until a person decides', async () => {
  expect(await receive('L1', '2027-05-21')).toBe('applied')
  expect(await expiryOf('L1')).toBe('2027-05-21')
  await receive('L1', null)
  await receive('L1', '2027-05-21')
  expect(await differing()).toEqual([])
  await receive('L1', '2027-06-30')
  expect(await expiryOf('L1')).toBe('2027-05-21')
  expect(await differing()).toMatchObject([
    { title: `wms tells that lot L1 of ${SKU} expires on 2027-06-30; 2027-05-21 is known of it` },
  ])
  const set = { company: 'NWF', sku: SKU, lot: 'L1', expiresOn: '2027-06-30' }
  expect((await house.send('POST', `${LOTS}:set`, { body: set })).status).toBe(200)
  expect(await differing()).toEqual([])
  await receive('L1', '2027-06-30')
  expect([await expiryOf('L1'), await differing()]).toEqual(['2027-06-30', []])
})

test('of two days in one call the first is learned, and the second is told', async () => {
  await depot.together(() => {
    void receive('L2', '2028-01-01')
    void receive('L2', '2028-02-02')
  })
  expect([await expiryOf('L2'), (await differing()).length]).toEqual(['2028-01-01', 1])
})

test('a shipment says it too', async () => {
  await receive('L3', null)
  const order = await house.order({ lines: [[SKU, 3]] })
  const requests = () =>
    house.query<Request>(
      `select id as doc, location, $2::text as sku from shipments.fulfillment where order_id = $1 and state = 'accepted'`,
      [order.doc, SKU],
    )
  await expect.poll(requests, { timeout: 10_000 }).toHaveLength(1)
  const [request] = await requests()
  const content = {
    line_no: 1,
    sku: SKU,
    qty: 3,
    uom: 'EA',
    base_qty: 3,
    lot: 'L3',
    expires_on: '2029-03-03',
  }
  await depot.tell(request!, 'shipment.confirmed', {
    shipment_id: 'VE1',
    final: true,
    carrier: 'SWIFT',
    shipped_at: new Date().toISOString(),
    packages: [{ contents: [content] }],
  })
  expect(await expiryOf('L3')).toBe('2029-03-03')
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
