/** What suppliers tell by 855 and 856: whole documents in our words, and each written one is read as it was meant. */
import { createReadStream } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import type { Advised } from '#systems/edi/advice.ts'
import { checkFile } from '#systems/edi/check-file.ts'
import { buildOrderAcknowledgment, ORDER_ACKNOWLEDGMENT } from '#systems/edi/documents/855.ts'
import { checkDigit } from '#capabilities/sscc.ts'
import { buildShipNotice, SHIP_NOTICE } from '#systems/edi/documents/856.ts'
import type { Hierarchy, ShipNotice } from '#systems/edi/documents/ship-notice.ts'
import { toSupplyAnswered, toSupplyShipped } from '#systems/edi/map-supplier.ts'
import { DEMO_PARTNERS, loadPartnerGuides } from '#systems/edi/partner-guide-files.ts'
import { indexGuides } from '#systems/edi/partner-guide.ts'
import { type ReceivedEvent, receiveX12 } from '#systems/edi/receive.ts'
import { DEFAULT_DELIMITERS, type SegmentData, writeSegment } from '#systems/edi/x12-writer.ts'
import { fileText, guide, setText, validate } from './x12-text.ts'

const supplier = (overrides: Record<string, unknown> = {}) =>
  guide({
    role: 'supplier',
    supplier: 'V1',
    receives: ['855', '856', '997'],
    sends: [],
    items: [{ qualifier: 'VN', is: 'sku' }],
    supply: { days: 1, quantityPercent: 2.5, transitDays: 2 },
    ...overrides,
  })

const advised = (overrides: Record<string, unknown> = {}): Advised => ({
  guide: supplier(overrides),
  crosswalk: () => undefined,
  unitsOf: () => undefined,
  group: { date: '20261118', time: '0915' },
  at: { byte: 0, line: 1 },
})

async function readingsOf(sets: readonly string[], functionalId: string, from = supplier()) {
  const found: Extract<ReceivedEvent, { kind: 'set' }>[] = []
  const receiving = {
    guides: indexGuides([from]),
    lookups: () =>
      Promise.resolve({ crosswalk: (_: unknown, value: string) => value, unitsOf: () => undefined }),
  }
  for await (const event of receiveX12([fileText(sets, functionalId)], receiving))
    if (event.kind === 'set') found.push(event)
  return found.map(({ reading }) => reading)
}

const BAK = 'BAK*00*AC*P-1*20261101****SO-1*20261118'
const answerTo = async (...segments: readonly string[]) =>
  (await readingsOf([setText([BAK, ...segments], '855')], 'PR'))[0]!

const linesOf = async (...segments: readonly string[]) => {
  const { outcome } = await answerTo(...segments)
  if (outcome.kind !== 'advice' || outcome.message.type !== 'supply-answered')
    throw new Error(`became ${outcome.kind}`)
  return outcome.message.lines.map(({ parts, refused, ...line }) => ({
    ...line,
    parts: parts.map(({ quantity, ...part }) => ({ ...part, quantity: quantity / units(1) })),
    refused: refused / units(1),
  }))
}

test('an answer names its order, its supplier and when it was written, by the clock of the partner', async () => {
  const [reading] = await readingsOf([setText([BAK, 'PO1*1*5*EA***VN*A', 'ACK*IA*5*EA'], '855')], 'PR', {
    ...supplier(),
    timeZone: 'America/Los_Angeles',
  })
  expect(reading!.acknowledgment?.status).toBe('A')
  expect(reading!.outcome).toMatchObject({
    kind: 'advice',
    message: {
      type: 'supply-answered',
      company: 'NWF',
      sender: 'buyer',
      supplier: 'V1',
      purchaseOrder: 'P-1',
      at: new Date('2026-11-18T17:15:00Z'),
      tolerance: { days: 1, ppm: 25_000 },
    },
  })
})

