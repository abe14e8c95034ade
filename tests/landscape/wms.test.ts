/** The WMS: unique by our reference, cancels until the pick, ships what there is, tells it signed and in sequence. */
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import { sscc18 } from '#landscape/world/gs1.ts'
import type { FakeClock } from '#tests/support/clock.ts'
import { bench, call, type Sent, smallWorld } from './bench.ts'

let landscape: Landscape
let clock: FakeClock
let sent: Sent[]
afterEach(() => landscape.stop())

async function start(options: Parameters<typeof bench>[0] = {}): Promise<void> {
  ;({ landscape, clock, sent } = await bench(options))
}

const headers = { 'x-api-key': 'secret' }
const wms = (path: string, body?: unknown) => call(`${landscape.wms.url}/api${path}`, { headers, body })
const item = (wanted: { catchWeight?: boolean; lotControlled?: boolean } = {}) => {
  const { catchWeight = false, lotControlled = false } = wanted
  const found = landscape.world.items.find(
    (one) =>
      one.company === 'NWF' &&
      one.supply === 'ample' &&
      one.salesUnit === 'CA' &&
      one.sites.includes('DC1') &&
      one.catchWeight === catchWeight &&
      one.lotControlled === lotControlled,
  )
  if (!found) throw new Error('the world has no such item')
  return found
}
const line = (line_no: number, sku: string, qty: number) => ({ line_no, sku, qty, uom: 'CS' })
const order = (reference: string, lines: unknown[] = [line(1, item().number, 4)]) => ({
  external_ref: reference,
  owner: 'NWF',
  site: 'DC1',
  ship_to: { city: 'Boston', country: 'US' },
  lines,
})
type Event = ReturnType<typeof JSON.parse>
const events = (): Event[] => sent.flatMap((one) => JSON.parse(one.body).events as Event[])
const shipped = async (): Promise<Event[]> => {
  await clock.advance(50)
  return events()
}

