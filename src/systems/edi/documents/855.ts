/** The purchase order acknowledgment (855): our answer to every line of an order. */
import { Refusal } from '#platform/faults.ts'
import type { SegmentData } from '../x12-writer.ts'
import type { DocumentParty, ProductId, QualifiedDate, Reference } from './parts.ts'
import {
  isoDate,
  optional,
  party,
  present,
  productIds,
  qualifiedDates,
  references,
  writeParty,
  writeProductIds,
  writeReferences,
  x12Date,
} from './parts.ts'
import type { Loop } from './structure.ts'
import { all, element, first, loopsOf, structure } from './structure.ts'

export const ORDER_ACKNOWLEDGMENT = structure(`
  ST M 1; BAK M 1; CUR O 1; REF O >1; PER O 3; TAX O 3; FOB O >1; CTP O >1; PAM O 10; CSH O 25
  SAC O 25 (; CUR O 1; )
  ITD O >1; DIS O 20; INC O 1; DTM O 10; LDT O 12; LIN O 5; SI O >1; PID O 200; MEA O 40; PWK O 25; PKG O 200
  TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; MAN O 10; TXI O >1; CTB O >1
  N9 O 1000 (; DTM O >1; MSG O 1000; )
  N1 O 200 (; N2 O 2; N3 O 2; N4 O >1; NX2 O >1; REF O 12; PER O >1; SI O >1; FOB O 1; TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; PKG O 200; MSG O >1; )
  ADV O >1 (; DTM O >1; MTX O >1; )
  PO1 O 100000 (
    LIN O >1; SI O >1; CUR O 1; CN1 O 1; PO3 O 25; CTP O >1 (; CUR O 1; )
    PAM O 10; MEA O 40; PID O 1000 (; MEA O 10; )
    PWK O 25; PO4 O >1; REF O >1; PER O 3; SAC O 25 (; CUR O 1; CTP O 1; )
    IT8 O >1; CSH O >1; ITD O 2; DIS O 20; INC O 1; TAX O >1; FOB O >1; SDQ O 500; IT3 O 5; DTM O 10; TC2 O >1
    TD1 O 1; TD5 O 12; TD3 O 12; TD4 O 5; MAN O 10; MSG O >1; TXI O >1; CTB O >1
    QTY O >1 (; SI O >1; )
    ACK O 104 (; DTM O 1; )
    SCH O 200 (; TD1 O 2; TD5 O 12; TD3 O 12; TD4 O 5; REF O >1; )
    PKG O 200 (; MEA O >1; )
    N9 O 1000 (; DTM O >1; MEA O 40; MSG O 1000; )
    N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; NX2 O >1; REF O 12; PER O 3; SI O >1; FOB O 1; TD1 O 2; TD5 O 12; )
  )
  CTT O 1 (; AMT O 1; )
  SE O 1
`)

/** X12 587, as far as we answer: with detail and change, with detail and no change, on hold, rejected with detail. */
export type AcknowledgmentType = 'AC' | 'AD' | 'AH' | 'RD'

/** X12 353, as far as we answer: original, confirmation, response. */
export type AcknowledgmentPurpose = '00' | '06' | '11'

/**
 * X12 668: AC accepted and shipped, IA accepted, IB backordered, IC changed, ID deleted, IH on hold, IP price changed, IQ quantity changed,
 * IR rejected, IS substituted, BP partial shipment with the balance backordered, DR date rescheduled.
 */
export type LineStatus =
  | 'AC'
  | 'IA'
  | 'IB'
  | 'IC'
  | 'ID'
  | 'IH'
  | 'IP'
  | 'IQ'
  | 'IR'
  | 'IS'
  | 'BP'
  | 'DR'
  | UnsentStatus

/** As suppliers may send it: AR accepted and released, IE price pending, IF on hold for lack of detail, SP date pending. */
type UnsentStatus = 'AR' | 'IE' | 'IF' | 'SP'

export type LineAcknowledgment = {
  readonly status: LineStatus
  readonly quantity: string
  readonly unit: string
  /** 067 current schedule delivery, 068 current schedule ship. */
  readonly date?: QualifiedDate
  /** Why, as our own code; travels as ACK29, industry code (ACK27 and ACK28 say whose). */
  readonly reason?: string
  readonly productIds: readonly ProductId[]
}

export type OrderAcknowledgmentLine = {
  /** PO101 of the order, where it had one. */
  readonly assignedId?: string
  readonly quantity: string
  readonly unit: string
  /** Our price, decimal text. */
  readonly price?: string
  readonly priceBasis?: string
  readonly productIds: readonly ProductId[]
  readonly acknowledgments: readonly LineAcknowledgment[]
}

