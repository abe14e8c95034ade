/** `crossdock parking …`: work that was put aside, as it is seen, corrected and given up. */
import { readFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import { type Context, EXIT, fieldLines, minute, printList, type Terminal, wrongUse } from './cli-context.ts'
import { openDatabase, type Opened } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { limitOf } from './cli-orders.ts'
import type { Database } from './platform/database.ts'
import { effectKey, intentsOf } from './platform/effects.ts'
import { Refusal } from './platform/faults.ts'
import type { Decision, ParkedItem, ParkedKind, ParkedState } from './platform/parking.ts'
import { replayWithin } from './platform/parking-replay.ts'
import { listParked, type ShownItem, showParked } from './platform/parking-views.ts'
import { type PayloadChange, payloadChanges } from './platform/payload-changes.ts'
import { undone } from './platform/rehearsal.ts'

const desk = async () => (await import('./app-parking.ts')).parkingDesk

const SEE = 'See what is parked: crossdock parking list'

export function itemIds({ args }: Context): number[] {
  const wrong = args.find((text) => !/^\d{1,15}$/.test(text))
  if (wrong !== undefined) throw wrongUse(`"${wrong}" is not the id of parked work.`, SEE)
  return args.map(Number)
}

/** Who decides: whoever may run commands on this machine. */
export const decisionOf = ({ options }: Context): Decision => ({
  actor: 'cli',
  reason: String(options['reason']),
})

type Filters = {
  readonly company?: string
  readonly state?: ParkedState
  readonly kind?: ParkedKind
  readonly system?: string
  readonly cause?: string
  readonly document?: string
  readonly poison?: true
}

export async function parkingList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { cause: causeCode, document, ...filters } = context.options as Filters
  const { company, state, kind, system, poison } = filters
  const doc = await documentIn(document)
  const { database } = await openDatabase(context)
  const filter = { company, state, kind, system, poison, causeCode, doc, limit }
  const found = await listParked(database, filter)
  printList(context.terminal, found, {
    ID: ({ id }) => String(id),
    STATE: ({ state: its, poison: again }) => its + (again ? ' again' : ''),
    KIND: (item) => item.kind,
    SYSTEM: (item) => item.system ?? '–',
    KEY: ({ key }) => key,
    ATTEMPTS: ({ attempts }) => String(attempts),
    'LAST FAILED': ({ lastFailedAt }) => minute(lastFailedAt),
    WAITING: ({ waiting }) => (waiting > 0 ? String(waiting) : '–'),
    CAUSE: (item) => item.cause.message,
  })
  if (found.length === 0) context.terminal.note('Nothing of that is parked.')
  return EXIT.ok
}

/** The document that a filter names. */
export async function documentIn(named: string | undefined): Promise<number | undefined> {
  if (named === undefined) return undefined
  const doc = (await desk()).documentNamed(named)
  if (doc === undefined)
    throw wrongUse(`"${named}" is not the number of a document.`, 'For example: O-1000017')
  return doc
}

export async function parkingShow(context: Context): Promise<number> {
  const [id] = itemIds(context)
  const { database } = await openDatabase(context)
  await tell(context.terminal, database, await itemOf(database, id!))
  return EXIT.ok
}

async function itemOf(database: Database, id: number): Promise<ShownItem> {
  const item = await showParked(database, id)
  if (!item) throw new Refusal('parking.not_found', `nothing is parked as ${id}`, { id })
  return item
}

async function tell(terminal: Terminal, database: Database, item: ShownItem): Promise<void> {
  const { causesOfParked, exceptionsOf, numberOf } = await desk()
  const exceptions = await exceptionsOf(database, causesOfParked(item))
  const { state, poison, cause, doc, context, settledBy, settledReason } = item
  const settled = settledBy === null ? '' : `, by ${settledBy}: ${settledReason}`
  const fields = {
    State: `${state}${poison ? ', failed again after a replay' : ''}${settled}`,
    Kind: item.kind,
    System: item.system ?? '–',
    Company: item.company ?? '–',
    Step: item.step ?? '–',
    Document: doc === null ? '–' : numberOf(kindOf(context), doc),
    Cause: `${cause.code}: ${cause.message}`,
    Failed: `${item.attempts} times, ${minute(item.firstFailedAt)} to ${minute(item.lastFailedAt)}`,
    Context: JSON.stringify(context),
  }
  terminal.data({ ...item, exceptions }, () =>
    [
      terminal.paint('bold', `${item.id}  ${item.key}`),
      ...fieldLines(fields),
      ...exceptions.map(({ id, owner, title }) => `  exception ${id} (${owner}): ${title}`),
      ...item.waiting.map(
        ({ messageId, sequence }) => `  message ${messageId} (${sequence}) waits behind it`,
      ),
      ...item.edits.flatMap(({ editedAt, editor, reason, changes }) => [
        `  ${minute(editedAt)}  ${editor} edited it: ${reason}`,
        ...diffLines(terminal, changes),
      ]),
      ...(item.payload === null ? [] : ['', item.payload]),
    ].join('\n'),
  )
}

const kindOf = ({ kind }: ParkedItem['context']): string => (typeof kind === 'string' ? kind : '')

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const diffLines = ({ paint }: Terminal, changes: readonly PayloadChange[]): string[] =>
  changes.flatMap((change) => [
    `  ${change.at}`,
    ...('before' in change ? [paint('red', `    - ${shown(change.before)}`)] : []),
    ...('after' in change ? [paint('green', `    + ${shown(change.after)}`)] : []),
  ])

