/** Effects: calls to other systems, written down before they are made. The statements, and what follows an outcome. */
import type { LookUpOutcome, Recovery } from './connector.ts'
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

export type IntentKey = {
  readonly doc: number
  readonly step: string
  readonly subject: string
  readonly generation: number
}

/** `resolved`: a person has said what became of it, and no process has taken that yet. */
export type IntentState = 'intended' | 'retry' | 'unknown' | 'parked' | 'resolved'

export type Intent = IntentKey & {
  readonly system: string
  readonly operation: string
  readonly businessKey: string
  readonly state: IntentState
  readonly attempts: number
  readonly dueAt: Date | null
  /** Before this moment an effect in doubt may still show up at the target. */
  readonly absentAfter: Date | null
  /** Of what is `resolved`. */
  readonly resolution?: Resolution | undefined
  /** In memory: it was not tried, and its lane calls the document back. */
  readonly held?: boolean | undefined
}

/** An outcome as a person found it out, in place of the system's own answer. */
export type Resolution = {
  readonly verdict: Exclude<Verdict, { kind: 'deferred' }>
  readonly actor: string
  readonly traceId?: string | undefined
}

/** The key that the target sees, the same at every attempt. */
export const effectKey = (intent: IntentKey): string =>
  `${intent.doc}/${intent.step}/${intent.subject}/${intent.generation}`

/** The parts of a key; a subject may hold slashes. */
export function parseEffectKey(key: string): IntentKey | undefined {
  const [, doc, step, subject, generation] = /^(\d{1,15})\/([^/]+)\/(.*)\/(\d{1,4})$/.exec(key) ?? []
  if (doc === undefined) return undefined
  return { doc: Number(doc), step: step!, subject: subject!, generation: Number(generation) }
}

/** Which try a key is of: above 1, what came before was refused. */
export const generationOf = (key: string): number => Number(key.slice(key.lastIndexOf('/') + 1))

const intend = sql(
  'effects.intend',
  `insert into effects.intent (doc, step, subject, generation, system, operation, business_key)
   select doc, step, subject, generation, system, operation, business_key
   from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[])
     as i(doc, step, subject, generation, system, operation, business_key)`,
)

/** Writes intents; a key that exists already fails the transaction, since its call may be under way. */
export function intendEffects(
  tx: Transaction,
  intents: readonly (IntentKey & { system: string; operation: string; businessKey: string })[],
): void {
  if (intents.length === 0) return
  tx.send(intend, [
    intents.map((intent) => intent.doc),
    intents.map((intent) => intent.step),
    intents.map((intent) => intent.subject),
    intents.map((intent) => intent.generation),
    intents.map((intent) => intent.system),
    intents.map((intent) => intent.operation),
    intents.map((intent) => intent.businessKey),
  ])
}

const settle = sql(
  'effects.settle',
  `delete from effects.intent where doc = any($1::bigint[])
     and doc || '/' || step || '/' || subject || '/' || generation = any($2::text[])`,
)

/** Removes intents whose outcome is known; what became of them is an event of their document. */
export function settleEffects(tx: Transaction, intents: readonly IntentKey[]): void {
  if (intents.length === 0) return
  tx.send(settle, [intents.map((intent) => intent.doc), intents.map(effectKey)])
}

const defer = sql(
  'effects.defer',
  `update effects.intent i set state = n.state, attempts = n.attempts, due_at = n.due_at, absent_after = n.absent_after,
     detail = n.detail
   from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::smallint[], $7::timestamptz[],
     $8::timestamptz[], $9::text[]) as n(doc, step, subject, generation, state, attempts, due_at, absent_after, detail)
   where i.doc = any($1::bigint[]) and i.doc = n.doc and i.step = n.step and i.subject = n.subject and i.generation = n.generation`,
)

export type Deferred = IntentKey & {
  readonly state: IntentState
  readonly attempts: number
  readonly dueAt: Date | null
  readonly absentAfter: Date | null
  readonly detail: string
}

/** Writes down what is known of effects that are not settled yet. */
export function deferEffects(tx: Transaction, deferred: readonly Deferred[]): void {
  if (deferred.length === 0) return
  tx.send(defer, [
    deferred.map((row) => row.doc),
    deferred.map((row) => row.step),
    deferred.map((row) => row.subject),
    deferred.map((row) => row.generation),
    deferred.map((row) => row.state),
    deferred.map((row) => row.attempts),
    deferred.map((row) => row.dueAt),
    deferred.map((row) => row.absentAfter),
    deferred.map((row) => row.detail),
  ])
}

const revive = (held: '' | 'skip locked'): string =>
  `update effects.intent i set due_at = null, attempts = 0,
     state = case when i.state <> 'parked' then i.state when i.absent_after is null then 'retry' else 'unknown' end
   where doc = any($1::bigint[]) and (i.doc, i.step, i.subject, i.generation) in (
     select doc, step, subject, generation from effects.intent
     where doc = any($1::bigint[]) and state in ('retry', 'unknown', 'parked')
       and doc || '/' || step || '/' || subject || '/' || generation = any($2::text[])
     for update ${held})`
const reviveAll = sql('effects.revive', revive(''))
const reviveFree = sql('effects.revive_free', revive('skip locked'))

/**
 * Makes calls due now, with their attempts counted anew, as a person wishes: one that was parked in doubt is looked up
 * before anything is sent, one that surely did nothing is sent. `free` leaves out a call whose outcome somebody writes
 * at this moment.
 */
