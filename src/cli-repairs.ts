/** `crossdock repairs …`: parked work selected, rehearsed, and replayed or discarded as a job by the running program. */
import { CommandFailure, type Context, EXIT, printList, type Terminal, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { readTyped } from './cli-typed.ts'
import { systemClock } from './platform/clock.ts'
import type { Database, Transaction } from './platform/database.ts'
import { Refusal } from './platform/faults.ts'
import { somebodyWorks } from './platform/lease.ts'
import {
  actOnRepair,
  type JobAct,
  type JobState,
  PACE,
  paceRepair,
  startRepair,
} from './platform/repair-jobs.ts'
import { type Asked, type RepairAction, select } from './platform/repair-selection.ts'
import {
  itemsOfRepair,
  listRepairs,
  type RepairItem,
  type RepairStory,
  showRepair,
} from './platform/repair-views.ts'

/** Who acts, in the jobs and the audit trail: whoever may run commands on this machine. */
const ACTOR = 'cli'
const POLL_MS = 250
const TOLD_EVERY_MS = 2_000

const desk = async () => (await import('./app-repairs.ts')).repairDesk
type Desk = Awaited<ReturnType<typeof desk>>
type Selection = ReturnType<Desk['toldSelection']>
type Job = ReturnType<Desk['toldJob']>

export async function repairsSelect(context: Context): Promise<number> {
  const { action, failedOf } = context.options as { action: RepairAction; failedOf?: string }
  const { filterOf, stakeOf, RepairFilter } = await desk()
  const conditions = failedOf === undefined ? conditionsOf(context, RepairFilter) : undefined
  const { database } = await openDatabase(context)
  const id = await database.transaction(async (tx) => {
    const asked: Asked = conditions
      ? 'ids' in conditions
        ? conditions
        : { filter: await filterOf(tx, conditions.filter) }
      : { failedOf: idFrom(failedOf) }
    return select(tx, { action, asked, actor: ACTOR, stakeOf })
  })
  return rehearsed(context, database, id)
}

type Conditions = { readonly ids: readonly number[] } | { readonly filter: Parameters<Desk['filterOf']>[1] }

function conditionsOf({ args, options }: Context, RepairFilter: Desk['RepairFilter']): Conditions {
  if (args.length > 0) return { ids: args.map(idFrom) }
  const { kind, company, system, cause: causeCode, step, poison, order, text } = options
  const [failedAfter, failedBefore] = [options['failedAfter'], options['failedBefore']]
  const given = { kind, company, system, causeCode, step, poison, failedAfter, failedBefore, order, text }
  const cure = 'Times are like 2026-11-20T06:00:00Z, orders like O-1000017: crossdock repairs select --help'
  return { filter: readTyped(RepairFilter, given, cure) }
}

function idFrom(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text)
  throw wrongUse(
    `"${text ?? ''}" is not an id.`,
    'See what there is: crossdock parking list, crossdock repairs list',
  )
}

async function storyOf(database: Database, id: number): Promise<RepairStory> {
  const story = await showRepair(database, id)
  if (!story) throw new Refusal('repairs.not_found', `there is no selection or job ${id}`, { id })
  return story
}

/** Looks again and again until it is over, and says how far it is; the running program does the work. */
async function followed(
  { signal, terminal }: Context,
  database: Database,
  id: number,
  far: (story: RepairStory) => { readonly isOver: boolean; readonly says: string },
): Promise<RepairStory> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const story = await storyOf(database, id)
    const { isOver, says } = far(story)
    if (isOver || signal.aborted) return story
    if (!(await somebodyWorks(database)))
      throw new CommandFailure({
        problem: `${says}, and no program is running that goes on with it.`,
        reason: 'Repairs are rehearsed and worked on by the running program.',
        cure: `Start it: npm start. Then: crossdock repairs show ${id}`,
      })
    if (waitedMs % TOLD_EVERY_MS === 0) terminal.note(says)
    await systemClock.sleep(POLL_MS, signal)
  }
}