test.each([
  ['accepted comes as ordered', ['ACK*IA*5*EA'], [{ quantity: 5 }], 0],
  [
    'rescheduled comes on its day',
    ['ACK*DR*5*EA*067*20261201'],
    [{ quantity: 5, expectedOn: '2026-12-01' }],
    0,
  ],
  [
    'shipped on a day arrives when it has travelled',
    ['ACK*IA*5*EA*068*20261201'],
    [{ quantity: 5, expectedOn: '2026-12-03' }],
    0,
  ],
  [
    'dated below the answer comes on that day',
    ['ACK*IA*5*EA', 'DTM*017*20261202'],
    [{ quantity: 5, expectedOn: '2026-12-02' }],
    0,
  ],
  [
    'in parts comes in parts',
    ['ACK*IA*3*EA', 'ACK*IB*2*EA*067*20261220'],
    [{ quantity: 3 }, { quantity: 2, expectedOn: '2026-12-20' }],
    0,
  ],
  ['backordered comes nobody knows when', ['ACK*IB*5*EA'], [{ quantity: 5, expectedOn: null }], 0],
  [
    'partly shipped comes with the balance at an unknown day',
    ['ACK*BP*3*EA'],
    [{ quantity: 3 }, { quantity: 2, expectedOn: null }],
    0,
  ],
  ['changed in quantity leaves the rest out', ['ACK*IQ*3*EA'], [{ quantity: 3 }], 2],
  ['raised in quantity comes so', ['ACK*IQ*8*EA'], [{ quantity: 8 }], 0],
  ['rejected without a quantity does not come at all', ['ACK*IR'], [], 5],
  ['deleted in part comes in part', ['ACK*IA*4*EA', 'ACK*ID*1*EA'], [{ quantity: 4 }], 1],
  ['substituted does not come, since something else does', ['ACK*IS*5*EA****VN*B'], [], 5],
])('what is %s', async (_, acks, parts, refused) => {
  expect(await linesOf('PO1*1*5*EA***VN*A', ...acks)).toEqual([
    { line: 1, sku: 'A', unit: 'EA', parts, refused },
  ])
})

test('a line without an answer of its own is as the whole answer says', async () => {
  expect(await linesOf('PO1*1*5*EA***VN*A')).toMatchObject([{ parts: [{ quantity: 5 }], refused: 0 }])
  const [reading] = await readingsOf(
    [setText([BAK.replace('*AC*', '*RD*'), 'PO1*1*5*EA***VN*A'], '855')],
    'PR',
  )
  expect(reading!.outcome).toMatchObject({ message: { lines: [{ parts: [], refused: units(5) }] } })
})

test.each([
  ['AT', '00', 'accepted'],
  ['RJ', '00', 'refused'],
  ['AC', '01', 'refused'],
])(
  'an answer of type %s and purpose %s without lines says that all of the order is %s',
  async (type, purpose, whole) => {
    const head = BAK.replace('*00*AC*', `*${purpose}*${type}*`)
    const lines = purpose === '01' ? ['PO1*1*5*EA***VN*A', 'ACK*IA*5*EA'] : []
    const [reading] = await readingsOf([setText([head, ...lines], '855')], 'PR')
    expect(reading!.outcome).toMatchObject({ message: { whole, lines: [] } })
  },
)

test('an item that the guide does not lead to is known by our line, and without it the answer waits for a person', async () => {
  expect(await linesOf('PO1*00010*5*EA***ZZ*X', 'ACK*IA*5*EA')).toMatchObject([{ line: 10, sku: undefined }])
  const unknown = await answerTo('PO1*A7*5*QQ***ZZ*X', 'ACK*IA*5*EA', 'PO1*2*5*QQ***VN*A', 'ACK*IA*5*QQ')
  expect(unknown.outcome).toMatchObject({ kind: 'quarantine', reason: 'advice_unusable', owner: 'edi-desk' })
  expect(unknown.acknowledgment?.status).toBe('A')
  expect(unknown.findings.map(({ code }) => code)).toEqual([
    'advice.item_unidentified',
    'advice.unit_unknown',
  ])
})

test.each([
  [['PO1*1*-5*EA***VN*A', 'ACK*IA*5*EA'], 'advice.quantity_unusable'],
  [['PO1*1*5*EA***VN*A', 'ACK*IA*5.00001*EA'], 'advice.quantity_unusable'],
])('a quantity that is none keeps the whole answer from being used', async (segments, code) => {
  const reading = await answerTo(...segments)
  expect(reading.outcome.kind).toBe('quarantine')
  expect(reading.findings.map((found) => found.code)).toEqual([code])
})

