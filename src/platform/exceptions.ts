/** Business exceptions: what stops documents, once for its cause, with owner, due time and a suggested action. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import { databaseTime } from './database-time.ts'
import { dueAt, responsibilityFor, type Ownership, type Severity } from './exception-ownership.ts'
import type { Facts } from './faults.ts'
import type { Money } from './money.ts'

export const EXCEPTION_STATES = ['open', 'assigned', 'in_progress', 'resolved', 'wont_fix'] as const
export type ExceptionState = (typeof EXCEPTION_STATES)[number]

/** The same cause at the same company is the same exception, whatever stops with it. */
export type Cause = { readonly company: string; readonly cause: string }

export type Occurrence = Cause & {
  /** Dotted; finds the owner, severity and due time. */
  readonly code: string
  /** In business words: "Customer 4711 is over its credit limit". */
  readonly title: string
  readonly suggestedAction: string
  readonly facts?: Facts
  /** Instead of the rule's. */
  readonly severity?: Severity
  readonly owner?: string | undefined
  /** The document that it stops; without one it stands for a system, a partner or a feed. */
  readonly affects?: { readonly doc: number; readonly kind: string; readonly value?: Money | undefined }
}

export type OpenExceptions = (
  tx: Transaction,
  occurrences: readonly Occurrence[],
) => Promise<Map<Occurrence, number | undefined>>

const declinedBefore = sql(
  'exceptions.declined',
  `select k.number::int as number from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality
     as k(company, cause, doc, number)
   where exists (
     select 1 from exceptions.exception e left join exceptions.affected a on a.exception = e.id
     where e.company = k.company and e.cause = k.cause and e.state = 'wont_fix' and a.doc is not distinct from k.doc)`,
)
const insertExceptions = sql(
  'exceptions.open',
  `insert into exceptions.exception (company, cause, code, title, owner, severity, suggested_action, facts, due_at)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
     $9::timestamptz[])
   on conflict (company, cause) where closed_at is null do nothing`,
)
// Shared among those that open, exclusive to one that closes: a document never joins an exception that is just closing.
const shareOpen = sql(
  'exceptions.share_open',
  `select e.id, e.company, e.cause from exceptions.exception e
   join unnest($1::text[], $2::text[]) as k(company, cause) on e.company = k.company and e.cause = k.cause
   where e.closed_at is null order by e.company, e.cause for share of e`,
)
const joinAffected = sql(
  'exceptions.affect',
  `insert into exceptions.affected as a (exception, doc, kind, value_minor, currency)
   select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
   on conflict (exception, doc) do update set cleared_at = null, cleared_how = null,
     value_minor = excluded.value_minor, currency = excluded.currency
   where a.cleared_at is not null or a.value_minor <> excluded.value_minor
     or a.currency is distinct from excluded.currency`,
)
const lockOpen = sql(
  'exceptions.lock_open',
  `select e.id, e.company, e.cause from exceptions.exception e
   join unnest($1::text[], $2::text[]) as k(company, cause) on e.company = k.company and e.cause = k.cause
   where e.closed_at is null order by e.company, e.cause for no key update of e`,
)
const restate = sql(
  'exceptions.restate',
  `update exceptions.exception e set title = k.title, suggested_action = k.suggested_action, facts = k.facts
   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
     as k(company, cause, title, suggested_action, facts)
   where e.company = k.company and e.cause = k.cause and e.closed_at is null
     and (e.title, e.suggested_action, e.facts) is distinct from (k.title, k.suggested_action, k.facts)`,
)
const clearAffected = sql(
  'exceptions.clear',
  `update exceptions.affected a set cleared_at = now(), cleared_how = $3
   from unnest($1::bigint[], $2::bigint[]) as k(exception, doc)
   where a.exception = k.exception and (k.doc is null or a.doc = k.doc) and a.cleared_at is null`,
)
const closeCleared = sql(
  'exceptions.close_cleared',
  `update exceptions.exception e set version = version + 1, state = 'resolved', closed_at = now(),
     closed_by = 'crossdock', resolution = $3
   where e.id = any($1::bigint[]) and e.closed_at is null
     and (e.id = any($2::bigint[]) or exists (select 1 from exceptions.affected a where a.exception = e.id))
     and not exists (select 1 from exceptions.affected a where a.exception = e.id and a.cleared_at is null)
   returning e.id`,
)
const openOnDocuments = sql(
  'exceptions.open_on',
  `select a.doc, e.id, e.company, e.cause, e.code, e.title, e.owner, e.severity, e.state, e.due_at as "dueAt",
     e.suggested_action as "suggestedAction"
   from exceptions.affected a join exceptions.exception e on e.id = a.exception
   where a.doc = any($1::bigint[]) and a.cleared_at is null and e.closed_at is null
   order by a.doc, e.rank, e.due_at, e.id`,
)

const ROUNDS_MAX = 5

const causeKey = (cause: Cause): string => `${cause.company}\n${cause.cause}`
const causeColumns = (causes: readonly Cause[]): [companies: string[], causes: string[]] => [
  causes.map((cause) => cause.company),
  causes.map((cause) => cause.cause),
]
const distinctCauses = <C extends Cause>(causes: readonly C[]): C[] =>
  [...new Map(causes.map((cause) => [causeKey(cause), cause])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, cause]) => cause)

/**
 * Opens exceptions under the given ownership. Answers each occurrence's exception: a new one, or the open one of its
 * cause, which the document joins. What a person has declared won't fix for the document is not opened again: undefined.
 */
