/** What can be promised, by the published formula: the same arithmetic by which reservations and orders are granted stock. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { ChannelStock } from '../channel-stock.ts'
import { stockKey } from '../rules.ts'
import { selectWaiting } from '../store.ts'
import { selectKept } from '../store/allocations.ts'
import { positionsOf, type StockPosition } from '../views.ts'

/** Published beside each figure; another text is another version. */
export const FORMULA = {
  version: 2,
  text:
    'free = onHand - onHold - reserved + min(0, unreconciled) - safetyStock; own = min(keptForChannel, max(0, free)); ' +
    'available = own + max(0, free - keptForOthers - keptForChannel - waiting), own alone behind a wall',
} as const

export type Promisable = Omit<StockPosition, 'available'> & {
  readonly onHand: Quantity
  readonly safetyStock: Quantity
  readonly keptForOthers: Quantity
  readonly keptForChannel: Quantity
  /** What orders wait for and would be given here. */
  readonly waiting: Quantity
  readonly available: Quantity
}

export type PromiseQuestion = {
  readonly company: string
  readonly items: readonly number[]
  /** All that the company sells from: who waits may be served from any of them. */
  readonly locations: readonly string[]
  readonly channel?: string | undefined
}

/** Every item at every location, in base units; zeros where there is no position. */
export async function promisable(
  queries: Queries,
  { company, items, locations, channel }: PromiseQuestion,
): Promise<Promisable[]> {
  const [rows, kept, waiting] = await Promise.all([
    positionsOf(queries, company, items, locations),
    selectKept(queries, items),
    selectWaiting(queries, items),
  ])
  const free = new Map(rows.map((row) => [stockKey(row.itemId, row.location), freeOf(row)]))
  const stock = new ChannelStock({ free, kept, waiting, locations })
  const unclaimed = new ChannelStock({ free, kept, waiting: [], locations })
  const keptAt = Map.groupBy(kept, ({ itemId, location }) => stockKey(itemId, location))
  return rows.map(({ available, ...row }) => {
    const key = stockKey(row.itemId, row.location)
    const here = keptAt.get(key) ?? []
    const left = (wanted: (one: (typeof here)[number]) => boolean): Quantity =>
      here.reduce((sum, one) => (wanted(one) ? sum + one.left : sum), 0)
    const isOwn = (one: (typeof here)[number]): boolean =>
      channel !== undefined && one.channels.includes(channel)
    return {
      ...row,
      onHand: available + row.onHold,
      safetyStock: left(({ kind }) => kind === 'safety'),
      keptForOthers: left((one) => one.kind !== 'safety' && !isOwn(one)),
      keptForChannel: left(isOwn),
      waiting: unclaimed.rest.get(key)! - stock.rest.get(key)!,
      available: Math.max(0, stock.at(channel, row.itemId, row.location)),
    }
  })
}

const freeOf = ({ available, reserved, unreconciled }: StockPosition): Quantity =>
  available - reserved + Math.min(0, unreconciled)

const claims = sql(
  'inventory.claims_of_channels',
  `select c.item_id as "itemId", c.location, r.kind, sum(c.quantity) as quantity from inventory.channel_claim c
   cross join lateral (select kind from inventory.channel_reservation where id = c.reservation_id offset 0) r
   where c.item_id = any($1::int[]) group by c.item_id, c.location, r.kind`,
)

/** What channels have reserved of these items, by kind, item and location. */
export async function reservedByChannels(
  queries: Queries,
  items: readonly number[],
): Promise<(kind: 'soft' | 'firm', itemId: number, location: string) => Quantity> {
  type Row = { itemId: number; location: string; kind: string; quantity: Quantity }
  const rows = await queries.query<Row>(claims, [items])
  const sums = new Map(rows.map((row) => [`${row.kind} ${stockKey(row.itemId, row.location)}`, row.quantity]))
  return (kind, itemId, location) => sums.get(`${kind} ${stockKey(itemId, location)}`) ?? 0
}
