/** The desk: documents that have work to do. Wake, claim, sleep, finish; the statements and nothing else. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

export type DeskRow = {
  readonly doc: number
  readonly process: string
  readonly company: string
  /** 0 health, 1 money, 2 orders, 3 stock, 4 bulk: the lower is claimed first. */
  readonly priority: number
  /** Whose share of the desk it takes; a customer's number or a channel's. */
  readonly share: number
}

export type Claimed = DeskRow & {
  readonly version: number
  /** Of both kinds: ask `failuresBy`. */
  readonly failures: number
}

/** Whose fault a failed look was: the document's own, or that of somebody else's locks. */
export type Fault = 'own' | 'busy'

// Both are kept in one number, so that forgiving them costs a good document no second column: its own are the last two
// digits, and what it met of others' locks are the hundreds.
const BUSY_UNIT = 100
const MAX: Readonly<Record<Fault, number>> = { own: BUSY_UNIT - 1, busy: 300 }

/** How often a document failed by this fault since it last came to rest. */
export const failuresBy = (failures: number, fault: Fault): number =>
  fault === 'own' ? failures % BUSY_UNIT : Math.floor(failures / BUSY_UNIT)

const enroll = sql(
  'desk.enroll',
  `insert into desk.document (doc, process, company, priority, share, due_at, owner)
   select doc, process, company, priority, share, coalesce(due_at, now()), owner
   from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::int[], $6::timestamptz[], $7::bigint[])
     as d(doc, process, company, priority, share, due_at, owner)`,
)

export type Enrolled = DeskRow & {
  /** When to look first; owned by this process from the start when absent. */
  readonly sleepsUntil?: Date
}

/** New documents, in the transaction that creates them: owned by this process, due for others without one, or asleep. */
export function enrollDocuments(tx: Transaction, epoch: number | null, rows: readonly Enrolled[]): void {
  if (rows.length === 0) return
  tx.send(enroll, [
    rows.map((row) => row.doc),
    rows.map((row) => row.process),
    rows.map((row) => row.company),
    rows.map((row) => row.priority),
    rows.map((row) => row.share),
    rows.map((row) => row.sleepsUntil ?? null),
    rows.map((row) => (row.sleepsUntil ? null : epoch)),
  ])
}

const lockRows = sql(
  'desk.lock',
  `select doc, owner from desk.document where doc = any($1::bigint[]) order by doc for update`,
)

const wake = sql(
  'desk.wake',
  `insert into desk.document as d (doc, process, company, priority, share, owner)
   select doc, process, company, priority, share, $6::bigint
   from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::int[])
     as w(doc, process, company, priority, share)
   on conflict (doc) do update set version = d.version + 1, due_at = now(), owner = coalesce(d.owner, $6::bigint)
   returning doc, version, owner`,
)

export type Woken = { readonly version: number; readonly mine: boolean }

/**
 * Says that these documents have changed, also finished ones: version + 1, due now. Those nobody owned are taken by
 * `epoch`, and the answer says so; the others' owner finds a higher version when it wants to sleep.
 */
export async function wakeDocuments(
  tx: Transaction,
  epoch: number | null,
  rows: readonly DeskRow[],
): Promise<ReadonlyMap<number, Woken>> {
  if (rows.length === 0) return new Map()
  const sorted = rows.toSorted((a, b) => a.doc - b.doc).filter((row, at, all) => row.doc !== all[at - 1]?.doc)
  const docs = sorted.map((row) => row.doc)
  tx.locking('desk row', docs)
  const before = tx.query<{ doc: number; owner: number | null }>(lockRows, [docs])
  const after = tx.query<{ doc: number; version: number; owner: number | null }>(wake, [
    docs,
    sorted.map((row) => row.process),
    sorted.map((row) => row.company),
    sorted.map((row) => row.priority),
    sorted.map((row) => row.share),
    epoch,
  ])
  const owners = new Map((await before).map((row) => [row.doc, row.owner]))
  const woken = (await after).map(({ doc, version, owner }) => {
    const found = owners.has(doc)
    if (!found && version > 1 && owner === epoch && epoch !== null) throw new WokenMeanwhile(doc)
    const mine = epoch !== null && (found ? owners.get(doc) === null : version === 1)
    return [doc, { version, mine }] as const
  })
  return new Map(woken)
}

