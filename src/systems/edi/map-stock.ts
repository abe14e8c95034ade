/** What is there of items by 846: in our words what a warehouse counted, in a partner's what we can promise; pure. */
import type { StockCounted } from '#capabilities/channel-messages.ts'
import type { CountedStock } from '#capabilities/stock.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { Refusal } from '#platform/faults.ts'
import {
  type Advice,
  advice,
  type Advised,
  assertOurs,
  countIn,
  inBase,
  instantOf,
  skuIn,
  Unreadable,
} from './advice.ts'
import { type InventoryAdvice, type InventoryLine, parseInventoryAdvice } from './documents/846.ts'
import { x12Date } from './documents/parts.ts'
import { type Loop, loopsOf } from './documents/structure.ts'
import type { Position } from './findings.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { fromUnece } from './units.ts'
import { wallClock } from './wall-clock.ts'

export function toStockCounted(root: Loop, advised: Advised): Advice<StockCounted> {
  const document = parseInventoryAdvice(root)
  const { guide, at } = advised
  const { company, location, partner: sender } = guide
  const scope = guide.wholeCounts ? 'location' : 'items'
  return advice(
    loopsOf(root, 'LIN').map((loop, index) => ({ loop, line: document.lines[index]! })),
    ({ loop, line }) => {
      assertOurs(loop, advised)
      const [lin] = loop.segments
      return { counted: countedStock(line, lin!.at, advised), text: lin!.elements.join('*') }
    },
    (lines): StockCounted => {
      assertOurs(root, advised)
      const takenAt = instantOf(x12Date(document.date), document.time ?? '', guide)
      if (!takenAt) throw new Unreadable('advice.date_unusable', at, `(${document.date})`)
      return {
        type: 'stock-counted',
        company,
        sender,
        snapshot: { company, location, takenAt, scope, lines: lines.map(({ counted }) => counted) },
        texts: lines.map(({ text }) => text),
      }
    },
  )
}

/** What is only to come is no stock, and each status is told once. */
function countedStock(line: InventoryLine, at: Position, advised: Advised): CountedStock {
  const { location, stock } = advised.guide
  const sku = skuIn({ ...line, at }, advised)
  const counts: Partial<Record<'available' | 'qualityHold' | 'damaged', Quantity>> = {}
  for (const { qualifier, quantity, unit, from } of line.quantities) {
    const status = stock[qualifier]
    if (!status) throw new Unreadable('advice.code_unknown', at, `(QTY ${qualifier})`)
    if (status === 'ignore' || from !== undefined) continue
    if (counts[status] !== undefined)
      throw new Unreadable('advice.code_unknown', at, `(QTY ${qualifier} again)`)
    counts[status] = inBase(countIn(quantity, at), { sku, unit, at }, advised)
  }
  const { available = 0, qualityHold = 0, damaged = 0 } = counts
  return { sku, location, lot: line.lot, available, qualityHold, damaged }
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
