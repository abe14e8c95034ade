/** A landscape that was stopped goes on where it was: documents, numbers, stock, work begun, webhooks not delivered. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { afterEach, expect, it } from 'vitest'
import { type Landscape, type LandscapeMemory, startLandscape } from '#landscape/landscape.ts'
import { readMemory, writeMemory } from '#landscape/memory-file.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { call, mailbox, type Sent, smallWorld } from './bench.ts'

const running: Landscape[] = []
afterEach(() => Promise.all(running.splice(0).map((landscape) => landscape.stop())))

type Started = { landscape: Landscape; clock: FakeClock; sent: Sent[] }

async function start(
  at: string,
  memory?: LandscapeMemory,
  answers: (nth: number) => number = () => 200,
): Promise<Started> {
  const clock = fakeClock(at)
  const { post, sent } = mailbox(answers)
  const webhooks = { wms: 'http://us/wms', shop: 'http://us/shop', carrier: 'http://us/carrier' }
  const world = smallWorld()
  const landscape = await startLandscape({
    clock,
    seed: 'test',
    world,
    post,
    webhooks,
    ...(memory ? { memory } : {}),
  })
  running.push(landscape)
  return { landscape, clock, sent }
}

/** As the file keeps it: nothing but data survives. */
async function restart(before: Landscape): Promise<Started> {
  await before.stop()
  return start('2026-11-02T12:00:00Z', deserialize(serialize(before.remember())) as LandscapeMemory)
}

const release = (landscape: Landscape, reference: string, sku: string) =>
  call(`${landscape.wms.url}/api/outbound_orders`, {
    headers: { 'x-api-key': 'secret' },
    body: {
      external_ref: reference,
      owner: 'NWF',
      site: 'DC1',
      ship_to: { city: 'Boston', country: 'US' },
      lines: [{ line_no: 1, sku, qty: 2, uom: 'CS' }],
    },
  })

const caseItem = (landscape: Landscape): string =>
  landscape.world.items.find(
    (item) =>
      item.company === 'NWF' &&
      item.supply === 'ample' &&
      item.salesUnit === 'CA' &&
      item.sites.includes('DC1'),
  )!.number

const eventsOf = (sent: readonly Sent[]): { type: string; event_id: string }[] =>
  sent
    .filter(({ url }) => url.endsWith('/wms'))
    .flatMap(({ body }) => (JSON.parse(body) as { events: [] }).events)

it('picks and ships after the restart what was accepted before, once', async () => {
  const first = await start('2026-11-02T09:00:00Z')
  const sku = caseItem(first.landscape)
  expect((await release(first.landscape, 'F-1', sku)).status).toBe(201)
  const second = await restart(first.landscape)
  expect((await release(second.landscape, 'F-1', sku)).status).toBe(409)
  await second.clock.advance(1_000)
  expect(eventsOf(second.sent).map(({ type }) => type)).toEqual(['shipment.confirmed'])
  expect(second.landscape.wms.truth().orders).toEqual([
    expect.objectContaining({ external_ref: 'F-1', status: 'SHIPPED' }),
  ])
})

it('goes on with its numbers, its stock and its sequence', async () => {
  const first = await start('2026-11-02T09:00:00Z')
  const sku = caseItem(first.landscape)
  await release(first.landscape, 'F-1', sku)
  await first.clock.advance(1_000)
  const before = first.landscape.wms.truth()
  const second = await restart(first.landscape)
  expect(second.landscape.wms.truth()).toMatchObject({ stock: before.stock, sequence: before.sequence })
  await release(second.landscape, 'F-2', sku)
  await second.clock.advance(1_000)
  const ids = second.landscape.wms.truth().events.map(({ event_id }) => event_id)
  expect(ids).toEqual(['E0000000001', 'E0000000002'])
  const numbers = second.landscape.wms.truth().orders.map(({ wms_order_id }) => wms_order_id)
  expect(new Set(numbers).size).toBe(2)
})

it('delivers what nobody had taken, signed anew under the same id', async () => {
  const first = await start('2026-11-02T09:00:00Z', undefined, () => 503)
  const order = first.landscape.world.orders(50).find(({ company }) => company === 'NWF')!
  first.landscape.shop.place(order)
  await release(first.landscape, 'F-1', caseItem(first.landscape))
  await first.clock.advance(1_000)
  const second = await restart(first.landscape)
  await second.clock.advance(0)
  const [told] = second.sent.filter(({ url }) => url.endsWith('/shop'))
  expect(told!.headers['x-shop-webhook-id']).toBe('NWF-00000001')
  expect(told!.headers['x-shop-triggered-at']).toBe('2026-11-02T12:00:00.000Z')
  expect(eventsOf(second.sent)).toEqual([expect.objectContaining({ event_id: 'E0000000001' })])
})

it('delivers nothing again that was taken', async () => {
  const first = await start('2026-11-02T09:00:00Z')
  first.landscape.shop.place(first.landscape.world.orders(1)[0]!)
  await first.clock.advance(1_000)
  const second = await restart(first.landscape)
  await second.clock.advance(1_000)
  expect(second.sent).toEqual([])
  expect(second.landscape.shop.truth().orders).toHaveLength(1)
})

it('keeps the books of both ERPs and the tax transactions', async () => {
  const first = await start('2026-11-02T09:00:00Z')
  const { legacyErp, cloudErp, tax } = first.landscape
  const document = {
    code: 'I-1',
    company: 'NWF',
    date: '2026-11-02',
    currency: 'USD',
    customer: { code: '1' },
    ship_from: { country: 'US', region: 'MA', postal_code: '02110' },
    ship_to: { country: 'US', region: 'MA', postal_code: '02110' },
    lines: [{ number: '1', item: 'x', tax_code: 'GENERAL', quantity: 1, amount: '10.00' }],
  }
  const headers = { authorization: `Basic ${Buffer.from('northway:secret').toString('base64')}` }
  expect((await call(`${tax.url}/v1/transactions`, { headers, body: document })).status).toBe(201)
  const truths = [legacyErp.truth(), cloudErp.truth(), tax.truth()]
  const second = await restart(first.landscape)
  const { legacyErp: legacy, cloudErp: cloud, tax: engine } = second.landscape
  expect([legacy.truth(), cloud.truth(), engine.truth()]).toEqual(truths)
  expect((await call(`${engine.url}/v1/transactions`, { headers, body: document })).status).toBe(200)
})

it('is kept in a file that is replaced as a whole, and refuses one it does not understand', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'landscape-'))
  const file = join(folder, 'deep', 'world.memory')
  const { landscape } = await start('2026-11-02T09:00:00Z')
  const world = { seed: 'test', today: '2026-11-02', plannedOrders: 100 }
  expect(await readMemory(file)).toBeUndefined()
  await writeMemory(file, { world, systems: landscape.remember() })
  expect(await readMemory(file)).toMatchObject({ world })
  writeFileSync(file, serialize({ version: 0 }))
  await expect(readMemory(file)).rejects.toThrow('another release')
  rmSync(folder, { recursive: true })
})
