/** The maps: purchase order to order request under a guide, and canonical answers to the partner's documents. */
import { expect, test } from 'vitest'
import type { OrderAcknowledgement } from '#capabilities/channel.ts'
import { OrderRequest } from '#domains/orders/contract.ts'
import { units } from '#platform/quantity.ts'
import { buildOrderAcknowledgment } from '#systems/edi/documents/855.ts'
import { buildShipNotice, checkDigit } from '#systems/edi/documents/856.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from '#systems/edi/documents/purchase-order.ts'
import { toOrderAcknowledgment, toRejection, toShipNotice } from '#systems/edi/map-answers.ts'
import { customerOrderOf, type ItemCrosswalk, toOrderRequest } from '#systems/edi/map.ts'
import { guide } from './x12-text.ts'

const at = { byte: 0, line: 1 }

const line = (overrides: Partial<PurchaseOrderLine> = {}): PurchaseOrderLine => ({
  line: '1',
  assignedId: '001',
  quantity: '10',
  unit: 'CA',
  price: '24.9',
  priceBasis: 'PE',
  productIds: [{ qualifier: 'VN', value: 'NWF-1001' }],
  dates: [],
  references: [],
  allowances: [],
  notes: [],
  schedules: [],
  destinations: [],
  parties: [],
  at,
  ...overrides,
})

const order = (overrides: Partial<PurchaseOrderDocument> = {}): PurchaseOrderDocument => ({
  purpose: 'original',
  type: 'SA',
  number: 'PO-1',
  date: '2026-11-17',
  currency: 'USD',
  references: [],
  contacts: [],
  terms: [],
  dates: [{ qualifier: '002', date: '2026-11-24' }],
  routing: [],
  allowances: [],
  notes: ['Dock 4'],
  parties: [
    {
      role: 'ST',
      name: 'Store 12',
      id: { qualifier: '92', value: 'S12' },
      lines: ['18 Quay'],
      city: 'Portland',
      region: 'OR',
      postalCode: '97201',
      country: 'US',
      references: [],
      contacts: [],
    },
  ],
  lines: [line()],
  at,
  ...overrides,
})

const none: ItemCrosswalk = () => undefined
const codes = (mapping: { findings: readonly { code: string }[] }) => mapping.findings.map(({ code }) => code)

test('an order becomes a request that the orders contract takes as it is', () => {
  const { request, findings, naturalKey } = toOrderRequest(order(), guide(), none)
  expect(OrderRequest.parse(request)).toEqual({
    company: 'NWF',
    customer: 'C-1',
    customerOrder: 'PO-1',
    orderDate: '2026-11-17',
    channel: 'edi',
    currency: 'USD',
    requestedDate: '2026-11-24',
    note: 'Dock 4',
    shipTo: {
      code: 'S12',
      name: 'Store 12',
      lines: ['18 Quay'],
      city: 'Portland',
      region: 'OR',
      postalCode: '97201',
      country: 'US',
    },
    lines: [{ line: '1', sku: 'NWF-1001', quantity: '10', unit: 'CA', price: '24.9' }],
  })
  expect(findings).toEqual([])
  expect(naturalKey).toBe('buyer|850|PO-1||2026')
})

test.each([
  ['number', 'buyer|850|PO-1|R7|'],
  ['number-and-year', 'buyer|850|PO-1|R7|2026'],
  ['number-and-date', 'buyer|850|PO-1|R7|2026-11-17'],
])('the natural key by profile %s', (naturalKey, expected) => {
  expect(toOrderRequest(order({ release: 'R7' }), guide({ naturalKey }), none).naturalKey).toBe(expected)
})

test('the customer order number carries the release and stays within 35 characters', () => {
  expect(customerOrderOf({ number: 'PO-1', release: 'R7' })).toBe('PO-1-R7')
  const long = customerOrderOf({ number: 'N'.repeat(22), release: `${'0'.repeat(29)}9` })
  expect(long).toHaveLength(35)
  expect(long.endsWith('9')).toBe(true)
})

test('product ids are tried in the order of the guide, through the crosswalk where they are not ours', () => {
  const ids = [
    { qualifier: 'BP', value: 'THEIRS' },
    { qualifier: 'UP', value: '036' },
  ]
  const crosswalk: ItemCrosswalk = (identity, value) =>
    identity === 'gtin' && value === '036' ? 'NWF-7' : undefined
  const { request } = toOrderRequest(order({ lines: [line({ productIds: ids })] }), guide(), crosswalk)
  expect(request?.lines[0]?.sku).toBe('NWF-7')
})

test.each([
  ['po.item_unidentified', { productIds: [{ qualifier: 'BP', value: 'X' }] }],
  ['po.unit_unknown', { unit: 'ZZ' }],
  ['po.quantity_unusable', { quantity: '0' }],
  ['po.quantity_unusable', { quantity: '-5' }],
  ['po.quantity_unusable', { quantity: '1.00001' }],
])('a line with %s is refused and the rest is ordered', (code, overrides) => {
  const mapping = toOrderRequest(order({ lines: [line(), line({ line: '2', ...overrides })] }), guide(), none)
  expect(mapping.request?.lines.map((mapped) => mapped.line)).toEqual(['1'])
  expect(mapping.refusedLines).toMatchObject([{ line: '2', code }])
})

