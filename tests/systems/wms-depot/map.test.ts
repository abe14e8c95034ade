/** Depot's words and ours, on recorded payloads. */
import { expect, test } from 'vitest'
import { fieldsOf, listOf, Unexpected } from '#platform/fields.ts'
import { units } from '#platform/quantity.ts'
import { toDepotOrder, toMessage, toSnapshotLines } from '#systems/wms-depot/map.ts'
import { bulkResults, snapshotPage } from '#systems/wms-depot/wire.ts'
import { sample } from '../samples.ts'

const events = listOf(fieldsOf(sample('wms-depot/events')), 'events', (event) => event)
const eventOf = (type: string, more: Record<string, unknown> = {}) => ({
  ...events.find(
    (event) => event['type'] === type && Object.entries(more).every(([name, value]) => event[name] === value),
  )!,
})

test('a confirmed shipment carries its packages in base units, with weight and tracking', () => {
  expect(toMessage(eventOf('shipment.confirmed', { external_ref: 'F-1000001' }))).toEqual({
    type: 'shipment-confirmed',
    shipment: 'SH00000001',
    fulfillment: 'F-1000001',
    shippedAt: new Date('2026-11-21T02:54:06.913Z'),
    carrier: 'SWIFT',
    service: 'GROUND',
    final: true,
    mark: 7,
    packages: [
      {
        sscc: '006141410000000012',
        tracking: 'SW700000001',
        weightGrams: 12_000,
        lines: [
          {
            line: 1,
            sku: '10000',
            quantity: units(12),
            lot: undefined,
            expiresOn: undefined,
            catchWeight: undefined,
          },
        ],
      },
    ],
  })
})

test('the actual weight of a catch-weight line is exact to the gram', () => {
  const message = toMessage(eventOf('shipment.confirmed', { external_ref: 'F-1000002' }))
  expect(message).toMatchObject({ packages: [{ weightGrams: 49_552, lines: [{ catchWeight: 495_520 }] }] })
})

test('an order of which nothing was found ends as a final shipment without packages', () => {
  expect(toMessage(eventOf('order.short'))).toMatchObject({
    type: 'shipment-confirmed',
    fulfillment: 'F-1000004',
    shipment: 'OB00012347',
    packages: [],
    final: true,
  })
})

test('picking that began is told with its time', () => {
  expect(toMessage(eventOf('order.picking_started'))).toMatchObject({
    type: 'picking-started',
    fulfillment: 'F-1000001',
  })
})

const picks = listOf(fieldsOf(sample('wms-depot/events-picks')), 'events', (event) => event)
const pickOf = (type: string, reference: string) =>
  picks.find((event) => event['type'] === type && event['external_ref'] === reference)!

test('a pick names its lines in base units, each with its lot where there is one', () => {
  expect(toMessage(pickOf('order.picked', 'F-1000021'))).toEqual({
    type: 'picking-confirmed',
    fulfillment: 'F-1000021',
    at: new Date('2026-11-27T00:10:35.521Z'),
    lines: [
      { line: 1, sku: '10001', quantity: units(24), lot: undefined },
      { line: 2, sku: '10002', quantity: units(12), lot: 'L10002A' },
    ],
    short: [],
  })
})

test('what a pick did not find is told in base units too', () => {
  expect(toMessage(pickOf('order.picked', 'F-1000022'))).toMatchObject({
    lines: [{ line: 1, quantity: units(12) }],
    short: [{ line: 1, sku: '10001', quantity: units(18) }],
  })
})

test('closed cartons tell what is packed of each line', () => {
  expect(toMessage(pickOf('order.packed', 'F-1000021'))).toEqual({
    type: 'packing-confirmed',
    fulfillment: 'F-1000021',
    at: new Date('2026-11-27T00:10:35.529Z'),
    lines: [
      { line: 1, sku: '10001', quantity: units(24) },
      { line: 2, sku: '10002', quantity: units(12) },
    ],
  })
})

