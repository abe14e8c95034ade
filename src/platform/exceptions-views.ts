/** Exceptions as people see them: a worklist by severity and due time, and one with its documents and notes. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'
import type { Severity } from './exception-ownership.ts'
import type { Cause, ExceptionState } from './exceptions.ts'
import type { Facts } from './faults.ts'
import type { Money } from './money.ts'

const PAGE = 100
const AFFECTED_SHOWN = 500

const COLUMNS = `e.id, e.version, e.company, e.cause, e.code, e.title, e.owner, e.assignee, e.severity, e.rank, e.state,
  e.suggested_action as "suggestedAction", e.facts, e.opened_at as "openedAt", e.due_at as "dueAt",
  e.due_at < coalesce(e.closed_at, now()) as overdue, e.closed_at as "closedAt", e.closed_by as "closedBy", e.resolution,
  live.affected, live.stake`

// Value at stake is summed apart by currency; documents that have left count no longer.
const LIVE = `cross join lateral (
    select coalesce(sum(c.docs), 0)::int as affected,
      coalesce(jsonb_agg(jsonb_build_object('amountMinor', c.minor, 'currency', c.currency) order by c.currency)
        filter (where c.currency is not null), '[]') as stake
    from (select currency, count(*) as docs, sum(value_minor) as minor from exceptions.affected
      where exception = e.id and cleared_at is null group by currency) c) live`

const listExceptionRows = sql(
  'exceptions.list',
  `select ${COLUMNS} from exceptions.exception e ${LIVE}
   where (e.closed_at is not null) = $1
     and ($2::smallint is null or (e.rank, e.due_at, e.id) > ($2::smallint, $3::timestamptz, $4::bigint))
     and ($5::text is null or e.company = $5) and ($6::text is null or e.owner = $6)
     and ($7::text is null or e.assignee = $7) and ($8::text is null or e.severity = $8)
     and ($9::text is null or e.code = $9 or starts_with(e.code, $9 || '.'))
     and ($10::boolean is null or (e.due_at < now()) = $10)
   order by e.rank, e.due_at, e.id limit $11`,
)
const showExceptionRow = sql(
  'exceptions.show',
  `select ${COLUMNS} from exceptions.exception e ${LIVE} where e.id = $1`,
)
const affectedRows = sql(
  'exceptions.affected',
  `select doc, kind, value_minor as "amountMinor", currency, affected_at as "affectedAt", cleared_at as "clearedAt",
     cleared_how as "clearedHow"
   from exceptions.affected where exception = $1 order by cleared_at is not null, affected_at, doc limit $2`,
)
const noteRows = sql(
  'exceptions.notes',
  `select noted_at as "notedAt", author, act, text from exceptions.note where exception = $1 order by id`,
)

export type ExceptionView = {
  readonly id: number
  /** Raised by each act of a person and by its end. */
  readonly version: number
  readonly company: string
  readonly cause: string
  readonly code: string
  readonly title: string
  readonly owner: string
  readonly assignee: string | null
  readonly severity: Severity
  readonly rank: number
  readonly state: ExceptionState
  readonly suggestedAction: string
  readonly facts: Facts
  readonly openedAt: Date
  readonly dueAt: Date
  readonly overdue: boolean
  readonly closedAt: Date | null
  readonly closedBy: string | null
  readonly resolution: string | null
  /** Documents it stops now, and what they are worth, by currency. */
  readonly affected: number
  readonly stake: readonly Money[]
}

export type ExceptionFilter = {
  /** Left out: those that are open. */
  readonly closed?: boolean | undefined
  readonly company?: string | undefined
  readonly owner?: string | undefined
  readonly assignee?: string | undefined
  readonly severity?: Severity | undefined
  /** A code or the start of one up to a dot. */
  readonly code?: string | undefined
  readonly overdue?: boolean | undefined
  /** The last exception of the page before. */
  readonly after?: Pick<ExceptionView, 'rank' | 'dueAt' | 'id'> | undefined
  readonly limit?: number
}

const openOfCodes = sql(
  'exceptions.open_of_codes',
  `select company, cause, code from exceptions.exception
   where closed_at is null and company = any($1::text[]) and code = any($2::text[]) order by company, cause`,
)

/** The causes of these codes that are open: for who compares them with what is so. */
export const openCausesOf = (
  queries: Queries,
  companies: readonly string[],
  codes: readonly string[],
): Promise<(Cause & { readonly code: string })[]> => queries.query(openOfCodes, [companies, codes])