test('an order without any usable line is refused as a whole', () => {
  const mapping = toOrderRequest(order({ lines: [line({ unit: 'ZZ' })] }), guide(), none)
  expect(mapping.request).toBeUndefined()
  expect(mapping.refusal?.code).toBe('po.no_lines')
})

test('an order in two currencies is refused as a whole', () => {
  const mapping = toOrderRequest(order({ lines: [line({ currency: 'CAD' })] }), guide(), none)
  expect(mapping.refusal?.code).toBe('po.currency_mixed')
})

test('the currency of the line counts where the header has none, the guide where neither has', () => {
  const bare = order()
  const { currency: _currency, ...rest } = bare
  expect(
    toOrderRequest({ ...rest, lines: [line({ currency: 'CAD' })] }, guide(), none).request?.currency,
  ).toBe('CAD')
  expect(toOrderRequest(rest, guide(), none).request?.currency).toBe('USD')
})

test.each([
  ['1375', 'HP', '13.75'],
  ['13750', 'TP', '13.75'],
  ['24.9', undefined, '24.9'],
  ['.5', 'PE', '0.5'],
])('price %s per %s is %s for one', (price, priceBasis, expected) => {
  const priced = priceBasis
    ? line({ price, priceBasis })
    : (({ priceBasis: _basis, ...rest }) => rest)(line({ price }))
  expect(toOrderRequest(order({ lines: [priced] }), guide(), none).request?.lines[0]?.price).toBe(expected)
})

test.each([
  ['1.23456', 'PE'],
  ['1', 'QQ'],
  ['12345', 'TP'],
])('a price that cannot be compared (%s %s) is left out and said', (price, priceBasis) => {
  const mapping = toOrderRequest(
    order({ lines: [line({ price, priceBasis: priceBasis === 'TP' ? 'HP' : priceBasis })] }),
    guide({ priceBasis: { PE: 1, HP: 7 } }),
    none,
  )
  expect(mapping.request?.lines[0]?.price).toBeUndefined()
  expect(codes(mapping)).toContain('po.price_unusable')
})

test('a missing ship-to, an unknown country and an unknown allowance are findings', () => {
  expect(codes(toOrderRequest(order({ parties: [] }), guide(), none))).toContain('po.ship_to_missing')
  const [party] = order().parties
  const parties = party ? [{ ...party, country: 'USA' }] : []
  expect(codes(toOrderRequest(order({ parties }), guide(), none))).toContain('po.country_unknown')
  const allowances = [{ kind: 'charge' as const, code: 'F050' }]
  expect(codes(toOrderRequest(order({ allowances }), guide(), none))).toContain('po.allowance_unknown')
  expect(
    codes(toOrderRequest(order({ allowances }), guide({ allowances: { F050: 'handling' } }), none)),
  ).toEqual([])
})

const acknowledgement = (
  parts: Partial<OrderAcknowledgement['lines'][number]> = {},
  turn = 1,
): OrderAcknowledgement => ({
  company: 'NWF',
  order: 'O-1',
  customer: 'C-1',
  customerOrder: 'PO-1',
  currency: 'USD',
  outcome: 'accepted',
  turn,
  lines: [
    {
      line: '1',
      sku: 'NWF-1001',
      ordered: units(10),
      reserved: units(10),
      backordered: 0,
      cancelled: 0,
      unit: 'CA',
      priceMinor: 2490,
      ...parts,
    },
  ],
})

const answerTo = (
  document: PurchaseOrderDocument,
  parts: Partial<OrderAcknowledgement['lines'][number]> = {},
  turn = 1,
) =>
  toOrderAcknowledgment(document, guide(), {
    acknowledgement: acknowledgement(parts, turn),
    refusedLines: [],
    on: '2026-11-18',
  })

test.each([
  ['all reserved', {}, 'AD IA 10'],
  ['at another price', { priceMinor: 2500 }, 'AC IP 10'],
  ['partly backordered', { reserved: units(6), backordered: units(4) }, 'AC BP 6 IB 4'],
  ['all backordered', { reserved: 0, backordered: units(10) }, 'AC IB 10'],
  ['cut', { reserved: units(6), cancelled: units(4) }, 'AC IQ 6'],
  ['rejected', { reserved: 0, cancelled: units(10), reason: 'orders.item_discontinued' }, 'RD IR 10'],
  ['on hold', { reserved: 0 }, 'AC IH 10'],
])('a line that is %s is answered so', (_name, parts, expected) => {
  const answer = answerTo(order(), parts)
  const [answered] = answer.lines
  const told = answered?.acknowledgments.map(({ status, quantity }) => `${status} ${quantity}`).join(' ')
  expect(`${answer.type} ${told}`).toBe(expected)
  expect(answered).toMatchObject({
    assignedId: '001',
    unit: 'CA',
    productIds: [{ qualifier: 'VN', value: 'NWF-1001' }],
  })
})

