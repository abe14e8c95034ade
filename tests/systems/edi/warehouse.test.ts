/** What a warehouse tells by 944, 945 and 947: each thing by itself, known again however it is sent. */
import { createReadStream, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { checkFile } from '#systems/edi/check-file.ts'
import { buildReceiptAdvice, parseReceiptAdvice, RECEIPT_ADVICE } from '#systems/edi/documents/944.ts'
import { buildShippingAdvice, parseShippingAdvice, SHIPPING_ADVICE } from '#systems/edi/documents/945.ts'
import {
  ADJUSTMENT_ADVICE,
  buildAdjustmentAdvice,
  parseAdjustmentAdvice,
} from '#systems/edi/documents/947.ts'
import { checkDigit } from '#capabilities/sscc.ts'
import { present } from '#systems/edi/documents/parts.ts'
import { DEMO_PARTNERS, loadPartnerGuides } from '#systems/edi/partner-guide-files.ts'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { type ReceivedEvent, receiveX12 } from '#systems/edi/receive.ts'
import { restoreWarehouse, warehouseMessages } from '#systems/edi/warehouse-inbound.ts'
import { DEFAULT_DELIMITERS, type SegmentData, writeSegment } from '#systems/edi/x12-writer.ts'
import { fileText, guide, setText, validate } from './x12-text.ts'

const warehouse = (overrides: Record<string, unknown> = {}) =>
  guide({
    role: 'warehouse',
    location: 'DC9',
    receives: ['944', '945', '947', '997'],
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
    warehouse: { adjustments: { PC: 'count', QH: 'quality-hold' } },
    timeZone: 'America/Los_Angeles',
    ...overrides,
  })

const ITEM = {
  units: new Map([
    ['EA', { numerator: 1, denominator: 1 }],
    ['CA', { numerator: 12, denominator: 1 }],
  ]),
}
const find = {
  items: () => Promise.resolve(new Map()),
  units: (items: readonly { company: string; sku: string }[]) =>
    Promise.resolve(
      new Map(
        items
          .filter(({ sku }) => sku !== 'nothing')
          .map(({ company, sku }) => [`${company}\0${sku}`, { ...ITEM, catchWeight: sku === 'CHEESE' }]),
      ),
    ),
}
const unitsOf = (sku: string) => (sku === 'nothing' ? undefined : { ...ITEM, catchWeight: sku === 'CHEESE' })

async function setsOf(text: string, guides = [warehouse()]) {
  const found: Extract<ReceivedEvent, { kind: 'set' }>[] = []
  const lookups = () => Promise.resolve({ crosswalk: () => undefined, unitsOf })
  for await (const event of receiveX12([text], { guides: indexGuides(guides), lookups }))
    if (event.kind === 'set') found.push(event)
  return found
}

const messagesOf = async (
  type: string,
  segments: readonly string[],
  functionalId: string,
  from = warehouse(),
) => {
  const [set] = await setsOf(fileText([setText(segments, type)], functionalId), [from])
  expect(set!.reading.acknowledgment?.status).toBe('A')
  return warehouseMessages(set!)
}
const receipts = (...lines: readonly string[]) =>
  messagesOf('944', ['W17*F*20261120*R-1*P-7', ...lines], 'RE')
const adjustments = (...lines: readonly string[]) => messagesOf('947', ['W15*20261120*A-1', ...lines], 'AW')
const shipments = (head: string, ...lines: readonly string[]) => messagesOf('945', [head, ...lines], 'SW')

test('a receipt is told by line, in base units, with its purchase order, its lot and what was broken', async () => {
  const told = await receipts(
    'W07*10*CA**VN*A*L-1',
    'N9*LI*00020',
    'W13*2*CA*01',
    'W07*5*EA**VN*B',
    'N9*PO*P-8',
  )
  const common = { type: 'stock-moved', location: 'DC9', at: new Date('2026-11-20T08:00:00Z') }
  expect(told).toMatchObject([
    {
      messageId: '944/R-1#1',
      type: '944',
      company: 'NWF',
      message: {
        ...common,
        sku: 'A',
        lot: 'L-1',
        reason: 'receipt',
        quantity: units(120),
        purchaseOrder: { number: 'P-7', line: 20 },
      },
    },
    {
      messageId: '944/R-1#1.1',
      message: { ...common, sku: 'A', lot: 'L-1', reason: 'damage', quantity: units(24) },
    },
    {
      messageId: '944/R-1#2',
      message: { ...common, sku: 'B', quantity: units(5), purchaseOrder: { number: 'P-8', line: undefined } },
    },
  ])
})

test('a receipt came when its head says, by the clock of the warehouse', async () => {
  const segments = ['W17*F*20261120*R-1***W*061530', 'W07*1*EA**VN*A']
  const [told] = await messagesOf('944', segments, 'RE')
  expect(told).toMatchObject({ message: { at: new Date('2026-11-20T14:15:30Z') } })
})

test('an adjustment is what its guide says that its code means, with the sign where it is a count', async () => {
  const told = await adjustments('W19*PC*-3*EA**VN*A', 'W19*QH*-2*CA**VN*B*L-1', 'W19*ZZ*1*EA**VN*A')
  expect(told).toMatchObject([
    { messageId: '947/A-1#1', message: { reason: 'count', quantity: -units(3) } },
    { messageId: '947/A-1#2', message: { reason: 'quality-hold', quantity: units(24), lot: 'L-1' } },
    {
      messageId: '947/A-1#3',
      unreadable: { code: 'edi.advice_unreadable', facts: { code: 'advice.code_unknown' } },
    },
  ])
})

test('units that are named in N9 SE are told of with the line, or of a receipt with the part, that they are of', async () => {
  const named = (...serials: readonly string[]) => serials.map((serial) => `N9*SE*${serial}`)
  expect(
    await receipts('W07*3*EA**VN*A', ...named('S1', 'S2', 'S3'), 'W13*1*EA*01', ...named('S3')),
  ).toMatchObject([
    { message: { reason: 'receipt', serials: ['S1', 'S2', 'S3'] } },
    { message: { reason: 'damage', serials: ['S3'] } },
  ])
  expect(await adjustments('W19*PC*-1*EA**VN*A', ...named('S1'))).toMatchObject([
    { message: { reason: 'count', serials: ['S1'] } },
  ])
  const head = 'W06*F*F-1000031*20261120*SH-1'
  expect(await shipments(head, 'LX*1', 'W12*CC*2*2**EA**VN*A', ...named('S2', 'S3'))).toMatchObject([
    { message: { packages: [{ lines: [{ serials: ['S2', 'S3'] }] }] } },
  ])
})

test('a shipment names our request, its packages, lots and lines, and ends the request', async () => {
  const told = await shipments(
    'W06*F*F-1000031*20261120*SH-1',
    'N9*2I*1Z9',
    'G62*11*20261120*W*1645',
    'W27*M*UPSN*GROUND',
    'LX*1',
    'MAN*GM*00100360002914500014',
    'W12*CC*10*9**CA**VN*A*L-1',
    'N9*LI*2',
    'W12*CC*5*0**EA**VN*B',
    'N9*LI*3',
    'LX*2',
    'W12*CC**4**EA**VN*CHEESE**22.0462*G*L',
  )
  expect(told).toMatchObject([
    {
      messageId: '945/SH-1/F-1000031#1',
      message: {
        type: 'shipment-confirmed',
        shipment: 'SH-1/F-1000031',
        fulfillment: 'F-1000031',
        shippedAt: new Date('2026-11-21T00:45:00Z'),
        carrier: 'UPSN',
        service: 'GROUND',
        final: true,
        packages: [
          {
            sscc: '100360002914500014',
            tracking: '1Z9',
            lines: [{ line: 2, sku: 'A', quantity: units(108), lot: 'L-1' }],
          },
          { lines: [{ line: undefined, sku: 'CHEESE', quantity: units(4), catchWeight: 100_000 }] },
        ],
      },
    },
  ])
})

test('a shipment with a line of which more follows leaves its request open', async () => {
  const told = await shipments(
    'W06*F*F-1000031*20261120*SH-1',
    'LX*1',
    'W12*CC*1*1**EA**VN*A',
    'W12*BP*5*2**EA**VN*B',
  )
  expect(told).toMatchObject([{ message: { final: false } }])
})

test.each([
  ['945', ['W06*F**20261120*SH-1', 'LX*1', 'W12*CC**1**EA**VN*A'], 'SW', 'advice.order_missing'],
  ['945', ['W06*F*F-1*20261120', 'LX*1', 'W12*CC**1**EA**VN*A'], 'SW', 'advice.number_missing'],
  ['945', ['W06*F*F-1**SH-1', 'LX*1', 'W12*CC**1**EA**VN*A'], 'SW', 'advice.date_unusable'],
  ['945', ['W06*F*F-1*20261120*SH-1', 'LX*1', 'W12*CC**1**PL**VN*A'], 'SW', 'advice.unit_unknown'],
  ['947', ['W15*20261120', 'W19*PC*1*EA**VN*A'], 'AW', 'advice.number_missing'],
  ['944', ['W17*F*20261120*R-1', 'W07*1*EA**ZZ*A'], 'RE', 'advice.item_unidentified'],
  ['944', ['W17*F*20261120*R-1', 'W07*1.00001*EA**VN*A'], 'RE', 'advice.quantity_unusable'],
])('of a %s what cannot be read is told as such and no more', async (type, segments, functionalId, code) => {
  expect(await messagesOf(type, segments, functionalId)).toMatchObject([
    { unreadable: { code: 'edi.advice_unreadable', facts: { code } } },
  ])
})

test('what is sent again in another file, at another time, is the same message', async () => {
  const set = (control: string) => setText(['W15*20261120*A-1', 'W19*PC*-3*EA**VN*A'], '947', control)
  const [first] = await setsOf(fileText([set('0001')], 'AW'))
  const later = fileText([set('0077')], 'AW')
    .replaceAll('000000007', '000000099')
    .replace('261118*0915', '261122*1111')
  const [again] = await setsOf(later)
  expect(warehouseMessages(again!)).toEqual(warehouseMessages(first!))
})

test('each message can be read again from what is filed of it', async () => {
  const text = fileText(
    [
      setText(
        [
          'W17*F*20261120*R-1*P-7',
          'W07*1*EA**VN*A',
          'W13*1*EA*01',
          'W07*5*CA**VN*B',
          'W13*2*EA*01',
          'W13*1*EA*01',
        ],
        '944',
        '0001',
      ),
      setText(['W06*F*F-1000031*20261120*SH-1', 'LX*1', 'W12*CC**1**EA**VN*A'], '945', '0002'),
      setText(['W15*20261120*A-1', 'W19*PC*-3*EA**VN*A', 'W19*ZZ*1*EA**VN*B'], '947', '0003'),
    ],
    'RE',
  )
  const told = (await setsOf(text)).flatMap(warehouseMessages)
  expect(told).toHaveLength(8)
  for (const one of told) expect(await restoreWarehouse(one, indexGuides([warehouse()]), find)).toEqual(one)
})

test('what was filed and cannot be read any more says so', async () => {
  const filed = { messageId: '944/R-1#1', type: '944', body: 'nothing' }
  expect(await restoreWarehouse(filed, indexGuides([warehouse()]), find)).toMatchObject({
    unreadable: { code: 'edi.advice_unreadable' },
  })
})

const written = (nodes: Parameters<typeof validate>[0], segments: readonly SegmentData[], type: string) =>
  validate(
    nodes,
    segments.map((segment) => writeSegment(segment, DEFAULT_DELIMITERS)),
    type,
  )

const count = fc.integer({ min: 1, max: 9_999 }).map(String)
const lot = fc.option(fc.constantFrom('L1', 'L-2'), { nil: undefined })
const serials = fc.option(fc.constantFrom(['S1'], ['S2', 'S3']), { nil: undefined })
const ids = fc.constantFrom(
  [{ qualifier: 'VN', value: 'A' }],
  [
    { qualifier: 'VN', value: 'A' },
    { qualifier: 'UA', value: '036000291452' },
  ],
  [{ qualifier: 'UA', value: '036000291452' }],
)
test('every receipt advice that is written is read as it was meant', async () => {
  const part = fc.record({ quantity: count, unit: fc.constant('EA'), condition: fc.constantFrom('01', '07') })
  const reference = fc.option(fc.constantFrom('P-1', '20'), { nil: undefined })
  const line = fc.record({
    quantity: count,
    unit: fc.constantFrom('EA', 'CA'),
    productIds: ids,
    lot,
    expiresOn: fc.option(fc.constant('2027-01-31'), { nil: undefined }),
    order: reference,
    orderLine: reference,
    serials,
    parts: fc.array(part, { maxLength: 2 }),
  })
  const time = fc.constantFrom(undefined, '0610', '061059')
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), time, async (lines, at) => {
      const advice = {
        reporting: 'F',
        date: '2026-11-20',
        ...present({ time: at }),
        receipt: 'R-1',
        lines: lines.map((one) => present(one)),
      }
      const { root, errors } = await written(RECEIPT_ADVICE, buildReceiptAdvice(advice), '944')
      expect(errors).toEqual([])
      expect(parseReceiptAdvice(root)).toEqual(advice)
    }),
    { numRuns: 40 },
  )
})

