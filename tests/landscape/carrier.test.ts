/** The carrier: one label per reference, scans in sequence, signed tracking. */
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import type { FakeClock } from '#tests/support/clock.ts'
import { bench, call, type Sent } from './bench.ts'

let landscape: Landscape
let clock: FakeClock
let sent: Sent[]
afterEach(() => landscape.stop())

async function start(options: Parameters<typeof bench>[0] = {}): Promise<void> {
  ;({ landscape, clock, sent } = await bench(options))
}

const headers = { authorization: `Basic ${Buffer.from('crossdock:secret').toString('base64')}` }
const carrier = (path: string, init: Parameters<typeof call>[1] = {}) =>
  call(`${landscape.carrier.url}/v3${path}`, { headers, ...init })
const label = (reference: string, weight_kg = 10) => ({
  reference,
  service: 'GROUND',
  ship_to: { city: 'Boston', country: 'US' },
  packages: [{ reference: '0061', weight_kg }],
})
const handOver = ({ packages }: { packages: { tracking_number: string }[] }) => {
  for (const { tracking_number } of packages) landscape.carrier.manifest(tracking_number, '0062', {})
}
const statuses = () => sent.map((one) => JSON.parse(one.body).status)

describe('the carrier', () => {
  it('labels a reference once, repeats the answer and refuses other content', async () => {
    await start()
    const first = await carrier('/shipments', { body: label('S-1') })
    const again = await carrier('/shipments', { body: label('S-1') })
    expect([first.status, again.status, again.text]).toEqual([201, 200, first.text])
    expect(first.json()).toMatchObject({
      charge: { amount: '10.00', currency: 'USD' },
      packages: [{ label: { format: 'ZPL' } }],
    })
    expect((await carrier('/shipments', { body: label('S-1', 11) })).json().code).toBe('REFERENCE_CONFLICT')
    expect((await carrier('/shipments?reference=S-1')).json().shipments).toHaveLength(1)
    expect((await call(`${landscape.carrier.url}/v3/shipments?reference=S-1`)).status).toBe(401)
  })

  it('voids a label until the first scan', async () => {
    await start()
    const one = (await carrier('/shipments', { body: label('S-1') })).json()
    const two = (await carrier('/shipments', { body: label('S-2') })).json()
    expect((await carrier(`/shipments/${one.shipment_id}`, { method: 'DELETE' })).json().status).toBe(
      'VOIDED',
    )
    landscape.carrier.scan(two.packages[0].tracking_number)
    expect((await carrier(`/shipments/${two.shipment_id}`, { method: 'DELETE' })).json().code).toBe(
      'ALREADY_SCANNED',
    )
  })

  it('scans a parcel to its door and tells each scan, signed', async () => {
    await start({ scanEveryMs: 1_000 })
    const shipment = (await carrier('/shipments', { body: label('S-1') })).json()
    handOver(shipment)
    const { packages } = shipment
    await clock.advance(10_000)
    expect(statuses()).toEqual(['MAN', 'PUP', 'ARR', 'OFD', 'DLV'])
    const [first] = sent
    expect(first?.headers['x-swift-signature']).toBe(
      `sha256=${createHmac('sha256', 'carrier-secret')
        .update(first?.body ?? '')
        .digest('hex')}`,
    )
    expect((await carrier(`/tracking/${packages[0].tracking_number}`)).json()).toMatchObject({
      status: 'DLV',
      events: [{}, {}, {}, {}, { sequence: 5 }],
    })
    expect((await carrier('/tracking/none')).status).toBe(404)
  })

  it('scans nothing of a label until a parcel is handed over under it, once', async () => {
    await start({ scanEveryMs: 1_000 })
    const shipment = (await carrier('/shipments', { body: label('S-1') })).json()
    await clock.advance(10_000)
    expect(statuses()).toEqual([])
    handOver(shipment)
    await clock.advance(2_500)
    handOver(shipment)
    await clock.advance(10_000)
    expect(statuses()).toEqual(['MAN', 'PUP', 'ARR', 'OFD', 'DLV'])
    expect(JSON.parse(sent[0]!.body)).toMatchObject({ reference: '0061', location: { city: 'Boston' } })
  })

  it('remembers which labels nothing was handed over under', async () => {
    await start()
    const one = (await carrier('/shipments', { body: label('S-1') })).json()
    const two = (await carrier('/shipments', { body: label('S-2') })).json()
    handOver(two)
    const memory = landscape.remember()
    await landscape.stop()
    await start({ scanEveryMs: 1_000, memory })
    await clock.advance(10_000)
    expect((await carrier(`/tracking/${one.packages[0].tracking_number}`)).json().events).toEqual([])
    expect((await carrier(`/tracking/${two.packages[0].tracking_number}`)).json().status).toBe('DLV')
  })

  it('has an exception on the way for the given share', async () => {
    await start({ scanEveryMs: 1_000, exceptionShare: 1 })
    handOver((await carrier('/shipments', { body: label('S-1') })).json())
    await clock.advance(10_000)
    expect(statuses()).toEqual(['MAN', 'PUP', 'ARR', 'EXC', 'OFD', 'DLV'])
    expect(['WEATHER', 'REFUSED', 'DAMAGED']).toContain(JSON.parse(sent[3]?.body ?? '').reason)
  })
})