/** The document came back between the two statements: only another run of the transaction tells whose it now is. */
class WokenMeanwhile extends Error {
  readonly code = '40001'
  constructor(doc: number) {
    super(`document ${doc} was woken by another transaction at the same moment`)
  }
}

const sleep = sql(
  'desk.sleep',
  `update desk.document set owner = null, due_at = $4::timestamptz, failures = 0
   where doc = any($1::bigint[]) and version = $2 and owner = $3 returning doc`,
)
const finish = sql(
  'desk.finish',
  `delete from desk.document where doc = any($1::bigint[]) and version = $2 and owner = $3 returning doc`,
)

/** Goes to sleep where nobody woke the document since `version`, at which its facts were read; answers who sleeps. */
export async function sleepDocuments(
  tx: Transaction,
  epoch: number,
  group: { docs: readonly number[]; version: number; until: Date },
): Promise<number[]> {
  return docsOf(await tx.query<{ doc: number }>(sleep, [group.docs, group.version, epoch, group.until]))
}

/** Leaves the desk where nobody woke the document since `version`; answers who left. */
export async function finishDocuments(
  tx: Transaction,
  epoch: number,
  group: { docs: readonly number[]; version: number },
): Promise<number[]> {
  return docsOf(await tx.query<{ doc: number }>(finish, [group.docs, group.version, epoch]))
}

const docsOf = (rows: readonly { doc: number }[]): number[] => rows.map((row) => row.doc)

const claim = sql(
  'desk.claim',
  `with candidate as (
     select c.doc, p.priority, c.due_at, row_number() over (partition by p.priority, c.share order by c.due_at, c.doc) as turn
     from generate_series(0, 4) as p(priority)
     cross join lateral (
       select doc, share, due_at from desk.document d
       where d.owner is null and d.priority = p.priority and d.due_at <= now()
       order by d.due_at limit 4 * $2) c
   ), chosen as (
     select d.doc from desk.document d
     where d.doc = any(array(select doc from candidate order by priority, turn, due_at, doc limit $2))
       and d.owner is null and d.due_at <= now()
     order by d.doc for update skip locked
   )
   update desk.document d set owner = $1 where d.doc = any(array(select doc from chosen))
   returning d.doc, d.process, d.company, d.priority, d.share, d.version, d.failures`,
)

const anyDue = sql(
  'desk.any_due',
  `select exists (
     select from generate_series(0, 4) as p(priority) cross join lateral (
       select from desk.document d where d.owner is null and d.priority = p.priority and d.due_at <= now() limit 1) c
   ) as due`,
)

/** Whether there is something to claim: a look at an index, and no transaction. */
export async function isAnyDue(queries: Queries): Promise<boolean> {
  const [row] = await queries.query<{ due: boolean }>(anyDue)
  return row!.due
}

/** Takes up to `limit` due documents that nobody owns: by priority, in turns between shares, the longest due first. */
export async function claimDocuments(queries: Queries, epoch: number, limit: number): Promise<Claimed[]> {
  const rows = await queries.query<Claimed>(claim, [epoch, limit])
  // an update answers its rows in the order in which they lie
  return rows.toSorted((a, b) => a.priority - b.priority || a.doc - b.doc)
}

const letGo = sql(
  'desk.let_go',
  `update desk.document d set owner = null,
     failures = least(failures % ${BUSY_UNIT} + $5::int, ${MAX.own})
       + ${BUSY_UNIT} * least(failures / ${BUSY_UNIT} + $6::int, ${MAX.busy}),
     due_at = case when d.version = g.seen then now() + make_interval(secs => $4::float8) else now() end
   from unnest($1::bigint[], $2::int[]) as g(doc, seen)
   where d.doc = g.doc and d.doc = any($1::bigint[]) and d.owner = $3
   returning d.doc, d.version = g.seen as waits`,
)

export type Seen = { readonly doc: number; readonly version: number }

/**
 * Gives documents back, due again after `delayMs`; a failed look is counted by its fault. One that was woken since `version`
 * is due at once: what is new may be its cure. Answers those that wait.
 */
