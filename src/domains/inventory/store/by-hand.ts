/** The SQL of what people entered for warehouses. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { HandRow, NewHandRow } from '../contract/by-hand.ts'
import type { Ended } from '../rules/by-hand.ts'

const insert = sql(
  'inventory.insert_by_hand',
  `insert into inventory.by_hand (kind, company, location, item_id, lot, doc, fulfillment_id, line, quantity, open,
     reference, actor, happened_at, booked)
   select kind, company, location, item_id, lot, doc, fulfillment_id, line, quantity, quantity, reference, actor, happened_at,
     booked
   from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::smallint[],
     $9::numeric[], $10::text[], $11::text[], $12::timestamptz[], $13::boolean[])
     as h(kind, company, location, item_id, lot, doc, fulfillment_id, line, quantity, reference, actor, happened_at, booked)`,
)

export function insertByHand(tx: Transaction, rows: readonly NewHandRow[]): void {
  if (rows.length === 0) return
  tx.send(insert, [
    rows.map((row) => row.kind),
    rows.map((row) => row.company),
    rows.map((row) => row.location),
    rows.map((row) => row.itemId),
    rows.map((row) => row.lot),
    rows.map((row) => row.doc),
    rows.map((row) => row.fulfillmentId),
    rows.map((row) => row.line),
    rows.map((row) => formatQuantity(row.quantity)),
    rows.map((row) => row.reference),
    rows.map((row) => row.actor),
    rows.map((row) => row.happenedAt),
    rows.map((row) => row.booked),
  ])
}

const COLUMNS = `id, kind, company, location, item_id as "itemId", lot, doc, fulfillment_id as "fulfillmentId", line,
  quantity, open, booked, reference, actor, happened_at as "happenedAt", entered_at as "enteredAt", outcome, ended_at as "endedAt"`

const ofRequests = sql(
  'inventory.by_hand_of_requests',
  `select ${COLUMNS} from inventory.by_hand where fulfillment_id = any($1::bigint[])
   order by fulfillment_id, id for update`,
)
/** Whoever asks holds the requests already. */
export const lockOfRequests = (tx: Transaction, requests: readonly number[]): Promise<HandRow[]> =>
  tx.query<HandRow>(ofRequests, [requests])

const atPlaces = sql(
  'inventory.by_hand_at_places',
  `select ${COLUMNS} from unnest($1::int[], $2::text[]) as k(at_item, at_location)
   cross join lateral (
     select * from inventory.by_hand where item_id = k.at_item and location = k.at_location and open <> 0
     order by item_id, location, id offset 0) h`,
)
/** What is open at places. Everybody who ends it holds their positions. */
export const selectAtPlaces = (
  queries: Queries,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<HandRow[]> =>
  queries.query<HandRow>(atPlaces, [places.map((row) => row.itemId), places.map((row) => row.location)])

const update = sql(
  'inventory.update_by_hand',
  `update inventory.by_hand set open = ($2::numeric[])[array_position($1::bigint[], id)],
     outcome = ($3::text[])[array_position($1::bigint[], id)],
     ended_at = case when ($3::text[])[array_position($1::bigint[], id)] is not null then now() end
   where id = any($1::bigint[])`,
)
export function updateByHand(tx: Transaction, rows: readonly Ended[]): void {
  if (rows.length === 0) return
  tx.send(update, [
    rows.map(({ row }) => row.id),
    rows.map(({ open }) => formatQuantity(open)),
    rows.map(({ outcome }) => outcome),
  ])
}

const openOfDocument = sql(
  'inventory.by_hand_of_document',
  `select ${COLUMNS} from inventory.by_hand where open <> 0 and doc = $1 order by doc, id for update`,
)
export const lockOpenOfDocument = (tx: Transaction, doc: number): Promise<HandRow[]> =>
  tx.query<HandRow>(openOfDocument, [doc])

const ofDocument = sql(
  'inventory.all_by_hand_of_document',
  `select ${COLUMNS} from inventory.by_hand where doc = $1 order by doc, id`,
)
export const selectOfDocument = (queries: Queries, doc: number): Promise<HandRow[]> =>
  queries.query<HandRow>(ofDocument, [doc])

const book = sql(
  'inventory.book_by_hand',
  'update inventory.by_hand set booked = true where doc = $1 and open <> 0',
)
/** What was approved of a document; what the warehouse has told of stays as it ended. */
export const bookOfDocument = (tx: Transaction, doc: number): void => tx.send(book, [doc])

const listAll = sql(
  'inventory.list_by_hand',
  `select ${COLUMNS} from inventory.by_hand where company = $1 and id < coalesce($2::bigint, 9223372036854775807)
   order by company desc, id desc limit $3`,
)
const listOpen = sql(
  'inventory.list_open_by_hand',
  `select ${COLUMNS} from inventory.by_hand
   where open <> 0 and company = $1 and id < coalesce($2::bigint, 9223372036854775807)
   order by company desc, id desc limit $3`,
)
export const selectByHand = (
  queries: Queries,
  { company, open }: { readonly company: string; readonly open: boolean },
  after: number | undefined,
  limit: number,
): Promise<HandRow[]> => queries.query<HandRow>(open ? listOpen : listAll, [company, after ?? null, limit])

const untold = sql(
  'inventory.untold_by_hand',
  `select ${COLUMNS} from inventory.by_hand where ended_at is null and booked and entered_at < $1 order by entered_at limit $2`,
)
export const selectUntold = (queries: Queries, before: Date, limit: number): Promise<HandRow[]> =>
  queries.query<HandRow>(untold, [before, limit])
