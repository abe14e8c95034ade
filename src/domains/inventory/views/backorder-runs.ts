/** What is read of backorder runs. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type {
  BackorderChange,
  BackorderRules,
  BackorderRun,
  CarefulRun,
  DemandClass,
} from '../contract/backorder-runs.ts'

const RUN = `r.id, r.company, r.asked, r.state, r.planned_by as "plannedBy", r.planned_at as "plannedAt", r.careful, r.reason,
  r.started_by as "startedBy", r.started_at as "startedAt", r.ended_at as "endedAt", c.planned, c.applied, c.changed, c.withheld`
const COUNTS = `cross join lateral (
     select count(*) filter (where state = 'planned')::int as planned, count(*) filter (where state = 'applied')::int as applied,
       count(*) filter (where state = 'changed')::int as changed,
       count(*) filter (where state = 'withheld')::int as withheld
     from inventory.backorder_move where run = r.id offset 0) c`

const list = sql(
  'inventory.backorder_runs',
  `select ${RUN} from (
     select * from inventory.backorder_run where id < $2 and company = $1 order by id desc limit $3) r ${COUNTS}
   order by r.id desc`,
)
const one = sql(
  'inventory.backorder_run',
  `select ${RUN} from (select * from inventory.backorder_run where id = $1) r ${COUNTS}`,
)
const moves = sql(
  'inventory.backorder_moves',
  `select n, doc, line, sku, class, location, quantity, reserved, backordered, expected_before::text as "expectedBefore",
     expected_after::text as "expectedAfter", state, changed, withheld
   from inventory.backorder_move where run = $1 and n > $2 order by n limit $3`,
)

type Row = {
  readonly id: number
  readonly company: string
  readonly asked: { readonly items?: string[]; readonly locations?: string[]; readonly rules: BackorderRules }
  readonly state: BackorderRun['state']
  readonly plannedBy: string
  readonly plannedAt: Date
  readonly careful: CarefulRun[] | null
  readonly reason: string | null
  readonly startedBy: string | null
  readonly startedAt: Date | null
  readonly endedAt: Date | null
  readonly planned: number
  readonly applied: number
  readonly changed: number
  readonly withheld: number
}

const told = ({
  asked,
  plannedAt,
  careful,
  reason,
  startedBy,
  startedAt,
  endedAt,
  planned,
  applied,
  changed,
  withheld,
  ...row
}: Row): BackorderRun => ({
  ...row,
  ...asked,
  plannedAt: plannedAt.toISOString(),
  ...(careful !== null && { careful }),
  ...(reason !== null && { reason }),
  ...(startedBy !== null && { startedBy }),
  ...(startedAt !== null && { startedAt: startedAt.toISOString() }),
  ...(endedAt !== null && { endedAt: endedAt.toISOString() }),
  changes: { planned, applied, changed, withheld },
})

const NEWEST = 2_147_483_647

/** The newest first. */
export async function listBackorderRuns(
  queries: Queries,
  company: string,
  { before = NEWEST, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<BackorderRun[]> {
  return (await queries.query<Row>(list, [company, before, limit])).map(told)
}

export async function backorderRunOf(queries: Queries, id: number): Promise<BackorderRun | undefined> {
  const [row] = await queries.query<Row>(one, [id])
  return row && told(row)
}

type MoveRow = {
  readonly n: number
  readonly doc: number
  readonly line: number
  readonly sku: string
  readonly class: DemandClass
  readonly location: string
  readonly quantity: Quantity
  readonly reserved: Quantity
  readonly backordered: Quantity
  readonly expectedBefore: string | null
  readonly expectedAfter: string | null
  readonly state: BackorderChange['state']
  readonly changed: string | null
  readonly withheld: string | null
}

/** Its changes behind one of them, each with its number in the run. */
export async function changesOfRun(
  queries: Queries,
  run: number,
  {
    after,
    limit,
    orderNumber,
  }: { readonly after: number; readonly limit: number; readonly orderNumber: (doc: number) => string },
): Promise<{ n: number; change: BackorderChange }[]> {
  const rows = await queries.query<MoveRow>(moves, [run, after, limit])
  return rows.map(
    ({
      n,
      doc,
      expectedBefore,
      expectedAfter,
      changed,
      withheld,
      quantity,
      reserved,
      backordered,
      ...row
    }) => ({
      n,
      change: {
        order: orderNumber(doc),
        ...row,
        quantity: formatQuantity(quantity),
        reserved: formatQuantity(reserved),
        backordered: formatQuantity(backordered),
        ...(expectedBefore !== null && { expectedBefore }),
        ...(expectedAfter !== null && { expectedAfter }),
        ...(changed !== null && { changed }),
        ...(withheld !== null && { withheld }),
      },
    }),
  )
}