async function rehearsed(context: Context, database: Database, id: number): Promise<number> {
  const story = await followed(context, database, id, ({ state, rehearsed: done, total }) => ({
    isOver: state !== 'previewing',
    says: `${done} of ${total} items are rehearsed`,
  }))
  tellSelection(context.terminal, (await desk()).toldSelection(story, systemClock.now()))
  return EXIT.ok
}

/** Follows the job to its end; broken off, the job goes on. */
export async function repairsStart(context: Context): Promise<number> {
  const id = idFrom(context.args[0])
  const { name, reason } = context.options as { name: string; reason: string }
  const [count, perSecond] = [countOf(context), paceOf(context)]
  if (name.trim() === '') throw wrongUse('A job has a name.', 'For example: --name "orders after the sync"')
  const { database } = await openDatabase(context)
  const start = { name, reason, count, perSecond, actor: ACTOR }
  await database.transaction((tx) => startRepair(tx, id, start))
  const { toldJob } = await desk()
  const told = (story: RepairStory): Job => toldJob(story, systemClock.now())
  const story = await followed(context, database, id, (now) => ({
    isOver: now.state !== 'running',
    says: progressOf(told(now)),
  }))
  tellJob(context.terminal, told(story))
  if (story.failed > 0) return story.done > 0 ? EXIT.partial : EXIT.failed
  return EXIT.ok
}

function countOf({ options }: Context): number {
  const count = Number(options['count'])
  if (Number.isInteger(count)) return count
  throw wrongUse(
    `--count is a number, not "${String(options['count'])}".`,
    'See how many it has: crossdock repairs show ID',
  )
}

function paceOf({ options }: Context): number {
  const perSecond = Number(options['perSecond'])
  if (Number.isInteger(perSecond) && perSecond >= 1 && perSecond <= PACE.most) return perSecond
  throw wrongUse(
    `--per-second is a number from 1 to ${PACE.most}, not "${String(options['perSecond'])}".`,
    `For example: --per-second ${PACE.usual}`,
  )
}

export const repairsPause = (context: Context): Promise<number> => act(context, 'pause')
export const repairsResume = (context: Context): Promise<number> => act(context, 'resume')
export const repairsAbort = (context: Context): Promise<number> => act(context, 'abort')

const act = (context: Context, what: JobAct): Promise<number> =>
  steer(context, (tx, id) => actOnRepair(tx, id, what, { actor: ACTOR }))

export function repairsPace(context: Context): Promise<number> {
  const perSecond = paceOf(context)
  return steer(context, (tx, id) => paceRepair(tx, id, perSecond, { actor: ACTOR }))
}

async function steer(
  context: Context,
  work: (tx: Transaction, id: number) => Promise<void>,
): Promise<number> {
  const id = idFrom(context.args[0])
  const { database } = await openDatabase(context)
  await database.transaction((tx) => work(tx, id))
  return tell(context, database, id)
}

/** A selection until it is started, then its job. */
export async function repairsShow(context: Context): Promise<number> {
  const id = idFrom(context.args[0])
  const { database } = await openDatabase(context)
  return tell(context, database, id)
}

async function tell({ terminal }: Context, database: Database, id: number): Promise<number> {
  const { toldJob, toldSelection } = await desk()
  const story = await storyOf(database, id)
  if (story.startedAt === null) tellSelection(terminal, toldSelection(story, systemClock.now()))
  else tellJob(terminal, toldJob(story, systemClock.now()))
  return EXIT.ok
}

export async function repairsList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { state } = context.options as { state?: JobState }
  const { database } = await openDatabase(context)
  const { toldSummary } = await desk()
  const jobs = (await listRepairs(database, { state, limit })).map((row) =>
    toldSummary(row, systemClock.now()),
  )
  printList(context.terminal, jobs, {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    STATE: ({ state: now }) => now.replaceAll('_', ' '),
    DONE: ({ progress }) => `${progress.done} of ${progress.total}`,
    FAILED: ({ progress }) => String(progress.failed),
    'STARTED BY': ({ startedBy }) => startedBy,
    REASON: ({ reason }) => reason,
  })
  if (jobs.length === 0) context.terminal.note('No job was started.')
  return EXIT.ok
}