export async function letGoDocuments(
  queries: Queries,
  epoch: number,
  group: { readonly seen: readonly Seen[]; readonly delayMs: number; readonly failed?: Fault },
): Promise<number[]> {
  const rows = await queries.query<{ doc: number; waits: boolean }>(letGo, [
    group.seen.map(({ doc }) => doc),
    group.seen.map(({ version }) => version),
    epoch,
    group.delayMs / 1000,
    group.failed === 'own' ? 1 : 0,
    group.failed === 'busy' ? 1 : 0,
  ])
  return docsOf(rows.filter(({ waits }) => waits))
}

const atDesk = sql(
  'desk.of_shares',
  `select doc from desk.document where process = $1 and share = any($2::int[])`,
)

/** The documents of a process that are not finished, of these shares; reads the whole desk. */
export async function documentsAtDesk(
  queries: Queries,
  process: string,
  shares: readonly number[],
): Promise<number[]> {
  return docsOf(await queries.query<{ doc: number }>(atDesk, [process, shares]))
}

const stepRows = sql(
  'desk.steps',
  `select doc, step, subject, state, generation from desk.step where doc = any($1::bigint[]) order by doc, step, subject`,
)

export type StepRow = {
  readonly doc: number
  readonly step: string
  readonly subject: string
  readonly state: 'waiting' | 'done' | 'refused' | 'skipped' | 'undone'
  readonly generation: number
}

export async function stepRowsOf(queries: Queries, docs: readonly number[]): Promise<StepRow[]> {
  return queries.query<StepRow>(stepRows, [docs])
}

const writeSteps = sql(
  'desk.write_steps',
  `insert into desk.step as s (doc, step, subject, state, generation, actor, reason)
   select doc, step, subject, state, generation, actor, reason
   from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[])
     as n(doc, step, subject, state, generation, actor, reason)
   on conflict (doc, step, subject) do update set state = excluded.state, generation = excluded.generation,
     actor = excluded.actor, reason = excluded.reason, at = now()`,
)

/** Writes what facts cannot say: a subject refused, skipped, done by hand or undone. */
export function writeStepRows(
  tx: Transaction,
  rows: readonly (StepRow & { readonly actor: string; readonly reason: string | null })[],
): void {
  if (rows.length === 0) return
  tx.send(writeSteps, [
    rows.map((row) => row.doc),
    rows.map((row) => row.step),
    rows.map((row) => row.subject),
    rows.map((row) => row.state),
    rows.map((row) => row.generation),
    rows.map((row) => row.actor),
    rows.map((row) => row.reason),
  ])
}

const restart = sql(
  'desk.restart_steps',
  `update desk.step set state = 'waiting', generation = generation + 1, actor = $2, at = now()
   where doc = any($1::bigint[]) and state = 'refused' returning doc`,
)

/**
 * Lets what was refused be tried again, under a new generation and so a new key at the target. Answers the documents of
 * which something was.
 */
export async function restartSteps(
  tx: Transaction,
  docs: readonly number[],
  actor: string,
): Promise<number[]> {
  return docsOf(await tx.query<{ doc: number }>(restart, [docs, actor]))
}

const backlog = sql(
  'desk.backlog',
  `select count(*) as due from generate_series(0, 4) as p(priority)
   cross join lateral (
     select from desk.document d where d.owner is null and d.priority = p.priority and d.due_at <= now()
     limit $1) due`,
)

/** How many documents are due that nobody owns; of each priority no more than `upTo` are counted. */
export async function countBacklog(queries: Queries, upTo: number): Promise<number> {
  const [row] = await queries.query<{ due: number }>(backlog, [upTo])
  return row!.due
}

/** Long due, and nobody takes it. */
export const STUCK = `owner is null and priority between 0 and 4 and due_at < now() - interval '5 minutes'`

const stuck = sql(
  'desk.stuck',
  `select company, count(*) as documents from desk.document where ${STUCK} group by company`,
)

/** Documents that are long due and that nobody takes, by company: there are none while a worker lives. */
export async function countStuck(queries: Queries): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.query<{ company: string; documents: number }>(stuck)
  return new Map(rows.map((row) => [row.company, row.documents]))
}
