/** What is there by 846, in both directions: what a warehouse counted, and what we can promise. */
import { createReadStream, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import type { Advised } from '#systems/edi/advice.ts'
import { checkFile } from '#systems/edi/check-file.ts'
import { buildInventoryAdvice, INVENTORY_ADVICE, parseInventoryAdvice } from '#systems/edi/documents/846.ts'
import { present } from '#systems/edi/documents/parts.ts'
import { toInventoryAdvice, toStockCounted } from '#systems/edi/map-stock.ts'
import { DEMO_PARTNERS, loadPartnerGuides } from '#systems/edi/partner-guide-files.ts'
import { DEFAULT_DELIMITERS, type SegmentData, writeSegment } from '#systems/edi/x12-writer.ts'
import { guide, validate } from './x12-text.ts'

const warehouse = (overrides: Record<string, unknown> = {}) =>
  guide({
    role: 'warehouse',
    location: 'DC9',
    receives: ['846'],
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
    stock: { 33: 'available', QH: 'qualityHold', 20: 'damaged', '02': 'ignore' },
    timeZone: 'America/Los_Angeles',
    ...overrides,
  })

const CASE = { numerator: 12, denominator: 1 }
const advised = (overrides: Record<string, unknown> = {}): Advised => ({
  guide: warehouse(overrides),
  crosswalk: () => undefined,
  unitsOf: () => ({ units: new Map([['CA', CASE]]), catchWeight: false }),
  group: { date: '20261121', time: '2355' },
  at: { byte: 0, line: 1 },
})

async function counted(...lines: readonly string[]) {
  const { root, errors } = await validate(INVENTORY_ADVICE, ['BIA*00*DD*S-1*20261121*2350', ...lines], '846')
  expect(errors).toEqual([])
  return toStockCounted(root, advised())
}

test('a count says of each item and lot what is available, held and damaged, in base units, and as of when', async () => {
  const { message } = await counted(
    'LIN**VN*A*LT*L-1',
    'QTY*33*10*CA',
    'QTY*QH*1*CA',
    'LIN**VN*A',
    'REF*LT*L-2',
    'QTY*20*2*CA',
    'QTY*02*99*CA',
    'LIN**VN*B',
    'QTY*33*0*CA',
    'QTY*33*5*CA',
    'DTM*018*20261201',
  )
  const none = { location: 'DC9', available: 0, qualityHold: 0, damaged: 0 }
  expect(message).toEqual({
    type: 'stock-counted',
    company: 'NWF',
    sender: 'buyer',
    snapshot: {
      company: 'NWF',
      location: 'DC9',
      takenAt: new Date('2026-11-22T07:50:00Z'),
      scope: 'items',
      lines: [
        { ...none, sku: 'A', lot: 'L-1', available: units(120), qualityHold: units(12) },
        { ...none, sku: 'A', lot: 'L-2', damaged: units(24) },
        { ...none, sku: 'B', lot: undefined },
      ],
    },
    sent: [
      { line: 1, text: 'LIN**VN*A*LT*L-1', ids: 'VN A' },
      { line: 2, text: 'LIN**VN*A', ids: 'VN A' },
      { line: 3, text: 'LIN**VN*B', ids: 'VN B' },
    ],
    unread: [],
  })
})

test('one of a partner that names all that it has is of the whole location', async () => {
  const { root } = await validate(INVENTORY_ADVICE, ['BIA*00*DD*S-1*20261121*2350', 'LIN**VN*A'], '846')
  const { message } = toStockCounted(root, advised({ wholeCounts: true }))
  expect(message?.snapshot).toMatchObject({ scope: 'location', lines: [{ sku: 'A', available: 0 }] })
})

test.each([
  ['LIN**VN*A QTY*17*10*CA', ['LIN**VN*A', 'QTY*17*10*CA'], /^QTY01: .*\(QTY 17\)$/, 'stock'],
  ['LIN**VN*A QTY*33*11*CA', ['LIN**VN*A', 'QTY*33*10*CA', 'QTY*33*11*CA'], /^QTY01: .*33 again\)$/, 'stock'],
  ['LIN**ZZ*A', ['LIN**ZZ*A', 'QTY*33*10*CA'], /^LIN03: No product id/, 'items'],
  ['LIN**VN*A QTY*33*10*EA', ['LIN**VN*A', 'QTY*33*10*EA'], /^QTY03: The unit .*\(EA of A\)$/, 'units'],
  ['LIN**VN*A QTY*33*-1*CA', ['LIN**VN*A', 'QTY*33*-1*CA'], /^QTY02: The quantity/, 'corrected'],
  ['LIN**VN*A N1*OW*BETA', ['LIN**VN*A', 'QTY*33*1*CA', 'N1*OW*BETA'], /^N1: It names an owner/, 'owners'],
])(
  'a line that cannot be read (%s) is named with its number, its element and what mends it, and the others are taken',
  async (text, lines, reason, entry) => {
    const { message, findings } = await counted('LIN**VN*B', 'QTY*33*1*CA', ...lines, 'LIN**VN*C')
    expect(message?.snapshot.lines).toMatchObject([{ sku: 'B' }, { sku: 'C' }])
    expect(message?.sent.map(({ line }) => line)).toEqual([1, 3])
    expect(message?.unread).toEqual([
      {
        line: 2,
        text,
        item: text.startsWith('LIN**ZZ') ? 'ZZ A' : 'A',
        reason: expect.stringMatching(reason),
        cure: expect.stringContaining(entry),
      },
    ])
    expect(findings).toHaveLength(1)
  },
)

