/** What systems refused for good: an exception until a person has it tried again and it goes through. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { restartSteps, wakeDocuments } from '#platform/desk.ts'
import { generationOf } from '#platform/effects.ts'
import { closeExceptions, openExceptionsOf } from '#platform/exceptions.ts'
import { codeNow, type RefusedDocument, refusedDocuments } from '#platform/exceptions-views.ts'
import { commentExceptions, type Remark } from '#platform/exceptions-work.ts'
import { Refusal, type RefusalCode } from '#platform/faults.ts'

export const retryRefusals = {
  'exceptions.nothing_refused': {
    status: 409,
    title: 'Nothing of it was refused',
    cause: 'None of its documents has a step that a system refused and that nothing else holds back.',
    fix: 'Do what it suggests: a hold is released, parked work is replayed.',
  },
} as const satisfies Record<string, RefusalCode>

/** The process that works on each kind of document. */
const PROCESSES: Readonly<Record<string, string>> = {
  order: 'order-to-cash',
  fulfillment: 'fulfillment',
  shipment: 'shipment',
  invoice: 'invoice',
  payment: 'payment',
}
const PRIORITY = 1
const FIRST_TRY = 1

/** One reason of one system for one kind of step: what is refused for the same reason elsewhere is another exception. */
export const refusalCause = (
  code: string,
  refusal: { readonly system: string; readonly code: string },
): string => `${code}:${refusal.system}:${refusal.code}`

/** How far a retry has come: it is done in portions, each a transaction of its own. */
export type Retry = {
  /** Documents that are tried again by this portion. */
  readonly done: number
  /** Those whose turn comes with the next. */
  readonly remaining: number
  /** Hands the retry on to its next portion: what is refused anew meanwhile is no part of it. */
  readonly asOf: Date
}

const PORTION = 500

/**
 * Has the refused steps of an exception's documents tried again, under new keys: a portion of them, the first where
 * `asOf` is left out. Their processes find it on the desk; what is refused again joins the exception again, what goes
 * through leaves it. A portion that is repeated does nothing twice. A refusal has to end the transaction.
 */
export async function tryAgain(
  tx: Transaction,
  id: number,
  remark: Remark,
  asOf?: Date,
): Promise<Retry | Refusal> {
  const words = remark.text?.trim() ? `had it tried again: ${remark.text}` : undefined
  if (asOf === undefined || words === undefined) {
    const refusal = (await commentExceptions(tx, [id], { ...remark, text: words })).get(id)
    if (refusal) return refusal
  }
  const exception = await codeNow(tx, id)
  const of = asOf ?? exception?.now ?? new Date(0)
  // a hold has its steps tried again when it is released
  const isHold = exception?.code.startsWith('orders.hold.') ?? true
  const portion = isHold ? [] : await refusedDocuments(tx, { id, asOf: of, limit: PORTION })
  if (portion.length === 0 && asOf === undefined)
    return new Refusal('exceptions.nothing_refused', `nothing of exception ${id} was refused`)
  const docs = portion.map(({ doc }) => doc)
  const restarted = new Set(await restartSteps(tx, docs, remark.actor))
  await beginAgain(
    tx,
    portion.filter(({ doc }) => restarted.has(doc)),
    remark,
  )
  return { done: restarted.size, remaining: (portion[0]?.total ?? 0) - portion.length, asOf: of }
}

async function beginAgain(
  tx: Transaction,
  documents: readonly RefusedDocument[],
  { actor, text, traceId }: Remark,
): Promise<void> {
  await wakeDocuments(
    tx,
    null,
    documents.map(({ doc, kind, company }) => ({
      doc,
      process: PROCESSES[kind]!,
      company,
      priority: PRIORITY,
      share: 0,
    })),
  )
  recordAudit(
    tx,
    documents.map(({ doc, kind, company }) => ({
      actor,
      action: 'work.try_again',
      company,
      kind,
      doc,
      reason: text,
      traceId,
    })),
  )
}

type Through = {
  readonly facts: { readonly doc: number }
  readonly answers: readonly { readonly effectKey: string }[]
}

/**
 * What a step went through for leaves the exception of its refusal. A first try was never refused, so that a good
 * document costs nothing here.
 */
export const endRefusals = (tx: Transaction, answered: readonly Through[], code: string): Promise<void> =>
  leaveRefusals(tx, answered.filter(isAgain), code)

/** A try after a refusal. */
export const isAgain = ({ answers }: Through): boolean =>
  answers.some(({ effectKey }) => generationOf(effectKey) > FIRST_TRY)

export async function leaveRefusals(
  tx: Transaction,
  through: readonly Pick<Through, 'facts'>[],
  code: string,
): Promise<void> {
  if (through.length === 0) return
  const open = await openExceptionsOf(
    tx,
    through.map(({ facts }) => facts.doc),
  )
  const gone = [...open].flatMap(([doc, exceptions]) =>
    exceptions.flatMap(({ company, cause, code: its }) => (its === code ? [{ company, cause, doc }] : [])),
  )
  await closeExceptions(tx, gone, 'it went through')
}
