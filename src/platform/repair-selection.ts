/** Selections: parked work that is to be replayed or discarded together, frozen as it is, with what is at stake. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import { rootsOf } from './log-roots.ts'
import type { Money } from './money.ts'
import type { ParkedKind } from './parking.ts'

/** A selection that is not started by then is forgotten: what it was rehearsed on is no longer so. */
export const SELECTION_HOURS = 24
/** A selection beyond it is too large to be meant; several that are narrower do the same. */
export const SELECTION_MAX = 50_000

export const selectionRefusals = {
  'repairs.filter_empty': {
    status: 422,
    title: 'The selection names nothing',
    cause: 'Neither ids nor any condition were given, which would select all parked work.',
    fix: 'Give ids, or at least one condition such as the cause code or the system.',
  },
  'repairs.nothing_selected': {
    status: 422,
    title: 'Nothing that is parked is selected',
    cause: 'No parked work has these ids or meets all of the conditions; it may have been settled meanwhile.',
    fix: 'List parked work and select what is there.',
  },
  'repairs.too_many': {
    status: 422,
    title: 'More is selected than one job takes',
    cause: `A selection has at most ${SELECTION_MAX} items.`,
    fix: 'Narrow it, by company, system or time, and repair one part after the other.',
  },
  'repairs.not_found': {
    status: 404,
    title: 'No such selection or job',
    cause:
      'The id names none, or one that was not started in time and is forgotten, or one that ended long ago.',
    fix: 'List the jobs and use an id from there, or select again.',
  },
  'repairs.item_changed': {
    status: 409,
    title: 'The item is not as it was selected',
    cause:
      'It failed again or its payload was edited after the selection was frozen, so its rehearsal says nothing.',
    fix: 'Select it again, for instance with the failed items of the job, and look at the new rehearsal.',
  },
  'repairs.nothing_failed': {
    status: 409,
    title: 'Nothing of the job failed',
    cause: 'The job has no failed item that is still parked.',
    fix: 'Nothing is left to be done again; look at the items of the job.',
  },
} as const satisfies Record<string, RefusalCode>

/** Why an item is left as it is: nobody has seen what would become of it as it is now. */
export const CHANGED = {
  code: 'repairs.item_changed',
  message: 'it failed again or was edited since it was selected',
} as const

export type RepairAction = 'replay' | 'discard'

/** Conditions that all have to be met; what is left out is none. */
export type RepairFilter = {
  readonly kind?: ParkedKind | undefined
  readonly company?: string | undefined
  readonly system?: string | undefined
  readonly causeCode?: string | undefined
  readonly step?: string | undefined
  readonly poison?: boolean | undefined
  /** By the last failure. */
  readonly failedAfter?: Date | undefined
  readonly failedBefore?: Date | undefined
  /** One of these documents. */
  readonly docs?: readonly number[] | undefined
  /** Part of the key, in whatever case. */
  readonly text?: string | undefined
}

export type Asked =
  | { readonly ids: readonly number[] }
  | { readonly filter: RepairFilter }
  /** What failed of that job. */
  | { readonly failedOf: number }

export type Selecting = {
  readonly action: RepairAction
  readonly asked: Asked
  readonly actor: string
  /** What orders are worth, by currency. */
  readonly stakeOf: (queries: Queries, orders: readonly number[]) => Promise<readonly Money[]>
}

const insertJob = sql(
  'repair.select',
  `insert into repair.job (action, asked, selected_by, expires_at)
   values ($1, $2::jsonb, $3, now() + make_interval(hours => $4)) returning id`,
)
const FREEZE = `insert into repair.item (job, item, version)
   select $1, i.id, i.version from parking.item i where i.state = 'parked'`
const FROZEN = `order by i.id limit $2
   returning item, (select doc from parking.item where id = item) as doc`
