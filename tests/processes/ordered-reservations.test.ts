/** An order that names a reservation takes over what it keeps, and nobody is granted that twice. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReservationAnswer } from '#domains/inventory/contract/reservations.ts'
import { bearer, O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const PATH = '/process/available-to-promise/v1/reservations'
const SKUS = Array.from({ length: 8 }, (_, at) => String(43_001 + at))
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 10 } })),
    [{ number: '500001' }],
  )
}, 60_000)
afterAll(() => house.end())

const next = (): string => SKUS.shift()!

async function reserve(sku: string, quantity: number, headers = {}): Promise<string> {
  const line = { line: '1', sku, quantity: String(quantity), unit: 'EA' }
  const body = { company: 'NWF', channel: 'portal', reference: 'cart', kind: 'firm', lines: [line] }
  return (await house.send('POST', PATH, { body, headers })).body.id
}

const lineOf = async (id: string) => {
  const { body } = await house.send('GET', `${PATH}/${id}`)
  return (body as unknown as ReservationAnswer).lines[0]!
}

let orders = 0
async function order(
  reservationId: string,
  lines: readonly (readonly [string, number])[],
  {
    headers = {},
    ...more
  }: {
    headers?: Record<string, string>
    customerOrder?: string
    shippingRule?: string
  } = {},
): Promise<Placed> {
  const body = {
    company: 'NWF',
    customer: '500001',
    customerOrder: `R-${++orders}`,
    ...more,
    reservationId,
    lines: lines.map(([sku, quantity], at) => ({
      line: String(at + 1),
      sku,
      quantity: String(quantity),
      unit: 'EA',
    })),
  }
  const reply = await house.send('POST', `${O2C}/orders`, { body, headers })
  return { ...reply, doc: reply.status < 300 ? Number(reply.body.id.slice(2)) : Number.NaN }
}

const positionOf = async (sku: string) => {
  const [row] = await house.query<{ available: number; reserved: number }>(
    `select p.available::float8 as available, p.reserved::float8 as reserved
     from inventory.position p join items.item i on i.id = p.item_id where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
    [sku],
  )
  return row!
}
const faultOf = ({ status, body }: Placed) => [status, body.code]

test('ships what the reservation kept although nothing else is free', async () => {
  const sku = next()
  const id = await reserve(sku, 10)
  const other = await house.order({ shippingRule: 'line-complete', lines: [[sku, 1]] })
  expect(other.body).toMatchObject({ outcome: 'backordered' })
  const placed = await order(id, [
    [sku, 4],
    [sku, 2],
  ])
  expect(placed.body).toMatchObject({ outcome: 'accepted', lines: [{ reserved: '4' }, { reserved: '2' }] })
  await house.closed(placed)
  expect(await lineOf(id)).toMatchObject({ granted: '10', open: '4', committed: '6' })
  expect(await positionOf(sku)).toEqual({ available: 4, reserved: 4 })
})

test('is given of free stock what the reservation does not keep, and waits for the rest', async () => {
  const sku = next()
  const id = await reserve(sku, 3)
  const placed = await order(id, [[sku, 12]])
  expect(placed.body).toMatchObject({
    outcome: 'partially-allocated',
    lines: [{ reserved: '10', backordered: '2' }],
  })
  expect(await lineOf(id)).toMatchObject({ open: '0', committed: '3' })
  house.count('DC1', sku, 2)
  await house.closed(placed)
})

test('leaves the reservation what a line that waits whole does not keep', async () => {
  const sku = next()
  const id = await reserve(sku, 10)
  const placed = await order(id, [[sku, 12]], { shippingRule: 'line-complete' })
  expect(placed.body).toMatchObject({ lines: [{ reserved: '0', backordered: '12' }] })
  expect(await lineOf(id)).toMatchObject({ open: '10', committed: '0' })
})

test('of one moment, several orders share one reservation and take no more than it keeps', async () => {
  const sku = next()
  const id = await reserve(sku, 9)
  const placed = await Promise.all([1, 2, 3, 4].map(() => order(id, [[sku, 3]])))
  const accepted = placed.filter(({ status }) => status === 201)
  expect(accepted.length).toBeGreaterThanOrEqual(3)
  for (const one of placed.filter(({ status }) => status !== 201)) {
    expect(faultOf(one)).toEqual([409, 'inventory.reservation_ended'])
  }
  expect(await lineOf(id)).toMatchObject({ open: '0', committed: '9' })
  await house.closed(accepted[0]!)
})

test('repeated under another key is the order it made, although its reservation has ended', async () => {
  const sku = next()
  const id = await reserve(sku, 2)
  const first = await order(id, [[sku, 2]], { customerOrder: 'TWICE' })
  const again = await order(id, [[sku, 2]], { customerOrder: 'TWICE' })
  expect([again.status, again.body.id]).toEqual([200, first.body.id])
})

test('is refused where there is no such reservation, or it keeps nothing any more, and may be sent again', async () => {
  const sku = next()
  const id = await reserve(sku, 2)
  for (const unknown of ['R-1', 'O-1', 'nothing']) {
    expect(faultOf(await order(unknown, [[sku, 1]]))).toEqual([422, 'orders.reservation_unknown'])
  }
  await house.send('POST', `${PATH}/${id}:release`, { body: {} })
  const wanted = { customerOrder: 'AGAIN' }
  expect(faultOf(await order(id, [[sku, 1]], wanted))).toEqual([409, 'inventory.reservation_ended'])
  const other = await reserve(sku, 1)
  expect((await order(other, [[sku, 1]], wanted)).status).toBe(201)
})

test('of a partner takes nothing that another has reserved', async () => {
  const sku = next()
  const scopes = ['process.orders:write', 'process.reservations:write']
  const partner = bearer(await house.key({ client: 'dealer', scopes, partner: '500001' }))
  const staffs = await reserve(sku, 2)
  const own = await reserve(sku, 3, partner)
  expect(faultOf(await order(staffs, [[sku, 1]], { headers: partner }))).toEqual([
    422,
    'orders.reservation_unknown',
  ])
  expect((await order(own, [[sku, 1]], { headers: partner })).status).toBe(201)
})

test('nobody complains of a defect', () => {
  expect(house.complaints).toEqual([])
})
