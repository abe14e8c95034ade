/** What people decide on steps that are stuck: kept with its reason, and with what the system itself said of it later. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import { type StepRow, writeStepRows } from './desk.ts'
import { effectKey, type Intent } from './effects.ts'
import { closeExceptions, openExceptionsOf } from './exceptions.ts'
import type { Decision } from './parking.ts'
import { settleCalls } from './parking-replay.ts'

export type OverrideAct = 'complete' | 'skip' | 'restart' | 'cancel'

/** What was entered or answered, by name: compared as text. */
export type Told = Readonly<Record<string, string>>

export type OverrideRow = {
  readonly doc: number
  readonly step: string
  readonly subject: string
  readonly act: OverrideAct
  /** What the step was stuck by, in words. */
  readonly state: string
  /** Its call may have been done when the decision was made. */
  readonly inDoubt: boolean
  readonly reference: string | null
  readonly entered: Told
}

export type WrittenOverride = OverrideRow & {
  readonly id: number
  readonly actor: string
  readonly reason: string
  readonly at: Date
  readonly supersededAt: Date | null
  readonly told: Told | null
}

const insert = sql(
  'overrides.insert',
  `insert into desk.override (doc, step, subject, act, state, in_doubt, reference, entered, actor, reason)
   select doc, step, subject, act, state, in_doubt, reference, entered, $9, $10
   from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::jsonb[])
     as o(doc, step, subject, act, state, in_doubt, reference, entered)`,
)

export function writeOverrides(
  tx: Transaction,
  rows: readonly OverrideRow[],
  { actor, reason }: { readonly actor: string; readonly reason: string },
): void {
  if (rows.length === 0) return
  tx.send(insert, [
    rows.map((row) => row.doc),
    rows.map((row) => row.step),
    rows.map((row) => row.subject),
    rows.map((row) => row.act),
    rows.map((row) => row.state),
    rows.map((row) => row.inDoubt),
    rows.map((row) => row.reference),
    rows.map((row) => JSON.stringify(row.entered)),
    actor,
    reason,
  ])
}

const ofDocuments = sql(
  'overrides.of_documents',
  `select id, doc, step, subject, act, state, in_doubt as "inDoubt", reference, entered, actor, reason, at,
     superseded_at as "supersededAt", told
   from desk.override where doc = any($1::bigint[]) order by id`,
)

/** What was decided on these documents, oldest first. */
export const overridesOf = async (queries: Queries, docs: readonly number[]): Promise<WrittenOverride[]> =>
  docs.length === 0 ? [] : queries.query<WrittenOverride>(ofDocuments, [docs])

const supersede = sql(
  'overrides.supersede',
  `update desk.override o set superseded_at = now(), told = s.told
   from unnest($1::bigint[], $2::jsonb[]) as s(id, told) where o.id = s.id`,
)

/** The system has spoken for itself: what it said stands from now on. */
export function supersedeOverrides(
  tx: Transaction,
  rows: readonly { readonly id: number; readonly told: Told }[],
): void {
  if (rows.length === 0) return
  tx.send(supersede, [rows.map((row) => row.id), rows.map((row) => JSON.stringify(row.told))])
}

const STATE_OF: Readonly<Partial<Record<OverrideAct, StepRow['state']>>> = {
  complete: 'done',
  skip: 'skipped',
  restart: 'waiting',
}

export type Decided = {
  readonly doc: number
  readonly step: string
  readonly subject: string
  readonly act: OverrideAct
  readonly generation: number
}

/** The rows that steps are decided from. */
export function decideSteps(
  tx: Transaction,
  decided: readonly Decided[],
  { actor, reason }: { readonly actor: string; readonly reason: string },
): void {
  const rows = decided.flatMap(({ act, ...row }) => {
    const state = STATE_OF[act]
    return state === undefined ? [] : [{ ...row, state, actor, reason }]
  })
  writeStepRows(tx, rows)
}

const withdraw = sql(
  'overrides.withdraw_parked',
  `delete from effects.intent where doc = any($1::bigint[]) and state = 'parked'
     and doc || '/' || step || '/' || subject || '/' || generation = any($2::text[])`,
)

/** Nobody waits for these any more; what is not parked is withdrawn by who works on the document. */
export function withdrawParked(tx: Transaction, intents: readonly Intent[]): void {
  if (intents.length === 0) return
  tx.send(withdraw, [intents.map(({ doc }) => doc), intents.map(effectKey)])
}

/** What made people look at these calls is over: the parked work with its exceptions, and those of refusals. */
export async function endTrouble(
  tx: Transaction,
  stuck: readonly {
    readonly doc: number
    readonly parked: readonly Intent[]
    /** Of the exception that a refusal opened. */
    readonly code?: string | undefined
  }[],
  decision: Decision,
): Promise<void> {
  await settleCalls(
    tx,
    stuck.flatMap(({ parked }) => parked),
    decision,
  )
  const refused = stuck.filter(({ code }) => code !== undefined)
  if (refused.length === 0) return
  const open = await openExceptionsOf(
    tx,
    refused.map(({ doc }) => doc),
  )
  const gone = refused.flatMap(({ doc, code }) =>
    (open.get(doc) ?? [])
      .filter((exception) => exception.code === code)
      .map(({ company, cause }) => ({ company, cause, doc })),
  )
  await closeExceptions(tx, gone, `${decision.actor} decided on it: ${decision.reason}`)
}