export function reviveEffects(
  tx: Transaction,
  calls: readonly IntentKey[],
  which: 'all' | 'free' = 'all',
): void {
  if (calls.length === 0) return
  tx.send(which === 'free' ? reviveFree : reviveAll, [calls.map(({ doc }) => doc), calls.map(effectKey)])
}

const ofDocuments = sql(
  'effects.of_documents',
  `select doc, step, subject, generation, system, operation, business_key as "businessKey", state, attempts,
     due_at as "dueAt", absent_after as "absentAfter", case when state = 'resolved' then resolution end as resolution
   from effects.intent where doc = any($1::bigint[]) order by doc, step, subject, generation`,
)

export async function intentsOf(queries: Queries, docs: readonly number[]): Promise<Intent[]> {
  const rows = await queries.query<Intent & { readonly resolution: WrittenResolution | null }>(ofDocuments, [
    docs,
  ])
  return rows.map(({ resolution, ...intent }) =>
    resolution ? { ...intent, resolution: readResolution(resolution) } : intent,
  )
}

/** As JSON, which has no instants: which members of the answer are some is kept beside it. */
type WrittenResolution = Resolution & { readonly instants: readonly string[] }

export function writeResolution(resolution: Resolution): string {
  const { verdict } = resolution
  const answer = verdict.kind === 'confirmed' ? (verdict.answer as object) : {}
  const instants = Object.entries(answer).flatMap(([name, value]) => (value instanceof Date ? [name] : []))
  return JSON.stringify({ ...resolution, instants } satisfies WrittenResolution)
}

function readResolution({ instants, ...resolution }: WrittenResolution): Resolution {
  const { verdict } = resolution
  if (verdict.kind === 'refused') return resolution
  const answer = Object.entries(verdict.answer as object).map(([name, value]) => [
    name,
    instants.includes(name) ? new Date(String(value)) : (value as unknown),
  ])
  return { ...resolution, verdict: { kind: 'confirmed', answer: Object.fromEntries(answer) as unknown } }
}

/** How an effect is asked for next. */
export type Attempt = 'send' | 'look up'

/**
 * What may be done with an intent that this process did not just write. One found as `intended` belonged to a process
 * that is gone: its call may have been sent.
 */
export function nextAttempt(state: IntentState, recovery: Recovery): Attempt | 'park' {
  if (state === 'retry') return 'send'
  if (recovery === 'key') return 'send'
  return recovery === 'lookup' ? 'look up' : 'park'
}

export type Verdict =
  | { readonly kind: 'confirmed'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'deferred'
      readonly state: IntentState
      readonly reason: string
      /** Nothing before this moment; `null` when a person must decide. */
      readonly at: Date | null
      readonly absentAfter: Date | null
      readonly counts: boolean
      /** It was not tried, and its lane calls the document back. */
      readonly held?: boolean
    }

/** It was not done, and only a person may have it tried again. */
export const isNo = (verdict: Verdict): boolean =>
  verdict.kind === 'refused' || (verdict.kind === 'deferred' && verdict.state === 'parked')

export const reasonOf = (verdict: Verdict): { code: string; message: string } =>
  verdict.kind === 'refused' ? verdict : { code: '', message: '' }

export type Situation = {
  /** It may have been done before this attempt. */
  readonly inDoubt: boolean
  readonly outcome: LookUpOutcome
  readonly recovery: Recovery
  readonly attempts: number
  readonly attemptsMax: number
  readonly absentAfter: Date | null
  readonly now: Date
  /** When the target was asked; what reached it later its answer does not know, however late it is read. */
  readonly askedAt: Date
  /** When the policy allows the next try. */
  readonly retryAt: Date
  /** How long after a call in doubt the target may still show its effect: call timeout + visibility lag. */
  readonly doubtMs: number
}

/** From what a call or a look-up brought, what is now known and what comes next. Pure. */
export function judge(situation: Situation): Verdict {
  const { outcome } = situation
  if (outcome.kind === 'confirmed') return outcome
  if (outcome.kind === 'refused') return outcome
  if (outcome.kind === 'absent') return judgeAbsence(situation)
  const exhausted = situation.attempts + 1 >= situation.attemptsMax
  // That this attempt did nothing says nothing of the one before.
  const doubtful = outcome.kind === 'unknown' || situation.inDoubt
  const parks = exhausted || (doubtful && situation.recovery === 'neither')
  return {
    kind: 'deferred',
    state: parks ? 'parked' : doubtful ? 'unknown' : 'retry',
    reason: outcome.reason,
    at: parks ? null : later(situation.retryAt, outcome.kind === 'retry' ? outcome.at : undefined),
    absentAfter: doubtful ? (situation.absentAfter ?? plus(situation.now, situation.doubtMs)) : null,
    counts: true,
  }
}

/** Not found counts as absent only after the target had time to show it; then it is sent again under the same key. */
function judgeAbsence(situation: Situation): Verdict {
  const { absentAfter, askedAt, now } = situation
  const surely = absentAfter !== null && askedAt >= absentAfter
  return {
    kind: 'deferred',
    state: surely ? 'retry' : 'unknown',
    reason: surely ? 'not found at the target' : 'not found at the target yet',
    at: surely ? now : (absentAfter ?? plus(now, situation.doubtMs)),
    absentAfter: surely ? null : (absentAfter ?? plus(now, situation.doubtMs)),
    counts: false,
  }
}

const plus = (at: Date, ms: number): Date => new Date(at.getTime() + ms)
const later = (a: Date, b: Date | undefined): Date => (b && b > a ? b : a)