test('of an item of which a line cannot be read no other lot is taken', async () => {
  const { message } = await counted(
    'LIN**VN*A*LT*L-1',
    'QTY*33*10*CA',
    'LIN**VN*B',
    'QTY*33*1*CA',
    'LIN**VN*A*LT*L-2',
    'QTY*33*-1*CA',
  )
  expect(message?.snapshot.lines).toMatchObject([{ sku: 'B' }])
  expect(message?.unread).toMatchObject([
    { line: 1, text: 'LIN**VN*A*LT*L-1', reason: 'Another line of A cannot be read.' },
    { line: 3, text: 'LIN**VN*A*LT*L-2 QTY*33*-1*CA', reason: expect.stringContaining('(-1)') },
  ])
})

test.each([
  ['with no line that can be read', 'BIA*00*DD*S-1*20261121*2350', 'QTY*33*-1*CA'],
  ['of a day that is none', 'BIA*00*DD*S-1*20269921*2350', 'QTY*33*1*CA'],
])('one %s is not taken', async (_, bia, qty) => {
  const { root } = await validate(INVENTORY_ADVICE, [bia, 'LIN**VN*A', qty], '846')
  const { message, findings } = toStockCounted(root, advised())
  expect(message).toBeUndefined()
  expect(findings).toHaveLength(1)
})

const written = (segments: readonly SegmentData[]) =>
  validate(
    INVENTORY_ADVICE,
    segments.map((segment) => writeSegment(segment, DEFAULT_DELIMITERS)),
    '846',
  )

test('every inventory advice that is written is read as it was meant', async () => {
  const quantity = fc.record({
    qualifier: fc.constantFrom('33', '17'),
    quantity: fc.nat(9_999).map(String),
    unit: fc.constantFrom('EA', 'CA'),
    from: fc.option(fc.constant('2026-12-01'), { nil: undefined }),
  })
  const line = fc.record({
    assignedId: fc.option(fc.nat(99).map(String), { nil: undefined }),
    productIds: fc.constantFrom(
      [{ qualifier: 'VN', value: 'A' }],
      [
        { qualifier: 'VN', value: 'A' },
        { qualifier: 'UP', value: '036000291452' },
      ],
    ),
    lot: fc.option(fc.constantFrom('L1', 'L-2'), { nil: undefined }),
    quantities: fc.array(quantity, { maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (lines) => {
      const advice = {
        purpose: '00',
        report: 'SI',
        number: 'A-1',
        date: '2026-11-21',
        time: '2350',
        lines: lines.map((one) =>
          present({ ...one, quantities: one.quantities.map((each) => present(each)) }),
        ),
      }
      const { root, errors } = await written(buildInventoryAdvice(advice))
      expect(errors).toEqual([])
      expect(parseInventoryAdvice(root)).toEqual(advice)
    }),
    { numRuns: 40 },
  )
})

test("what we can promise is told under the partner's qualifier and units", async () => {
  const partner = guide({
    items: [{ qualifier: 'BP', is: 'sku' }],
    units: { CX: 'CA' },
    timeZone: 'America/New_York',
  })
  const advice = toInventoryAdvice(
    {
      number: 'AV-7',
      asOf: new Date('2026-11-21T08:30:00Z'),
      items: [
        { sku: 'A', unit: 'CA', quantity: units(12) },
        { sku: 'B', unit: 'EA', quantity: 0 },
      ],
    },
    partner,
  )
  const { errors } = await written(buildInventoryAdvice(advice))
  expect(errors).toEqual([])
  expect(advice).toMatchObject({
    number: 'AV-7',
    date: '2026-11-21',
    time: '0330',
    lines: [
      {
        productIds: [{ qualifier: 'BP', value: 'A' }],
        quantities: [{ qualifier: '33', quantity: '12', unit: 'CX' }],
      },
      { quantities: [{ quantity: '0', unit: 'EA' }] },
    ],
  })
  expect(() =>
    toInventoryAdvice(
      { ...advice, asOf: new Date(0), items: [{ sku: 'A', unit: 'XYZ', quantity: 1 }] },
      partner,
    ),
  ).toThrow(expect.objectContaining({ code: 'edi.unit_unmapped' }))
})

test('a location is needed for a count, and a nightly one is taken for all its dirt', async () => {
  expect(() => guide({ role: 'supplier', supplier: 'V1', receives: ['846'] })).toThrow(
    /an 846 is about a location/,
  )
  const sample = new URL('./samples/stock-count.edi', import.meta.url)
  const report = await checkFile(createReadStream(sample), loadPartnerGuides(DEMO_PARTNERS))
  expect(report.interchanges[0]?.groups[0]).toMatchObject({
    acknowledged: 'A',
    sets: [{ verdict: { becomes: 'advice', is: 'count', number: 'DC1', lines: 3 } }],
  })
})

test('a check says how many lines of a count would not be taken', async () => {
  const sample = readFileSync(new URL('./samples/stock-count.edi', import.meta.url), 'latin1')
  const { interchanges, clean } = await checkFile(
    Readable.from([Buffer.from(sample.replace('QTY*33*0*EA', 'QTY*33*0*ZZ'), 'latin1')]),
    loadPartnerGuides(DEMO_PARTNERS),
  )
  const [set] = interchanges[0]!.groups[0]!.sets
  expect(set).toMatchObject({
    acknowledged: 'A',
    verdict: { becomes: 'advice', is: 'count', number: 'DC1', lines: 2, unread: 1 },
  })
  expect(set!.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { code: 'advice.unit_unknown', at: { line: 15, segmentId: 'QTY', element: 3 } },
  ])
  expect(clean).toBe(false)
})