describe('the WMS', () => {
  it('takes an order once per external reference and answers a repeat with the order it has', async () => {
    await start()
    const first = await wms('/outbound_orders', order('R-1'))
    const again = await wms('/outbound_orders', order('R-1'))
    expect([first.status, again.status]).toEqual([201, 409])
    expect(again.json()).toMatchObject({
      error: { code: 'DUPLICATE_REF' },
      order: { wms_order_id: first.json().wms_order_id },
    })
    expect(landscape.wms.truth().orders).toHaveLength(1)
    expect(landscape.wms.received.times('releaseOrder', 'R-1')).toBe(2)
  })

  it.each([
    ['UNKNOWN_SKU', { lines: [{ line_no: 1, sku: '99999', qty: 1, uom: 'CS' }] }],
    ['UNKNOWN_SITE', { site: 'DC9' }],
    ['VALIDATION', { lines: [] }],
  ])('refuses with %s', async (code, change) => {
    await start()
    const answer = await wms('/outbound_orders', { ...order('R-1'), ...change })
    expect([answer.status, answer.json().error.code]).toEqual([422, code])
  })

  it('asks for its API key', async () => {
    await start()
    expect((await call(`${landscape.wms.url}/api/sites`)).status).toBe(401)
  })

  it('answers each order of a bulk by its reference, a bad one beside good ones', async () => {
    await start()
    await wms('/outbound_orders', order('R-3'))
    landscape.wms.faults.set({ kind: 'item-failure', operation: 'releaseOrders', times: 1 })
    const orders = [order('R-1'), order('R-2', [line(1, '99999', 1)]), order('R-3'), order('R-4')]
    const answer = await wms('/outbound_orders/bulk', { orders })
    const codes = new Map(
      answer
        .json()
        .results.map((one: { external_ref: string; code: number }) => [one.external_ref, one.code]),
    )
    expect(answer.status).toBe(207)
    expect(Object.fromEntries(codes)).toEqual({ 'R-1': 503, 'R-2': 422, 'R-3': 409, 'R-4': 201 })
    expect(
      (await wms('/outbound_orders/bulk', { orders: Array.from({ length: 51 }, () => order('R')) })).status,
    ).toBe(422)
  })

  it('confirms the shipment with packages and takes the stock by it', async () => {
    await start()
    const available = async () => (await wms('/inventory/snapshot?site=DC1&owner=NWF&limit=2000')).json()
    const before = await available()
    const { number, units } = item()
    const perCase = units.find((unit) => unit.unit === 'CA')?.numerator ?? 0
    await wms('/outbound_orders', order('R-1'))
    const [event] = await shipped()
    expect(event).toMatchObject({
      type: 'shipment.confirmed',
      external_ref: 'R-1',
      sequence: 1,
      order_sequence: 1,
      final: true,
      short_lines: [],
    })
    expect(event?.['packages'][0]).toMatchObject({
      sscc: sscc18(1),
      contents: [{ line_no: 1, sku: number, qty: 4, uom: 'CS', base_qty: 4 * perCase }],
    })
    const after = await available()
    const of = (snapshot: typeof after) =>
      snapshot.rows
        .filter((row: Event) => row['sku'] === number && row['status'] === 'AVAIL')
        .reduce((sum: number, row: Event) => sum + row['qty'], 0)
    expect([of(before) - of(after), before.sequence, after.sequence]).toEqual([4 * perCase, 0, 1])
  })

  it('signs what it sends over the time stamp and the raw body', async () => {
    await start()
    await wms('/outbound_orders', order('R-1'))
    await shipped()
    const [delivery] = sent
    const [, t = '', v1 = ''] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(delivery?.headers['x-depot-signature'] ?? '') ?? []
    expect(v1).toBe(
      createHmac('sha256', 'wms-secret')
        .update(`${t}.${delivery?.body ?? ''}`)
        .digest('hex'),
    )
    expect([delivery?.url, delivery?.headers['x-depot-delivery']]).toEqual(['http://us/wms', 'D0000000001'])
  })

  it('tells the history of named orders, at most fifty of them', async () => {
    await start({ announcePicking: true })
    for (const reference of ['R-1', 'R-2', 'R-3']) await wms('/outbound_orders', order(reference))
    await clock.advance(60_000)
    const history = async (references: string) => wms(`/events?external_ref=${references}`)
    const told = (await history('R-1,R-3')).json().events as Event[]
    const places = told.map((event) => `${event['external_ref']} ${event['order_sequence']}`)
    expect(places.toSorted((a, b) => a.localeCompare(b))).toEqual(['R-1 1', 'R-1 2', 'R-3 1', 'R-3 2'])
    expect((await history(Array.from({ length: 51 }, (_, n) => `R-${n}`).join(','))).status).toBe(422)
  })

  it('puts up to 50 events into one webhook, or one when told so', async () => {
    await start()
    await wms('/outbound_orders/bulk', { orders: Array.from({ length: 30 }, (_, n) => order(`R-${n}`)) })
    await shipped()
    expect([sent.length, events().length]).toEqual([1, 30])
    await landscape.stop()
    await start({ webhookBatch: 1 })
    await wms('/outbound_orders/bulk', { orders: [order('R-1'), order('R-2')] })
    await shipped()
    expect(sent).toHaveLength(2)
  })

  it('cancels until picking starts and not after', async () => {
    await start()
    const { wms_order_id: one } = (await wms('/outbound_orders', order('R-1'))).json()
    const { wms_order_id: two } = (await wms('/outbound_orders', order('R-2'))).json()
    expect((await wms(`/outbound_orders/${one}/cancel`, {})).json().status).toBe('CANCELLED')
    expect((await wms(`/outbound_orders/${one}/cancel`, {})).status).toBe(200)
    await clock.advance(30)
    expect((await wms(`/outbound_orders/${two}/cancel`, {})).json().error.code).toBe('PICKING_STARTED')
    await clock.advance(20)
    expect((await wms(`/outbound_orders/${two}/cancel`, {})).json().error.code).toBe('SHIPPED')
    expect(events().map((event) => event['external_ref'])).toEqual(['R-2'])
  })

  it('never ships more than there is: what is missing is short', async () => {
    await start()
    const { number } = item()
    await wms('/outbound_orders', order('R-1', [line(1, number, 1_000_000)]))
    const [event] = await shipped()
    expect(event?.['short_lines']).toMatchObject([
      { line_no: 1, ordered_qty: 1_000_000, reason: 'NOT_FOUND' },
    ])
    await wms('/outbound_orders', order('R-2', [line(1, number, 1)]))
    await clock.advance(50)
    expect(events()[1]).toMatchObject({
      type: 'order.short',
      external_ref: 'R-2',
      short_lines: [{ shipped_qty: 0 }],
    })
    expect((await wms('/outbound_orders?external_ref=R-2')).json().orders[0].status).toBe('SHORT')
  })

  it('picks short on demand and writes the rest off', async () => {
    await start()
    landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
    await wms('/outbound_orders', order('R-1', [line(1, item().number, 5)]))
    const [shipment, adjustment] = await shipped()
    expect(shipment).toMatchObject({ short_lines: [{ ordered_qty: 5, shipped_qty: 2 }] })
    const perCase = item().units.find((unit) => unit.unit === 'CA')?.numerator ?? 0
    expect(adjustment).toMatchObject({
      type: 'inventory.adjusted',
      delta_qty: -3 * perCase,
      reason: 'PICK_SHORT',
      sequence: 2,
    })
  })

  it('ships in two parts on demand, only the last of them final', async () => {
    await start()
    landscape.wms.faults.set({ kind: 'split-shipment' })
    await wms(
      '/outbound_orders',
      order('R-1', [line(1, item().number, 1), line(2, item({ lotControlled: true }).number, 1)]),
    )
    const two = await shipped()
    expect(two.map((event) => [event['order_sequence'], event['final']])).toEqual([
      [1, false],
      [2, true],
    ])
  })

  it('picks the lot that expires first and names it', async () => {
    await start()
    const { number } = item({ lotControlled: true })
    await wms('/outbound_orders', order('R-1', [line(1, number, 1)]))
    const [event] = await shipped()
    expect(event?.['packages'][0].contents[0]).toMatchObject({ lot: `L${number}A`, expires_on: '2027-01-31' })
  })

  it('picks nothing that expires before the day that a line names, and what that leaves missing is short', async () => {
    await start()
    const { number, units, sites } = item({ lotControlled: true })
    const inCase = units.find(({ unit }) => unit === 'CA')!.numerator
    const later = landscape.world.stock.find(({ lot, site }) => lot === `L${number}B` && site === 'DC1')!
    const cases = Math.floor(later.quantity / inCase)
    expect(sites).toContain('DC1')
    await wms(
      '/outbound_orders',
      order('R-1', [{ ...line(1, number, cases + 1), min_expiry: later.expiresOn }]),
    )
    const [event] = await shipped()
    const contents: Event[] = event?.['packages'].flatMap((parcel: Event) => parcel.contents)
    expect(new Set(contents.map(({ lot }) => lot))).toEqual(new Set([later.lot]))
    expect(event?.['short_lines']).toMatchObject([{ line_no: 1, ordered_qty: cases + 1, shipped_qty: cases }])
  })

  it('picks the lot that a line names, and what that lacks from what expires first', async () => {
    await start()
    const { number, units } = item({ lotControlled: true })
    const place = { site: 'DC1', owner: 'NWF', sku: number }
    const wanted = { ...line(1, number, 1), lot: 'Z9' }
    landscape.wms.adjust({ ...place, lot: 'Z9', delta: 2, reason: 'COUNT' })
    await wms('/outbound_orders', order('R-1', [wanted, { ...line(1, number, 1), lot: `L${number}A` }]))
    const [event] = (await shipped()).filter(({ type }) => type === 'shipment.confirmed')
    const contents = event?.['packages'].flatMap(({ contents: inside }: Event) => inside) as Event[]
    const perCase = units.find(({ unit }) => unit === 'CA')!.numerator
    expect(contents.map(({ line_no, lot, base_qty }) => [line_no, lot, base_qty])).toEqual([
      [1, 'Z9', 2],
      [1, `L${number}A`, perCase - 2],
      [1, `L${number}A`, perCase],
    ])
  })

  it('weighs catch-weight goods near their nominal weight, the same each time', async () => {
    const weigh = async (): Promise<number> => {
      await start()
      await wms('/outbound_orders', order('R-1', [line(1, item({ catchWeight: true }).number, 2)]))
      const [event] = await shipped()
      return event?.['packages'][0].contents[0].catch_weight_kg
    }
    const weight = await weigh()
    const { nominalGrams, units } = item({ catchWeight: true })
    const nominal = (2 * (units.find((unit) => unit.unit === 'CA')?.numerator ?? 0) * nominalGrams) / 1_000
    expect(Math.abs(weight / nominal - 1)).toBeLessThan(0.03)
    expect(weight).not.toBe(nominal)
    await landscape.stop()
    expect(await weigh()).toBe(weight)
  })

  it('announces picking when told so, with a sequence of the order', async () => {
    await start({ announcePicking: true })
    await wms('/outbound_orders', order('R-1'))
    const both = await shipped()
    expect(both.map((event) => [event.type, event['order_sequence']])).toEqual([
      ['order.picking_started', 1],
      ['shipment.confirmed', 2],
    ])
  })

  it('tells picks and packages where a site is said to, what was short when it is picked', async () => {
    await start({ announcePicking: true, tellPicks: ['DC1'] })
    landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
    await wms('/outbound_orders', order('R-1', [line(1, item().number, 5)]))
    const told = await shipped()
    const perCase = item().units.find((unit) => unit.unit === 'CA')?.numerator ?? 0
    expect(told.map((event) => [event.type, event['order_sequence']])).toEqual([
      ['order.picking_started', 1],
      ['order.picked', 2],
      ['inventory.adjusted', undefined],
      ['order.packed', 3],
      ['shipment.confirmed', 4],
    ])
    const [, picked, , packed, shipment] = told
    expect(picked).toMatchObject({
      picks: [{ line_no: 1, base_qty: 2 * perCase }],
      short_lines: [{ line_no: 1, picked_qty: 2, short_base_qty: 3 * perCase }],
    })
    expect(packed['cartons'][0].sscc).toBe(shipment['packages'][0].sscc)
    expect(shipment['short_lines']).toMatchObject([{ ordered_qty: 5, shipped_qty: 2 }])
  })

  it('tells the shipment alone where a site is not said to tell more', async () => {
    await start({ tellPicks: ['DC2'] })
    await wms('/outbound_orders', order('R-1'))
    expect((await shipped()).map((event) => event.type)).toEqual(['shipment.confirmed'])
  })

  it('receives dated receipts on their day, or all at once', async () => {
    await start({ dayMs: 1_000 })
    const days = landscape.world.receipts.map((receipt) => receipt.day)
    await clock.advance(1_000)
    expect(events()).toHaveLength(days.filter((day) => day === 1).length)
    landscape.wms.receiveAll()
    await clock.settle()
    expect(new Set(events().map((event) => event['asn_id'])).size).toBe(days.length)
    const { rows } = (await wms('/inbound?owner=NWF')).json()
    expect(new Set(rows.map((row: Event) => row['status']))).toEqual(new Set(['RECEIVED']))
    const [told] = events().filter((event) => event['owner'] === 'NWF')
    expect(told).toMatchObject({ asn_id: `ASN-${told!['po_number']}`, po_line: 10 })
  })

  it('tells adjustments as they happen', async () => {
    await start()
    landscape.wms.adjust({ site: 'DC1', owner: 'NWF', sku: item().number, delta: -3, reason: 'COUNT' })
    await clock.settle()
    expect(events()).toMatchObject([
      { type: 'inventory.adjusted', delta_qty: -3, reason: 'COUNT', sku: item().number },
    ])
  })

  it('names each machine by its serial when it comes, is put aside, is taken by others and ships', async () => {
    await start({ world: smallWorld(1) })
    const { number: sku } = landscape.world.items.find((one) => one.serialControlled)!
    const place = { site: 'DC1', owner: 'NWI', sku }
    landscape.wms.adjust({ ...place, delta: 5, reason: 'COUNT' })
    landscape.wms.adjust({ ...place, delta: -1, reason: 'HOLD' })
    landscape.wms.adjust({ ...place, delta: -1, reason: 'COUNT', serials: [`${sku}-DC1-0003`] })
    const lines = [{ item: sku, quantity: 1, unit: 'EA' as const }]
    const { own } = landscape.wms
    own.ship(own.key({ owner: 'NWI', site: 'DC1', customer: 'Portal', lines }))
    const wanted = { ...order('R-1', [{ line_no: 1, sku, qty: 2, uom: 'EA' }]), owner: 'NWI' }
    await wms('/outbound_orders', wanted)
    const [came, held, lost, taken, left] = await shipped()
    const units = (...numbers: number[]) => numbers.map((nth) => `${sku}-DC1-000${nth}`)
    expect(came.serials).toEqual(units(1, 2, 3, 4, 5))
    expect([held.serials, lost.serials, taken.serials]).toEqual([units(1), units(3), units(2)])
    expect(left.packages[0].contents[0].serials).toEqual(units(4, 5))
    const lying = landscape.wms.units().filter(({ quantity }) => quantity > 0)
    expect(lying).toMatchObject([{ ...place, status: 'hold', serials: units(1) }])
  })

  it('plans an order after the cut-off for the next day, and waits for it when told so', async () => {
    await start({ enforceCutOff: true })
    await clock.advance(13 * 3_600_000)
    const late = (await wms('/outbound_orders', order('R-1'))).json()
    expect(late.planned_ship_date).toBe('2026-11-03')
    await clock.advance(8 * 3_600_000)
    expect(events()).toEqual([])
    await clock.advance(6 * 3_600_000)
    expect(events()).toHaveLength(1)
  })

  it('hands its parcels to the carrier when told so', async () => {
    await start({ trackShipments: true })
    await wms('/outbound_orders', order('R-1'))
    const [event] = await shipped()
    expect(landscape.carrier.truth().parcels).toMatchObject([
      { tracking_number: event?.['packages'][0].tracking_number, reference: sscc18(1) },
    ])
  })

  it('pages the snapshot', async () => {
    await start()
    const all = (await wms('/inventory/snapshot?limit=2000')).json()
    const rows: unknown[] = []
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page = (await wms(`/inventory/snapshot?limit=50&cursor=${cursor}`)).json()
      rows.push(...page.rows)
      cursor = page.next_cursor
    }
    expect(rows).toEqual(all.rows)
    expect((await wms('/sites')).json().rows).toMatchObject([
      { site: 'DC1', cut_off: '16:00' },
      { site: 'DC2' },
      { site: 'DC3' },
    ])
  })
})
