/** The warehouse shipping order (940): what a warehouse is to ship for us, or is not to ship any more. */
import type { SegmentData } from '../x12-writer.ts'
import { type DocumentParty, type ProductId, writeParty, x12Date } from './parts.ts'
import { structure } from './structure.ts'
import { EXPIRES, writeReference, writeWarehouseIds } from './warehouse-parts.ts'

export const SHIPPING_ORDER = structure(`
  ST M 1; W05 M 1
  N1 O 10 (; N2 O 2; N3 O 2; N4 O 1; PER O 5; )
  N9 O 10; PER O 3; G62 O 10; NTE O >1; W66 O 1
  LX M 9999 (
    MAN O >1; G62 O 10
    W01 M 9999 (; G69 O 5; N9 O 200; NTE O >1; W20 O 3; QTY O 10; AMT O 1; G62 O 10; )
  )
  W76 O 1; SE O 1
`)

/** X12 473. */
export const ORIGINAL = 'N'
export const CANCEL = 'F'

export type ShippingOrderLine = {
  readonly line: string
  /** Decimal text. */
  readonly quantity: string
  readonly unit: string
  readonly productIds: readonly ProductId[]
  /** From which it is to come; from any, when absent. */
  readonly lot?: string
  /** ISO date before which nothing of it may expire. */
  readonly minimumExpiry?: string
  /** ISO date; the order's counts when absent. */
  readonly shipOn?: string
}

export type ShippingOrder = {
  /** Ours, by which the warehouse answers. */
  readonly number: string
  readonly purchaseOrder?: string
  readonly parties: readonly DocumentParty[]
  /** Our number of the order that it is of. */
  readonly order: string
  /** ISO date. */
  readonly shipOn?: string
  /** X12 146: who pays the carrier. */
  readonly payment: string
  /** X12 91. */
  readonly method: string
  readonly lines: readonly ShippingOrderLine[]
  /** Of all lines, whatever their units: a hash total. */
  readonly quantity: string
}

/** Requested ship date, X12 432. */
const TO_SHIP = '10'
/** Vendor order number, X12 128. */
const OUR_ORDER = 'VN'

/** The segments between ST and SE. */
export function buildShippingOrder(order: ShippingOrder): SegmentData[] {
  const { number, purchaseOrder, parties, shipOn, payment, method, lines, quantity } = order
  return [
    ['W05', ORIGINAL, number, purchaseOrder],
    ...parties.flatMap(writeParty),
    ...writeReference(OUR_ORDER, order.order),
    ...writeDay(TO_SHIP, shipOn),
    ['W66', payment, method],
    ...lines.flatMap(writeLine),
    ['W76', quantity],
  ]
}

const writeLine = (line: ShippingOrderLine, index: number): SegmentData[] => [
  ['LX', String(index + 1)],
  ['W01', line.quantity, line.unit, ...writeWarehouseIds(line.productIds), ...lotOf(line)],
  ...writeReference('LI', line.line),
  ...writeDay(TO_SHIP, line.shipOn),
  ...writeDay(EXPIRES, line.minimumExpiry),
]

/** The elements from W0106 to the lot, of which none but that is said. */
const lotOf = ({ lot }: ShippingOrderLine): string[] =>
  lot === undefined ? [] : [...Array.from({ length: 7 }, () => ''), lot]

const writeDay = (qualifier: string, date: string | undefined): SegmentData[] =>
  date === undefined ? [] : [['G62', qualifier, x12Date(date)]]

/** The same document, which says that nothing of it is to be shipped any more. */
export const cancelShippingOrder = (written: readonly SegmentData[]): SegmentData[] =>
  written.map((segment) => (segment[0] === 'W05' ? ['W05', CANCEL, ...segment.slice(2)] : segment))
