/** `crossdock effects …`: calls to other systems that are not answered, and what a person says of them. */
import { type Context, EXIT, fieldLines, minute, printList, type Terminal, wrongUse } from './cli-context.ts'
import { openDatabase, type Opened } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { decisionOf, documentIn, doOrSee } from './cli-parking.ts'
import type { Queries, Transaction } from './platform/database.ts'
import type { IntentState } from './platform/effects.ts'
import { resolveCall, retryCall } from './platform/effects-repair.ts'
import { type CallView, listCalls, showCall, type ShownCall } from './platform/effects-views.ts'
import { Refusal } from './platform/faults.ts'
import { type PayloadChange, payloadChanges } from './platform/payload-changes.ts'

const desk = async () => (await import('./app-parking.ts')).parkingDesk

type Filters = {
  readonly state?: IntentState
  readonly system?: string
  readonly operation?: string
  readonly company?: string
  readonly document?: string
}

export async function effectsList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { document, state, system, operation, company } = context.options as Filters
  const doc = await documentIn(document)
  const { numberOfProcess } = await desk()
  const { database } = await openDatabase(context)
  const found = await listCalls(database, { state, system, operation, company, doc, limit })
  printList(context.terminal, found, {
    KEY: ({ key }) => key,
    DOCUMENT: ({ process, doc: its }) => numberOfProcess(process ?? '', its),
    SYSTEM: (call) => call.system,
    OPERATION: (call) => call.operation,
    STATE: stateOf,
    ATTEMPTS: ({ attempts }) => String(attempts),
    SINCE: ({ intendedAt }) => minute(intendedAt),
    DUE: ({ dueAt }) => (dueAt === null ? '–' : minute(dueAt)),
    'LAST TRY': ({ detail }) => detail ?? '–',
  })
  if (found.length === 0) context.terminal.note('No such call is open.')
  return EXIT.ok
}

const stateOf = ({ state, underWay }: CallView): string => (underWay ? `${state}, under way` : state)

export async function effectsShow(context: Context): Promise<number> {
  const { database } = await openDatabase(context)
  await tell(context.terminal, await callOf(database, keyIn(context)))
  return EXIT.ok
}

const keyIn = ({ args }: Context): string => args[0] ?? ''

async function callOf(queries: Queries, key: string): Promise<ShownCall> {
  const call = await showCall(queries, key)
  if (!call) throw new Refusal('effects.not_found', `no call is open under ${key}`, { key })
  return call
}

async function tell(
  terminal: Terminal,
  call: ShownCall,
  done?: { readonly dryRun: boolean; readonly changes: readonly PayloadChange[] },
): Promise<void> {
  const { numberOfProcess } = await desk()
  const fields = {
    State: stateOf(call),
    Document: numberOfProcess(call.process ?? '', call.doc),
    System: call.system,
    Operation: call.operation,
    'Search for': call.businessKey,
    Attempts: String(call.attempts),
    Since: minute(call.intendedAt),
    Due: call.dueAt === null ? '–' : minute(call.dueAt),
    'May show until': call.absentAfter === null ? '–' : minute(call.absentAfter),
    'Last try': call.detail ?? '–',
    Parked: call.parked === null ? '–' : String(call.parked),
  }
  const title = done?.dryRun ? `${call.key}  (dry run: nothing was done)` : call.key
  terminal.data({ ...call, ...done }, () => [terminal.paint('bold', title), ...fieldLines(fields)].join('\n'))
}

type Outcome = 'confirmed' | 'refused' | 'absent'

export async function effectsResolve(context: Context): Promise<number> {
  const {
    outcome,
    reference,
    fact = [],
  } = context.options as {
    outcome: Outcome
    reference?: string
    fact?: readonly string[]
  }
  const facts = Object.fromEntries(fact.map(factIn))
  const { findingOf } = await desk()
  const said = decisionOf(context)
  return act(context, (tx, key) =>
    resolveCall(
      tx,
      key,
      ({ operation }) => findingOf(operation, { outcome, reference, facts }, said.reason),
      said,
    ),
  )
}

/** `netMinor=10000`: whole numbers are numbers. */
function factIn(text: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.+)$/s.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw wrongUse(`"${text}" is no fact.`, 'For example: --fact netMinor=10000')
  return [name, /^\d{1,15}$/.test(value) ? Number(value) : value]
}

export const effectsRetry = (context: Context): Promise<number> =>
  act(context, (tx, key) => retryCall(tx, key, decisionOf(context)))

async function act(context: Context, work: (tx: Transaction, key: string) => Promise<void>): Promise<number> {
  const key = keyIn(context)
  const opened: Opened = await openDatabase(context)
  const { after, changes } = await doOrSee(context, opened, async (tx) => {
    const before = await callOf(tx, key)
    await work(tx, key)
    const now = await callOf(tx, key)
    return { after: now, changes: payloadChanges(JSON.stringify(before), JSON.stringify(now)) }
  })
  await tell(context.terminal, after, { dryRun: context.options['dryRun'] === true, changes })
  return EXIT.ok
}
