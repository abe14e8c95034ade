/** Picking and packing of one order: which lots, how much, what is short, what it weighs, in which packages. */
import type { FaultBoard } from '../faults.ts'
import { draw } from '../random.ts'
import { sscc18 } from '../world/gs1.ts'
import type { Item } from '../world/world.ts'
import {
  baseFactor,
  uom,
  type Content,
  type OrderLine,
  type OutboundOrder,
  type Package,
  type PickShort,
  type ShortLine,
} from './shapes.ts'
import type { Shelves, Taken } from './stock.ts'

const CONTENTS_PER_PACKAGE = 4
/** A catch-weight piece is so much lighter or heavier than its nominal weight at most. */
const WEIGHT_SPREAD = 0.03

export type Picked = {
  contents: Content[]
  short: ShortLine[]
  writtenOff: (Pick<Taken, 'lot' | 'quantity' | 'serials'> & { sku: string; uom: string })[]
}

export type Floor = { shelves: Shelves; items: ReadonlyMap<string, Item>; faults: FaultBoard; seed: string }

export function pick(floor: Floor, order: OutboundOrder, lines: readonly OrderLine[]): Picked {
  const picked: Picked = { contents: [], short: [], writtenOff: [] }
  for (const line of lines) pickLine(floor, order, line, picked)
  return picked
}

function pickLine(floor: Floor, order: OutboundOrder, line: OrderLine, picked: Picked): void {
  const item = floor.items.get(line.sku)
  const factor = item && baseFactor(item, line.uom)
  if (!item || !factor) return
  const perUnit = factor.numerator / factor.denominator
  const place = { site: order.site, owner: order.owner, sku: line.sku }
  const key = `${order.external_ref}/${line.line_no}`
  const blind = floor.faults.quiet ? undefined : floor.faults.strike('short-pick', 'pick', key)
  const onShelf = Math.floor(floor.shelves.available(place, line.min_expiry) / perUnit + 1e-9)
  const qty = Math.min(blind ? Math.floor(line.qty / 2) : line.qty, onShelf)
  const taken = qty > 0 ? floor.shelves.take(place, Math.round(qty * perUnit), line) : []
  for (const part of taken) picked.contents.push(contentOf(floor.seed, { item, line, perUnit, key }, part))
  line.shipped_qty += qty
  line.short_qty = line.qty - line.shipped_qty
  if (line.short_qty <= 0) return
  const { line_no, sku } = line
  picked.short.push({
    line_no,
    sku,
    ordered_qty: line.qty,
    shipped_qty: qty,
    uom: line.uom,
    reason: 'NOT_FOUND',
  })
  if (blind && blind.adjust !== false)
    writeOff(floor, order, { item, quantity: Math.round((line.qty - qty) * perUnit) }, picked)
}

/** What the picker did not find is gone from the books too. */
function writeOff(
  floor: Floor,
  order: OutboundOrder,
  lost: { item: Item; quantity: number },
  picked: Picked,
): void {
  const place = { site: order.site, owner: order.owner, sku: lost.item.number }
  for (const { lot, quantity, serials } of floor.shelves.take(place, lost.quantity)) {
    const of = { sku: lost.item.number, uom: uom(lost.item.baseUnit) }
    picked.writtenOff.push({ ...of, lot, quantity, ...(serials && { serials }) })
  }
}

type Source = { item: Item; line: OrderLine; perUnit: number; key: string }

/** A part of a lot that is not a whole number of the ordered unit is told in the base unit. */
function contentOf(seed: string, { item, line, perUnit, key }: Source, part: Taken): Content {
  const whole = Number.isInteger(part.quantity / perUnit)
  const spread = 1 + WEIGHT_SPREAD * (2 * draw(seed, `weight/${key}`, part.lot) - 1)
  const grams = Math.round(part.quantity * item.nominalGrams * spread)
  return {
    line_no: line.line_no,
    sku: line.sku,
    qty: whole ? part.quantity / perUnit : part.quantity,
    uom: whole ? line.uom : uom(item.baseUnit),
    base_qty: part.quantity,
    lot: part.lot === '' ? null : part.lot,
    expires_on: part.expiresOn === '' ? null : part.expiresOn,
    catch_weight_kg: item.catchWeight ? grams / 1_000 : null,
    ...(part.serials && { serials: part.serials }),
  }
}

const handled = ({ line_no, sku, qty, uom: unit, base_qty, lot }: Content) => ({
  line_no,
  sku,
  qty,
  uom: unit,
  base_qty,
  lot,
})

/** What is told of a pick once all of an order is picked. */
export const toldOfPicks = (items: Floor['items'], picks: readonly Picked[]) => ({
  picks: picks.flatMap(({ contents }) => contents.map(handled)),
  short_lines: picks.flatMap(({ short }) => short.map((line) => pickShort(items, line))),
})

function pickShort(
  items: Floor['items'],
  { line_no, sku, ordered_qty, shipped_qty, uom: unit, reason }: ShortLine,
): PickShort {
  const { numerator, denominator } = baseFactor(items.get(sku)!, unit)!
  const short_base_qty = Math.round(((ordered_qty - shipped_qty) * numerator) / denominator)
  return { line_no, sku, ordered_qty, picked_qty: shipped_qty, uom: unit, short_base_qty, reason }
}

/** What is told of cartons that are closed and not loaded yet. */
export const toldOfPackages = (packages: readonly Package[]) => ({
  cartons: packages.map(({ sscc, contents }) => ({ sscc, contents: contents.map(handled) })),
})

export function pack(
  items: ReadonlyMap<string, Item>,
  contents: readonly Content[],
  firstSerial: number,
): Package[] {
  const packages: Package[] = []
  for (let from = 0; from < contents.length; from += CONTENTS_PER_PACKAGE) {
    const inside = contents.slice(from, from + CONTENTS_PER_PACKAGE)
    const serial = firstSerial + packages.length
    const grams = inside.reduce((sum, one) => sum + weightGrams(items, one), 0)
    packages.push({
      sscc: sscc18(serial),
      tracking_number: `SW${String(700_000_000 + serial)}`,
      weight_kg: grams / 1_000,
      contents: inside,
    })
  }
  return packages
}

const weightGrams = (items: ReadonlyMap<string, Item>, content: Content): number =>
  content.catch_weight_kg === null
    ? content.base_qty * (items.get(content.sku)?.nominalGrams ?? 0)
    : Math.round(content.catch_weight_kg * 1_000)
