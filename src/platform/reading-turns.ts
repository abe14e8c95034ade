/** Turns at what one process does while the others go on, as reading a system of record; the death of who has it ends it. */
import { type Queries, sql } from './database.ts'

export type Turn = {
  readonly company: string
  readonly source: string
  /** The epoch of the process that has it. */
  readonly holder: number
}

const take = sql(
  'readings.take_turn',
  `insert into reading.turn as t (company, source, holder) values ($1, $2, $3)
   on conflict (company, source) do update set holder = excluded.holder
   where t.due_at <= now() and (t.holder is null or t.holder = excluded.holder
     or not exists (select from desk.node n where n.epoch = t.holder and not n.dead))
   returning company`,
)
const end = sql(
  'readings.end_turn',
  `update reading.turn set holder = null, due_at = now() + make_interval(secs => $4::float8)
   where company = $1 and source = $2 and holder = $3`,
)

/** False while another living process has it, and until the next is due. */
export async function takeTurn(queries: Queries, { company, source, holder }: Turn): Promise<boolean> {
  return (await queries.query(take, [company, source, holder])).length > 0
}

/** The next turn, whoever takes it, is due after `againMs`. */
export async function endTurn(
  queries: Queries,
  { company, source, holder }: Turn,
  againMs: number,
): Promise<void> {
  await queries.query(end, [company, source, holder, againMs / 1_000])
}