test('a count that finds less is a loss, a hold moves what it takes from the available stock', () => {
  const moved = { type: 'stock-moved', location: 'DC1', sku: '10000', lot: undefined }
  expect(toMessage(eventOf('inventory.adjusted', { reason: 'COUNT' }))).toMatchObject({
    ...moved,
    reason: 'count',
    quantity: units(-3),
    mark: 1,
  })
  expect(
    toMessage({ ...eventOf('inventory.adjusted', { reason: 'COUNT' }), reason: 'PICK_SHORT' }),
  ).toMatchObject({
    ...moved,
    reason: 'pick-short',
    quantity: units(-3),
  })
  expect(toMessage(eventOf('inventory.adjusted', { reason: 'HOLD' }))).toMatchObject({
    ...moved,
    reason: 'quality-hold',
    quantity: units(5),
  })
})

test('a receipt adds what came', () => {
  const message = toMessage(eventOf('inventory.received'))
  expect(message).toMatchObject({ type: 'stock-moved', reason: 'receipt' })
  expect((message as { quantity: number }).quantity).toBeGreaterThan(0)
})

test('a receipt tells when its lot expires, as far as the warehouse says', () => {
  const received = eventOf('inventory.received')
  const dated = { ...received, lot: 'L1', expires_on: '2027-05-21' }
  expect(toMessage(dated)).toMatchObject({ lot: 'L1', expiresOn: '2027-05-21' })
  expect(toMessage({ ...received, expires_on: null })).toHaveProperty('expiresOn', undefined)
})

test('a receipt and a shipment name their units, as texts', () => {
  const received = eventOf('inventory.received')
  expect(toMessage({ ...received, serials: ['S1', ' S2 '] })).toMatchObject({ serials: ['S1', 'S2'] })
  expect(() => toMessage({ ...received, serials: [7] })).toThrow('serials has something else than text')
  const content = { line_no: 1, sku: '10000', base_qty: 2, serials: ['S1', 'S2'] }
  const shipped = {
    ...eventOf('shipment.confirmed', { external_ref: 'F-1000001' }),
    packages: [{ contents: [content] }],
  }
  expect(toMessage(shipped)).toMatchObject({ packages: [{ lines: [{ serials: ['S1', 'S2'] }] }] })
})

test('a receipt names the line of the purchase order that it is of, as far as the warehouse says', () => {
  const received = eventOf('inventory.received')
  const purchaseOrderOf = (change: object) => toMessage({ ...received, ...change })
  expect(toMessage(received)).toMatchObject({ purchaseOrder: { number: '45100250', line: 10 } })
  expect(purchaseOrderOf({ po_line: null })).toMatchObject({ purchaseOrder: { number: '45100250' } })
  expect(purchaseOrderOf({ po_number: null })).toHaveProperty('purchaseOrder', undefined)
  expect(toMessage(eventOf('inventory.adjusted'))).toHaveProperty('purchaseOrder', undefined)
})

test.each([
  ['an unknown type', { type: 'inventory.teleported' }, /no known event/],
  ['an unknown reason', { type: 'inventory.adjusted', reason: 'MICE' }, /no known reason/],
  ['a fifth decimal', { type: 'inventory.adjusted', reason: 'COUNT', delta_qty: 0.00001 }, /four places/],
  [
    'a time without an offset',
    { type: 'inventory.adjusted', reason: 'COUNT', occurred_at: '2026-11-02T08:00:00' },
    /instant/,
  ],
])('%s is never guessed', (_, change, reason) => {
  expect(() => toMessage({ ...eventOf('inventory.adjusted'), ...change })).toThrow(Unexpected)
  expect(() => toMessage({ ...eventOf('inventory.adjusted'), ...change })).toThrow(reason)
})

test('the place of a bad field in a package stands in the message', () => {
  const event = structuredClone(eventOf('shipment.confirmed')) as {
    packages: { contents: { base_qty: unknown }[] }[]
  }
  event.packages[0]!.contents[0]!.base_qty = '12'
  expect(() => toMessage(event as never)).toThrow('packages/0: contents/0: base_qty is not a number')
})

