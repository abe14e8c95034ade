/**
 * Repair jobs at work: a portion of items is handed over and marked in one transaction, so that a job goes on exactly
 * where it was. The row of the job is locked meanwhile, which leaves it to one process at a time.
 */
import type { Database, Transaction } from './database.ts'
import { sql } from './database.ts'
import type { Refusal } from './faults.ts'
import type { Decision, ParkedItem } from './parking.ts'
import { type Fate, fatesOf, replayWithin } from './parking-replay.ts'
import { CHANGED, type RepairAction } from './repair-selection.ts'

/** So many seconds' worth may be under way: what a system does not take is not piled up before it. */
const UNDER_WAY_S = 10
/** After a pause of the process it does not catch up with more than this. */
const CATCH_UP_S = 2
const PORTION = 500

const openJobs = sql(
  'repair.open',
  `select id, state = 'running' as running,
     exists (select from repair.item where job = id and state = 'replaying') as "underWay"
   from repair.job where state in ('running', 'paused', 'aborted') order by id`,
)
const takeJob = sql(
  'repair.take',
  `select id, action, name, reason, started_by as "startedBy", handed_to as "handedTo", floor(per_second * least($2::float8,
     extract(epoch from now() - coalesce(handed_at, started_at))))::int as allowed,
     per_second * $3::int - (select count(*) from repair.item where job = $1 and state = 'replaying')::int as room
   from repair.job where id = $1 and state = 'running' for update skip locked`,
)
const nextItems = sql(
  'repair.next',
  `select item from repair.item where job = $1 and item > $2 order by item limit $3`,
)
const lockParked = sql(
  'repair.lock_parked',
  `select i.id, i.state, i.version = r.version as "asFrozen" from parking.item i
   join repair.item r on r.job = $1 and r.item = i.id
   where i.id = any($2::bigint[]) order by i.id for update of i`,
)
const mark = sql(
  'repair.mark',
  `update repair.item i set state = k.state, outcome = k.outcome, code = k.code, message = k.message,
     settled_at = case when k.state = 'replaying' then null else now() end
   from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]) as k(item, state, outcome, code, message)
   where i.job = $1 and i.item = k.item and i.state in ('waiting', 'replaying')`,
)
const advance = sql('repair.advance', `update repair.job set handed_to = $2, handed_at = now() where id = $1`)
const count = sql(
  'repair.count',
  `update repair.job set done = done + $2, failed = failed + $3,
     state = case when done + failed + $2 + $3 = total then 'ended' else state end,
     ended_at = case when done + failed + $2 + $3 = total then now() else ended_at end
   where id = $1`,
)
const lockUnderWay = sql(
  'repair.lock_under_way',
  `select 1 as locked from repair.job where id = $1 for update skip locked`,
)
const replaying = sql(
  'repair.replaying',
  `select item from repair.item where job = $1 and state = 'replaying' and item > $2 order by item limit $3`,
)

type Open = { readonly id: number; readonly running: boolean; readonly underWay: boolean }

type Job = {
  readonly id: number
  readonly action: RepairAction
  readonly name: string
  readonly reason: string
  readonly startedBy: string
  readonly handedTo: number
  readonly allowed: number
  readonly room: number
}

