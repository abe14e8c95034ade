/** Opening stock and dated receipts, sized from the planned orders so that outcomes do not depend on who comes first. */
import { draw, drawInteger } from '../random.ts'
import { dayAfter, factorOf, type Item, type Receipt, type Stock, type WorldOrder } from './world.ts'

/** An ample item has at least so many sales units on each of its sites, and half as much again as is planned. */
const AMPLE_UNITS = 200
const AMPLE_RESERVE = 1.5
/** Of the ample items: those of which two packs wait for inspection, and those of which one is broken. */
const HOLD_SHARE = 0.05
const DAMAGED_SHARE = 0.03

const packOf = (item: Item): number => factorOf(item, item.salesUnit)?.numerator ?? 1

/** What the orders ask for, per item, in base units. */
export function demandOf(
  items: ReadonlyMap<string, Item>,
  orders: Iterable<WorldOrder>,
): Map<string, number> {
  const demand = new Map<string, number>()
  for (const order of orders) {
    for (const line of order.lines) {
      const item = items.get(line.item)
      const factor = item && factorOf(item, line.unit)
      if (!factor) continue
      const quantity = (line.quantity * factor.numerator) / factor.denominator
      demand.set(line.item, (demand.get(line.item) ?? 0) + quantity)
    }
  }
  return demand
}

/** In expiry order; two lots where the item is lot-controlled, and the first alone where it is aging. */
function lotsOf(item: Item, today: string): Pick<Stock, 'lot' | 'expiresOn'>[] {
  if (!item.lotControlled) return [{ lot: '', expiresOn: '' }]
  const old = { lot: `L${item.number}A`, expiresOn: dayAfter(today, 90) }
  return item.supply === 'aging' ? [old] : [old, { lot: `L${item.number}B`, expiresOn: dayAfter(today, 180) }]
}

function openingOf(seed: string, item: Item, demand: number, today: string): Stock[] {
  const pack = packOf(item)
  const row = { company: item.company, item: item.number, status: 'available' as const }
  if (item.supply === 'awaited') return []
  if (item.supply === 'scarce') {
    const [lot] = lotsOf(item, today)
    return lot ? [{ ...row, ...lot, site: item.sites[0] ?? 'DC1', quantity: pack }] : []
  }
  const lots = lotsOf(item, today)
  const packs = Math.ceil(Math.max(AMPLE_UNITS, (demand / pack) * AMPLE_RESERVE) / lots.length)
  const available = item.sites.flatMap((site) =>
    lots.map((lot) => ({ ...row, ...lot, site, quantity: packs * pack })),
  )
  return [...available, ...unsaleableOf(seed, item, available)]
}

/** On the first shelf of an item. Industrial goods that break are written off instead of being kept. */
function unsaleableOf(seed: string, item: Item, [first]: readonly Stock[]): Stock[] {
  if (!first) return []
  const pack = packOf(item)
  const held = draw(seed, 'hold', item.number) < HOLD_SHARE
  const broken = item.company === 'NWF' && draw(seed, 'damaged', item.number) < DAMAGED_SHARE
  return [
    ...(held ? [{ ...first, status: 'hold' as const, quantity: 2 * pack }] : []),
    ...(broken ? [{ ...first, status: 'damaged' as const, quantity: pack }] : []),
  ]
}

export const openingStock = (
  seed: string,
  items: Item[],
  demand: Map<string, number>,
  today: string,
): Stock[] => items.flatMap((item) => openingOf(seed, item, demand.get(item.number) ?? 0, today))

/** Two dated receipts for each item that is short or aging: about half of the demand, then the rest and a tenth more. */
export function receiptsFor(
  seed: string,
  items: Item[],
  demand: Map<string, number>,
  today: string,
): Receipt[] {
  return items
    .filter((item) => item.supply !== 'ample')
    .flatMap((item) => {
      const pack = packOf(item)
      const packs = Math.ceil(((demand.get(item.number) ?? 0) * 1.1) / pack) + 2
      const first = Math.ceil(packs / 2)
      const day = drawInteger(seed, 'receipt/day', item.number, [1, 2])
      return [first, packs - first].map((count, wave) => ({
        id: `${item.company === 'NWF' ? '45' : '46'}${item.number}${wave}`,
        company: item.company,
        site: item.sites[0] ?? 'DC1',
        item: item.number,
        lot: item.lotControlled ? `L${item.number}R${wave + 1}` : '',
        expiresOn: item.lotControlled ? dayAfter(today, 200 + 30 * wave) : '',
        quantity: count * pack,
        day: day + 2 * wave,
        expectedOn: dayAfter(today, day + 2 * wave),
      }))
    })
}
