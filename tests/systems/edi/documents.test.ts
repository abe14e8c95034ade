/** The documents that we send: each is read as it was written, and refused where it would say something wrong. */
import { expect, test } from 'vitest'
import { buildInvoice, INVOICE, type InvoiceDocument, parseInvoice } from '#systems/edi/documents/810.ts'
import {
  buildOrderAcknowledgment,
  ORDER_ACKNOWLEDGMENT,
  type OrderAcknowledgment,
  parseOrderAcknowledgment,
} from '#systems/edi/documents/855.ts'
import { checkDigit } from '#capabilities/sscc.ts'
import { buildShipNotice, parseShipNotice, SHIP_NOTICE } from '#systems/edi/documents/856.ts'
import {
  type Acknowledgment,
  buildAcknowledgment,
  FUNCTIONAL_ACKNOWLEDGMENT,
  groupStatus,
  parseAcknowledgment,
  setStatus,
} from '#systems/edi/documents/997.ts'
import { type Hierarchy, type ShipNotice, STRUCTURE_CODES } from '#systems/edi/documents/ship-notice.ts'
import type { StructureNode } from '#systems/edi/documents/structure.ts'
import { DEFAULT_DELIMITERS, type SegmentData, writeSegment } from '#systems/edi/x12-writer.ts'
import { validate } from './x12-text.ts'

const reread = (nodes: readonly StructureNode[], segments: readonly SegmentData[], type: string) =>
  validate(
    nodes,
    segments.map((segment) => writeSegment(segment, DEFAULT_DELIMITERS)),
    type,
  )

const acknowledgment = (): OrderAcknowledgment => ({
  purpose: '11',
  type: 'AC',
  number: 'PO-1',
  release: 'R7',
  date: '2026-11-17',
  acknowledgedOn: '2026-11-18',
  sellerOrder: 'O-1000017',
  currency: 'USD',
  references: [{ qualifier: 'DP', value: '0412' }],
  notes: ['Too late to cancel.'],
  parties: [
    { role: 'ST', name: 'Store', lines: ['18 Quay'], city: 'Portland', references: [], contacts: [] },
  ],
  lines: [
    {
      assignedId: '1',
      quantity: '10',
      unit: 'CA',
      price: '24.9',
      priceBasis: 'PE',
      productIds: [{ qualifier: 'VN', value: 'A' }],
      acknowledgments: [
        { status: 'BP', quantity: '6', unit: 'CA', productIds: [] },
        {
          status: 'IB',
          quantity: '4',
          unit: 'CA',
          date: { qualifier: '067', date: '2026-12-01' },
          productIds: [],
        },
      ],
    },
    {
      assignedId: '2',
      quantity: '5',
      unit: 'EA',
      productIds: [],
      acknowledgments: [
        {
          status: 'IR',
          quantity: '5',
          unit: 'EA',
          reason: 'po.item_unidentified',
          productIds: [{ qualifier: 'VN', value: 'B' }],
        },
      ],
    },
  ],
})

test('an 855 is read as it was written', async () => {
  const { root, errors } = await reread(
    ORDER_ACKNOWLEDGMENT,
    buildOrderAcknowledgment(acknowledgment()),
    '855',
  )
  expect(errors).toEqual([])
  expect(parseOrderAcknowledgment(root)).toEqual(acknowledgment())
})

test('an 855 that leaves a line unanswered is refused', () => {
  const answer = acknowledgment()
  const lines = answer.lines.map((line) => ({ ...line, acknowledgments: [] }))
  expect(() => buildOrderAcknowledgment({ ...answer, lines })).toThrow(
    expect.objectContaining({ code: 'edi.line_unanswered' }),
  )
})

const sscc = (serial: number): string => {
  const digits = `0036000${String(serial).padStart(10, '0')}`
  return digits + checkDigit(digits)
}