export async function repairsItems(context: Context): Promise<number> {
  const id = idFrom(context.args[0])
  const limit = limitOf(context)
  const { state } = context.options as { state?: RepairItem['state'] }
  const { database } = await openDatabase(context)
  const { toldItem } = await desk()
  await storyOf(database, id)
  const items = (await itemsOfRepair(database, id, { state, limit })).map(toldItem)
  printList(context.terminal, items, {
    ITEM: ({ item }) => String(item),
    KEY: ({ key }) => key ?? '–',
    EXPECTED: ({ expected, expectedCause }) => expectedCause?.code ?? expected ?? '–',
    STATE: ({ state: now }) => now,
    OUTCOME: ({ outcome }) => outcome ?? '–',
    CAUSE: ({ cause }) => (cause ? `${cause.code}: ${cause.message}` : '–'),
  })
  if (items.length === 0) context.terminal.note('No such item.')
  return EXIT.ok
}

const headOf = ({ action, count, atStake }: Selection | Job): string => {
  const worth = atStake.map(({ amount, currency }) => `${amount} ${currency}`).join(' + ')
  return `${action} ${count} items${worth === '' ? '' : `, ${worth} at stake`}`
}

const textOf = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value))

function tellSelection(terminal: Terminal, selection: Selection): void {
  const { id, state, count, rehearsal } = selection
  const { wouldChange, wouldDoNothing, wouldBeRejected, callsSent, callsSuppressed } = rehearsal
  terminal.data(selection, () =>
    [
      terminal.paint('bold', `${id}  ${headOf(selection)}`),
      `  ${state}: ${rehearsal.done} of ${count} rehearsed`,
      `  ${wouldChange} would change something, ${wouldDoNothing} would do nothing, ${wouldBeRejected} would be put aside again`,
      `  ${callsSent} calls would be made, ${callsSuppressed} are confirmed already`,
      ...rehearsal.reasons.map(
        ({ expected, code, count: many }) =>
          `  ${many} × ${code}${expected === 'nothing' ? ' (nothing)' : ''}`,
      ),
      ...rehearsal.samples.flatMap(({ item, key, changes, events, calls }) => [
        `  ${item} ${key ?? ''}: ${events.join(', ')}`,
        ...changes.map(({ at, before, after }) => `    ${at}: ${textOf(before)} → ${textOf(after)}`),
        ...calls.map(({ operation, system, fate }) => `    ${operation} at ${system}: ${fate}`),
      ]),
      ...(state === 'ready'
        ? [`  Next: crossdock repairs start ${id} --count ${count} --name NAME --reason TEXT`]
        : []),
    ].join('\n'),
  )
}

const progressOf = ({ progress, underWay }: Job): string => {
  const { done, total, failed, rate, secondsLeft } = progress
  const left = secondsLeft === undefined ? '' : `, ${secondsLeft} s left`
  return `${done} of ${total} items, ${failed} failed, ${underWay} under way, ${rate} a second${left}`
}

function tellJob(terminal: Terminal, job: Job): void {
  const { id, name, reason, startedBy, state, perSecond, outcomes } = job
  terminal.data(job, () =>
    [
      terminal.paint('bold', `${id}  ${name}: ${headOf(job)}`),
      `  ${state.replaceAll('_', ' ')}: ${progressOf(job)}, at most ${perSecond}`,
      `  ${startedBy}: ${reason}`,
      ...outcomes.map(({ outcome, code, count }) => `  ${count} × ${code ?? outcome}`),
      ...(state === 'ended_with_failures'
        ? [`  Next: crossdock repairs items ${id} --state failed; crossdock repairs select --failed-of ${id}`]
        : []),
    ].join('\n'),
  )
}
