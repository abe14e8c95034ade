/** Repair jobs as people run them: started from a rehearsed selection, paused, resumed, aborted, made slower or faster. */
import { recordAudit } from './audit.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import type { RepairAction } from './repair-selection.ts'

export const PACE = { usual: 20, most: 500 } as const

export const jobRefusals = {
  'repairs.not_rehearsed': {
    status: 409,
    title: 'The rehearsal is still going on',
    cause: 'A job is started on what its rehearsal has shown, and some items have not been rehearsed yet.',
    fix: 'Read the selection until its state is "ready", look at what would change, then start it.',
  },
  'repairs.selection_expired': {
    status: 409,
    title: 'The selection is too old',
    cause: 'What its rehearsal has shown may not be so any more.',
    fix: 'Select again and look at the new rehearsal.',
  },
  'repairs.count_differs': {
    status: 422,
    title: 'The count is not that of the selection',
    cause: 'Whoever starts a job repeats how many items it has, to show that he has seen it.',
    fix: 'Read the selection, and send its count if that many are meant.',
  },
  'repairs.not_possible_now': {
    status: 409,
    title: 'The job is not in a state for this',
    cause:
      'Only a running job is paused, only one that was paused or aborted goes on, and one that ended is over.',
    fix: 'Read the job; what failed of it can be selected anew.',
  },
} as const satisfies Record<string, RefusalCode>

export type JobState = 'previewing' | 'ready' | 'running' | 'paused' | 'aborted' | 'ended'

const lockJob = sql(
  'repair.lock',
  `select id, action, state, total, name, reason, per_second as "perSecond", expires_at < now() as expired
   from repair.job where id = $1 for update`,
)
const startJob = sql(
  'repair.start',
  `update repair.job set state = 'running', name = $2, reason = $3, started_by = $4, started_at = now(), per_second = $5
   where id = $1`,
)
const setState = sql('repair.set_state', 'update repair.job set state = $2 where id = $1')
const setPace = sql('repair.set_pace', 'update repair.job set per_second = $2 where id = $1')

type Locked = {
  readonly id: number
  readonly action: RepairAction
  readonly state: JobState
  readonly total: number
  readonly name: string | null
  readonly reason: string | null
  readonly perSecond: number | null
  readonly expired: boolean
}

/** Who acts, and within which request. */
export type Actor = { readonly actor: string; readonly traceId?: string | undefined }

async function lock(tx: Transaction, id: number): Promise<Locked> {
  const [job] = await tx.query<Locked>(lockJob, [id])
  if (!job) throw new Refusal('repairs.not_found', `there is no selection or job ${id}`, { id })
  return job
}

export type Start = Actor & {
  readonly name: string
  readonly reason: string
  /** How many items whoever starts it has seen. */
  readonly count: number
  readonly perSecond?: number | undefined
}

/** Starts a selection; one that was started before stays as it is, whatever is said of it now. */
export async function startRepair(tx: Transaction, id: number, start: Start): Promise<void> {
  const job = await lock(tx, id)
  if (job.name !== null) return
  if (start.reason.trim() === '')
    throw new Refusal('parking.reason_missing', 'a reason is needed', {}, '/reason')
  if (job.expired) throw new Refusal('repairs.selection_expired', `selection ${id} is too old to be started`)
  if (job.state !== 'ready') throw new Refusal('repairs.not_rehearsed', `selection ${id} is being rehearsed`)
  if (start.count !== job.total) {
    const seen = { count: start.count, total: job.total }
    throw new Refusal(
      'repairs.count_differs',
      `${job.total} items are selected, not ${start.count}`,
      seen,
      '/count',
    )
  }
  const { name, reason, actor, perSecond = PACE.usual } = start
  tx.send(startJob, [id, name, reason, actor, perSecond])
  audit(tx, { ...job, name, reason }, start, { did: 'started', after: { items: job.total, perSecond } })
}

const ACTS = {
  pause: { from: ['running'], to: 'paused', did: 'paused' },
  resume: { from: ['paused', 'aborted'], to: 'running', did: 'resumed' },
  abort: { from: ['running', 'paused'], to: 'aborted', did: 'aborted' },
} as const satisfies Record<string, { from: readonly JobState[]; to: JobState; did: string }>
export type JobAct = keyof typeof ACTS

/** What is under way is not called back; what is not handed over yet waits. Asked again, nothing happens. */
export async function actOnRepair(tx: Transaction, id: number, act: JobAct, actor: Actor): Promise<void> {
  const job = await lock(tx, id)
  const { from, to, did } = ACTS[act]
  if (job.state === to) return
  if (!(from as readonly JobState[]).includes(job.state)) throw notNow(job, act)
  tx.send(setState, [id, to])
  audit(tx, job, actor, { did, before: { state: job.state }, after: { state: to } })
}

export async function paceRepair(
  tx: Transaction,
  id: number,
  perSecond: number,
  actor: Actor,
): Promise<void> {
  const job = await lock(tx, id)
  if (job.name === null || job.state === 'ended') throw notNow(job, 'pace')
  tx.send(setPace, [id, perSecond])
  audit(tx, job, actor, { did: 'paced', before: { perSecond: job.perSecond }, after: { perSecond } })
}

const notNow = ({ id, state }: Locked, act: string): Refusal =>
  new Refusal('repairs.not_possible_now', `job ${id} is ${state}: it cannot ${act}`, { id, state })

type Audited = { readonly did: string; readonly before?: object; readonly after: object }

function audit(
  tx: Transaction,
  { id, name, reason, action }: Pick<Locked, 'id' | 'name' | 'reason' | 'action'>,
  { actor, traceId }: Actor,
  { did, before, after }: Audited,
): void {
  const row = { actor, traceId, action: `repairs.${did}`, kind: 'repair', reason: `${name}: ${reason}` }
  recordAudit(tx, [{ ...row, before, after: { job: id, repair: action, ...after } }])
}