export type OrderAcknowledgment = {
  readonly purpose: AcknowledgmentPurpose
  readonly type: AcknowledgmentType
  readonly number: string
  readonly release?: string
  /** Date of the order and of this answer, ISO. */
  readonly date: string
  readonly acknowledgedOn: string
  /** Our order number: travels as BAK08. */
  readonly sellerOrder?: string
  readonly currency?: string
  readonly references: readonly Reference[]
  /** For people: travel as MSG below N9. */
  readonly notes: readonly string[]
  readonly parties: readonly DocumentParty[]
  readonly lines: readonly OrderAcknowledgmentLine[]
}

/** The segments between ST and SE. Refuses a line without an answer. */
export function buildOrderAcknowledgment(answer: OrderAcknowledgment): SegmentData[] {
  const { purpose, type, number, date, release, sellerOrder, acknowledgedOn, currency } = answer
  const segments: SegmentData[] = [
    ['BAK', purpose, type, number, x12Date(date), release, '', '', sellerOrder, x12Date(acknowledgedOn)],
  ]
  if (currency) segments.push(['CUR', 'SE', currency])
  segments.push(...writeReferences(answer.references))
  if (answer.notes.length > 0) segments.push(['N9', 'L1', 'NOTE'], ...answer.notes.map(writeNote))
  segments.push(...answer.parties.flatMap(writeParty))
  for (const [index, line] of answer.lines.entries()) segments.push(...writeLine(line, index))
  segments.push(['CTT', String(answer.lines.length)])
  return segments
}

const writeNote = (note: string): SegmentData => ['MSG', note]

function writeLine(line: OrderAcknowledgmentLine, index: number): SegmentData[] {
  if (line.acknowledgments.length === 0) {
    const name = line.assignedId ?? String(index + 1)
    throw new Refusal('edi.line_unanswered', `line ${name} has no acknowledgment`, { line: name })
  }
  const { assignedId, quantity, unit, price, priceBasis, productIds: ids } = line
  const segments: SegmentData[] = [
    ['PO1', assignedId, quantity, unit, price, price ? priceBasis : undefined, ...writeProductIds(ids)],
  ]
  for (const ack of line.acknowledgments) {
    const date = ack.date ? [ack.date.qualifier, x12Date(ack.date.date)] : ['', '']
    const products = writeProductIds(ack.productIds)
    const gap = Array.from({ length: 20 - products.length }, () => '')
    const reason = ack.reason ? [...gap, 'ZZ', 'CROSSDOCK', ack.reason] : []
    segments.push(['ACK', ack.status, ack.quantity, ack.unit, ...date, '', ...products, ...reason])
  }
  return segments
}

export function parseOrderAcknowledgment(root: Loop): OrderAcknowledgment {
  const bak = first(root, 'BAK')
  return {
    purpose: element(bak, 1) as AcknowledgmentPurpose,
    type: element(bak, 2) as AcknowledgmentType,
    number: element(bak, 3),
    date: isoDate(element(bak, 4)),
    acknowledgedOn: isoDate(element(bak, 9)),
    ...present({
      release: optional(bak, 5),
      sellerOrder: optional(bak, 8),
      currency: optional(first(root, 'CUR'), 2),
    }),
    references: references(root),
    notes: loopsOf(root, 'N9').flatMap((loop) => all(loop, 'MSG').map((msg) => element(msg, 1))),
    parties: loopsOf(root, 'N1').map(party),
    lines: loopsOf(root, 'PO1').map(parseLine),
  }
}

function parseLine(loop: Loop): OrderAcknowledgmentLine {
  const po1 = first(loop, 'PO1')
  return {
    ...present({ assignedId: optional(po1, 1), price: optional(po1, 4), priceBasis: optional(po1, 5) }),
    quantity: element(po1, 2),
    unit: element(po1, 3),
    productIds: po1 ? productIds(po1, 6) : [],
    acknowledgments: loopsOf(loop, 'ACK').map(parseAcknowledgment),
  }
}

function parseAcknowledgment(loop: Loop): LineAcknowledgment {
  const ack = first(loop, 'ACK')
  const [dtm] = qualifiedDates(loop)
  const date = element(ack, 5) ? { qualifier: element(ack, 4), date: isoDate(element(ack, 5)) } : dtm
  return {
    status: element(ack, 1) as LineStatus,
    quantity: element(ack, 2),
    unit: element(ack, 3),
    ...present({ date, reason: optional(ack, 29) }),
    productIds: ack ? productIds({ ...ack, elements: ack.elements.slice(0, 27) }, 7) : [],
  }
}
