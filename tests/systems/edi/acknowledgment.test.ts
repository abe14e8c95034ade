/** Our answers to a purchase order: every line is answered, in the words of the 855. */
import { expect, test } from 'vitest'
import type { OrderAcknowledgement } from '#capabilities/channel.ts'
import { units } from '#platform/quantity.ts'
import { buildOrderAcknowledgment } from '#systems/edi/documents/855.ts'
import type { PurchaseOrderDocument } from '#systems/edi/documents/purchase-order.ts'
import { toHeld, toOrderAcknowledgment, toRejection, toStanding } from '#systems/edi/map-acknowledgment.ts'
import { toOrderRequest } from '#systems/edi/map.ts'
import { line, order } from './purchase-order-document.ts'
import { guide } from './x12-text.ts'

const none = () => undefined

const acknowledgement = (
  parts: Partial<OrderAcknowledgement['lines'][number]> = {},
  turn = 1,
): OrderAcknowledgement => ({
  company: 'NWF',
  order: 'O-1',
  customer: 'C-1',
  customerOrder: 'PO-1',
  currency: 'USD',
  outcome: parts.cancelled === units(10) ? 'rejected' : 'accepted',
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
      priceUnit: 'CA',
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

test('what waits is told with the day on which it can ship, and that it is another day than before', () => {
  const parts = { reserved: units(6), backordered: units(4), promisedDate: '2026-12-01' }
  const answer = answerTo(order(), parts, 2)
  expect(answer.notes).toEqual(['Order O-1: what waits comes on another day, said for each line.'])
  expect(answer.lines[0]!.acknowledgments.map(({ status, date }) => [status, date])).toEqual([
    ['BP', undefined],
    ['IB', { qualifier: '068', date: '2026-12-01' }],
  ])
  expect(() => buildOrderAcknowledgment(answer)).not.toThrow()
})

const inPart = { reserved: units(4), cancelled: units(6) }

test.each([
  ['taken', 'done', { reserved: 0, cancelled: units(10) }, 'Order O-1 is cancelled.'],
  ['taken in part', 'done', inPart, 'as far as'],
  ['refused when picking has begun', 'refused', {}, 'Too late to cancel. Order O-1 stands'],
  ['refused after lines were cancelled', 'refused', inPart, 'Too late to cancel.'],
  ['done too late by the warehouse', 'done', {}, 'Too late to cancel.'],
  ['for lines only', undefined, inPart, 'Lines of order O-1 were cancelled.'],
] as const)('a cancellation that is %s is answered in words too', (_name, cancel, parts, note) => {
  const answer = toOrderAcknowledgment(order(), guide(), {
    acknowledgement: { ...acknowledgement(parts, 2), cancel },
    refusedLines: [],
    on: '2026-11-18',
  })
  expect(answer.purpose).toBe('11')
  expect(answer.notes[0]).toContain(note)
})

test.each([
  ['reserved', { reserved: units(6), cancelled: units(4) }, ['IQ 6', 'ID 4']],
  ['waiting', { reserved: 0, backordered: units(7), cancelled: units(3) }, ['IB 7', 'ID 3']],
  ['on hold', { reserved: 0, cancelled: units(3) }, ['IH 7', 'ID 3']],
])('of a line of which a part is cancelled the rest is told as %s', (_name, parts, expected) => {
  const [answered] = answerTo(order(), parts, 2).lines
  expect(answered?.acknowledgments.map(({ status, quantity }) => `${status} ${quantity}`)).toEqual(expected)
})

test('an answer to an order itself is an original without notes', () => {
  expect(answerTo(order())).toMatchObject({ purpose: '00', notes: [], parties: [{ role: 'ST' }] })
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
  expect(buildOrderAcknowledgment(answer)).toHaveLength(2 + 3 + 4 + 1)
})

test('a line without any answer is refused when the 855 is built', () => {
  const document = order({ lines: [line(), line({ line: '2' })] })
  expect(() => buildOrderAcknowledgment(answerTo(document))).toThrow(/no acknowledgment/)
})

test('an order that cannot be taken is answered with a rejection of every line', () => {
  const document = order({ lines: [line({ unit: 'ZZ' }), line({ line: '2' })] })
  const { refusedLines } = toOrderRequest(document, guide(), none)
  const answer = toRejection({ document, refusedLines }, guide(), { reason: 'po.no_lines', on: '2026-11-18' })
  expect(answer.type).toBe('RD')
  expect(answer.lines.map(({ acknowledgments: [ack] }) => ack?.reason)).toEqual([
    'po.unit_unknown',
    'po.no_lines',
  ])
})

test('a cancellation that comes too late is answered by what was shipped and what is gone', () => {
  const document = order({
    purpose: 'cancellation',
    lines: [line(), line({ line: '2' }), line({ line: '3', unit: 'ZZ' })],
  })
  const { refusedLines } = toOrderRequest(document, guide(), none)
  const [first] = acknowledgement({ reserved: units(6), cancelled: units(4) }).lines
  const stands = {
    ...acknowledgement(),
    lines: [first!, { ...first!, line: '2', reserved: units(10), cancelled: 0 }],
  }
  const late = { acknowledgement: stands, reason: 'orders.too_late_to_cancel', on: '2026-11-18' }
  const answer = toStanding({ document, refusedLines }, guide(), late)
  expect(answer).toMatchObject({ purpose: '11', type: 'AC', sellerOrder: 'O-1' })
  expect(answer.notes).toEqual(['Too late to cancel. Order O-1 stands as said for each line.'])
  const told = answer.lines.map(({ acknowledgments }) =>
    acknowledgments.map(({ status, quantity, reason }) => `${status} ${quantity} ${reason ?? ''}`.trim()),
  )
  expect(told).toEqual([
    ['AC 6 orders.too_late_to_cancel', 'ID 4'],
    ['AC 10 orders.too_late_to_cancel'],
    ['IR 10 po.unit_unknown'],
  ])
  const whole = { ...late, acknowledgement: { ...stands, lines: stands.lines.slice(1) } }
  const second = { document: order({ lines: [line({ line: '2' })] }), refusedLines: [] }
  expect(toStanding(second, guide({ responsePurpose: '06' }), whole)).toMatchObject({
    purpose: '06',
    type: 'AD',
  })
})

test('a change of an order that was not here is answered as held, line by line', () => {
  const document = order({ purpose: 'replacement', lines: [line(), line({ line: '2', unit: 'ZZ' })] })
  const { refusedLines } = toOrderRequest(document, guide(), none)
  const answer = toHeld({ document, refusedLines }, guide(), '2026-11-18')
  expect(answer).toMatchObject({ purpose: '11', type: 'AH' })
  expect(answer.lines.map(({ acknowledgments: [ack] }) => `${ack?.status} ${ack?.reason}`)).toEqual([
    'IH orders.unknown',
    'IR po.unit_unknown',
  ])
})

test('a rejection names the order that stands, and a reason longer than its element loses its domain', () => {
  const reason = 'orders.same_number_other_content'
  const rejected = toRejection({ document: order(), refusedLines: [] }, guide(), {
    reason,
    on: '2026-11-18',
    sellerOrder: 'O-7',
  })
  expect(rejected).toMatchObject({ purpose: '11', type: 'RD', sellerOrder: 'O-7' })
  expect(rejected.notes[0]).toContain('O-7')
  expect(rejected.lines[0]?.acknowledgments).toMatchObject([
    { status: 'IR', reason: 'same_number_other_content' },
  ])
  const plain = toRejection({ document: order(), refusedLines: [] }, guide(), {
    reason: 'po.no_lines',
    on: '2026-11-18',
  })
  expect(plain).toMatchObject({ purpose: '00', notes: [] })
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

const PER_KILOGRAM = { priceMinor: 840, priceUnit: 'KGM' }

test.each([
  ['KG', '8.4', 'PK', '8.4 PK IA'],
  ['KG', '8.4', 'PE', '8.4 PK IA'],
  ['LB', '8.4', 'PE', '3.810176 PP IA'],
  ['LB', '3.81', 'PP', '3.810176 PP IA'],
  ['LB', '3.79', 'PP', '3.810176 PP IP'],
  ['LB', '8.4', 'PK', '8.4 PK IA'],
] as const)(
  'of goods by the case that are weighed in %s the price of %s %s is answered by weight as %s',
  (weightUnit, price, priceBasis, expected) => {
    const { lines } = toOrderAcknowledgment(
      order({ lines: [line({ price, priceBasis })] }),
      guide({ weightUnit }),
      {
        acknowledgement: acknowledgement(PER_KILOGRAM),
        refusedLines: [],
        on: '2026-11-18',
      },
    )
    const [answered] = lines
    expect(`${answered?.price} ${answered?.priceBasis} ${answered?.acknowledgments[0]?.status}`).toBe(
      expected,
    )
  },
)

test('goods that are ordered by the kilogram keep the basis of the order', () => {
  const document = order({ lines: [line({ unit: 'KG', price: '8.4', priceBasis: 'PE' })] })
  expect(answerTo(document, { ...PER_KILOGRAM, unit: 'KGM' }).lines[0]).toMatchObject({
    price: '8.4',
    priceBasis: 'PE',
    acknowledgments: [{ status: 'IA' }],
  })
})

test('a price by weight of goods that are sold by the case is answered by the price of a case', () => {
  const [answered] = answerTo(order({ lines: [line({ price: '24.9', priceBasis: 'PK' })] })).lines
  expect(answered).toMatchObject({ price: '24.9', acknowledgments: [{ status: 'IP' }] })
  expect(answered).not.toHaveProperty('priceBasis')
})

const WANTED = '2026-11-30'

test.each([
  ['002', { reserved: units(10) }, ['IA 067']],
  ['010', { reserved: units(10) }, ['IA 068']],
  ['002', { reserved: units(6), backordered: units(4) }, ['BP 067', 'IB']],
  ['002', { reserved: 0, backordered: units(10) }, ['IB']],
  ['002', { reserved: 0, cancelled: units(10) }, ['IR']],
])(
  'what is kept for a line that is wanted by a day of its own (%s) is scheduled for it',
  (qualifier, parts, expected) => {
    const wanted = line({ dates: [{ qualifier, date: WANTED }] })
    const { acknowledgments } = answerTo(order({ lines: [wanted] }), { ...parts, requestedDate: WANTED })
      .lines[0]!
    expect(
      acknowledgments.map(({ status, date }) => [status, date?.qualifier].filter(Boolean).join(' ')),
    ).toEqual(expected)
    expect(acknowledgments.flatMap(({ date }) => date?.date ?? [])).toEqual(
      expected.filter((each) => each.includes(' ')).map(() => WANTED),
    )
  },
)
