/** What is there of items by 846: in our words what a warehouse counted, in a partner's what we can promise; pure. */
import type { StockCounted } from '#capabilities/channel-messages.ts'
import type { CountedStock } from '#capabilities/stock.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { Refusal } from '#platform/faults.ts'
import {
  type Advice,
  type Advised,
  assertOurs,
  attempt,
  countIn,
  inBase,
  instantOf,
  skuIn,
  Unreadable,
} from './advice.ts'
import { type InventoryAdvice, type InventoryLine, parseInventoryAdvice } from './documents/846.ts'
import { x12Date } from './documents/parts.ts'
import { type Loop, loopsOf } from './documents/structure.ts'
import { segmentsOf } from './documents/warehouse-parts.ts'
import type { Finding, FindingCode, Position } from './findings.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { storable } from './store.ts'
import { fromUnece } from './units.ts'
import { wallClock } from './wall-clock.ts'
import type { Segment } from './x12-segments.ts'

/** Of lines that cannot be read the others are taken, where there are any; what its head says must be known. */
export function toStockCounted(root: Loop, advised: Advised): Advice<StockCounted> {
  const document = parseInventoryAdvice(root)
  const { company, location, partner: sender, wholeCounts } = advised.guide
  const all = loopsOf(root, 'LIN').map((loop, index) => readLine(loop, document.lines[index]!, advised))
  const takenAt = attempt(() => takenAtOf(root, document, advised))
  const findings = [...all, takenAt].flatMap((one) => ('finding' in one ? [one.finding] : []))
  const lines = all.map((one, index) => ({ ...one, line: index + 1 }))
  const bad = lines.flatMap((one) => ('finding' in one ? [one] : []))
  const halfRead = new Set(bad.map(({ item }) => item))
  const read = lines.flatMap((one) => ('counted' in one ? [one] : []))
  const taken = read.filter(({ counted }) => !halfRead.has(counted.sku))
  if ('finding' in takenAt || (taken.length === 0 && bad.length > 0)) return { findings }
  const beside = read.filter(({ counted }) => halfRead.has(counted.sku))
  const message: StockCounted = {
    type: 'stock-counted',
    company,
    sender,
    snapshot: {
      company,
      location,
      takenAt: takenAt.read,
      scope: wholeCounts ? 'location' : 'items',
      lines: taken.map(({ counted }) => counted),
    },
    sent: taken.map(({ line, text, ids }) => ({ line, text, ids })),
    unread: [
      ...bad.map(({ line, text, item, lot, where, finding: { code, message: says } }) => ({
        line,
        text,
        item,
        lot,
        reason: storable(`${where}: ${says}`),
        cure: CURES[code] ?? COUNT_AGAIN,
      })),
      ...beside.map(({ line, text, counted: { sku, lot } }) => ({
        line,
        text,
        item: sku,
        lot,
        reason: `Another line of ${sku} cannot be read.`,
        cure: 'Mend the other line: of an item all lines are taken, or none.',
      })),
    ].toSorted((a, b) => a.line - b.line),
  }
  return { message, findings }
}

function takenAtOf(root: Loop, { date, time = '' }: InventoryAdvice, advised: Advised): Date {
  assertOurs(root, advised)
  const takenAt = instantOf(x12Date(date), time, advised.guide)
  if (!takenAt) throw new Unreadable('advice.date_unusable', advised.at, `(${date})`)
  return takenAt
}

type Sent = {
  /** As it was sent, with what of it cannot be read. */
  readonly text: string
  readonly ids: string
}
type LineRead = Sent &
  (
    | { readonly counted: CountedStock }
    | {
        readonly finding: Finding
        readonly item: string
        readonly lot: string | undefined
        /** "QTY03", as the standard and the guides of partners call it. */
        readonly where: string
      }
  )

function readLine(loop: Loop, line: InventoryLine, advised: Advised): LineRead {
  const lin = loop.segments[0]!
  const ids = storable(line.productIds.map(({ qualifier, value }) => `${qualifier} ${value}`).join(', '))
  const text = storable(lin.elements.join('*'))
  const { lot } = line
  const sku = attempt(() => skuIn({ ...line, at: placeOf(lin, FIRST_ID) }, advised))
  if ('finding' in sku)
    return { text, ids, item: ids || text, lot, where: nameOf(lin, FIRST_ID), finding: sku.finding }
  const tried = attempt(() => {
    assertOurs(loop, advised)
    return countedStock(loop, { ...line, sku: sku.read }, advised)
  })
  if ('read' in tried) return { text, ids, counted: tried.read }
  const { finding } = tried
  const wrong = segmentsOf(loop).find(({ at }) => at.byte === finding.at.byte) ?? lin
  const where = nameOf(wrong, finding.at.element)
  const whole = wrong === lin ? text : storable(`${text} ${wrong.elements.join('*')}`)
  return { text: whole, ids, item: sku.read, lot, where, finding }
}

