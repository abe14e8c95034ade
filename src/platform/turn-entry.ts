/** A document inside one transaction: its facts, what is open of it, and which steps are due; pure. */
import { operationKey } from './connector.ts'
import { effectKey, type Intent } from './effects.ts'
import { FORGOTTEN_MS } from './effects-held.ts'
import type { DeskRow, StepRow } from './desk.ts'
import {
  type AnyCall,
  type Begun,
  type DocumentFacts,
  type NamedStep,
  type Process,
  subjectsOf,
  type Work,
} from './process.ts'

/** A document that this process owns, as memory holds it between transactions. */
export type Active = DeskPlace & {
  readonly process: Process
  /** Tells this time of owning the document from an earlier or later one. */
  readonly stint: object
  /** How often it failed since it last came to rest. */
  readonly failures: number
  /** Undefined until looked at, and again once somebody else has changed the document. */
  facts: DocumentFacts | undefined
  /** The desk version at which the facts were read; sleep and finish are guarded by it. */
  readonly seen: number
  /** Unsettled effects, by key; nothing else knows which of them wait while another one is answered. */
  readonly intents: ReadonlyMap<string, Intent>
  /** Those of them that a lane of this process is working on. */
  readonly inFlight: ReadonlySet<string>
  readonly steps: ReadonlyMap<string, StepRow>
}

type DeskPlace = Omit<DeskRow, 'process'>

export type Entry = { -readonly [Key in keyof Active]: Active[Key] } & {
  readonly isNew: boolean
  /** The document's row is locked by this transaction and the facts are as of now. */
  current: boolean
  intents: Map<string, Intent>
  steps: Map<string, StepRow>
  /** When it goes to sleep until. */
  until: Date | undefined
}

const unknown = { failures: 0, facts: undefined, inFlight: new Set<string>() }
const nothing = () => ({ intents: new Map<string, Intent>(), steps: new Map<string, StepRow>() })

/** A document of which nothing is known but its row on the desk. */
export function newActive({ process: _, ...row }: DeskRow, process: Process, seen: number): Active {
  return { ...row, ...unknown, ...nothing(), process, stint: {}, seen }
}

/** A document that begins in this transaction. */
export function beginEntry({ process, facts, priority = 2, share = 0 }: Begun): Entry {
  const row = { doc: facts.doc, company: facts.company, priority, share }
  const fresh = { isNew: true, current: true, until: undefined }
  return { ...row, ...unknown, ...nothing(), ...fresh, process, facts, stint: {}, seen: 1 }
}

export const enterEntry = (active: Active): Entry => ({
  ...active,
  intents: new Map(active.intents),
  steps: new Map(active.steps),
  isNew: false,
  current: false,
  until: undefined,
})

export const activeOf = ({ isNew: _, current: __, until: ___, ...active }: Entry): Active => active

export const rowOf = ({ doc, process, company, priority, share }: Active): DeskRow => ({
  doc,
  process: process.name,
  company,
  priority,
  share,
})

export const stepKey = (step: string, subject: string): string => `${step}/${subject}`

export const isUndo = (step: { readonly name: string }): boolean => step.name.endsWith(':undo')

/**
 * Forward in table order; while something is taken back, only the latest undo that still has to be done. A refused
 * undo ends the chain: what came before it stays true.
 */
function openSteps({ process, facts, intents, steps }: Entry): readonly NamedStep<DocumentFacts>[] {
  if (!process.undoing?.(facts!)) return process.steps
  if ([...intents.values()].some((intent) => !intent.step.endsWith(':undo'))) return []
  const refused = process.undoSteps.findIndex((step) =>
    subjectsOf(step, facts!).some((subject) => steps.get(stepKey(step.name, subject))?.state === 'refused'),
  )
  return refused < 0 ? process.undoSteps : process.undoSteps.slice(0, refused + 1)
}

function openSubjects(entry: Entry, step: NamedStep<DocumentFacts>): string[] {
  return subjectsOf(step, entry.facts!).filter((subject) => {
    const row = entry.steps.get(stepKey(step.name, subject))
    return !row || row.state === 'waiting'
  })
}

export type ReadyStep = { readonly step: NamedStep<DocumentFacts>; readonly work: Work<DocumentFacts> }

