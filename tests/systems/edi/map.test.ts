/** The map of a purchase order to an order request under its partner's guide. */
import { expect, test } from 'vitest'
import { OrderRequest } from '#domains/orders/contract.ts'
import { customerOrderOf, type ItemCrosswalk, toOrderRequest } from '#systems/edi/map.ts'
import { line, order } from './purchase-order-document.ts'
import { guide } from './x12-text.ts'

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
  ['8.4', 'PK', '8.4'],
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

test.each([
  [0, undefined],
  [0.01, '8.4'],
])(
  'a price of 3.81 for a pound is one for a kilogram within %s per cent, as %s',
  (pricePercent, expected) => {
    const document = order({ lines: [line({ price: '3.81', priceBasis: 'PP' })] })
    const mapping = toOrderRequest(document, guide({ tolerances: { pricePercent } }), none)
    expect(mapping.request?.lines[0]?.price).toBe(expected)
  },
)

test.each([
  ['24.905', 0, undefined],
  ['24.905', 0.02, undefined],
  ['24.905', 0.03, '24.91'],
  ['0.004', 99, undefined],
  ['0.004', 100, '0'],
  ['24.900', 0, '24.9'],
])('a price of %s is compared in cents within %s per cent, as %s', (price, pricePercent, expected) => {
  const by = guide({ tolerances: { pricePercent } })
  const mapping = toOrderRequest(order({ lines: [line({ price })] }), by, none)
  expect(mapping.request?.lines[0]?.price).toBe(expected)
  expect(codes(mapping)).toEqual(expected === undefined ? ['po.price_unusable'] : [])
})

test('a date before the order itself is a question, at the line as at the header', () => {
  const early = (days: string) => [{ qualifier: '002', date: `2026-11-${days}` }]
  const document = order({ dates: early('16'), lines: [line({ dates: early('14') })] })
  expect(codes(toOrderRequest(document, guide(), none))).toEqual([
    'po.requested_before_order',
    'po.requested_before_order',
  ])
  const patient = guide({ tolerances: { pastDays: 2 } })
  const mapping = toOrderRequest(document, patient, none)
  expect(codes(mapping)).toEqual(['po.requested_before_order'])
  expect(mapping.request).toMatchObject({
    requestedDate: '2026-11-16',
    lines: [{ requestedDate: '2026-11-14' }],
  })
  expect(codes(toOrderRequest(order({ dates: early('17') }), guide(), none))).toEqual([])
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