test('a snapshot sums the statuses of each item and lot', () => {
  const { rows, sequence, next } = snapshotPage(sample('wms-depot/snapshot'))
  const first = rows[0]!
  const lines = toSnapshotLines([
    ...rows,
    { ...first, status: 'HOLD', qty: 7 },
    { ...first, status: 'DAMAGED', qty: 2.5 },
  ])
  expect(lines[0]).toEqual({
    sku: '10000',
    location: 'DC1',
    lot: undefined,
    available: units(4_800),
    qualityHold: units(7),
    damaged: 25_000,
  })
  expect(lines.filter((line) => line.sku === '10001').map(({ lot, expiresOn }) => [lot, expiresOn])).toEqual([
    ['L10001A', '2027-01-31'],
    ['L10001B', '2027-05-01'],
  ])
  expect({ sequence, next }).toEqual({ sequence: 0, next: '4' })
  expect(() => toSnapshotLines([{ ...first, status: 'LOST' }])).toThrow(/no known status/)
})

test('a bulk answer is read by reference, whatever its order', () => {
  const results = new Map(bulkResults(sample('wms-depot/bulk')).map((result) => [result.externalRef, result]))
  expect(results.get('F-1000001')).toMatchObject({ code: 409, wmsOrderId: 'OB00012345', status: 'ACCEPTED' })
  expect(results.get('F-1000002')).toMatchObject({ code: 201, wmsOrderId: 'OB00012346' })
  expect(results.get('F-1000003')?.error).toEqual({
    code: 'UNKNOWN_SKU',
    message: 'unknown sku (lines/0/sku)',
  })
})

const request = {
  company: 'NWF',
  number: 'F-1',
  order: 'O-1',
  customerOrder: 'PO-1',
  location: 'DC1',
  customer: '100106',
  shipTo: { name: 'Stone Bridge Catering', lines: ['12 Pier Rd', 'Dock 4'], city: 'Boston', country: 'US' },
  lines: [{ line: 1, sku: '10000', quantity: 125_000, unit: 'EA' }],
}

test('a fulfillment request is said in the words of Depot', () => {
  expect(toDepotOrder(request)).toMatchObject({
    external_ref: 'F-1',
    owner: 'NWF',
    site: 'DC1',
    customer_ref: 'PO-1',
    ship_to: { name: 'Stone Bridge Catering', address: '12 Pier Rd, Dock 4', postal_code: '' },
    ship_by: null,
    lines: [{ line_no: 1, sku: '10000', qty: 12.5, uom: 'EA', lot: null, min_expiry: null, ship_by: null }],
  })
})

test('a line of goods that must live for long says so of each lot that it is to come from', () => {
  const lots = [{ lot: 'L-1', quantity: 25_000 }]
  const lines = [{ ...request.lines[0]!, lots, minimumExpiry: '2027-01-26' }]
  expect(toDepotOrder({ ...request, lines }).lines).toMatchObject([
    { lot: 'L-1', min_expiry: '2027-01-26' },
    { lot: null, min_expiry: '2027-01-26' },
  ])
})

test('a line that is wanted on a day of its own says so', () => {
  const lines = [{ ...request.lines[0]!, requestedDate: '2026-11-20' }]
  expect(toDepotOrder({ ...request, lines }).lines).toMatchObject([{ ship_by: '2026-11-20' }])
})

test('a line stands once for each lot that it is to come from, and once for what may come from any', () => {
  const lots = [
    { lot: 'L1', quantity: 100_000 },
    { lot: 'L2', quantity: 20_000 },
  ]
  expect(toDepotOrder({ ...request, lines: [{ ...request.lines[0]!, lots }] }).lines).toMatchObject([
    { line_no: 1, qty: 10, lot: 'L1' },
    { line_no: 1, qty: 2, lot: 'L2' },
    { line_no: 1, qty: 0.5, lot: null },
  ])
})

test('a unit that Depot does not know is refused before anything is sent', () => {
  const lines = [{ line: 1, sku: '10000', quantity: 1, unit: 'MTR' }]
  expect(() => toDepotOrder({ ...request, lines })).toThrow(
    expect.objectContaining({ code: 'connector.code_unmapped' }),
  )
})
