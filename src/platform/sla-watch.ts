/** The watch over service level clocks: warns before one is late, says when it is, and takes it back when it stopped. */
import type { Database, Transaction } from './database.ts'
import { sql } from './database.ts'
import { type Cause, closeExceptions, type Occurrence, type OpenExceptions } from './exceptions.ts'
import type { Money } from './money.ts'

const PORTION = 200

const takeDue = sql(
  'sla.take_due',
  `select doc, flow, company, due_at <= now() as late, breached_at is not null as "knownLate" from sla.clock
   where look_at <= now() and flow = any($1::text[]) order by look_at limit $2 for update skip locked`,
)
const warn = sql(
  'sla.warn',
  `update sla.clock set stage = 'warned', look_at = due_at where doc = any($2::bigint[]) and flow = $1`,
)
const breach = sql(
  'sla.breach',
  `update sla.clock set stage = 'breached', breached_at = coalesce(breached_at, now()), look_at = null
   where doc = any($2::bigint[]) and flow = $1`,
)
// From the exceptions to their documents to the clocks, each by its key: `offset 0` keeps the planner from another order
// when it has only seen the tables empty. Every part ends at the portion, however many documents are late.
const lookBack = sql(
  'sla.look_back',
  `select a.exception, a.doc, e.company, e.cause, case when c.stage is null then 'it went on'
       when c.stands then 'it waits for somebody' when c.stage <> k.stage then 'it is late by now' end as how
   from (select s.exception, s.doc
     from (select id from exceptions.exception
       where company = any($1::text[]) and cause = any($2::text[]) and closed_at is null and id >= $5 offset 0) o
     cross join lateral (select exception, doc from exceptions.affected
       where exception = o.id and cleared_at is null and doc > case when o.id = $5 then $6::bigint else 0 end
       order by exception, doc limit $7) s
     order by s.exception, s.doc limit $7) a
   cross join lateral (select company, cause from exceptions.exception where id = a.exception offset 0) e
   join unnest($2::text[], $3::text[], $4::text[]) as k(cause, flow, stage) on k.cause = e.cause
   left join lateral (select stage, paused_at is not null as stands from sla.clock
     where doc = a.doc and flow = k.flow offset 0) c on true
   order by a.exception, a.doc`,
)

const STAGES = ['warned', 'breached'] as const
export type LateStage = (typeof STAGES)[number]

/** What people read of a flow. */
export type FlowWords = {
  readonly titles: Readonly<Record<LateStage, string>>
  readonly suggestedAction: string
  /** The kind of document that its clocks are of. */
  readonly kind: string
}

export type Watch<Name extends string> = {
  readonly database: Database
  readonly companies: readonly string[]
  readonly flows: Readonly<Record<Name, FlowWords>>
  readonly openExceptions: OpenExceptions
  /** What documents of a flow are worth. */
  readonly valuesOf: (
    tx: Transaction,
    flow: Name,
    docs: readonly number[],
  ) => Promise<ReadonlyMap<number, Money>>
  /** Clocks that were found late for the first time; told once they are written down. */
  readonly onBreach: (flow: Name, clocks: number) => void
}

/** The code of the exception, and its cause: all that is late in a flow of a company is one. */
export const codeOf = (flow: string, stage: LateStage): string => `sla.${flow}.${stage}`

/** How far a round has come in the documents of exceptions. */
export type Place = { readonly exception: number; readonly doc: number }
const BEGINNING: Place = { exception: 0, doc: 0 }

/**
 * One round: every clock that is due to be looked at, and of the documents that people were told of a portion from that
 * place on; more as long as there are some of which the clock has gone on. Answers where the next round goes on.
 */
export async function watchClocks<Name extends string>(
  watch: Watch<Name>,
  from: Place = BEGINNING,
): Promise<Place> {
  while ((await raise(watch)) === PORTION);
  for (let place = from; ;) {
    const { reached, gone } = await takeBack(watch, place)
    if (gone === 0 || !reached) return reached ?? BEGINNING
    place = reached
  }
}

type DueClock<Name> = {
  readonly doc: number
  readonly flow: Name
  readonly company: string
  readonly late: boolean
  /** It was found late before, and has stood still since. */
  readonly knownLate: boolean
}

async function raise<Name extends string>(watch: Watch<Name>): Promise<number> {
  const due = await watch.database.transaction(async (tx) => {
    const taken = await tx.query<DueClock<Name>>(takeDue, [Object.keys(watch.flows), PORTION])
    const occurrences = await Promise.all(
      [...Map.groupBy(taken, (row) => row.flow)].map(([flow, group]) => tell(tx, watch, flow, group)),
    )
    await watch.openExceptions(tx, occurrences.flat())
    return taken
  })
  const newlyLate = due.filter((row) => row.late && !row.knownLate)
  for (const [flow, group] of Map.groupBy(newlyLate, (row) => row.flow)) watch.onBreach(flow, group.length)
  return due.length
}

/** Marks the clocks of one flow; answers what people are to be told of them. */
async function tell<Name extends string>(
  tx: Transaction,
  { flows, valuesOf }: Watch<Name>,
  flow: Name,
  clocks: readonly DueClock<Name>[],
): Promise<Occurrence[]> {
  const [late, early] = [true, false].map((is) => clocks.flatMap((row) => (row.late === is ? row.doc : [])))
  tx.send(breach, [flow, late])
  tx.send(warn, [flow, early])
  const docs = clocks.map(({ doc }) => doc).toSorted((a, b) => a - b)
  const values = await valuesOf(tx, flow, docs)
  const { titles, suggestedAction, kind } = flows[flow]
  return clocks.map(({ doc, company, late: isLate }) => {
    const stage = isLate ? 'breached' : 'warned'
    const code = codeOf(flow, stage)
    const affects = { doc, kind, value: values.get(doc) }
    return { company, cause: code, code, title: titles[stage], suggestedAction, affects }
  })
}

type LookedAt = Cause & Place & { readonly how: string | null }

/**
 * Exceptions close by themselves where their clock stopped, stands still, or is past what they warned of. Answers how
 * many documents left, and the place reached, unless that was the end.
 */
async function takeBack<Name extends string>(
  { database, companies, flows }: Watch<Name>,
  from: Place,
): Promise<{ readonly reached: Place | undefined; readonly gone: number }> {
  const told = Object.keys(flows).flatMap((flow) =>
    STAGES.map((stage) => ({ cause: codeOf(flow, stage), flow, stage })),
  )
  return database.transaction(async (tx) => {
    const seen = await tx.query<LookedAt>(lookBack, [
      companies,
      told.map(({ cause }) => cause),
      told.map(({ flow }) => flow),
      told.map(({ stage }) => stage),
      from.exception,
      from.doc,
      PORTION,
    ])
    const gone = seen.filter(({ how }) => how !== null)
    for (const [how, group] of Map.groupBy(gone, (row) => row.how!)) await closeExceptions(tx, group, how)
    return { reached: seen.length === PORTION ? seen.at(-1) : undefined, gone: gone.length }
  })
}
