/** Where an order goes and when: what it says of its own reaches the warehouse and the ERP, or a person where it lacks something. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const FOOD = '37001'
const PART = '47001'
const GROCER = '500001'
const WORKSHOP = 'C50001'
const HOMELESS = '500002'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: FOOD, stock: { DC1: 50 } },
      { number: PART, company: 'NWI', stock: { DC1: 50 } },
    ],
    [{ number: GROCER }, { number: WORKSHOP, company: 'NWI' }, { number: HOMELESS }],
  )
}, 60_000)
afterAll(() => house.end())

const PIER = {
  name: 'Harbor Fair',
  lines: ['12 Pier Rd', 'Stand 4'],
  city: 'Boston',
  postalCode: '02110',
  country: 'US',
}
const WITHIN = { timeout: 10_000 }
const holdsOf = async (order: Placed) =>
  (await house.holdsOf(order)).map(({ type, reason }) => [type, reason])
async function shippedTo({ doc }: Placed): Promise<object[]> {
  const requests = await house.query<{ number: string }>(
    `select 'F-' || id as number from shipments.fulfillment where order_id = $1`,
    [doc],
  )
  const { orders } = house.landscape.wms.truth()
  return requests.map(({ number }) => orders.find(({ external_ref }) => external_ref === number)!.ship_to)
}

describe.each([
  ['legacy', 'NWF', GROCER, FOOD],
  ['cloud', 'NWI', WORKSHOP, PART],
] as const)('at the %s ERP', (kind, company, customer, sku) => {
  const erp = () => (kind === 'legacy' ? house.landscape.legacyErp : house.landscape.cloudErp)
  const orderedTo = ({ body }: Placed) =>
    erp()
      .truth()
      .orders.find(({ reference }) => reference === body.id)!.shipTo

  test('an address of the order stands where it stands at the warehouse, also after a look', async () => {
    erp().faults.set({ kind: 'server-error', operation: 'createOrder', times: 1 })
    const order = await house.order({ company, customer, shipTo: PIER, lines: [[sku, 1]] })
    expect(order.body['outcome']).toBe('accepted')
    await expect.poll(() => house.stageOf(order), { timeout: 30_000 }).toBe('closed')
    expect(orderedTo(order)).toBe('Harbor Fair, 12 Pier Rd, Stand 4, 02110 Boston, US')
    expect(JSON.stringify(await shippedTo(order))).toContain('12 Pier Rd')
  }, 40_000)

  test('an address of the customer is named by its code', async () => {
    const order = await house.order({ company, customer, lines: [[sku, 1]] })
    await house.closed(order)
    expect(orderedTo(order)).toBe('01')
  })
})

test('an address that lacks something holds its order before the release, until a person says go', async () => {
  const { city: _, ...nowhere } = PIER
  const order = await house.order({ customer: GROCER, shipTo: nowhere, lines: [[FOOD, 1]] })
  expect(order.body['outcome']).toBe('accepted-with-holds')
  expect(await holdsOf(order)).toEqual([['address', 'The ship-to address lacks a city']])
  const posted = async () =>
    (
      await house.query('select 1 from orders.sales_order where id = $1 and erp_number is not null', [
        order.doc,
      ])
    ).length
  await expect.poll(posted, WITHIN).toBe(1)
  expect(await house.lines(order)).toMatchObject([{ reserved: 1, released: 0 }])
  expect(await house.openExceptions('orders.hold.address')).toHaveLength(1)
  await house.releaseHold(order, 'address')
  await house.closed(order)
  expect(await house.openExceptions('orders.hold.address')).toEqual([])
})

test("so does an address of the customer's that the ERP knows only in part", async () => {
  await house.query(
    `update customers.address set lines = '{}', postal_code = '' where customer_id =
       (select id from customers.customer where number = $1)`,
    [HOMELESS],
  )
  const order = await house.order({ customer: HOMELESS, lines: [[FOOD, 1]] })
  expect(await holdsOf(order)).toEqual([['address', 'The ship-to address lacks a street and a postal code']])
})

test('an order without a date is wanted when the first of its lines is', async () => {
  const line = { sku: FOOD, quantity: '1', unit: 'EA' }
  const lines = ['2026-12-09', '2026-12-07'].map((requestedDate, at) => ({
    ...line,
    line: String(at),
    requestedDate,
  }))
  const body = { company: 'NWF', customer: GROCER, customerOrder: 'DATED-1', lines }
  const { id } = (await house.send('POST', `${O2C}/orders`, { body })).body
  expect((await house.send('GET', `${O2C}/orders/${id}`)).body).toMatchObject({ requestedDate: '2026-12-07' })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