const freezeIds = sql('repair.freeze_ids', `${FREEZE} and i.id = any($3::bigint[]) ${FROZEN}`)
const freezeFailed = sql(
  'repair.freeze_failed',
  `${FREEZE} and i.id = any(array(select item from repair.item where job = $3 and state = 'failed')) ${FROZEN}`,
)
const freezeFiltered = sql(
  'repair.freeze_filtered',
  `${FREEZE} and ($3::text is null or i.kind = $3) and ($4::text is null or i.company = $4)
     and ($5::text is null or i.system = $5)
     and ($6::text is null or i.cause_code = $6 or starts_with(i.cause_code, $6 || '.'))
     and ($7::text is null or i.step = $7) and ($8::boolean is null or i.poison = $8)
     and ($9::timestamptz is null or i.last_failed_at >= $9) and ($10::timestamptz is null or i.last_failed_at < $10)
     and ($11::bigint[] is null or i.doc = any($11)) and ($12::text is null or strpos(lower(i.key), lower($12)) > 0)
   ${FROZEN}`,
)
const weigh = sql('repair.weigh', 'update repair.job set total = $2, stake = $3::jsonb where id = $1')

type Frozen = { readonly item: number; readonly doc: number | null }

/** Freezes what is parked now and meets what was asked; answers the id. Its rehearsal begins by itself. */
export async function select(tx: Transaction, { action, asked, actor, stakeOf }: Selecting): Promise<number> {
  const meant = meaningOf(asked)
  const values = [action, JSON.stringify(meant), actor, SELECTION_HOURS]
  const [job] = await tx.query<{ id: number }>(insertJob, values)
  const frozen = await freeze(tx, job!.id, meant)
  if (frozen.length === 0) throw nothing(meant)
  if (frozen.length > SELECTION_MAX)
    throw new Refusal('repairs.too_many', `more than ${SELECTION_MAX} items are selected`)
  const roots = await rootsOf(
    tx,
    frozen.flatMap(({ doc }) => doc ?? []),
  )
  const stake = await stakeOf(tx, [...new Set(roots.values())])
  tx.send(weigh, [job!.id, frozen.length, JSON.stringify(stake)])
  return job!.id
}

function freeze(tx: Transaction, job: number, asked: Asked): Promise<Frozen[]> {
  const limit = SELECTION_MAX + 1
  if ('ids' in asked) return tx.query(freezeIds, [job, limit, asked.ids])
  if ('failedOf' in asked) return tx.query(freezeFailed, [job, limit, asked.failedOf])
  const { kind, company, system, causeCode, step, poison, failedAfter, failedBefore, docs, text } =
    asked.filter
  const conditions = [kind, company, system, causeCode, step, poison, failedAfter, failedBefore, docs, text]
  return tx.query(freezeFiltered, [job, limit, ...conditions.map((condition) => condition ?? null)])
}

function nothing(asked: Asked): Refusal {
  if ('failedOf' in asked)
    return new Refusal('repairs.nothing_failed', `nothing that job ${asked.failedOf} left is parked`)
  return new Refusal('repairs.nothing_selected', 'no parked work is meant')
}

/** Without conditions that say nothing; an empty rest is refused. */
function meaningOf(asked: Asked): Asked {
  if ('failedOf' in asked) return asked
  if ('ids' in asked) {
    if (asked.ids.length > 0) return asked
    throw new Refusal('repairs.filter_empty', 'no id is given', {}, '/ids')
  }
  const conditions = Object.entries(asked.filter).filter(([, value]) => saysSomething(value))
  if (conditions.length === 0)
    throw new Refusal('repairs.filter_empty', 'the filter has no condition', {}, '/filter')
  return { filter: Object.fromEntries(conditions) as RepairFilter }
}

const saysSomething = (value: RepairFilter[keyof RepairFilter]): boolean =>
  value !== undefined && (typeof value !== 'string' || value.trim() !== '')

const forget = sql(
  'repair.forget',
  `delete from repair.job where id = any(array(
     select id from repair.job
     where (state in ('previewing', 'ready') and expires_at < now())
       or coalesce(ended_at, handed_at, started_at) < now() - make_interval(days => $1) and state not in ('running', 'paused')
     order by id limit $2))
   returning id`,
)
/** How long a job that ended or was aborted can be looked at. */
const JOB_DAYS = 30
const FORGOTTEN_AT_ONCE = 5

/** Deletes selections that nobody started and jobs that ended long ago, a few; answers how many. */
export const forgetRepairs = async (queries: Queries): Promise<number> =>
  (await queries.query(forget, [JOB_DAYS, FORGOTTEN_AT_ONCE])).length
