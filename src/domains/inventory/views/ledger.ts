/** Positions and movements in pages, read by index however long the history is. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { OWN } from '../contract/owners.ts'
import type { PositionChange } from '../store.ts'

const COLUMNS = `item_id as "itemId", location, lot, owner, available, reserved, quality_hold as "qualityHold", quarantine, damaged,
  blocked, in_transit as "inTransit", unreconciled, told_at as "toldAt"`

const byItem = sql(
  'inventory.positions_by_item',
  `select ${COLUMNS} from inventory.position
   where (item_id, location, lot, owner) > ($2, $3, $4, $9) and item_id between $8 and $5 and company = $1
     and ($6::text is null or lot = $6) and ($10::text is null or owner = $10)
   order by item_id, location, lot, owner limit $7`,
)
const byPlace = sql(
  'inventory.positions_by_place',
  `select ${COLUMNS} from inventory.position
   where company = $1 and location = $2 and (item_id, lot, owner) > ($3, $4, $9) and item_id between $8 and $5
     and ($6::text is null or lot = $6) and ($10::text is null or owner = $10)
   order by item_id, lot, owner limit $7`,
)

export type PositionRow = Omit<
  PositionChange,
  'company' | 'owner' | 'countedBy' | 'countedMark' | 'countedAt'
> & {
  readonly owner: string
  readonly toldAt: Date
}

export type PositionFilter = {
  readonly company: string
  readonly itemId?: number | undefined
  readonly location?: string | undefined
  readonly lot?: string | undefined
  readonly owner?: string | undefined
}
export type PositionPlace = Pick<PositionRow, 'itemId' | 'location' | 'lot' | 'owner'>

const LAST_ITEM = 2_147_483_647

/** By item, location, lot and owner, after the one where the page before ended. */
export function listPositions(
  queries: Queries,
  { company, itemId, location, lot, owner }: PositionFilter,
  after: PositionPlace | undefined,
  limit: number,
): Promise<PositionRow[]> {
  const [first, last] = [itemId ?? 0, itemId ?? LAST_ITEM]
  const from = after ?? { itemId: first - 1, location: '', lot: '', owner: OWN }
  const rest = [last, lot ?? null, limit, first, from.owner, owner ?? null]
  return location === undefined
    ? queries.query(byItem, [company, from.itemId, from.location, from.lot, ...rest])
    : queries.query(byPlace, [company, location, from.itemId, from.lot, ...rest])
}

const movements = sql(
  'inventory.list_movements',
  `select m.* from unnest($1::int[], $2::text[]) as k(item_id, location)
   cross join lateral (
     select id, item_id as "itemId", location, lot, owner, from_bucket as "from", to_bucket as "to", quantity, reason, source,
       source_key as "sourceKey", doc, at, recorded_at as "recordedAt"
     from inventory.movement
     where item_id = k.item_id and location = k.location and id < $3 and company = $4
       and ($5::text is null or lot = $5) and ($6::text is null or source = $6) and ($7::bigint is null or doc = $7)
       and ($9::text is null or owner = $9)
     order by item_id desc, location desc, id desc limit $8) m
   order by m.id desc limit $8`,
)

export type MovementRow = {
  readonly id: number
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly owner: string
  readonly from: string
  readonly to: string
  readonly quantity: Quantity
  readonly reason: string
  readonly source: string
  readonly sourceKey: string
  readonly doc: number | null
  readonly at: Date
  readonly recordedAt: Date
}

export type MovementFilter = {
  readonly company: string
  /** Where they happened; a page looks into each of them. */
  readonly places: readonly { readonly itemId: number; readonly location: string }[]
  readonly lot?: string | undefined
  readonly owner?: string | undefined
  readonly source?: string | undefined
  readonly doc?: number | undefined
}

/** The newest first, before the one where the page before ended. */
export const listMovements = (
  queries: Queries,
  { company, places, lot, owner, source, doc }: MovementFilter,
  before: number | undefined,
  limit: number,
): Promise<MovementRow[]> =>
  queries.query<MovementRow>(movements, [
    places.map(({ itemId }) => itemId),
    places.map(({ location }) => location),
    before ?? Number.MAX_SAFE_INTEGER,
    company,
    lot ?? null,
    source ?? null,
    doc ?? null,
    limit,
    owner ?? null,
  ])