test('a set that a partner of this role does not send is rejected', async () => {
  const [reading] = await readingsOf([setText(['BEG*00*SA*P*20261101'], '850')], 'PO')
  expect(reading!.acknowledgment).toMatchObject({ status: 'R', errors: ['1'] })
  expect(() => supplier({ receives: ['850'] })).toThrow(/a supplier sends 855, 856, 846, 997/)
  expect(() => supplier({ supplier: '' })).toThrow(/a supplier has a number here/)
})

const SHIPPED = ['BSN*00*N-1*20261118*0915*0001', 'DTM*011*20261118', 'HL*1**S*1']
const noticeOf = async (...segments: readonly string[]) =>
  (await readingsOf([setText([...SHIPPED, ...segments], '856')], 'SH'))[0]!

test('a document whose time cannot be read waits for a person', async () => {
  const text = fileText([setText([BAK, 'PO1*1*5*EA***VN*A'], '855')], 'PR').replace(
    '20261118*0915*7',
    '2026XX18*0915*7',
  )
  const receiving = {
    guides: indexGuides([supplier()]),
    lookups: () => Promise.resolve({ crosswalk: () => undefined, unitsOf: () => undefined }),
  }
  for await (const event of receiveX12([text], receiving)) {
    if (event.kind !== 'set') continue
    expect(event.reading.outcome).toMatchObject({ kind: 'quarantine', reason: 'advice_unusable' })
    expect(event.reading.findings.map(({ code }) => code)).toEqual(['advice.date_unusable'])
  }
  expect.assertions(2)
})

test('a notice without an arrival counts from its day of shipment', async () => {
  const { outcome } = await noticeOf('HL*2*1*O*1', 'PRF*P-1', 'HL*3*2*I*0', 'LIN*1*VN*A', 'SN1**5*EA')
  expect(outcome).toMatchObject({ message: { notice: 'N-1', expectedOn: '2026-11-20' } })
})

test('a notice of no order, of nothing, or without lines waits for a person', async () => {
  const item = (quantity: string) => ['HL*3*2*I*0', 'LIN*1*VN*A', `SN1**${quantity}*EA`]
  for (const [segments, code] of [
    [['HL*2*1*O*1', ...item('5')], 'advice.order_missing'],
    [['HL*2*1*O*1', 'PRF*P-1', ...item('0')], 'advice.quantity_unusable'],
    [[], 'advice.no_lines'],
  ] as const) {
    const { outcome, findings } = await noticeOf(...segments)
    expect(outcome).toMatchObject({ kind: 'quarantine', reason: 'advice_unusable' })
    expect(findings.map((found) => found.code)).toEqual([code])
  }
})

test('a notice of purpose 01 takes back what its number said', async () => {
  const [reading] = await readingsOf([setText(['BSN*01*N-1*20261118*0915*0001', 'HL*1**S*0'], '856')], 'SH')
  expect(reading!.outcome).toMatchObject({ message: { notice: 'N-1', lines: [] } })
})

const written = (nodes: Parameters<typeof validate>[0], segments: readonly SegmentData[], type: string) =>
  validate(
    nodes,
    segments.map((segment) => writeSegment(segment, DEFAULT_DELIMITERS)),
    type,
  )

const count = fc.integer({ min: 1, max: 9_999 })
const day = fc.constantFrom('2026-12-01', '2026-12-24', '2027-01-02')