/** X12 234, the first of them. */
const FIRST_ID = 3
/** X12 673, 380 and 355 of a quantity. */
const QTY = { qualifier: 1, quantity: 2, unit: 3 } as const

const nameOf = ({ id }: Segment, element?: number): string =>
  element === undefined ? id : `${id}${String(element).padStart(2, '0')}`

const placeOf = ({ id, at }: Segment, element: number): Position => ({ ...at, segmentId: id, element })

const COUNT_AGAIN = 'Have the line corrected, and the item counted again.'
const CURES: Partial<Record<FindingCode, string>> = {
  'advice.item_unidentified':
    "Add one of its ids to the item, or to the guide's `items`, or have the line corrected; then have the item counted again.",
  'advice.unit_unknown':
    "Add the unit to the guide's `units`, or have the ERP add it to the item, or have the line corrected; then have the item counted again.",
  'advice.code_unknown':
    "Add the qualifier to the guide's `stock`, or have the line corrected; then have the item counted again.",
  'advice.owner_unknown':
    "Add the owner to the guide's `warehouse.owners`, and have our own stock of the item counted again, without others'.",
  'advice.owner_of_others': "Have our own stock of the item counted again, without others'.",
}

/** What is only to come is no stock, and each status is told once. */
function countedStock(
  loop: Loop,
  { sku, lot, quantities }: InventoryLine & { readonly sku: string },
  advised: Advised,
): CountedStock {
  const { location, stock } = advised.guide
  const counts: Partial<Record<'available' | 'qualityHold' | 'damaged', Quantity>> = {}
  for (const [index, qty] of loopsOf(loop, 'QTY').entries()) {
    const { qualifier, quantity, unit, from } = quantities[index]!
    const at = (element: number): Position => placeOf(qty.segments[0]!, element)
    const status = stock[qualifier]
    if (!status) throw new Unreadable('advice.code_unknown', at(QTY.qualifier), `(QTY ${qualifier})`)
    if (status === 'ignore' || from !== undefined) continue
    if (counts[status] !== undefined)
      throw new Unreadable('advice.code_unknown', at(QTY.qualifier), `(QTY ${qualifier} again)`)
    const told = countIn(quantity, at(QTY.quantity))
    counts[status] = inBase(told, { sku, unit, at: at(QTY.unit) }, advised)
  }
  const { available = 0, qualityHold = 0, damaged = 0 } = counts
  return { sku, location, lot, available, qualityHold, damaged }
}

/** What we can promise of items, for a partner. */
export type Availability = {
  /** Names it for us and for the partner: the same number is the same document. */
  readonly number: string
  readonly asOf: Date
  readonly items: readonly {
    readonly sku: string
    /** UN/ECE. */
    readonly unit: string
    readonly quantity: Quantity
  }[]
}

/** X12 673: available. */
const AVAILABLE = '33'
/** X12 353 and 755: an original, of available stock. */
const ORIGINAL = '00'
const REPORT = 'SI'

/** Items under the partner's qualifier for our numbers. Refuses a unit that it has no code for. */
export function toInventoryAdvice(
  { number, asOf, items }: Availability,
  guide: PartnerGuide,
): InventoryAdvice {
  const { date, time } = wallClock(asOf, guide)
  const qualifier = guide.items.find(({ is }) => is === 'sku')?.qualifier ?? 'VN'
  return {
    purpose: ORIGINAL,
    report: REPORT,
    number,
    date,
    time,
    lines: items.map(({ sku, unit: ours, quantity }, index) => {
      const unit = fromUnece(ours, guide.units)
      if (!unit)
        throw new Refusal('edi.unit_unmapped', `${guide.partner} has no code for ${ours}`, { unit: ours })
      return {
        assignedId: String(index + 1),
        productIds: [{ qualifier, value: sku }],
        quantities: [{ qualifier: AVAILABLE, quantity: formatQuantity(quantity), unit }],
      }
    }),
  }
}
