/** The door of availability: the figures that reservations are checked against, and refusals by field. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bearer, type FrontDoor, openFrontDoor, shipsAtOnce } from './front-door.ts'

const PATH = '/process/available-to-promise/v1/availability'

let door: FrontDoor
let stranger: Readonly<Record<string, string>>
beforeAll(async () => {
  door = await openFrontDoor()
  stranger = bearer(await door.key({ client: 'portal', scopes: ['process.orders:read'] }))
}, 60_000)
afterAll(() => door.end())

type Figures = {
  sku: string
  location: string
  onHand: string
  onHold: string
  reserved: string
  available: string
}
const ask = async (query: string): Promise<Figures[]> =>
  (await door.send('GET', `${PATH}?${query}&maxAgeMs=0`)).body['items'] as Figures[]
const sum = (rows: readonly Figures[], figure: 'reserved' | 'available') =>
  rows.reduce((total, row) => total + Number(row[figure]), 0)

test('what an order reserves can no longer be promised, and the formula holds in each row', async () => {
  const order = door.next((one) => shipsAtOnce(one) && one.lines.length === 1)
  const query = `company=${order.company}&sku=${order.lines[0]!.item}`
  const before = await ask(query)
  expect((await door.submit(order)).status).toBe(201)
  const after = await ask(query)
  expect(sum(after, 'available')).toBeLessThan(sum(before, 'available'))
  for (const { onHand, onHold, reserved, available } of after) {
    expect(Number(available)).toBe(Math.max(0, Number(onHand) - Number(onHold) - Number(reserved)))
  }
})

test('each item is told at each location, or at the one that is asked for', async () => {
  const [first, second] = door.landscape.world.items.filter((item) => item.company === 'NWF')
  const all = await ask(`company=NWF&sku=${first!.number}&sku=${second!.number}`)
  const places = new Set(all.map((row) => row.location))
  expect(all).toHaveLength(2 * places.size)
  const one = await ask(`company=NWF&sku=${first!.number}&location=${[...places][0]!}`)
  expect(one.map((row) => [row.sku, row.location])).toEqual([[first!.number, [...places][0]!]])
})

test.each([
  ['company=NOPE&sku=10012', 'inventory.company_unknown', '/query/company'],
  ['company=NWF&sku=10012&sku=nope', 'inventory.item_unknown', '/query/sku/1'],
  ['company=NWF&sku=10012&location=nope', 'inventory.location_unknown', '/query/location'],
])('%s is refused with %s', async (query, code, pointer) => {
  const refused = await door.send('GET', `${PATH}?${query}`)
  expect([refused.status, refused.body.code]).toEqual([422, code])
  expect(refused.body['errors']).toMatchObject([{ pointer }])
})

test('no item, more than fifty, and a caller without the scope are refused', async () => {
  const skus = Array.from({ length: 51 }, () => 'sku=10012').join('&')
  expect((await door.send('GET', `${PATH}?company=NWF`)).body.code).toBe('http.invalid')
  expect((await door.send('GET', `${PATH}?company=NWF&${skus}`)).body.code).toBe('http.invalid')
  expect((await door.send('GET', `${PATH}?company=NWF&sku=10012`, { headers: stranger })).status).toBe(403)
})
