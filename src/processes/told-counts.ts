/** What of a count that a channel tells is taken, and which of its lines leave open what is there. */
import type { StockCounted, UnreadCounted } from '#capabilities/channel-messages.ts'
import type { CountedStock } from '#capabilities/stock.ts'
import type { Queries } from '#platform/database.ts'
import type { UnreadLine } from '#domains/inventory/contract/reconciliations.ts'
import { lotsThere } from '#domains/inventory/views/unread-counts.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { unreadLine } from './unread-counts.ts'

/** Whether the company has the item. */
export type IsKnown = (sku: string) => boolean

type Reading = {
  readonly taken: readonly CountedStock[]
  readonly unread: readonly UnreadLine[]
  readonly isKnown: IsKnown
}

export async function readOf(queries: Queries, counted: StockCounted): Promise<Reading> {
  const { company, snapshot, sent, unread } = counted
  const skus = new Set([...snapshot.lines.map(({ sku }) => sku), ...unread.map(({ item }) => item)])
  const items = await findItems(
    queries,
    [...skus].map((sku) => ({ company, sku })),
  )
  const isKnown: IsKnown = (sku) => items.has(itemKey(company, sku))
  const unknown = snapshot.lines.flatMap(({ sku, lot }, index) => {
    const reason = { code: 'inventory.item_unknown', message: `${company} has no item ${sku}` }
    const { line, text } = sent[index]!
    return isKnown(sku) ? [] : [{ ...unreadLine({ line, text }, reason), lot }]
  })
  const open = [...unread.filter(({ item }) => !isKnown(item)), ...unknown]
  const withheld = await linesOfOpenLots(queries, { snapshot, sent, items, open })
  const left = new Set(withheld.map(({ item }) => item))
  // of single items an item that we do not have is told with the message alone
  const lines = [...unread, ...withheld, ...(snapshot.scope === 'location' ? unknown : [])]
  return {
    taken: snapshot.lines.filter(({ sku }) => !left.has(sku)),
    unread: lines.toSorted((a, b) => a.line - b.line).map(({ lot: _, ...line }) => line),
    isKnown,
  }
}

type Lots = Pick<StockCounted, 'snapshot' | 'sent'> & {
  readonly items: ReadonlyMap<string, SellingItem>
  /** Lines that lead to no item of ours. */
  readonly open: readonly Pick<UnreadCounted, 'line' | 'lot'>[]
}

/** A lot that the books have and the count does not name may be what such a line is of: of its item nothing is said. */
async function linesOfOpenLots(
  queries: Queries,
  { snapshot, sent, items, open }: Lots,
): Promise<UnreadCounted[]> {
  const { company, lines } = snapshot
  const byLot = new Map(open.flatMap(({ line, lot }) => (lot ? [[lot, line] as const] : [])))
  const named = new Set(lines.map(({ sku, lot }) => JSON.stringify([sku, lot])))
  const withLots = new Set(lines.flatMap(({ sku, lot }) => (lot ? [sku] : [])))
  const ids = new Map(
    [...withLots].flatMap((sku) => {
      const item = items.get(itemKey(company, sku))
      return item ? [[item.id, sku] as const] : []
    }),
  )
  if (byLot.size === 0 || ids.size === 0) return []
  const there = await lotsThere(queries, snapshot, { itemIds: [...ids.keys()], lots: [...byLot.keys()] })
  const left = new Map(
    there
      .map(({ itemId, lot }) => [ids.get(itemId)!, lot] as const)
      .filter(([sku, lot]) => !named.has(JSON.stringify([sku, lot]))),
  )
  return lines.flatMap(({ sku, lot }, index) => {
    const missing = left.get(sku)
    if (missing === undefined) return []
    const { line, text } = sent[index]!
    return {
      line,
      text,
      item: sku,
      lot,
      reason: `Lot ${missing} of ${sku} is there by our books and not named, and line ${byLot.get(missing)} may be of it.`,
      cure: 'Mend that line, and have all lots of the item counted again.',
    }
  })
}
