/** The warehouse inventory adjustment advice (947): what a warehouse changed in its stock, and why. */
import type { SegmentData } from '../x12-writer.ts'
import { optional, present, type ProductId, x12Date } from './parts.ts'
import { element, first, type Loop, loopsOf, structure } from './structure.ts'
import {
  dateOf,
  lotIn,
  type Moment,
  momentIn,
  only,
  serialsIn,
  warehouseIds,
  writeMoment,
  writeSerials,
  writeWarehouseIds,
} from './warehouse-parts.ts'

export const ADJUSTMENT_ADVICE = structure(`
  ST M 1; W15 M 1
  N1 O 10 (; N2 O 2; N3 O 2; N4 O 1; PER O 3; )
  N9 O >1; PER O 3; G62 O 10; NTE O 20
  W19 M 9999 (; G69 O 5; N9 O >1; W20 O 1; QTY O >1; G62 O 10; NTE O 20; )
  SE O 1
`)

export type AdjustmentLine = {
  /** X12 894; what each partner means by it says its guide. */
  readonly reason: string
  /** Decimal text; less than zero for a loss. */
  readonly quantity: string
  readonly unit: string
  readonly productIds: readonly ProductId[]
  readonly lot?: string
  readonly serials?: readonly string[]
}

export type AdjustmentAdvice = {
  /** ISO date. */
  readonly date: string
  /** The warehouse's own number of the adjustment. */
  readonly number?: string
  /** Where it is told beside the date. */
  readonly at?: Moment
  readonly lines: readonly AdjustmentLine[]
}

/** Transaction creation, X12 432. */
const CREATED = '07'

/** The segments between ST and SE. */
export const buildAdjustmentAdvice = ({ date, number, at, lines }: AdjustmentAdvice): SegmentData[] => [
  ['W15', x12Date(date), number],
  ...(at ? [writeMoment(CREATED, at)] : []),
  ...lines.flatMap((line): SegmentData[] => [
    ['W19', line.reason, line.quantity, line.unit, ...writeWarehouseIds(line.productIds), line.lot],
    ...writeSerials(line.serials),
  ]),
]

export function parseAdjustmentAdvice(root: Loop): AdjustmentAdvice {
  const w15 = first(root, 'W15')
  return {
    date: dateOf(w15, 1),
    ...present({ number: optional(w15, 2) ?? optional(w15, 3), at: momentIn(root, CREATED) }),
    lines: loopsOf(root, 'W19').map(parseLine),
  }
}

function parseLine(loop: Loop): AdjustmentLine {
  const w19 = only(loop, 'W19')
  return {
    reason: element(w19, 1),
    quantity: element(w19, 2),
    unit: element(w19, 3),
    productIds: warehouseIds(w19),
    ...present({ lot: lotIn(loop, w19, 7), serials: serialsIn(loop) }),
  }
}
