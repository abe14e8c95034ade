/** Turns at what one process does while the others go on, as reading a system of record; the death of who has it ends it. */
import { createDoor } from './batch.ts'
import type { Clock } from './clock.ts'
import { type Queries, sql } from './database.ts'

export type Turn = { readonly company: string; readonly source: string }

/** Of one life of a process. */
export interface Turns {
  /** False while another living process has it, and until it is due. What is asked for at once is asked in one statement. */
  take(turn: Turn): Promise<boolean>
  /** The next turn, whoever takes it, is due after `againMs`. */
  end(turn: Turn, againMs: number): Promise<void>
}

// In one order, so that of two processes none waits for the other.
const take = sql(
  'readings.take_turns',
  `insert into reading.turn as t (company, source, holder)
   select distinct company, source, $3::int from unnest($1::text[], $2::text[]) as n(company, source) order by 1, 2
   on conflict (company, source) do update set holder = excluded.holder
   where t.due_at <= now() and (t.holder is null or t.holder = excluded.holder
     or not exists (select from desk.node n where n.epoch = t.holder and not n.dead))
   returning company, source`,
)
const end = sql(
  'readings.end_turn',
  `update reading.turn set holder = null, due_at = now() + make_interval(secs => $4::float8)
   where company = $1 and source = $2 and holder = $3`,
)

const TURNS_MAX = 500

type Holding = {
  readonly database: Queries
  readonly clock: Clock
  /** The epoch of the life whose turns they are. */
  readonly holder: number
}

export function createTurns({ database, clock, holder }: Holding): Turns {
  const door = createDoor<Turn, boolean>({
    clock,
    batchMax: TURNS_MAX,
    bisects: () => false,
    async run(turns) {
      const values = [turns.map(({ company }) => company), turns.map(({ source }) => source), holder]
      const taken = new Set((await database.query<Turn>(take, values)).map(keyOf))
      return new Map(turns.map((turn) => [turn, taken.has(keyOf(turn))]))
    },
  })
  return {
    take: (turn) => door.add(turn),
    async end({ company, source }, againMs) {
      await database.query(end, [company, source, holder, againMs / 1_000])
    },
  }
}

const keyOf = ({ company, source }: Turn): string => `${company}/${source}`