test('a line that is cancelled after it was accepted is told as deleted, not as rejected', () => {
  const answer = answerTo(order(), { reserved: 0, cancelled: units(10) }, 2)
  expect(answer.lines[0]?.acknowledgments).toMatchObject([{ status: 'ID', quantity: '10' }])
})

test('lines that never reached the house are rejected with their reason, beside those that did', () => {
  const document = order({ lines: [line(), line({ line: '2', unit: 'ZZ' })] })
  const { refusedLines } = toOrderRequest(document, guide(), none)
  const answer = toOrderAcknowledgment(document, guide(), {
    acknowledgement: acknowledgement(),
    refusedLines,
    on: '2026-11-18',
  })
  expect(answer.lines[1]?.acknowledgments).toMatchObject([{ status: 'IR', reason: 'po.unit_unknown' }])
  expect(buildOrderAcknowledgment(answer)).toHaveLength(2 + 4 + 1)
})

test('a line without any answer is refused when the 855 is built', () => {
  const document = order({ lines: [line(), line({ line: '2' })] })
  expect(() => buildOrderAcknowledgment(answerTo(document))).toThrow(/no acknowledgment/)
})

test('an order that cannot be taken is answered with a rejection of every line', () => {
  const document = order({ lines: [line({ unit: 'ZZ' }), line({ line: '2' })] })
  const { refusedLines } = toOrderRequest(document, guide(), none)
  const answer = toRejection(document, refusedLines, { reason: 'po.no_lines', on: '2026-11-18' })
  expect(answer.type).toBe('RD')
  expect(answer.lines.map(({ acknowledgments: [ack] }) => ack?.reason)).toEqual([
    'po.unit_unknown',
    'po.no_lines',
  ])
})

test('a price basis of a hundred is kept in the answer', () => {
  const document = order({ lines: [line({ price: '1375', priceBasis: 'HP' })] })
  const answer = answerTo(document, { priceMinor: 1375 })
  expect(answer.lines[0]).toMatchObject({
    price: '1375',
    priceBasis: 'HP',
    acknowledgments: [{ status: 'IA' }],
  })
})

const SSCC = `00360000000000001${checkDigit('00360000000000001')}`

const shipNotice = {
  company: 'NWF',
  shipment: 'S-1',
  order: 'O-1',
  customer: 'C-1',
  customerOrder: 'PO-1',
  carrier: 'FEDX',
  location: 'W1',
  shippedAt: new Date('2026-11-19T14:05:00Z'),
  packages: [
    {
      sscc: SSCC,
      tracking: '1Z',
      weightGrams: 18_500,
      lines: [{ line: '1', sku: 'NWF-1001', quantity: units(10), unit: 'CA', lot: 'L1' }],
    },
  ],
}

test("a ship notice speaks the partner's units and ids", () => {
  const notice = toShipNotice(
    shipNotice,
    order({ lines: [line({ unit: 'CS' })] }),
    guide({ units: { CS: 'CA' } }),
  )
  expect(notice).toMatchObject({
    number: 'S-1',
    date: '2026-11-19',
    time: '1405',
    shipment: { carrier: { scac: 'FEDX' }, weight: { value: '18.5', unit: 'KG' } },
    orders: [
      {
        number: 'PO-1',
        packages: [{ items: [{ assignedId: '001', quantity: '10', unit: 'CS', lots: ['L1'] }] }],
      },
    ],
  })
  expect(notice.shipment.parties).toMatchObject([
    { role: 'ST', city: 'Portland' },
    { role: 'SF', id: { value: 'W1' } },
  ])
  expect(buildShipNotice(notice)).toContainEqual(['MAN', 'GM', `00${SSCC}`])
})

test('what a notice repeats of an order and cannot write is left out, not refused', () => {
  const [party] = order().parties
  const document = order({
    parties: [{ ...party!, name: 'Store*12', region: 'Oregon', city: 'Portland~' }],
    lines: [line({ description: 'Olives * green' })],
  })
  const notice = toShipNotice(shipNotice, document, guide({ weightUnit: 'LB' }))
  expect(notice.shipment.parties[0]).toEqual({
    role: 'ST',
    id: { qualifier: '92', value: 'S12' },
    lines: ['18 Quay'],
    postalCode: '97201',
    country: 'US',
    references: [],
    contacts: [],
  })
  expect(notice.orders[0]?.packages[0]).toMatchObject({ weight: { value: '40.7855', unit: 'LB' } })
  expect(notice.orders[0]?.packages[0]?.items[0]).not.toHaveProperty('description')
})

test('a unit that the partner has no code for is refused', () => {
  const packages = shipNotice.packages.map((pack) => ({
    ...pack,
    lines: pack.lines.map((shipped) => ({ ...shipped, unit: 'XQQ' })),
  }))
  expect(() => toShipNotice({ ...shipNotice, packages }, order(), guide())).toThrow(
    expect.objectContaining({ code: 'edi.unit_unmapped', message: expect.stringContaining('XQQ') }),
  )
})
