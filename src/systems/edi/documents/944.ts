/** The warehouse receipt advice (944): what a warehouse took in, line by line, and in what condition. */
import type { SegmentData } from '../x12-writer.ts'
import { optional, present, type ProductId, x12Date } from './parts.ts'
import { element, first, type Loop, loopsOf, structure } from './structure.ts'
import {
  dateOf,
  dayIn,
  EXPIRES,
  lotIn,
  only,
  referenceIn,
  serialsIn,
  warehouseIds,
  writeMoment,
  writeReference,
  writeSerials,
  writeWarehouseIds,
} from './warehouse-parts.ts'

export const RECEIPT_ADVICE = structure(`
  ST M 1; W17 M 1
  N1 O 10 (; N2 O 2; N3 O 2; N4 O 1; PER O 3; )
  N9 O >1; PER O 3; G62 O 10; NTE O 20; W08 O 1
  W07 M 9999 (
    G69 O 5; N9 O >1; W20 O 1; QTY O >1; MEA O 40; G62 O 10; MAN O >1
    W13 O >1 (; G69 O 5; N9 O >1; )
  )
  W14 O 1; SE O 1
`)

export type ReceivedPart = {
  readonly quantity: string
  readonly unit: string
  readonly condition: string
  readonly serials?: readonly string[]
}

export type ReceiptLine = {
  readonly quantity: string
  readonly unit: string
  readonly productIds: readonly ProductId[]
  readonly lot?: string
  /** ISO date. */
  readonly expiresOn?: string
  readonly serials?: readonly string[]
  /** The purchase order and its line, where they stand at the line. */
  readonly order?: string
  readonly orderLine?: string
  /** Of the quantity, what is not as it should be; X12 412. */
  readonly parts: readonly ReceivedPart[]
}

export type ReceiptAdvice = {
  /** X12 514. */
  readonly reporting: string
  /** ISO date. */
  readonly date: string
  /** HHMM or HHMMSS, where it is told beside the date. */
  readonly time?: string
  /** The warehouse's own number of the receipt. */
  readonly receipt: string
  /** W1704: what the warehouse was told to expect. */
  readonly order?: string
  readonly lines: readonly ReceiptLine[]
}

/** The segments between ST and SE. */
export function buildReceiptAdvice(advice: ReceiptAdvice): SegmentData[] {
  const { reporting, date, time, receipt, order, lines } = advice
  return [
    ['W17', reporting, x12Date(date), receipt, order, ...(time ? ['', 'W', time] : [])],
    ...lines.flatMap(writeLine),
    ['W14', String(lines.length)],
  ]
}

const writeLine = (line: ReceiptLine): SegmentData[] => [
  ['W07', line.quantity, line.unit, ...writeWarehouseIds(line.productIds), line.lot],
  ...writeReference('PO', line.order),
  ...writeReference('LI', line.orderLine),
  ...writeSerials(line.serials),
  ...(line.expiresOn ? [writeMoment(EXPIRES, { date: line.expiresOn, time: '' })] : []),
  ...line.parts.flatMap(({ quantity, unit, condition, serials }): SegmentData[] => [
    ['W13', quantity, unit, condition],
    ...writeSerials(serials),
  ]),
]

export function parseReceiptAdvice(root: Loop): ReceiptAdvice {
  const w17 = first(root, 'W17')
  return {
    reporting: element(w17, 1),
    date: dateOf(w17, 2),
    receipt: element(w17, 3),
    ...present({ time: optional(w17, 7), order: optional(w17, 4) ?? referenceIn(root, 'PO') }),
    lines: loopsOf(root, 'W07').map(parseLine),
  }
}

function parseLine(loop: Loop): ReceiptLine {
  const w07 = only(loop, 'W07')
  return {
    quantity: element(w07, 1),
    unit: element(w07, 2),
    productIds: warehouseIds(w07),
    ...present({
      lot: lotIn(loop, w07, 6),
      expiresOn: dayIn(loop, EXPIRES),
      serials: serialsIn(loop),
      order: referenceIn(loop, 'PO'),
      orderLine: referenceIn(loop, 'LI'),
    }),
    parts: loopsOf(loop, 'W13').map(partOf),
  }
}

function partOf(loop: Loop): ReceivedPart {
  const w13 = only(loop, 'W13')
  return {
    quantity: element(w13, 1),
    unit: element(w13, 2),
    condition: element(w13, 3),
    ...present({ serials: serialsIn(loop) }),
  }
}