export function exceptionOpener(ownership: Ownership): OpenExceptions {
  return async function openExceptions(tx, occurrences) {
    const answers = new Map<Occurrence, number | undefined>(
      occurrences.map((occurrence) => [occurrence, undefined]),
    )
    if (occurrences.length === 0) return answers
    const [declined, now] = await Promise.all([
      tx.query<{ number: number }>(declinedBefore, [
        ...causeColumns(occurrences),
        occurrences.map((occurrence) => occurrence.affects?.doc ?? null),
      ]),
      databaseTime(tx),
    ])
    const skipped = new Set(declined.map((row) => occurrences[row.number - 1]))
    const wanted = occurrences.filter((occurrence) => !skipped.has(occurrence))
    const ids = await openCauses(tx, ownership, wanted, now)
    for (const occurrence of wanted) answers.set(occurrence, ids.get(causeKey(occurrence)))
    affect(tx, wanted, ids)
    return answers
  }
}

/** An exception may close between our insert, which found it open, and our lock: then it is opened anew. */
async function openCauses(
  tx: Transaction,
  ownership: Ownership,
  occurrences: readonly Occurrence[],
  now: Date,
): Promise<Map<string, number>> {
  const ids = new Map<string, number>()
  let missing = distinctCauses(occurrences)
  for (let round = 0; missing.length > 0; round++) {
    if (round === ROUNDS_MAX)
      throw new Error(`${missing.length} exceptions closed as fast as they were opened`)
    insertOpen(tx, ownership, missing, now)
    for (const row of await tx.query<Cause & { id: number }>(shareOpen, causeColumns(missing))) {
      ids.set(causeKey(row), row.id)
    }
    missing = missing.filter((occurrence) => !ids.has(causeKey(occurrence)))
  }
  return ids
}

function insertOpen(tx: Transaction, ownership: Ownership, causes: readonly Occurrence[], now: Date): void {
  const owned = causes.map((occurrence) => responsibilityFor(ownership, occurrence.code))
  tx.send(insertExceptions, [
    ...causeColumns(causes),
    causes.map((occurrence) => occurrence.code),
    causes.map((occurrence) => occurrence.title),
    owned.map((responsibility, index) => causes[index]?.owner ?? responsibility.owner),
    causes.map((occurrence, index) => occurrence.severity ?? owned[index]?.severity),
    causes.map((occurrence) => occurrence.suggestedAction),
    causes.map((occurrence) => JSON.stringify(occurrence.facts ?? {})),
    causes.map((occurrence, index) =>
      dueAt(ownership, occurrence.company, now, owned[index]?.dueBusinessHours ?? 0),
    ),
  ])
}

function affect(tx: Transaction, occurrences: readonly Occurrence[], ids: ReadonlyMap<string, number>): void {
  const rows = new Map<string, { exception: number; doc: number; kind: string; value: Money | undefined }>()
  for (const occurrence of occurrences) {
    const exception = ids.get(causeKey(occurrence))
    if (exception === undefined || !occurrence.affects) continue
    const { doc, kind, value } = occurrence.affects
    rows.set(`${exception}/${doc}`, { exception, doc, kind, value })
  }
  const affected = [...rows.values()].sort((a, b) => a.exception - b.exception || a.doc - b.doc)
  if (affected.length === 0) return
  tx.send(joinAffected, [
    affected.map((row) => row.exception),
    affected.map((row) => row.doc),
    affected.map((row) => row.kind),
    affected.map((row) => row.value?.amountMinor ?? 0),
    affected.map((row) => row.value?.currency ?? null),
  ])
}

/** Of causes that are open already it is said how they stand now; whose they are and until when stays. */
export function restateExceptions(tx: Transaction, occurrences: readonly Occurrence[]): void {
  if (occurrences.length === 0) return
  const causes = distinctCauses(occurrences)
  tx.send(restate, [
    ...causeColumns(causes),
    causes.map((occurrence) => occurrence.title),
    causes.map((occurrence) => occurrence.suggestedAction),
    causes.map((occurrence) => JSON.stringify(occurrence.facts ?? {})),
  ])
}

/**
 * The cause is gone: for one document, or without `doc` altogether. An exception closes itself when its last document
 * leaves. `how` tells people what happened. Answers the exceptions that closed; causes that are not open are passed by.
 */
export async function closeExceptions(
  tx: Transaction,
  gone: readonly (Cause & { readonly doc?: number | undefined })[],
  how: string,
): Promise<number[]> {
  if (gone.length === 0) return []
  const rows = await tx.query<Cause & { id: number }>(lockOpen, causeColumns(distinctCauses(gone)))
  if (rows.length === 0) return []
  const ids = new Map(rows.map((row) => [causeKey(row), row.id]))
  const leaving = gone.filter((cause) => ids.has(causeKey(cause)))
  const altogether = leaving
    .filter((cause) => cause.doc === undefined)
    .map((cause) => ids.get(causeKey(cause)))
  tx.send(clearAffected, [
    leaving.map((cause) => ids.get(causeKey(cause))),
    leaving.map((cause) => cause.doc ?? null),
    how,
  ])
  const closed = await tx.query<{ id: number }>(closeCleared, [[...ids.values()], altogether, how])
  return closed.map((row) => row.id).sort((a, b) => a - b)
}

export type OpenException = Cause & {
  readonly id: number
  readonly code: string
  readonly title: string
  readonly owner: string
  readonly severity: Severity
  readonly state: ExceptionState
  readonly dueAt: Date
  readonly suggestedAction: string
}

/** The open exceptions of each document, the gravest first; a document without one is not in the answer. */
export async function openExceptionsOf(
  queries: Queries,
  docs: readonly number[],
): Promise<Map<number, readonly OpenException[]>> {
  const rows = await queries.query<OpenException & { doc: number }>(openOnDocuments, [docs])
  return Map.groupBy(rows, (row) => row.doc)
}
