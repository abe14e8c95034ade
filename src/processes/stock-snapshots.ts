/** Takes what a source has counted: it takes the place of what was told before, and never erases a claim. */
import type { CountedStock, StockSnapshot } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { Docket } from '#platform/process.ts'
import type { Count, CountedBelow, Difference, Statuses } from '#domains/inventory/contract/feeds.ts'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { learnExpiries } from '#domains/inventory/operations/lots.ts'
import type { SerialSite } from '#domains/inventory/operations/serials.ts'
import { ownerOf } from '#domains/inventory/contract/owners.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { controlledItems, findItems } from '#domains/items/operations.ts'
import { wakesOfFreed } from './order-undo.ts'
import { afterStock, bookDue, type FeedPorts, restored } from './stock-feed.ts'

/** A snapshot as it came. Lots that it dates are dated, unless anybody has said before when they expire. */
export type SnapshotTold = {
  readonly source: string
  readonly sourceKey: string
  /** By our clock, before it was asked for. */
  readonly askedAt: Date
  readonly snapshot: StockSnapshot
  /** Items that it does not name and that are not there therefore. */
  readonly absent?: readonly number[] | undefined
}

export type SnapshotTaken = {
  readonly corrected: readonly Difference[]
  readonly below: readonly CountedBelow[]
  readonly superseded: number
  /** Lines of items that the company does not have. */
  readonly unknown: readonly CountedStock[]
}

/** Counts by place; `absent` are items of the location that the source does not name, of which it has nothing. */
export function countsOf(
  { company, location, lines }: StockSnapshot,
  items: ReadonlyMap<string, SellingItem>,
  absent: readonly number[] = [],
): { readonly counts: Count[]; readonly unknown: CountedStock[] } {
  const counts = new Map<string, Count & { readonly lots: Map<string, Statuses> }>()
  const unknown: CountedStock[] = []
  for (const line of lines) {
    const item = items.get(itemKey(company, line.sku))
    if (!item) {
      unknown.push(line)
      continue
    }
    const key = keyOf(item.id, line)
    const count = counts.get(key) ?? {
      company,
      itemId: item.id,
      location,
      owner: line.owner,
      sequence: line.sequence,
      lots: new Map<string, Statuses>(),
    }
    const lot = line.lot ?? ''
    const before = count.lots.get(lot)
    count.lots.set(lot, {
      available: (before?.available ?? 0) + line.available,
      qualityHold: (before?.qualityHold ?? 0) + line.qualityHold,
      damaged: (before?.damaged ?? 0) + line.damaged,
    })
    counts.set(key, count)
  }
  const empty = absent
    .filter((itemId) => !counts.has(keyOf(itemId, {})))
    .map((itemId): Count => ({ company, itemId, location, lots: new Map() }))
  return { counts: [...counts.values(), ...empty], unknown }
}

const keyOf = (itemId: number, of: Pick<CountedStock, 'owner'>): string => `${ownerOf(of)} ${itemId}`

/** All lines of an item that are of one owner stand in one list. */
export async function takeSnapshot(
  tx: Transaction,
  turn: Pick<Docket, 'wakeAfterwards'>,
  ports: FeedPorts,
  { source, sourceKey, askedAt, snapshot, absent }: SnapshotTold,
): Promise<SnapshotTaken> {
  const { company, takenAt, mark } = snapshot
  const items = await findItems(
    tx,
    snapshot.lines.map(({ sku }) => ({ company, sku })),
  )
  const { counts, unknown } = countsOf(snapshot, items, absent)
  if (counts.length === 0) return { corrected: [], below: [], superseded: 0, unknown }
  const taken = await takeCounts(tx, counts, { source, sourceKey, mark, takenAt, askedAt })
  const skus = new Map([...items.values()].map(({ id, sku }) => [id, sku]))
  await tellBelow(tx, ports, taken.below, { source, skus })
  const released = await bookDue(tx, ports.countsStock, taken.due.map(restored))
  const dated = await learnExpiries(tx, datedLots(snapshot, items))
  const gained = [...taken.corrected, ...dated.fresh].map(({ itemId }) => itemId).concat(taken.lotsCorrected)
  await afterStock(tx, turn, ports, {
    items: [...new Set([...released.items, ...gained])],
    doubtful: [...released.doubtful, ...taken.doubtful],
    byHand: released.byHand,
    lots: released.lots,
    serials: {
      told: released.serials.told,
      sites: [...released.serials.sites, ...(await trackedSites(tx, counts, { items, absent }))],
    },
  })
  const { corrected, below, superseded } = taken
  return { corrected, below, superseded, unknown }
}

/** Keeps when lots of a count expire, as far as nobody has said, and wakes who waits for what lives long. */
export async function dateLots(
  tx: Transaction,
  turn: Pick<Docket, 'wakeAfterwards'>,
  snapshot: StockSnapshot,
  items: ReadonlyMap<string, SellingItem>,
): Promise<void> {
  const { fresh } = await learnExpiries(tx, datedLots(snapshot, items))
  turn.wakeAfterwards(
    await wakesOfFreed(
      tx,
      fresh.map(({ itemId }) => itemId),
    ),
  )
}

/** A source counts again what it has told before: where a person knows better, it is not asked again each time. */
const datedLots = (
  { company, lines }: StockSnapshot,
  items: ReadonlyMap<string, SellingItem>,
): { company: string; itemId: number; lot: string; expiresOn: string }[] =>
  lines.flatMap(({ sku, lot, expiresOn }) => {
    const item = items.get(itemKey(company, sku))
    return item && lot && expiresOn ? [{ company, itemId: item.id, lot, expiresOn }] : []
  })

/** Where units of items with serials are counted: as many are to be named. */
async function trackedSites(
  tx: Transaction,
  counts: readonly Count[],
  { items, absent = [] }: Pick<SnapshotTold, 'absent'> & { readonly items: ReadonlyMap<string, SellingItem> },
): Promise<SerialSite[]> {
  const named = [...items.values()].flatMap(({ id, serialControlled }) => (serialControlled ? [id] : []))
  const gone = [...(await controlledItems(tx, absent)).values()].flatMap(({ id, serials }) =>
    serials ? [id] : [],
  )
  const tracked = new Set([...named, ...gone])
  return counts.filter(({ itemId }) => tracked.has(itemId))
}

/** Under the cause by which doubt of a place is told, so that it is told once and closes by itself. */
async function tellBelow(
  tx: Transaction,
  ports: FeedPorts,
  below: readonly CountedBelow[],
  { source, skus }: { readonly source: string; readonly skus: ReadonlyMap<number, string> },
): Promise<void> {
  await ports.openExceptions(
    tx,
    below.map(({ company, itemId, location, counted, reserved }) => ({
      company,
      cause: `inventory.unreconciled:${itemId}:${location}`,
      code: 'inventory.unreconciled',
      title: `${source} counts ${formatQuantity(counted)} of ${skus.get(itemId)} at ${location}, of which ${formatQuantity(reserved)} are reserved`,
      suggestedAction:
        'Count it. Where the count is right, cancel or move reservations until they fit; nothing more of it is promised until then.',
      facts: {
        itemId,
        sku: skus.get(itemId),
        location,
        source,
        counted: formatQuantity(counted),
        reserved: formatQuantity(reserved),
      },
    })),
  )
}
