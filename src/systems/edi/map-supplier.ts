/** What suppliers tell by 855 and 856, in our words; pure. */
import type {
  AnsweredLine,
  ShippedLine,
  SupplyAnswered,
  SupplyShipped,
} from '#capabilities/supplier-messages.ts'
import type { Quantity } from '#platform/quantity.ts'
import { DAY_MS } from '#platform/time-zone.ts'
import {
  type Advice,
  advice,
  type Advised,
  countIn,
  lineIn,
  skuIn,
  unitIn,
  Unreadable,
  writtenAt,
} from './advice.ts'
import { type LineAcknowledgment, parseOrderAcknowledgment } from './documents/855.ts'
import { type NoticeItem, noticeItems } from './documents/856.ts'
import { isoDate, type QualifiedDate, qualifiedDates } from './documents/parts.ts'
import { all, element, first, type Loop, loopsOf } from './documents/structure.ts'
import { skuOf } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'

/** X12 668. A substitute is not what was ordered: the ordered item does not come. */
const MEANS = {
  AC: 'comes',
  AR: 'comes',
  IA: 'comes',
  IC: 'comes',
  IE: 'comes',
  IP: 'comes',
  IQ: 'comes',
  DR: 'comes',
  BP: 'comes',
  IB: 'waits',
  IF: 'waits',
  IH: 'waits',
  SP: 'waits',
  ID: 'refused',
  IR: 'refused',
  IS: 'refused',
} as const
/** What such an answer does not name of the line is refused, or comes later. */
const CHANGES: ReadonlySet<string> = new Set(['IQ', 'IC'])
const BALANCE_WAITS = 'BP'

/** X12 587 of an answer that takes nothing; X12 353 of one that takes the order back. */
const REJECTS: ReadonlySet<string> = new Set(['RD', 'RF', 'RJ'])
const CANCELS = '01'

/** X12 374: arrival; shipment, from which the goods travel. */
const ARRIVES = ['067', '017', '371', '002']
const LEAVES = ['068', '011', '118']

const headOf = ({ guide }: Advised) => ({
  company: guide.company,
  sender: guide.partner,
  supplier: guide.supplier,
  tolerance: { days: guide.supply.days, ppm: Math.round(guide.supply.quantityPercent * PPM_OF_PERCENT) },
})
const PPM_OF_PERCENT = 10_000

export function toSupplyAnswered(root: Loop, advised: Advised): Advice<SupplyAnswered> {
  const document = parseOrderAcknowledgment(root)
  const bak = first(root, 'BAK')
  const isCancelled = element(bak, 1) === CANCELS
  const whole = isCancelled || REJECTS.has(element(bak, 2)) ? 'refused' : 'accepted'
  return advice(
    isCancelled ? [] : loopsOf(root, 'PO1').map((loop, index) => ({ loop, line: document.lines[index]! })),
    ({ loop, line }) => {
      const at = first(loop, 'PO1')!.at
      const wanted = countIn(line.quantity, at)
      const dates = qualifiedDates(loop)
      const answers = line.acknowledgments.map(({ date = dayIn(dates), ...one }) => ({ ...one, date }))
      return {
        ...namedLine({ ...line, at }, advised),
        ...(answers.length > 0 ? answered(answers, wanted, { advised, at }) : byWhole(whole, wanted)),
      }
    },
    (lines): SupplyAnswered => ({
      type: 'supply-answered',
      ...headOf(advised),
      at: writtenAt(advised),
      purchaseOrder: document.number,
      ...(lines.length === 0 ? { whole } : {}),
      lines,
    }),
  )
}

type Named = Pick<NoticeItem, 'assignedId' | 'productIds' | 'unit' | 'at'>

/** The item by its own id; a supplier that repeats our line's number need not name it. */
function namedLine(named: Named, advised: Advised): Pick<AnsweredLine, 'line' | 'sku' | 'unit'> {
  const line = lineIn(named.assignedId)
  const sku = line === undefined ? skuIn(named, advised) : skuOf(named, advised.guide, advised.crosswalk)
  return { line, sku, unit: unitIn(named.unit, advised, named.at) }
}