test('every answer that is written is read as it was meant', async () => {
  const ack = fc.record({
    status: fc.constantFrom('IA', 'IB', 'IR', 'DR'),
    quantity: count,
    date: fc.option(day),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(ack, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      async (lines) => {
        const segments = buildOrderAcknowledgment({
          purpose: '00',
          type: 'AC',
          number: 'P-1',
          date: '2026-11-01',
          acknowledgedOn: '2026-11-18',
          references: [],
          notes: [],
          parties: [],
          lines: lines.map((acks, n) => ({
            assignedId: String(n + 1),
            quantity: String(acks.reduce((sum, { quantity }) => sum + quantity, 0)),
            unit: 'EA',
            productIds: [{ qualifier: 'VN', value: `A${n}` }],
            acknowledgments: acks.map(({ status, quantity, date }) => ({
              status: status as 'IA',
              quantity: String(quantity),
              unit: 'EA',
              ...(date ? { date: { qualifier: '067', date } } : {}),
              productIds: [],
            })),
          })),
        })
        const { root, errors } = await written(ORDER_ACKNOWLEDGMENT, segments, '855')
        expect(errors).toEqual([])
        const { message } = toSupplyAnswered(root, advised())
        expect(message?.lines).toEqual(
          lines.map((acks, n) => ({
            line: n + 1,
            sku: `A${n}`,
            unit: 'EA',
            parts: acks
              .filter(({ status }) => status !== 'IR')
              .map(({ status, quantity, date }) => ({
                quantity: units(quantity),
                ...(date ? { expectedOn: date } : status === 'IB' ? { expectedOn: null } : {}),
              })),
            refused: units(
              acks.reduce((sum, { status, quantity }) => sum + (status === 'IR' ? quantity : 0), 0),
            ),
          })),
        )
      },
    ),
    { numRuns: 30 },
  )
})

const ssccOf = (serial: number): string => {
  const digits = `0036000${String(serial).padStart(10, '0')}`
  return digits + checkDigit(digits)
}

test('every notice that is written, in any hierarchy, is read with each item once', async () => {
  const item = fc.record({ quantity: count, lot: fc.option(fc.constantFrom('L1', 'L2'), { nil: undefined }) })
  const packages = fc.array(fc.array(item, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(packages, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Hierarchy>('SOPI', 'SOIP', 'SPOI', 'SOI'),
      async (orders, hierarchy) => {
        let serial = 0
        const notice: ShipNotice = {
          number: 'N-1',
          date: '2026-11-18',
          time: '0915',
          shipment: { references: [], dates: [{ qualifier: '017', date: '2026-11-24' }], parties: [] },
          orders: orders.map((packs, n) => ({
            number: `P-${n}`,
            packages: packs.map((items) => ({
              sscc: ssccOf(++serial),
              items: items.map(({ quantity, lot }, at) => ({
                assignedId: String(at + 1),
                productIds: [{ qualifier: 'VN', value: `A${at}` }],
                quantity: String(quantity),
                unit: 'EA',
                lots: lot === undefined ? [] : [lot],
              })),
            })),
          })),
        }
        const { root, errors } = await written(SHIP_NOTICE, buildShipNotice(notice, hierarchy), '856')
        expect(errors).toEqual([])
        const { message } = toSupplyShipped(root, advised())
        expect(message).toMatchObject({ notice: 'N-1', expectedOn: '2026-11-24' })
        const key = (...parts: readonly (string | number | undefined)[]) =>
          parts.map((part) => part ?? '-').join(' ')
        expect(
          message?.lines
            .map((one) => key(one.purchaseOrder, one.line, one.quantity, one.lot, one.sscc))
            .toSorted(),
        ).toEqual(
          notice.orders
            .flatMap(({ number, packages: packs }) =>
              packs.flatMap(({ sscc, items }) =>
                items.map(({ assignedId, quantity, lots }) =>
                  key(number, assignedId, units(Number(quantity)), lots[0], sscc),
                ),
              ),
            )
            .toSorted(),
        )
      },
    ),
    { numRuns: 30 },
  )
})

const SAMPLES = new URL('./samples/', import.meta.url)
const checked = (name: string) =>
  checkFile(createReadStream(new URL(name, SAMPLES)), loadPartnerGuides(DEMO_PARTNERS))

test.each([
  ['supplier-answer.edi', 'E', { becomes: 'advice', is: 'answer', number: '4500000017', lines: 3 }],
  ['supplier-notice.edi', 'A', { becomes: 'advice', is: 'notice', number: 'CG-S-9001', lines: 3 }],
])('%s is taken for all its dirt', async (name, acknowledged, verdict) => {
  const report = await checked(name)
  expect(report.interchanges[0]?.groups[0]).toMatchObject({ acknowledged, sets: [{ verdict }] })
  expect(report.clean).toBe(true)
})