/** Prints what the edit changes, field by field; a door reads it first. */
export async function parkingEdit(context: Context): Promise<number> {
  const [id] = itemIds(context)
  const { file, dryRun = false } = context.options as { file: string; dryRun?: boolean }
  const payload = await contentOf(file)
  const opened = await openDatabase(context)
  const item = await itemOf(opened.database, id!)
  const reading = await (await openDoors(context, opened)).readAs(item, payload)
  const { correctPayload } = await desk()
  const changes = item.payload === null ? [] : payloadChanges(item.payload, payload)
  const edit = { id: item.id, payload, reading }
  const isRefused = dryRun && reading?.unreadable !== undefined
  if (!isRefused) await doOrSee(context, opened, (tx) => correctPayload(tx, edit, decisionOf(context)))
  const problem = reading?.unreadable?.message
  const door = reading && { by: reading.by, readable: problem === undefined, problem }
  const says = !door ? 'no door here can say whether it is readable' : readableSays(door.by, problem)
  context.terminal.data({ id: item.id, dryRun, changes, reading: door }, () =>
    [`${item.id}: ${says}`, ...diffLines(context.terminal, changes)].join('\n'),
  )
  return isRefused ? EXIT.checksFailed : EXIT.ok
}

const readableSays = (by: string, problem: string | undefined): string =>
  problem === undefined ? `the door of ${by} can read it` : `the door of ${by} cannot read it: ${problem}`

async function contentOf(file: string): Promise<string> {
  if (file === '-') return textOf(process.stdin)
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw wrongUse(
      `${file} cannot be read (${error.code ?? error.message}).`,
      'Name a file, or - for standard input.',
    )
  })
}

type Work<T> = Parameters<typeof undone<T>>[1]

/** Does it, or with `--dry-run` only sees whether it could be done. */
export function doOrSee<T>({ options }: Context, { database }: Opened, work: Work<T>): Promise<T> {
  return options['dryRun'] === true ? undone(database, work) : database.transaction(work)
}

/** Every id is answered by itself: one that cannot be given up does not keep the others. */
export async function parkingDiscard(context: Context): Promise<number> {
  const ids = itemIds(context)
  const opened = await openDatabase(context)
  const { giveUp } = await desk()
  const answers = await doOrSee(context, opened, (tx) => giveUp(tx, ids, decisionOf(context)))
  const dryRun = context.options['dryRun'] === true
  return tellEach(
    context,
    [...answers].map(([id, answer]) =>
      answer instanceof Refusal
        ? refusedAs(id, answer)
        : { id, outcome: 'discarded', dryRun, isWell: true, said: dryRun ? 'would be given up' : 'given up' },
    ),
  )
}

export type Told = {
  readonly id: number
  readonly outcome: string
  readonly isWell: boolean
  readonly said: string
}

export const refusedAs = (
  id: number,
  { code, message }: Refusal,
): Told & { code: string; message: string } => ({
  id,
  outcome: 'refused',
  code,
  message,
  isWell: false,
  said: message,
})

/** A line for each; the exit code says whether all, some or none went well. */
export function tellEach({ terminal }: Context, told: readonly Told[]): number {
  for (const { isWell: _, said, ...facts } of told) terminal.data(facts, () => `${facts.id}: ${said}`)
  const well = told.filter(({ isWell }) => isWell).length
  if (well === told.length) return EXIT.ok
  return well === 0 ? EXIT.failed : EXIT.partial
}

/** What a replay would begin with. What would change in the end is rehearsed by `crossdock repairs select`. */
export async function wouldReplay(context: Context): Promise<number> {
  const ids = itemIds(context)
  const opened = await openDatabase(context)
  const seen = await undone(opened.database, async (tx) => {
    const answers = await replayWithin(tx, ids, decisionOf(context))
    const docs = [...answers.values()].flatMap((item) => (item instanceof Refusal ? [] : (item.doc ?? [])))
    return { answers, calls: new Map((await intentsOf(tx, docs)).map((one) => [effectKey(one), one.state])) }
  })
  const items = [...seen.answers]
  const hasMessage = items.some(([, item]) => !(item instanceof Refusal) && item.kind === 'message')
  const doors = hasMessage ? await openDoors(context, opened) : undefined
  const told = items.map(async ([id, item]): Promise<Told> => {
    if (item instanceof Refusal) return refusedAs(id, item)
    if (item.kind === 'document') return would(id, 'worked on', 'would be worked on')
    if (item.kind === 'effect') return callWould(id, seen.calls.get(item.key))
    return messageWould(item, await doors?.readAs(item, item.payload ?? ''))
  })
  context.terminal.note(`What would change, field by field: crossdock repairs select ${ids.join(' ')}`)
  return tellEach(context, await Promise.all(told))
}

const would = (id: number, outcome: string, said: string): Told => ({ id, outcome, isWell: true, said })

function callWould(id: number, state: string | undefined): Told {
  if (state === 'retry') return would(id, 'sent', 'would be sent: it surely did nothing')
  if (state === undefined) return would(id, 'nothing', 'is settled already')
  return would(id, 'looked up', 'would be looked up first, or sent again under its key, as its system allows')
}

type Reading = Awaited<ReturnType<Awaited<ReturnType<typeof openDoors>>['readAs']>>

function messageWould({ id }: ParkedItem, reading: Reading): Told {
  if (!reading) return would(id, 'taken in', 'would be taken in, or its stream go on without it')
  const problem = reading.unreadable?.message
  const said = readableSays(reading.by, problem)
  return problem === undefined ? would(id, 'taken in', said) : { id, outcome: 'parked', isWell: false, said }
}
