/** The inventory inquiry/advice (846): what there is of each item and lot at a moment, by what may be done with it. */
import type { SegmentData } from '../x12-writer.ts'
import {
  optional,
  present,
  type ProductId,
  productIds,
  qualifiedDates,
  references,
  writeProductIds,
  x12Date,
} from './parts.ts'
import { element, first, type Loop, loopsOf, structure } from './structure.ts'
import { dateOf, only } from './warehouse-parts.ts'

export const INVENTORY_ADVICE = structure(`
  ST M 1; BIA M 1; CUR O 1; DTM O 10; REF O 12; PER O 3; MEA O 10; PWK O 25; PKG O 25
  N1 O 5 (; N2 O 2; N3 O 2; N4 O 1; REF O 12; PER O 3; )
  LIN M 10000 (
    PID O 200; PO4 O 1; MEA O 40; PKG O 25; DTM O 10; CTP O 25; CUR O 1; SAC O 25; REF O >1; PER O 3; SDQ O 500
    MAN O >1; UIT O >1
    QTY O 99 (; UIT O 12; MEA O 40; DTM O 10; LDT O >1; REF O >1; )
    SCH O 200 (; LDT O >1; DTM O >1; )
    N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; REF O 12; PER O 3; )
  )
  CTT O 1; SE O 1
`)

export type InventoryQuantity = {
  /** X12 673: 33 available, 17 on hand … */
  readonly qualifier: string
  /** Decimal text. */
  readonly quantity: string
  readonly unit: string
  /** ISO date from which it is there; now, when absent. */
  readonly from?: string
}

export type InventoryLine = {
  readonly assignedId?: string
  readonly productIds: readonly ProductId[]
  readonly lot?: string
  readonly quantities: readonly InventoryQuantity[]
}

export type InventoryAdvice = {
  /** X12 353. */
  readonly purpose: string
  /** X12 755: what kind of report it is. */
  readonly report: string
  readonly number: string
  /** ISO date and HHMM of what it tells. */
  readonly date: string
  readonly time?: string
  readonly lines: readonly InventoryLine[]
}

/** Available, X12 374. */
const FROM = '018'
const LOT = 'LT'

/** The segments between ST and SE. */
export const buildInventoryAdvice = (advice: InventoryAdvice): SegmentData[] => [
  ['BIA', advice.purpose, advice.report, advice.number, x12Date(advice.date), advice.time],
  ...advice.lines.flatMap(writeLine),
  ['CTT', String(advice.lines.length)],
]

const writeLine = ({ assignedId, productIds: ids, lot, quantities }: InventoryLine): SegmentData[] => [
  ['LIN', assignedId, ...writeProductIds(ids)],
  ...(lot === undefined ? [] : [['REF', LOT, lot] satisfies SegmentData]),
  ...quantities.flatMap(({ qualifier, quantity, unit, from }): SegmentData[] => [
    ['QTY', qualifier, quantity, [unit]],
    ...(from === undefined ? [] : [['DTM', FROM, x12Date(from)] satisfies SegmentData]),
  ]),
]

export function parseInventoryAdvice(root: Loop): InventoryAdvice {
  const bia = first(root, 'BIA')
  return {
    purpose: element(bia, 1),
    report: element(bia, 2),
    number: element(bia, 3),
    date: dateOf(bia, 4),
    ...present({ time: optional(bia, 5) }),
    lines: loopsOf(root, 'LIN').map(parseLine),
  }
}

function parseLine(loop: Loop): InventoryLine {
  const lin = only(loop, 'LIN')
  const ids = productIds(lin, 2)
  const named = references(loop).find(({ qualifier }) => qualifier === LOT)?.value
  return {
    ...present({
      assignedId: optional(lin, 1),
      lot: named ?? ids.find(({ qualifier }) => qualifier === LOT)?.value,
    }),
    productIds: ids.filter(({ qualifier }) => qualifier !== LOT),
    quantities: loopsOf(loop, 'QTY').map(parseQuantity),
  }
}

function parseQuantity(loop: Loop): InventoryQuantity {
  const qty = only(loop, 'QTY')
  const from = qualifiedDates(loop).find(({ qualifier }) => qualifier === FROM)?.date
  return {
    qualifier: element(qty, 1),
    quantity: element(qty, 2),
    unit: element(qty, 3),
    ...present({ from }),
  }
}
