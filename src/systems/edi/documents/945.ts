/** The warehouse shipping advice (945): what left a warehouse for one of our requests, by package and lot. */
import type { SegmentData } from '../x12-writer.ts'
import { optional, present, type ProductId, x12Date } from './parts.ts'
import { element, first, type Loop, loopsOf, structure } from './structure.ts'
import {
  dateOf,
  dayIn,
  EXPIRES,
  lotIn,
  markIn,
  type Moment,
  momentIn,
  only,
  referenceIn,
  serialsIn,
  warehouseIds,
  writeMoment,
  writeReference,
  writeSerials,
  writeWarehouseIds,
} from './warehouse-parts.ts'

export const SHIPPING_ADVICE = structure(`
  ST M 1; W06 M 1
  N1 O 10 (; N2 O 2; N3 O 2; N4 O 1; PER O 3; )
  N9 O >1; PER O 3; G62 O 10; NTE O 20; W27 O 1; W28 O 10; W10 O 1
  LX M 9999 (
    MAN O >1; PAL O 1; N9 O >1
    W12 M 9999 (; G69 O 5; N9 O >1; QTY O >1; MEA O 40; G62 O 10; MAN O >1; W20 O 1; )
  )
  W03 O 1; SE O 1
`)

export type ShippingLine = {
  /** X12 368: CC complete, BP more follows … */
  readonly status: string
  readonly shipped: string
  readonly unit: string
  readonly productIds: readonly ProductId[]
  /** The request's line, where the warehouse repeats it. */
  readonly line?: string
  readonly lot?: string
  readonly expiresOn?: string
  readonly serials?: readonly string[]
  /** W1210 with W1212: K or L. */
  readonly weight?: { readonly value: string; readonly unit: string }
}

export type ShippingPackage = {
  readonly sscc?: string
  readonly tracking?: string
  readonly lines: readonly ShippingLine[]
}

export type ShippingAdvice = {
  /** X12 514. */
  readonly reporting: string
  /** Our request. */
  readonly request?: string
  /** ISO date. */
  readonly date?: string
  /** The warehouse's own number of the shipment. */
  readonly shipment?: string
  /** When it left, where that is told beside the date. */
  readonly shippedAt?: Moment
  readonly carrier?: string
  readonly service?: string
  readonly tracking?: string
  readonly packages: readonly ShippingPackage[]
}

/** Shipped on this date, X12 432. */
const SHIPPED = '11'

/** The segments between ST and SE. */
export function buildShippingAdvice(advice: ShippingAdvice): SegmentData[] {
  const { reporting, request, date, shipment, shippedAt, carrier, service, packages } = advice
  const lines = packages.flatMap((pack) => pack.lines)
  return [
    ['W06', reporting, request, date && x12Date(date), shipment],
    ...writeReference('2I', advice.tracking),
    ...(shippedAt ? [writeMoment(SHIPPED, shippedAt)] : []),
    ...(carrier ? [['W27', 'M', carrier, service] satisfies SegmentData] : []),
    ...packages.flatMap(writePackage),
    ['W03', String(lines.length)],
  ]
}

const writePackage = ({ sscc, tracking, lines }: ShippingPackage, index: number): SegmentData[] => [
  ['LX', String(index + 1)],
  ...(sscc ? [['MAN', 'GM', `00${sscc}`] satisfies SegmentData] : []),
  ...(tracking ? [['MAN', 'CP', tracking] satisfies SegmentData] : []),
  ...lines.flatMap(writeLine),
]

function writeLine(line: ShippingLine): SegmentData[] {
  const { status, shipped, unit, lot, weight, expiresOn } = line
  const weighed = weight ? [weight.value, 'G', weight.unit] : []
  return [
    ['W12', status, '', shipped, '', unit, ...writeWarehouseIds(line.productIds), lot, ...weighed],
    ...writeReference('LI', line.line),
    ...writeSerials(line.serials),
    ...(expiresOn ? [writeMoment(EXPIRES, { date: expiresOn, time: '' })] : []),
  ]
}

export function parseShippingAdvice(root: Loop): ShippingAdvice {
  const w06 = first(root, 'W06')
  const w27 = first(root, 'W27')
  return {
    reporting: element(w06, 1),
    ...present({
      request: optional(w06, 2) ?? referenceIn(root, 'CO'),
      date: element(w06, 3) === '' ? undefined : dateOf(w06, 3),
      shipment: optional(w06, 4) ?? optional(w06, 5) ?? referenceIn(root, 'BM'),
      shippedAt: momentIn(root, SHIPPED),
      carrier: optional(w27, 2),
      service: optional(w27, 3),
      tracking: referenceIn(root, '2I'),
    }),
    packages: loopsOf(root, 'LX').map(parsePackage),
  }
}

function parsePackage(loop: Loop): ShippingPackage {
  const items = loopsOf(loop, 'W12')
  const marked = [loop, ...items]
  const sscc = marked.map((one) => markIn(one, 'GM')?.slice(-18)).find((mark) => /^\d{18}$/.test(mark ?? ''))
  const tracking = marked.map((one) => markIn(one, 'CP') ?? referenceIn(one, '2I')).find(Boolean)
  return { ...present({ sscc, tracking }), lines: items.map(parseLine) }
}

function parseLine(loop: Loop): ShippingLine {
  const w12 = only(loop, 'W12')
  return {
    status: element(w12, 1),
    shipped: element(w12, 3),
    unit: element(w12, 5),
    productIds: warehouseIds(w12),
    ...present({
      line: referenceIn(loop, 'LI'),
      lot: lotIn(loop, w12, 9),
      expiresOn: dayIn(loop, EXPIRES),
      serials: serialsIn(loop),
      weight: element(w12, 10) ? { value: element(w12, 10), unit: element(w12, 12) } : undefined,
    }),
  }
}
