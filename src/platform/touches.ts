/** Word of which keys a transaction changed: triggers tell it in the same statement, those who keep copies in memory read it. */
import type { Clock } from './clock.ts'
import { type Queries, sql } from './database.ts'

// What the snapshot does not show yet has a transaction id of at least its xmin, so the next look begins there. Only a
// server that recovered from a crash, or was restored, may give out lower ones again; its checkpointer is another one.
const look = sql(
  'touches.look',
  `with now as materialized (select pg_current_snapshot() as snapshot, now() as at)
   select t.xid::text as xid, t.position, t.topic, t.keys, pg_snapshot_xmin(n.snapshot)::text as low, n.at as "asOf",
     (select max(generation) from log.generation) || ' ' ||
       (select max(backend_start) from pg_stat_activity where backend_type = 'checkpointer') as life
   from now n left join log.touch t on t.xid >= coalesce($1::xid8, pg_snapshot_xmin(n.snapshot))`,
)

type Row = {
  readonly xid: string | null
  readonly position: number
  readonly topic: string
  readonly keys: readonly number[]
  readonly low: string
  readonly asOf: Date
  readonly life: string
}

export type Look = {
  /** Everything that was committed by then has been told. */
  readonly asOf: Date
  /** By topic. */
  readonly touched: ReadonlyMap<string, ReadonlySet<number>>
  /** Something may have been missed: whatever is in memory counts no more. */
  readonly anew: boolean
}

const KEPT_MINUTES = 15
/** Well within the time for which touches are kept. */
const AWAY_MAX_MS = 5 * 60_000

/**
 * Reads on from where it was. Transactions commit in another order than that of their ids, so each look begins at the
 * oldest that was open at the one before, and leaves out what was told already.
 */
export class TouchReader {
  readonly #clock: Clock
  #low: string | null = null
  #life = ''
  #lookedMs = 0
  #told: ReadonlySet<number> = new Set()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One at a time. The first tells nothing: it says from when on touches are told. */
  async look(queries: Queries): Promise<Look> {
    const startedMs = this.#clock.monotonicMs()
    const rows = await queries.query<Row>(look, [this.#low])
    const { low, asOf, life } = rows[0]!
    const anew = life !== this.#life || startedMs - this.#lookedMs > AWAY_MAX_MS
    const touches = rows.filter(({ xid }) => xid !== null)
    const touched = new Map<string, Set<number>>()
    for (const { position, topic, keys } of touches) {
      if (this.#told.has(position)) continue
      const some = touched.get(topic) ?? new Set()
      for (const key of keys) some.add(key)
      touched.set(topic, some)
    }
    this.#told = new Set(
      touches.filter(({ xid }) => BigInt(xid!) >= BigInt(low)).map(({ position }) => position),
    )
    this.#low = low
    this.#life = life
    this.#lookedMs = startedMs
    return { asOf, touched, anew }
  }
}

const purge = sql(
  'touches.purge',
  `delete from log.touch where xid < coalesce(
     (select xid from log.touch where at >= now() - make_interval(mins => $1) order by xid limit 1),
     '18446744073709551615'::xid8)`,
)

/** Drops what everybody has read who is not to begin anew. */
export async function purgeTouches(queries: Queries): Promise<void> {
  await queries.query(purge, [KEPT_MINUTES])
}