const byWhole = (whole: 'accepted' | 'refused', wanted: Quantity) =>
  whole === 'refused' || wanted === 0
    ? { parts: [], refused: wanted }
    : { parts: [{ quantity: wanted }], refused: 0 }

type Reading = { readonly advised: Advised; readonly at: NoticeItem['at'] }

type DatedAnswer = Omit<LineAcknowledgment, 'date'> & { readonly date: QualifiedDate | undefined }

function answered(
  answers: readonly DatedAnswer[],
  wanted: Quantity,
  { advised, at }: Reading,
): Pick<AnsweredLine, 'parts' | 'refused'> {
  const parts: AnsweredLine['parts'][number][] = []
  let refused = 0
  let rest = wanted
  for (const { status, quantity: text, date } of answers) {
    const means = MEANS[status]
    // an answer without a quantity is about what the others leave
    const quantity = text === '' ? rest : countIn(text, at)
    rest = Math.max(0, rest - quantity)
    if (means === 'refused') refused += quantity
    else if (quantity > 0) parts.push({ quantity, ...arrivalOf(date, means, advised.guide) })
  }
  if (answers.some(({ status }) => CHANGES.has(status))) refused += rest
  else if (rest > 0 && answers.some(({ status }) => status === BALANCE_WAITS))
    parts.push({ quantity: rest, expectedOn: null })
  return { parts, refused }
}

function arrivalOf(
  date: QualifiedDate | undefined,
  means: 'comes' | 'waits',
  guide: PartnerGuide,
): { expectedOn?: string | null } {
  const expectedOn = date && arrivalOn(date, guide)
  if (expectedOn !== undefined) return { expectedOn }
  return means === 'waits' ? { expectedOn: null } : {}
}

const dayIn = (dates: readonly QualifiedDate[]): QualifiedDate | undefined =>
  [...ARRIVES, ...LEAVES].flatMap((wanted) => dates.find(({ qualifier }) => qualifier === wanted) ?? [])[0]

/** ISO date; goods that leave on a day arrive as many days later as the guide says. */
function arrivalOn({ qualifier, date }: QualifiedDate, { supply }: PartnerGuide): string | undefined {
  if (Number.isNaN(Date.parse(date))) return undefined
  const days = LEAVES.includes(qualifier) ? supply.transitDays : 0
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10)
}

export function toSupplyShipped(root: Loop, advised: Advised): Advice<SupplyShipped> {
  const bsn = first(root, 'BSN')
  const isCancelled = element(bsn, 1) === CANCELS
  const items = isCancelled ? [] : noticeItems(root)
  return advice(
    items,
    (item): ShippedLine => {
      if (item.order === undefined) throw new Unreadable('advice.order_missing', item.at)
      const quantity = countIn(item.quantity, item.at)
      if (quantity === 0) throw new Unreadable('advice.quantity_unusable', item.at, '(0)')
      const { sscc, expiresOn, lots } = item
      const lot = lots.length === 1 ? lots[0] : item.productIds.find((id) => id.qualifier === 'LT')?.value
      return {
        ...namedLine(item, advised),
        purchaseOrder: item.order,
        quantity,
        lot,
        expiresOn: expiresOn === undefined || Number.isNaN(Date.parse(expiresOn)) ? undefined : expiresOn,
        sscc,
      }
    },
    (lines): SupplyShipped => {
      if (lines.length === 0 && !isCancelled && items.length === 0)
        throw new Unreadable('advice.no_lines', advised.at)
      const day = dayIn(datesOf(root))
      return {
        type: 'supply-shipped',
        ...headOf(advised),
        at: writtenAt(advised),
        notice: element(bsn, 2),
        expectedOn: day && arrivalOn(day, advised.guide),
        lines,
      }
    },
  )
}

/** Of the shipment; some write them above its first level. */
const datesOf = (root: Loop): QualifiedDate[] => [
  ...loopsOf(root, 'HL')
    .filter((loop) => element(first(loop, 'HL'), 3) === 'S')
    .flatMap(qualifiedDates),
  ...all(root, 'DTM').map((dtm) => ({ qualifier: element(dtm, 1), date: isoDate(element(dtm, 2)) })),
]