type Marked = {
  readonly item: number
  readonly state: 'replaying' | 'done' | 'failed'
  readonly outcome?: string | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** Gives up what a person gives up, in the transaction that marks it. */
export type Discard = (
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
) => Promise<ReadonlyMap<number, ParkedItem | Refusal>>

/** One round: what has become of what was handed over, and a portion of each running job. One that fails stops no other. */
export async function workRepairs(database: Database, discard: Discard): Promise<void> {
  const failures: unknown[] = []
  for (const { id, running, underWay } of await database.query<Open>(openJobs)) {
    try {
      if (underWay) await settleUnderWay(database, id)
      if (running) await database.transaction((tx) => handOver(tx, id, discard))
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function handOver(tx: Transaction, id: number, discard: Discard): Promise<void> {
  const [job] = await tx.query<Job>(takeJob, [id, CATCH_UP_S, UNDER_WAY_S])
  const size = job ? Math.min(job.allowed, job.room, PORTION) : 0
  if (!job || size <= 0) return
  const items = (await tx.query<{ item: number }>(nextItems, [id, job.handedTo, size])).map(
    ({ item }) => item,
  )
  if (items.length === 0) return
  const marked = await decide(tx, job, items, discard)
  write(tx, id, marked)
  tx.send(advance, [id, items.at(-1)])
}

async function decide(
  tx: Transaction,
  { id, action, name, reason, startedBy }: Job,
  items: readonly number[],
  discard: Discard,
): Promise<Marked[]> {
  type Parked = { id: number; state: string; asFrozen: boolean }
  const found = new Map((await tx.query<Parked>(lockParked, [id, items])).map((row) => [row.id, row]))
  const isParked = (item: number): boolean => found.get(item)?.state === 'parked'
  const meant = items.filter((item) => isParked(item) && found.get(item)!.asFrozen)
  const decision = { actor: startedBy, reason: `${name}: ${reason}` }
  const work = action === 'replay' ? replayWithin : discard
  const answers = meant.length > 0 ? await work(tx, meant, decision) : new Map<number, ParkedItem | Refusal>()
  return items.map((item): Marked => {
    if (!isParked(item)) return { item, state: 'done', outcome: 'settled meanwhile' }
    const answer = answers.get(item) ?? CHANGED
    if ('code' in answer) return { item, state: 'failed', code: answer.code, message: answer.message }
    return action === 'replay' ? { item, state: 'replaying' } : { item, state: 'done', outcome: 'discarded' }
  })
}

function write(tx: Transaction, id: number, marked: readonly Marked[]): void {
  if (marked.length === 0) return
  tx.send(mark, [
    id,
    marked.map(({ item }) => item),
    marked.map(({ state }) => state),
    marked.map(({ outcome }) => outcome ?? null),
    marked.map(({ code }) => code ?? null),
    marked.map(({ message }) => message ?? null),
  ])
  const numberOf = (wanted: Marked['state']): number => marked.filter(({ state }) => state === wanted).length
  tx.send(count, [id, numberOf('done'), numberOf('failed')])
}

/** Also of jobs that were paused or aborted: what was handed over is not called back. */
async function settleUnderWay(database: Database, id: number): Promise<void> {
  for (let after: number | undefined = 0; after !== undefined;) {
    const from: number = after
    after = await database.transaction((tx) => settlePortion(tx, id, from))
  }
}

/** Answers the last item it looked at, while there may be more. */
async function settlePortion(tx: Transaction, id: number, after: number): Promise<number | undefined> {
  if ((await tx.query(lockUnderWay, [id])).length === 0) return undefined
  const rows = await tx.query<{ item: number }>(replaying, [id, after, PORTION])
  const items = rows.map(({ item }) => item)
  if (items.length === 0) return undefined
  const fates = new Map((await fatesOf(tx, items)).map((fate) => [fate.id, fate]))
  write(
    tx,
    id,
    items.flatMap((item) => endOf(item, fates.get(item)) ?? []),
  )
  return items.length < PORTION ? undefined : items.at(-1)
}

/** Undefined while nobody can say. */
function endOf(item: number, fate: Fate | undefined): Marked | undefined {
  if (!fate) return { item, state: 'done', outcome: 'settled meanwhile' }
  const { state, outcome, causeCode, causeMessage, underWay } = fate
  if (state === 'parked')
    return { item, state: 'failed', outcome: 'parked again', code: causeCode, message: causeMessage }
  if (underWay) return undefined
  return { item, state: 'done', outcome: outcome ?? (state === 'discarded' ? 'discarded' : 'applied') }
}