const notice = (): ShipNotice => ({
  number: 'S-100',
  date: '2026-11-19',
  time: '1405',
  shipment: {
    carrier: { scac: 'UPSN', method: 'M' },
    weight: { value: '18.5', unit: 'KG' },
    freightPayment: 'PP',
    references: [{ qualifier: 'BM', value: '990' }],
    dates: [{ qualifier: '011', date: '2026-11-19' }],
    parties: [{ role: 'ST', name: 'Store', lines: [], city: 'Portland', references: [], contacts: [] }],
  },
  orders: [
    {
      number: 'PO-1',
      release: 'R7',
      date: '2026-11-17',
      packages: [
        {
          sscc: sscc(1),
          tracking: '1Z999',
          weight: { value: '9', unit: 'KG' },
          items: [
            {
              assignedId: '1',
              productIds: [{ qualifier: 'VN', value: 'A' }],
              quantity: '6',
              unit: 'CA',
              description: 'Olives',
              lots: ['L1', 'L2'],
            },
            {
              assignedId: '2',
              productIds: [{ qualifier: 'VN', value: 'B' }],
              quantity: '1',
              unit: 'EA',
              lots: [],
              serials: ['SN-1', 'SN-2'],
            },
          ],
        },
        {
          sscc: sscc(2),
          items: [
            {
              assignedId: '1',
              productIds: [{ qualifier: 'VN', value: 'A' }],
              quantity: '4',
              unit: 'CA',
              lots: [],
            },
          ],
        },
      ],
    },
  ],
})

test('check digits are those of GS1', () => {
  expect(checkDigit('0950600013435')).toBe('2')
  expect(checkDigit('401234500000')).toBe('9')
})

test.each(['SOPI', 'SOIP', 'SPOI'] as const)(
  'an 856 in hierarchy %s is read as it was written',
  async (hierarchy) => {
    const segments = buildShipNotice(notice(), hierarchy)
    expect(segments[0]?.[5]).toBe(STRUCTURE_CODES[hierarchy])
    const { root, errors } = await reread(SHIP_NOTICE, segments, '856')
    expect(errors).toEqual([])
    expect(parseShipNotice(root)).toEqual(notice())
  },
)

test('an 856 without a packaging level keeps every item and its SSCC', async () => {
  const { root, errors } = await reread(SHIP_NOTICE, buildShipNotice(notice(), 'SOI'), '856')
  expect(errors).toEqual([])
  const packages = parseShipNotice(root).orders[0]?.packages
  expect(packages?.map((pack) => [pack.sscc, pack.items.length])).toEqual([
    [sscc(1), 2],
    [sscc(2), 1],
  ])
})

test('each MAN segment of an 856 carries exactly one SSCC, and each package has one', () => {
  for (const hierarchy of Object.keys(STRUCTURE_CODES) as Hierarchy[]) {
    const marks = buildShipNotice(notice(), hierarchy).filter(([id, kind]) => id === 'MAN' && kind === 'GM')
    expect(marks.every((mark) => mark.length === 3)).toBe(true)
    expect(new Set(marks.map((mark) => mark[2]))).toEqual(new Set([`00${sscc(1)}`, `00${sscc(2)}`]))
  }
})

test('an SSCC with a wrong check digit is refused', () => {
  const wrong = notice()
  const [order] = wrong.orders
  const packages = order?.packages.map((pack) => ({ ...pack, sscc: '003600000000000010' })) ?? []
  const orders = order ? [{ ...order, packages }] : []
  expect(() => buildShipNotice({ ...wrong, orders })).toThrow(
    expect.objectContaining({ code: 'edi.sscc_invalid' }),
  )
})

test('an 856 whose levels nest without end is read without nesting us', async () => {
  const levels = Array.from(
    { length: 5_000 },
    (_, index) => `HL*${index + 1}*${index || ''}*${index ? 'O' : 'S'}`,
  )
  const { root } = await validate(SHIP_NOTICE, ['BSN*00*S1*20261119*1405', ...levels, 'CTT*1'], '856')
  expect(parseShipNotice(root).orders).toEqual([])
})

const invoice = (overrides: Partial<InvoiceDocument> = {}): InvoiceDocument => ({
  number: 'INV-9',
  date: '2026-11-20',
  orderNumber: 'PO-1',
  orderDate: '2026-11-17',
  release: 'R7',
  type: 'DI',
  currency: 'USD',
  references: [{ qualifier: 'SI', value: 'S-100' }],
  parties: [{ role: 'RE', name: 'Northwholesale', lines: [], references: [], contacts: [] }],
  terms: { netDays: '30', discountPercent: '2', discountDays: '10' },
  dates: [{ qualifier: '011', date: '2026-11-19' }],
  carrier: { scac: 'UPSN', tracking: '1Z999' },
  lines: [
    {
      assignedId: '1',
      quantity: '10',
      unit: 'CA',
      price: '24.905',
      productIds: [{ qualifier: 'VN', value: 'A' }],
      description: 'Olives',
    },
  ],
  charges: [
    { kind: 'charge', code: 'D240', amountMinor: 1500, description: 'Freight' },
    { kind: 'allowance', code: 'C310', amountMinor: 500 },
  ],
  taxes: [{ type: 'TX', amountMinor: 2179, percent: '8.25' }],
  totalMinor: 24_905 + 1500 - 500 + 2179,
  ...overrides,
})

