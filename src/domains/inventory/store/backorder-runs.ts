/** The SQL of backorder runs and what they move. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { CarefulRun, DemandClass } from '../contract/backorder-runs.ts'

const insertRun = sql(
  'inventory.insert_backorder_run',
  'insert into inventory.backorder_run (company, asked, planned_by, careful) values ($1, $2::jsonb, $3, $4::jsonb) returning id',
)
const insertMoveRows = sql(
  'inventory.insert_backorder_moves',
  `insert into inventory.backorder_move (run, n, item_id, sku, doc, line, class, location, quantity, reserved, backordered,
     expected_before, expected_after, withheld, state)
   select $1, n, item_id, sku, doc, line, class, location, quantity, reserved, backordered, expected_before, expected_after,
     withheld, case when withheld is null then 'planned' else 'withheld' end
   from unnest($2::int[], $3::int[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::text[], $9::numeric[],
     $10::numeric[], $11::numeric[], $12::date[], $13::date[], $14::text[])
     as m(n, item_id, sku, doc, line, class, location, quantity, reserved, backordered, expected_before, expected_after,
       withheld)`,
)

export type NewMove = {
  readonly itemId: number
  readonly sku: string
  readonly doc: number
  readonly line: number
  readonly class: DemandClass
  readonly location: string
  readonly quantity: Quantity
  readonly reserved: Quantity
  readonly backordered: Quantity
  readonly expectedBefore: string | null
  readonly expectedAfter: string | null
  /** Why it would be gained and is not; null of what is to be done. */
  readonly withheld: string | null
}

/** A planned run with all that it would move; answers its id. */
export async function insertBackorderRun(
  tx: Transaction,
  run: {
    readonly company: string
    readonly asked: object
    readonly plannedBy: string
    readonly careful: readonly CarefulRun[]
  },
  moves: readonly NewMove[],
): Promise<number> {
  const [row] = await tx.query<{ id: number }>(insertRun, [
    run.company,
    JSON.stringify(run.asked),
    run.plannedBy,
    run.careful.length > 0 ? JSON.stringify(run.careful) : null,
  ])
  tx.send(insertMoveRows, [
    row!.id,
    moves.map((_, at) => at + 1),
    moves.map((move) => move.itemId),
    moves.map((move) => move.sku),
    moves.map((move) => move.doc),
    moves.map((move) => move.line),
    moves.map((move) => move.class),
    moves.map((move) => move.location),
    moves.map((move) => formatQuantity(move.quantity)),
    moves.map((move) => formatQuantity(move.reserved)),
    moves.map((move) => formatQuantity(move.backordered)),
    moves.map((move) => move.expectedBefore),
    moves.map((move) => move.expectedAfter),
    moves.map((move) => move.withheld),
  ])
  return row!.id
}

const startRun = sql(
  'inventory.start_backorder_run',
  `update inventory.backorder_run set state = 'running', reason = $2, started_by = $3, started_at = now()
   where id = $1 and state = 'planned' returning company`,
)
const endRun = sql(
  'inventory.end_backorder_run',
  `update inventory.backorder_run set state = 'ended', ended_at = now() where id = $1 and state = 'running'`,
)
const running = sql(
  'inventory.running_backorder_run',
  `select id, company, reason, started_by as "startedBy" from inventory.backorder_run where state = 'running'
   order by id limit 1 for no key update`,
)
const nextMoves = sql(
  'inventory.next_backorder_moves',
  `with next as materialized (
     select item_id from inventory.backorder_move where run = $1 and state = 'planned' order by item_id limit 1)
   select m.n, m.item_id as "itemId", m.doc, m.line, m.location, m.quantity, m.reserved, m.backordered
   from next cross join lateral (
     select * from inventory.backorder_move where run = $1 and item_id = next.item_id and state = 'planned' offset 0) m
   order by m.n`,
)
const settleMoves = sql(
  'inventory.settle_backorder_moves',
  `update inventory.backorder_move set state = case when $3::text is null then 'applied' else 'changed' end, changed = $3
   where run = $1 and n = any($2::int[])`,
)

/** Undefined when it is not planned any more. */
export async function startPlanned(
  tx: Transaction,
  id: number,
  { reason, actor }: { readonly reason: string; readonly actor: string },
): Promise<string | undefined> {
  const [row] = await tx.query<{ company: string }>(startRun, [id, reason, actor])
  return row?.company
}

export type RunningRun = {
  readonly id: number
  readonly company: string
  readonly reason: string
  readonly startedBy: string
}

/** The one that was planned first of those that run, locked. */
export async function lockRunning(tx: Transaction): Promise<RunningRun | undefined> {
  return (await tx.query<RunningRun>(running))[0]
}

export type PlannedMove = Pick<
  NewMove,
  'itemId' | 'doc' | 'line' | 'location' | 'quantity' | 'reserved' | 'backordered'
> & { readonly n: number }

/** What it would move of its next item; none when it is over. */
export const selectNextMoves = (tx: Transaction, run: number): Promise<PlannedMove[]> =>
  tx.query<PlannedMove>(nextMoves, [run])

/** They are applied, or something changed meanwhile. */
export function settleMovesOf(
  tx: Transaction,
  run: number,
  { moves, changed }: { readonly moves: readonly PlannedMove[]; readonly changed: string | null },
): void {
  tx.send(settleMoves, [run, moves.map(({ n }) => n), changed])
}

export const endBackorderRun = (tx: Transaction, id: number): void => tx.send(endRun, [id])

const claims = sql(
  'inventory.claims_of_items',
  `select doc, line, location, company, item_id as "itemId", quantity,
     minimum_shelf_life_days as "minimumShelfLifeDays" from inventory.reservation
   where item_id = any($1::int[]) order by doc, line, location`,
)

export type ItemClaim = {
  readonly doc: number
  readonly line: number
  readonly location: string
  readonly company: string
  readonly itemId: number
  readonly quantity: Quantity
  readonly minimumShelfLifeDays: number | null
}

/** What orders keep of these items that no warehouse was asked for. Reads all that is kept so. */
export const selectClaimsOfItems = (queries: Queries, items: readonly number[]): Promise<ItemClaim[]> =>
  queries.query<ItemClaim>(claims, [items])