/** The first step that the house can do by itself now. */
export function firstReady(entry: Entry): ReadyStep | undefined {
  for (const step of openSteps(entry)) {
    const subjects = openSubjects(entry, step)
    if (subjects.length === 0) continue
    if ('do' in step) return { step, work: { facts: entry.facts!, subjects } }
    if (isUndo(step)) return undefined
  }
  return undefined
}

export type OfferedCall = {
  readonly step: string
  readonly call: AnyCall<DocumentFacts>
  readonly subject: string
  /** Raised when a person asked for another try of what was refused. */
  readonly generation: number
}

/** The calls that facts ask for and that no intent stands for yet. */
export function offeredCalls(entry: Entry): OfferedCall[] {
  const offered: OfferedCall[] = []
  for (const step of openSteps(entry)) {
    const subjects = openSubjects(entry, step)
    if ('call' in step) offered.push(...subjects.flatMap((subject) => offerOf(entry, step, subject)))
    if (subjects.length > 0 && isUndo(step)) break
  }
  return offered
}

type CallStep = { readonly name: string; readonly call: AnyCall<DocumentFacts> }

function offerOf(entry: Entry, { name: step, call }: CallStep, subject: string): OfferedCall[] {
  const generation = entry.steps.get(stepKey(step, subject))?.generation ?? 1
  const key = effectKey({ doc: entry.doc, step, subject, generation })
  return entry.intents.has(key) || entry.inFlight.has(key) ? [] : [{ step, call, subject, generation }]
}

/** Intents that may be tried now and that no lane is working on. */
export function dueIntents(entry: Entry, now: Date): Intent[] {
  return [...entry.intents].flatMap(([key, intent]) => {
    const { state, dueAt } = intent
    const isDecided = state === 'parked' || state === 'resolved'
    return entry.inFlight.has(key) || isDecided || (dueAt !== null && dueAt > now) ? [] : [intent]
  })
}

/** What people found out about calls of a document, as a lane would bring it. */
export function resolvedOf({ doc, intents }: Entry) {
  return [...intents.values()].flatMap((intent) => {
    if (!intent.resolution) return []
    const { verdict, ...by } = intent.resolution
    return [{ doc, intent, verdict, by }]
  })
}

/** A document that nobody wakes is looked at again after this time. */
const PATROL_MS = 14 * 24 * 3_600_000

/** The earliest of: its own timer, an effect's next try unless a lane calls it, the patrol; at once to take what a person said. */
export function wakeAt(entry: Entry, now: Date): Date {
  const times = [new Date(now.getTime() + PATROL_MS)]
  const own = entry.facts && entry.process.wakeAt?.(entry.facts)
  if (own) times.push(own)
  for (const { dueAt, resolution, held } of entry.intents.values()) {
    if (resolution) return now
    if (dueAt) times.push(held ? new Date(dueAt.getTime() + FORGOTTEN_MS) : dueAt)
  }
  return times.reduce((earliest, time) => (time < earliest ? time : earliest))
}

/** Nothing is under way and nothing will ever be due again by itself. */
export function isFinished(entry: Entry): boolean {
  const { current, intents, steps, facts } = entry
  const skipped = (step: string): boolean => steps.get(stepKey(step, ''))?.state === 'skipped'
  return current && intents.size === 0 && entry.process.finished(facts!, skipped)
}

/** What an offered call becomes, on its way to `system`. */
export function intentOf(
  entry: Entry,
  { step, call, subject, generation }: OfferedCall,
  system: string,
): Intent {
  return {
    doc: entry.doc,
    step,
    subject,
    generation,
    system,
    operation: operationKey(call.operation),
    businessKey: call.businessKey(entry.facts!, subject),
    // in memory: surely not sent yet; the row says `intended`, which is all that a successor can know
    state: 'retry',
    attempts: 0,
    dueAt: null,
    absentAfter: null,
  }
}

export function findCall(process: Process, name: string): AnyCall<DocumentFacts> {
  const step = [...process.steps, ...process.undoSteps].find((candidate) => candidate.name === name)
  if (!step || !('call' in step)) throw new Error(`${process.name} has no call named ${name}`)
  return step.call
}