/** The gravest first, then the one due first. */
export function listExceptions(queries: Queries, filter: ExceptionFilter = {}): Promise<ExceptionView[]> {
  const { closed = false, after, company, owner, assignee, severity, code, overdue, limit = PAGE } = filter
  const values = [after?.rank, after?.dueAt, after?.id, company, owner, assignee, severity, code, overdue]
  return queries.query<ExceptionView>(listExceptionRows, [
    closed,
    ...values.map((value) => value ?? null),
    limit,
  ])
}

export type AffectedDocument = {
  readonly doc: number
  readonly kind: string
  readonly amountMinor: number
  readonly currency: string | null
  readonly affectedAt: Date
  readonly clearedAt: Date | null
  readonly clearedHow: string | null
}

export const ACTS = ['assigned', 'started', 'commented', 'resolved', 'wont_fix'] as const
export type Act = (typeof ACTS)[number]

export type ExceptionNote = {
  readonly notedAt: Date
  readonly author: string
  readonly act: Act
  readonly text: string
}

export type ExceptionStory = ExceptionView & {
  /** Those still stopped first, at most 500. */
  readonly documents: readonly AffectedDocument[]
  readonly notes: readonly ExceptionNote[]
}

const refusedRows = sql(
  'exceptions.refused',
  `select a.doc, a.kind, e.company, count(*) over ()::int as total from exceptions.affected a
   join exceptions.exception e on e.id = a.exception
   where a.exception = $1 and a.cleared_at is null and e.closed_at is null
     and exists (select from desk.step s where s.doc = a.doc and s.state = 'refused' and s.at <= $2)
   order by a.doc limit $3`,
)
const codeOfException = sql(
  'exceptions.code',
  `select code, date_trunc('milliseconds', now()) as now from exceptions.exception where id = $1`,
)

export type RefusedDocument = {
  readonly doc: number
  readonly kind: string
  readonly company: string
  /** How many there are in all. */
  readonly total: number
}

/** Documents that an open exception stops, of which a system had refused a step by then; the first of them. */
export const refusedDocuments = (
  queries: Queries,
  { id, asOf, limit }: { readonly id: number; readonly asOf: Date; readonly limit: number },
): Promise<RefusedDocument[]> => queries.query<RefusedDocument>(refusedRows, [id, asOf, limit])

/** Its code, and the time of the transaction in milliseconds. */
export async function codeNow(
  queries: Queries,
  id: number,
): Promise<{ readonly code: string; readonly now: Date } | undefined> {
  return (await queries.query<{ code: string; now: Date }>(codeOfException, [id]))[0]
}

export async function showException(queries: Queries, id: number): Promise<ExceptionStory | undefined> {
  const [[exception], documents, notes] = await Promise.all([
    queries.query<ExceptionView>(showExceptionRow, [id]),
    queries.query<AffectedDocument>(affectedRows, [id, AFFECTED_SHOWN]),
    queries.query<ExceptionNote>(noteRows, [id]),
  ])
  return exception && { ...exception, documents, notes }
}

const openByCause = sql(
  'exceptions.open_by_cause',
  `select e.id, e.title, e.owner, e.assignee from exceptions.exception e
   join unnest($1::text[], $2::text[]) as k(company, cause) on e.company = k.company and e.cause = k.cause
   where e.closed_at is null order by e.id`,
)

export type NamedException = Pick<ExceptionView, 'id' | 'title' | 'owner' | 'assignee'>

/** Those of these causes that are open. */
export const exceptionsOf = (queries: Queries, causes: readonly Cause[]): Promise<NamedException[]> =>
  queries.query<NamedException>(openByCause, [
    causes.map(({ company }) => company),
    causes.map(({ cause }) => cause),
  ])

const countOpen = sql(
  'exceptions.count_open',
  'select count(*) as open from exceptions.exception where closed_at is null',
)

export async function countOpenExceptions(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ open: number }>(countOpen)
  return row?.open ?? 0
}

const owned = sql('exceptions.owned', 'select 1 from exceptions.exception where owner = $1 limit 1')

/** Whether this queue has ever had an exception. */
export const ownsAny = async (queries: Queries, queue: string): Promise<boolean> =>
  (await queries.query(owned, [queue])).length > 0