test('an 810 is read as it was written', async () => {
  const { root, errors } = await reread(INVOICE, buildInvoice(invoice()), '810')
  expect(errors).toEqual([])
  expect(parseInvoice(root)).toEqual(invoice())
})

test('an 810 whose total is a cent off is refused', () => {
  expect(() => buildInvoice(invoice({ totalMinor: invoice().totalMinor + 1 }))).toThrow(
    expect.objectContaining({ code: 'edi.invoice_total_mismatch' }),
  )
})

test('amounts travel in hundredths whatever the currency, or are refused', async () => {
  const yen = invoice({
    currency: 'JPY',
    lines: [{ quantity: '2', unit: 'EA', price: '150', productIds: [] }],
    charges: [],
    taxes: [],
    totalMinor: 300,
  })
  expect(buildInvoice(yen)).toContainEqual(['TDS', '30000'])
  const dinar = {
    ...yen,
    currency: 'KWD',
    lines: [{ quantity: '1', unit: 'EA', price: '1.505', productIds: [] }],
    totalMinor: 1505,
  }
  expect(() => buildInvoice(dinar)).toThrow(expect.objectContaining({ code: 'edi.amount_unrepresentable' }))
})

const functional = (): Acknowledgment => ({
  functionalId: 'PO',
  controlNumber: 7,
  status: 'P',
  errors: ['5'],
  included: 3,
  received: 2,
  accepted: 1,
  sets: [
    { type: '850', controlNumber: '0001', status: 'A', errors: [], segments: [] },
    {
      type: '850',
      controlNumber: '0002',
      status: 'R',
      errors: ['5', '4'],
      segments: [
        {
          segmentId: 'N4',
          position: 24,
          loop: 'N1',
          code: '8',
          elements: [{ element: 2, reference: '156', code: '5', value: 'Oregon' }],
        },
        {
          segmentId: 'MEA',
          position: 30,
          loop: 'PO1',
          code: '8',
          elements: [{ element: 4, component: 1, reference: '355', code: '5' }],
        },
        { segmentId: 'PO1', position: 40, code: '3', elements: [] },
      ],
    },
  ],
})

test('a 997 is read as it was written', async () => {
  const { root, errors } = await reread(FUNCTIONAL_ACKNOWLEDGMENT, buildAcknowledgment(functional()), '997')
  expect(errors).toEqual([])
  expect(parseAcknowledgment(root, '>')).toEqual(functional())
})

test('a 997 is never acknowledged', () => {
  expect(() => buildAcknowledgment({ ...functional(), functionalId: 'FA' })).toThrow(
    expect.objectContaining({ code: 'edi.acknowledgment_of_acknowledgment' }),
  )
})

test('a bad value that holds delimiters is left out of the 997 instead of breaking it', () => {
  const [, set] = functional().sets
  const segments = [
    { segmentId: 'N4', position: 5, code: '8', elements: [{ element: 2, code: '5', value: 'a*b~c' }] },
  ] as const
  const built = buildAcknowledgment({ ...functional(), sets: set ? [{ ...set, segments }] : [] })
  expect(built.find(([id]) => id === 'AK4')).toEqual(['AK4', ['2'], undefined, '5', undefined])
})

test('a set is rejected by a refused fault, accepted with errors by a tolerated one', () => {
  expect(setStatus([], { refused: 0, tolerated: 0 })).toBe('A')
  expect(setStatus([], { refused: 0, tolerated: 1 })).toBe('E')
  expect(setStatus(['23'], { refused: 0, tolerated: 0 })).toBe('E')
  expect(setStatus(['4'], { refused: 0, tolerated: 0 })).toBe('R')
  expect(setStatus([], { refused: 1, tolerated: 1 })).toBe('R')
})

test('a group is accepted, noted, partly accepted or rejected by its sets and its own faults', () => {
  const set = (status: 'A' | 'E' | 'R') => ({
    type: '850',
    controlNumber: '0001',
    status,
    errors: [],
    segments: [],
  })
  expect(groupStatus([], [set('A')])).toBe('A')
  expect(groupStatus(['5'], [set('A')])).toBe('E')
  expect(groupStatus([], [set('A'), set('E')])).toBe('E')
  expect(groupStatus([], [set('A'), set('R')])).toBe('P')
  expect(groupStatus([], [set('R'), set('R')])).toBe('R')
  expect(groupStatus(['2'], [set('A')])).toBe('R')
})
