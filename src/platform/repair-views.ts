/** Selections and jobs as people see them: what would come of them, how far they are, and what became of each item. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'
import type { Money } from './money.ts'
import type { ParkedKind } from './parking.ts'
import type { JobState } from './repair-jobs.ts'
import type { Expectation, Sample } from './repair-rehearsal.ts'
import type { Asked, RepairAction } from './repair-selection.ts'

const COLUMNS = `j.id, j.action, j.asked, j.selected_by as "selectedBy", j.selected_at as "selectedAt",
  j.expires_at as "expiresAt", j.total, j.stake, j.state, j.rehearsed, j.name, j.reason, j.started_by as "startedBy",
  j.started_at as "startedAt", j.per_second as "perSecond", j.done, j.failed, j.ended_at as "endedAt"`

const listJobs = sql(
  'repair.list',
  `select ${COLUMNS} from repair.job j
   where j.id < coalesce($1::bigint, 9223372036854775807) and j.started_at is not null
     and ($2::text is null or j.state = $2) order by j.id desc limit $3`,
)
const showJob = sql('repair.show', `select ${COLUMNS} from repair.job j where j.id = $1`)
const expectations = sql(
  'repair.expectations',
  `select coalesce(expected, 'unknown') as expected, expected_code as code, count(*)::int as count,
     sum(sends)::int as sends, sum(suppresses)::int as suppresses
   from repair.item where job = $1 group by 1, 2 order by 3 desc, 1, 2`,
)
const outcomes = sql(
  'repair.outcomes',
  `select state, outcome, code, count(*)::int as count from repair.item where job = $1
   group by 1, 2, 3 order by 4 desc, 1, 2, 3`,
)
const ITEM = `r.item as id, i.kind, i.system, i.key, i.doc, r.expected, r.expected_code as "expectedCode",
  r.expected_message as "expectedMessage", r.state, r.outcome, r.code, r.message, r.settled_at as "settledAt"`
const listItems = sql(
  'repair.items',
  `select ${ITEM} from repair.item r left join parking.item i on i.id = r.item
   where r.job = $1 and r.item > $2 and ($3::text is null or r.state = $3) and ($4::text is null or r.expected = $4)
   order by r.item limit $5`,
)
const samples = sql(
  'repair.samples',
  `select ${ITEM}, r.sample from repair.item r left join parking.item i on i.id = r.item
   where r.job = $1 and r.sample is not null order by r.item limit $2`,
)
const countRunning = sql(
  'repair.count_by_state',
  `select state, count(*)::int as count from repair.job where state in ('running', 'paused') group by state`,
)

/** A selection, and once it is started a job, under the same id. */
export type Repair = {
  readonly id: number
  readonly action: RepairAction
  readonly asked: Asked
  readonly selectedBy: string
  readonly selectedAt: Date
  readonly expiresAt: Date
  readonly total: number
  readonly stake: readonly Money[]
  readonly state: JobState
  /** How many items are rehearsed. */
  readonly rehearsed: number
  readonly name: string | null
  readonly reason: string | null
  readonly startedBy: string | null
  readonly startedAt: Date | null
  readonly perSecond: number | null
  readonly done: number
  readonly failed: number
  readonly endedAt: Date | null
}

export type RepairItem = {
  readonly id: number
  readonly kind: ParkedKind | null
  readonly system: string | null
  readonly key: string | null
  readonly doc: number | null
  readonly expected: Expectation['expected'] | null
  readonly expectedCode: string | null
  readonly expectedMessage: string | null
  readonly state: 'waiting' | 'replaying' | 'done' | 'failed'
  readonly outcome: string | null
  readonly code: string | null
  readonly message: string | null
  readonly settledAt: Date | null
}

export type ExpectedCount = {
  /** `unknown`: not rehearsed yet. */
  readonly expected: Expectation['expected'] | 'unknown'
  readonly code: string | null
  readonly count: number
  readonly sends: number
  readonly suppresses: number
}

export type OutcomeCount = Pick<RepairItem, 'state' | 'outcome' | 'code'> & { readonly count: number }

export type RepairStory = Repair & {
  readonly expectations: readonly ExpectedCount[]
  /** Items that change something, field by field; at most 20. */
  readonly samples: readonly (RepairItem & { readonly sample: Sample })[]
  readonly outcomes: readonly OutcomeCount[]
}

const SAMPLES_SHOWN = 20

export async function showRepair(queries: Queries, id: number): Promise<RepairStory | undefined> {
  // First, so that nothing told beside its state is older than that state.
  const [repair] = await queries.query<Repair>(showJob, [id])
  if (!repair) return undefined
  const [expected, shown, came] = await Promise.all([
    queries.query<ExpectedCount>(expectations, [id]),
    queries.query<RepairStory['samples'][number]>(samples, [id, SAMPLES_SHOWN]),
    queries.query<OutcomeCount>(outcomes, [id]),
  ])
  return { ...repair, expectations: expected, samples: shown, outcomes: came }
}

type JobFilter = {
  readonly state?: JobState | undefined
  /** The id of the last job of the page before. */
  readonly before?: number | undefined
  readonly limit: number
}

/** Jobs that were started, the newest first. */
export const listRepairs = (queries: Queries, { state, before, limit }: JobFilter): Promise<Repair[]> =>
  queries.query<Repair>(listJobs, [before ?? null, state ?? null, limit])

type ItemFilter = {
  readonly state?: RepairItem['state'] | undefined
  readonly expected?: Expectation['expected'] | undefined
  /** The last item of the page before. */
  readonly after?: number | undefined
  readonly limit: number
}

/** In the order in which they are worked on. */
export const itemsOfRepair = (
  queries: Queries,
  id: number,
  { state, expected, after = 0, limit }: ItemFilter,
): Promise<RepairItem[]> =>
  queries.query<RepairItem>(listItems, [id, after, state ?? null, expected ?? null, limit])

/** How many jobs are at work or stand still. */
export async function countRepairs(
  queries: Queries,
): Promise<{ readonly running: number; readonly paused: number }> {
  const rows = await queries.query<{ state: 'running' | 'paused'; count: number }>(countRunning)
  const counts = new Map(rows.map(({ state, count }) => [state, count]))
  return { running: counts.get('running') ?? 0, paused: counts.get('paused') ?? 0 }
}
