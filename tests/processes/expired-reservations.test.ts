/** A soft reservation whose time has come gives its stock back by itself, once, and to who waits for it first. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endExpired } from '../../src/processes/reservation-expiry.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const PATH = '/process/available-to-promise/v1/reservations'
const SKUS = ['42001', '42002', '42003']
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 10 } })),
    [{ number: '500001' }],
  )
}, 60_000)
afterAll(() => house.end())

async function reserve(sku: string, quantity: number): Promise<string> {
  const line = { line: '1', sku, quantity: String(quantity), unit: 'EA' }
  const body = { company: 'NWF', channel: 'portal', reference: 'cart', kind: 'soft', lines: [line] }
  return (await house.send('POST', PATH, { body })).body.id
}

const lookForExpired = () => endExpired(house.app.database, () => house.app.worker.runner())

/** As when its time has come. */
const letTimePass = (id: string) =>
  house.query(`update inventory.channel_reservation set expires_at = now() where id = $1 returning id`, [
    Number(id.slice(2)),
  ])
const line = async (id: string) => {
  const { body } = await house.send('GET', `${PATH}/${id}`)
  return { state: body['state'], ...(body['lines'] as object[])[0] }
}
const reservedOf = async (sku: string) => {
  const [row] = await house.query<{ reserved: number }>(
    `select p.reserved::float8 as reserved from inventory.position p join items.item i on i.id = p.item_id
     where i.sku = $1 and p.location = 'DC1' and p.lot = ''`,
    [sku],
  )
  return row!.reserved
}

test('its stock is free again once, however often and by how many it is looked for', async () => {
  const [sku] = SKUS
  const ended = await reserve(sku!, 6)
  const kept = await reserve(sku!, 3)
  await letTimePass(ended)
  const counts = await Promise.all([lookForExpired(), lookForExpired(), lookForExpired()])
  expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 1])
  expect(await lookForExpired()).toBe(0)
  expect(await line(ended)).toMatchObject({ state: 'ended', granted: '6', open: '0', expired: '6' })
  expect(await line(kept)).toMatchObject({ state: 'open', open: '3' })
  expect(await reservedOf(sku!)).toBe(3)
})

test('from its time on nothing of it can be used, although nobody has ended it yet', async () => {
  const id = await reserve(SKUS[1]!, 6)
  await letTimePass(id)
  for (const [verb, body] of [
    ['extend', { expiresAt: new Date(Date.now() + 60_000).toISOString() }],
    ['commit', {}],
    ['release', {}],
  ] as const) {
    const refused = await house.send('POST', `${PATH}/${id}:${verb}`, { body })
    expect([refused.status, refused.body.code]).toEqual([409, 'inventory.reservation_ended'])
  }
  await lookForExpired()
  expect(await reservedOf(SKUS[1]!)).toBe(0)
})

test('the order that waits for its stock is served without any other event', async () => {
  const sku = SKUS[2]!
  const id = await reserve(sku, 10)
  const waiting = await house.order({ lines: [[sku, 4]] })
  expect(waiting.body).toMatchObject({ outcome: 'backordered' })
  await letTimePass(id)
  await lookForExpired()
  await house.closed(waiting)
  expect(await reservedOf(sku)).toBe(0)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
