/**
 * Service level clocks: a row for each document that is on its way through a flow, from its start to its stop. They are
 * written in the transaction that starts or stops them, list by list and without waiting; what comes of them is the
 * watch's, so that a clock costs a good document one insert and one delete.
 */
import type { BusinessCalendar } from './calendars.ts'
import type { Clock } from './clock.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'

/** How long a document may take, in the working time of its company. */
export type Flow = {
  readonly warnMs: number
  readonly dueMs: number
  calendarOf(company: string): Pick<BusinessCalendar, 'addBusinessMs' | 'businessMsBetween'>
}

export type Starting = {
  readonly doc: number
  readonly company: string
  /** It begins by waiting for somebody. */
  readonly paused?: boolean
}

export interface Clocks<Name extends string> {
  /** Documents that come to the flow for the first time. */
  start(tx: Transaction, flow: Name, starting: readonly Starting[]): void
  /** Where no clock runs, nothing stops. */
  stop(tx: Transaction, flow: Name, docs: readonly number[]): void
  pause(tx: Transaction, flow: Name, docs: readonly number[]): void
  /** Goes on with the working time that was left. */
  resume(tx: Transaction, flow: Name, docs: readonly number[]): Promise<void>
}

export type ClockOptions<Name extends string> = {
  readonly flows: Readonly<Record<Name, Flow>>
  readonly clock: Clock
  /**
   * How long each took that stopped and never stood still. Told before the commit: what is rolled back and done again
   * is told twice.
   */
  readonly onStopped: (flow: Name, seconds: readonly number[]) => void
}

// Times of decision are the database's; the calendar tells only how far away they are.
const startClocks = sql(
  'sla.start',
  `insert into sla.clock (flow, doc, company, warn_at, due_at, look_at, paused_at)
   select $1, doc, company, now() + warn_ms * interval '1 millisecond', now() + due_ms * interval '1 millisecond',
     case when not paused then now() + warn_ms * interval '1 millisecond' end, case when paused then now() end
   from unnest($2::bigint[], $3::text[], $4::float8[], $5::float8[], $6::boolean[])
     as s(doc, company, warn_ms, due_ms, paused)`,
)
const stopClocks = sql(
  'sla.stop',
  `with stopped as (
     delete from sla.clock where doc = any($2::bigint[]) and flow = $1
     returning doc, flow, company, started_at, due_at, breached_at, pauses, paused_at),
   kept as (
     insert into sla.breach (doc, flow, company, started_at, due_at, breached_at, pauses)
     select doc, flow, company, started_at, due_at, breached_at, pauses from stopped where breached_at is not null
     on conflict do nothing)
   select extract(epoch from now() - started_at)::float8 as seconds from stopped
   where paused_at is null and pauses = '[]'`,
)
const pauseClocks = sql(
  'sla.pause',
  `update sla.clock set paused_at = now(), look_at = null
   where doc = any($2::bigint[]) and flow = $1 and paused_at is null`,
)
const pausedClocks = sql(
  'sla.paused',
  `select doc, company, paused_at as "pausedAt", warn_at as "warnAt", due_at as "dueAt", now() as now
   from sla.clock
   where doc = any($2::bigint[]) and flow = $1 and paused_at is not null order by doc for update`,
)
// Each by its key: `doc = any` finds the row whatever the planner knows of the table.
const resumeClocks = sql(
  'sla.resume',
  `update sla.clock c set paused_at = null,
     pauses = c.pauses || jsonb_build_array(jsonb_build_object('from', c.paused_at, 'to', now())),
     warn_at = r.warn_at, due_at = r.due_at, look_at = r.warn_at
   from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[]) as r(doc, warn_at, due_at)
   where c.doc = any($2::bigint[]) and c.flow = $1 and c.doc = r.doc and c.paused_at is not null`,
)

type PausedClock = {
  readonly doc: number
  readonly company: string
  readonly pausedAt: Date
  readonly warnAt: Date
  readonly dueAt: Date
  readonly now: Date
}

export function createClocks<Name extends string>(options: ClockOptions<Name>): Clocks<Name> {
  const { flows, clock, onStopped } = options
  return {
    start(tx, name, starting) {
      if (starting.length === 0) return
      const distanceOf = distancesIn(flows[name], clock.now())
      const distances = starting.map(({ company }) => distanceOf(company))
      tx.send(startClocks, [
        name,
        starting.map(({ doc }) => doc),
        starting.map(({ company }) => company),
        distances.map(({ warnMs }) => warnMs),
        distances.map(({ dueMs }) => dueMs),
        starting.map(({ paused = false }) => paused),
      ])
    },
    stop(tx, name, docs) {
      if (docs.length === 0) return
      // its failure fails the commit; here nobody waits for it
      tx.query<{ seconds: number }>(stopClocks, [name, docs]).then(
        (rows) =>
          onStopped(
            name,
            rows.map(({ seconds }) => seconds),
          ),
        () => undefined,
      )
    },
    pause(tx, name, docs) {
      if (docs.length > 0) tx.send(pauseClocks, [name, docs])
    },
    async resume(tx, name, docs) {
      if (docs.length === 0) return
      const paused = await tx.query<PausedClock>(pausedClocks, [name, docs])
      if (paused.length === 0) return
      tx.send(resumeClocks, [
        name,
        paused.map(({ doc }) => doc),
        paused.map((row) => shifted(flows[name], row, row.warnAt)),
        paused.map((row) => shifted(flows[name], row, row.dueAt)),
      ])
    },
  }
}

/** How far off the warning and the due time are for a document that starts now; the same for all of a company. */
function distancesIn({ warnMs, dueMs, calendarOf }: Flow, now: Date) {
  const known = new Map<string, { warnMs: number; dueMs: number }>()
  const until = (company: string, ms: number): number =>
    calendarOf(company).addBusinessMs(now, ms).getTime() - now.getTime()
  return (company: string) => {
    let distances = known.get(company)
    if (!distances) {
      distances = { warnMs: until(company, warnMs), dueMs: until(company, dueMs) }
      known.set(company, distances)
    }
    return distances
  }
}

/** What was left of working time when the clock was stopped is left now; what had passed by then stays passed. */
function shifted({ calendarOf }: Flow, { company, pausedAt, now }: PausedClock, at: Date): Date {
  if (at <= pausedAt) return at
  const calendar = calendarOf(company)
  return calendar.addBusinessMs(now, calendar.businessMsBetween(pausedAt, at))
}
