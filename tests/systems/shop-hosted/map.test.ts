/** The hosted shop's words and ours, on recorded payloads. */
import { expect, test } from 'vitest'
import type { OrderAcknowledgement, ShipNotice } from '#capabilities/channel.ts'
import { type Fields, fieldsOf, Unexpected } from '#platform/fields.ts'
import { units } from '#platform/quantity.ts'
import { annotated, toFulfillment, toOrderPlaced, toOrderWithdrawn } from '#systems/shop-hosted/map.ts'
import { sample } from '../samples.ts'

const placed = fieldsOf(sample('shop-hosted/orders-create'))
const items = placed['line_items'] as Fields[]

test('an order of the shop is a purchase order in our words', () => {
  const { order, ...rest } = toOrderPlaced(placed, 'NWF')
  expect(rest).toEqual({ type: 'order-placed', company: 'NWF', externalId: '5518239001' })
  expect(order).toMatchObject({
    company: 'NWF',
    customer: '100107',
    customerOrder: 'PO-100001',
    orderDate: '2026-11-21',
    channel: 'shop',
    currency: 'USD',
    requestedDate: '2026-11-07',
    shipTo: { code: '01', name: 'Stone Foundry Bistro Group', lines: ['85 Market St'], country: 'US' },
  })
  expect(order.lines[0]).toEqual({ line: '9001', sku: '10000', quantity: '8', unit: 'CA', price: '8.77' })
  expect(order.lines).toHaveLength(5)
})

test('an order without a number of the buyer goes under the number of the shop', () => {
  expect(toOrderPlaced({ ...placed, po_number: '' }, 'NWF').order.customerOrder).toBe('#240001')
})

test.each([
  ['a price by weight for goods sold by weight', { price_unit: 'KG' }, { price: '8.77' }],
  ['an item number with a hyphen', { sku: 'AB-12-CA' }, { sku: 'AB-12', unit: 'CA' }],
  ['a pallet', { sku: '10000-PL', price_unit: 'PL' }, { unit: 'XPX' }],
])('%s is understood', (_, change, expected) => {
  const line_items = [{ ...items[0]!, ...change }]
  expect(toOrderPlaced({ ...placed, line_items }, 'NWF').order.lines[0]).toMatchObject(expected)
})

test.each([
  ['a sku without a unit', { sku: '10000' }],
  ['a unit nobody knows', { sku: '10000-QQ', price_unit: 'QQ' }],
  ['a price for another unit', { price_unit: 'EA' }],
  ['half a piece', { quantity: 1.5 }],
  ['a price that is a number', { price: 8.77 }],
  ['a price that is no amount', { price: 'free' }],
])('%s is never guessed', (_, change) => {
  const line_items = [{ ...items[0]!, ...change }]
  expect(() => toOrderPlaced({ ...placed, line_items }, 'NWF')).toThrow(Unexpected)
})

test('an order that the buyer took back is told with its time', () => {
  expect(toOrderWithdrawn(fieldsOf(sample('shop-hosted/orders-cancelled')), 'NWF')).toMatchObject({
    type: 'order-withdrawn',
    externalId: '5518239001',
    at: expect.any(Date),
  })
  expect(() => toOrderWithdrawn(placed, 'NWF')).toThrow(Unexpected)
})

const shipped = (line: string, cases: number, pieces?: number) => ({
  line,
  sku: '10000',
  quantity: units(pieces ?? cases),
  unit: pieces === undefined ? 'CA' : 'EA',
  asOrdered: { quantity: cases * units(1), unit: 'CA' },
})

const notice: ShipNotice = {
  company: 'NWF',
  shipment: 'S-4001',
  order: 'O-1',
  customer: '100107',
  customerOrder: 'PO-100001',
  externalId: '5518239001',
  shippedAt: new Date('2026-11-22T12:00:00Z'),
  carrier: 'SWIFT',
  location: 'DC1',
  packages: [
    { tracking: 'SW1', lines: [shipped('9001', 2)] },
    {
      tracking: 'SW2',
      lines: [shipped('9001', 1), shipped('9002', 5)],
    },
  ],
}

test('a shipment is one fulfillment, whatever the number of its packages', () => {
  expect(toFulfillment(notice)).toEqual({
    external_id: 'S-4001',
    tracking_info: { company: 'SWIFT', number: 'SW1' },
    line_items: [
      { id: 9001, quantity: 3 },
      { id: 9002, quantity: 5 },
    ],
  })
})

test('halves of a case in two packages are one case for the shop', () => {
  const half = { lines: [shipped('9001', 0.5, 6)] }
  expect(toFulfillment({ ...notice, packages: [half, half] }).line_items).toEqual([{ id: 9001, quantity: 1 }])
})

test.each([
  ['half a case', shipped('9001', 0.5, 6), 'connector.value_unrepresentable'],
  [
    'a third of a case',
    { ...shipped('9001', 0, 4), asOrdered: undefined },
    'connector.value_unrepresentable',
  ],
  ["a line that is not the shop's", shipped('A-1', 1), 'connector.reference_missing'],
])('%s is refused before anything is sent', (_, line, code) => {
  const packages = [{ lines: [line] }]
  expect(() => toFulfillment({ ...notice, packages })).toThrow(expect.objectContaining({ code }))
})

const told: OrderAcknowledgement = {
  company: 'NWF',
  order: 'O-1',
  customer: '100107',
  customerOrder: 'PO-100001',
  currency: 'USD',
  outcome: 'accepted-with-changes',
  turn: 1,
  lines: [
    {
      line: '9001',
      sku: '10000',
      ordered: units(8),
      reserved: units(6),
      backordered: units(2),
      cancelled: 0,
      unit: 'CA',
      priceMinor: 877,
      priceUnit: 'CA',
    },
  ],
}

test("what we say stands beside the buyer's words and replaces what we said before", () => {
  const before = { note: 'Ring the bell', tags: 'vip, wholesale' }
  const first = annotated(before, told)
  expect(first).toEqual({
    note: 'Ring the bell\nO-1: accepted-with-changes\nO-1: 10000: 2 CA on backorder',
    tags: 'vip, wholesale, order-accepted-with-changes',
  })
  const [line] = told.lines
  const promised = annotated(first, { ...told, lines: [{ ...line!, promisedDate: '2026-12-01' }] })
  expect(promised.note).toContain('2 CA on backorder, expected on 2026-12-01')
  const later = annotated(first, { ...told, outcome: 'accepted', lines: [] })
  expect(later).toEqual({ note: 'Ring the bell\nO-1: accepted', tags: 'vip, wholesale, order-accepted' })
  expect(annotated(first, told)).toEqual(first)
})