const ssccOf = (serial: number): string => {
  const digits = `0036000${String(serial).padStart(10, '0')}`
  return digits + checkDigit(digits)
}

test('every shipping advice that is written is read as it was meant', async () => {
  const weight = fc.option(fc.record({ value: count, unit: fc.constantFrom('K', 'L') }), { nil: undefined })
  const line = fc.record({
    status: fc.constantFrom('CC', 'BP'),
    shipped: count,
    unit: fc.constant('EA'),
    productIds: ids,
    line: fc.option(count, { nil: undefined }),
    lot,
    expiresOn: fc.option(fc.constant('2027-01-31'), { nil: undefined }),
    serials,
    weight,
  })
  const pack = fc.record({
    sscc: fc.option(fc.nat(9_999).map(ssccOf), { nil: undefined }),
    tracking: fc.option(fc.constant('1Z9'), { nil: undefined }),
    lines: fc.array(line, { minLength: 1, maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(pack, { minLength: 1, maxLength: 4 }), async (packages) => {
      const advice = {
        reporting: 'F',
        request: 'F-1',
        date: '2026-11-20',
        shipment: 'SH-1',
        shippedAt: { date: '20261120', time: '1645' },
        carrier: 'UPSN',
        service: 'GROUND',
        tracking: '1Z0',
        packages: packages.map((one) => present({ ...one, lines: one.lines.map((one) => present(one)) })),
      }
      const { root, errors } = await written(SHIPPING_ADVICE, buildShippingAdvice(advice), '945')
      expect(errors).toEqual([])
      expect(parseShippingAdvice(root)).toEqual(advice)
    }),
    { numRuns: 40 },
  )
})

test('every adjustment advice that is written is read as it was meant', async () => {
  const quantity = fc.tuple(fc.constantFrom('', '-'), count).map((parts) => parts.join(''))
  const line = fc.record({
    reason: fc.constantFrom('PC', 'QH'),
    quantity,
    unit: fc.constant('EA'),
    productIds: ids,
    lot,
    serials,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (lines) => {
      const advice = {
        date: '2026-11-20',
        number: 'A-1',
        at: { date: '20261120', time: '0610' },
        lines: lines.map((one) => present(one)),
      }
      const { root, errors } = await written(ADJUSTMENT_ADVICE, buildAdjustmentAdvice(advice), '947')
      expect(errors).toEqual([])
      expect(parseAdjustmentAdvice(root)).toEqual(advice)
    }),
    { numRuns: 40 },
  )
})

const DAY = new URL('./samples/warehouse-day.edi', import.meta.url)

test("a warehouse's day is taken for all its dirt, and what cannot be read of it is named", async () => {
  const report = await checkFile(createReadStream(DAY), loadPartnerGuides(DEMO_PARTNERS))
  const sets = report.interchanges.flatMap(({ groups }) => groups.flatMap((group) => group.sets))
  expect(sets.map(({ type, acknowledged, verdict }) => ({ type, acknowledged, ...verdict }))).toEqual([
    { type: '944', acknowledged: 'A', becomes: 'warehouse', told: 4, unreadable: 0 },
    { type: '945', acknowledged: 'A', becomes: 'warehouse', told: 1, unreadable: 0 },
    { type: '945', acknowledged: 'A', becomes: 'warehouse', told: 1, unreadable: 1 },
    { type: '947', acknowledged: 'A', becomes: 'warehouse', told: 3, unreadable: 1 },
  ])
  expect(sets.flatMap(({ findings }) => findings.map(({ code, at }) => `${code} ${at.line}`))).toEqual(
    expect.arrayContaining(['advice.order_missing 35', 'advice.code_unknown 47']),
  )
})

test('a set that breaks the standard is rejected with its places, and its neighbour is taken', async () => {
  const text = readFileSync(DAY, 'latin1').replace('W19*PC*-3*EA', 'W19*PCX*-3*EA')
  const sets = await setsOf(text, loadPartnerGuides(DEMO_PARTNERS))
  expect(sets.map(({ reading }) => reading.acknowledgment?.status)).toEqual(['A', 'A', 'A', 'R'])
  expect(sets[3]!.reading.acknowledgment?.segments).toMatchObject([
    { segmentId: 'W19', elements: [{ element: 1, code: '5' }] },
  ])
})
