/** The SQL of adjustments. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { AdjustedLine, Adjustment } from '../contract/adjustments.ts'

const insert = sql(
  'inventory.insert_adjustment',
  `insert into inventory.adjustment (id, company, state, reason, reference, note, value_minor, currency, requested_by,
     requested_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
)
const insertLines = sql(
  'inventory.insert_adjustment_lines',
  `insert into inventory.adjustment_line (adjustment_id, n, kind, item_id, sku, location, lot, status, to_status, transfer,
     place, quantity, base_unit, asked, unit, difference, explained, serials, owner, to_owner)
   select $1, * from unnest($2::smallint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
     $9::text[], $10::text[], $11::text[], $12::numeric[], $13::text[], $14::numeric[], $15::text[], $16::numeric[],
     $17::numeric[], $18::jsonb[], $19::text[], $20::text[])`,
)

export function insertAdjustment(tx: Transaction, { lines, ...row }: Adjustment): void {
  const { id, company, state, reason, reference, note, valueMinor, currency, requestedBy, requestedAt } = row
  tx.send(insert, [
    id,
    company,
    state,
    reason,
    reference,
    note,
    valueMinor,
    currency,
    requestedBy,
    requestedAt,
  ])
  tx.send(insertLines, [
    id,
    lines.map(({ n }) => n),
    lines.map(({ kind }) => kind),
    lines.map(({ itemId }) => itemId),
    lines.map(({ sku }) => sku),
    lines.map(({ location }) => location),
    lines.map(({ lot }) => lot),
    lines.map(({ status }) => status),
    lines.map(({ toStatus }) => toStatus),
    lines.map(({ transfer }) => transfer),
    lines.map(({ place }) => place),
    lines.map(({ quantity }) => formatQuantity(quantity)),
    lines.map(({ baseUnit }) => baseUnit),
    lines.map(({ asked }) => formatQuantity(asked)),
    lines.map(({ unit }) => unit),
    lines.map(({ difference }) => orNull(difference)),
    lines.map(({ explained }) => orNull(explained)),
    lines.map(({ serials }) => JSON.stringify(serials)),
    lines.map(({ owner }) => owner),
    lines.map(({ toOwner }) => toOwner),
  ])
}

const orNull = (quantity: Quantity | null): string | null =>
  quantity === null ? null : formatQuantity(quantity)

const decide = sql(
  'inventory.decide_adjustment',
  `update inventory.adjustment set state = $2, decided_by = $3, decided_at = $4, decision = $5, version = version + 1
   where id = $1`,
)

export function updateDecision(
  tx: Transaction,
  { id, state, decidedBy, decidedAt, decision }: Adjustment,
): void {
  tx.send(decide, [id, state, decidedBy, decidedAt, decision])
}

const COLUMNS = `id, company, state, reason, reference, note, value_minor as "valueMinor", currency,
  requested_by as "requestedBy", requested_at as "requestedAt", decided_by as "decidedBy", decided_at as "decidedAt",
  decision, version`

const lock = sql(
  'inventory.lock_adjustment',
  `select ${COLUMNS} from inventory.adjustment where id = $1 for no key update`,
)
const one = sql('inventory.adjustment', `select ${COLUMNS} from inventory.adjustment where id = $1`)
const newest = sql(
  'inventory.list_adjustments',
  `select ${COLUMNS} from inventory.adjustment
   where company = $1 and id < coalesce($2::bigint, 9223372036854775807) and ($3::text is null or state = $3)
   order by company desc, id desc limit $4`,
)
const pending = sql(
  'inventory.list_pending_adjustments',
  `select ${COLUMNS} from inventory.adjustment
   where company = $1 and id < coalesce($2::bigint, 9223372036854775807) and state = 'pending'
   order by company desc, id desc limit $3`,
)
const linesOf = sql(
  'inventory.adjustment_lines',
  `select adjustment_id as "adjustmentId", n, kind, item_id as "itemId", sku, location, lot, status, to_status as "toStatus",
     transfer, place, quantity, base_unit as "baseUnit", asked, unit, difference, explained, serials, owner,
     to_owner as "toOwner"
   from inventory.adjustment_line where adjustment_id = any($1::bigint[]) order by adjustment_id, n`,
)

type Header = Omit<Adjustment, 'lines'>

export const lockAdjustment = async (tx: Transaction, id: number): Promise<Adjustment | undefined> =>
  (await withLines(tx, await tx.query<Header>(lock, [id])))[0]

export const selectAdjustment = async (queries: Queries, id: number): Promise<Adjustment | undefined> =>
  (await withLines(queries, await queries.query<Header>(one, [id])))[0]

export type AdjustmentFilter = {
  readonly company: string
  readonly state?: Adjustment['state'] | undefined
}

/** The newest first, after the one where the page before ended. */
export async function selectAdjustments(
  queries: Queries,
  { company, state }: AdjustmentFilter,
  after: number | undefined,
  limit: number,
): Promise<Adjustment[]> {
  const found =
    state === 'pending'
      ? await queries.query<Header>(pending, [company, after ?? null, limit])
      : await queries.query<Header>(newest, [company, after ?? null, state ?? null, limit])
  return withLines(queries, found)
}

async function withLines(queries: Queries, headers: readonly Header[]): Promise<Adjustment[]> {
  if (headers.length === 0) return []
  const ids = headers.map(({ id }) => id)
  const rows = await queries.query<AdjustedLine & { readonly adjustmentId: number }>(linesOf, [ids])
  const byAdjustment = Map.groupBy(rows, ({ adjustmentId }) => adjustmentId)
  return headers.map((header) => ({
    ...header,
    lines: (byAdjustment.get(header.id) ?? []).map(({ adjustmentId: _, ...line }) => line),
  }))
}
