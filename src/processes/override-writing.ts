/** Makes decisions of people on steps true: the steps' rows, what follows from them, and what is said of them. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { type Intent, reviveEffects } from '#platform/effects.ts'
import type { Cause } from '#platform/log.ts'
import {
  decideSteps,
  endTrouble,
  type OverrideRow,
  withdrawParked,
  writeOverrides,
} from '#platform/overrides.ts'
import type { Answered, AnyCall, Changed, Docket, DocumentFacts, Process } from '#platform/process.ts'
import { findCall } from '#platform/turn-entry.ts'
import { postByHand } from '#domains/billing/operations/by-hand.ts'
import { releaseHold } from './holds.ts'
import type { Plan } from './override-decision.ts'
import type { Paper, Situation } from './override-situation.ts'
import type { OverrideKind } from './override-steps.ts'
import { tellOfPapers } from './override-telling.ts'
import type { ProcessPorts } from './ports.ts'

export type Written = {
  readonly plans: readonly Plan[]
  readonly situations: ReadonlyMap<number, Situation>
  readonly actor: string
  readonly reason: string
  readonly traceId: string | undefined
}

export type WritingWires = {
  readonly ports: ProcessPorts
  /** By the kind of document that they work on. */
  readonly processes: ReadonlyMap<string, Process>
}

/** What a person says stands in the log as said by that person. */
export const causeOf = ({ actor, traceId }: Pick<Written, 'actor' | 'traceId'>): Cause => ({
  source: 'by-hand',
  actor,
  traceId,
})

/** For documents that are locked, each with one plan at most. */
export async function writePlans(
  tx: Transaction,
  docket: Docket,
  wires: WritingWires,
  written: Written,
): Promise<void> {
  const { plans, situations, ...by } = written
  if (plans.length === 0) return
  const cause = causeOf(by)
  await releaseRefused(tx, wires.ports, written, cause)
  const completed = plans.filter(({ override }) => override.act === 'complete')
  postByHand(
    tx,
    completed.flatMap(({ step, paper }) => (step === 'post' ? [paper.doc] : [])),
  )
  for (const [step, group] of Map.groupBy(completed, (plan) => plan.step)) {
    const call = findCall(wires.processes.get(group[0]!.definition.kind)!, step)
    await answerByHand(tx, docket, { call, plans: group, cause })
  }
  decideSteps(tx, plans.flatMap(decidedOf), by)
  moveCalls(tx, plans)
  await endTrouble(tx, plans.map(stuckOf), by)
  writeOverrides(tx, plans.map(rowOf), by)
  await tellOfPapers(
    tx,
    plans.map((plan) => ({ ...paperOf(plan), data: { ...wordsOf(plan), reason: by.reason } })),
    'step_overridden',
    cause,
  )
  recordAudit(
    tx,
    plans.map((plan) => ({
      ...by,
      ...auditOf(plan.paper),
      action: `orders.step_${PAST[plan.override.act]}`,
      before: { state: plan.was },
      after: wordsOf(plan),
    })),
  )
  docket.wakeAfterwards(plans.flatMap((plan) => wakesOf(plan, situations.get(plan.paper.order)!)))
}

const PAST = { complete: 'completed', skip: 'skipped', restart: 'restarted', cancel: 'cancelled' } as const

export const auditOf = ({ kind, doc, facts: { company } }: Pick<Paper, 'kind' | 'doc' | 'facts'>) => ({
  kind,
  doc,
  company,
})

const paperOf = ({ paper: { kind, doc, order, facts } }: Plan) => ({
  kind,
  doc,
  order,
  company: facts.company,
})

/** As the log and the audit trail keep it; what the reference means stands in the words of the step. */
const wordsOf = ({ override, step, subject, definition, was, entered }: Plan) => ({
  act: override.act,
  step,
  ...(subject !== '' && { subject }),
  does: definition.title,
  was,
  ...(override.reference !== undefined && { reference: override.reference }),
  ...(Object.keys(entered).length > 0 && { entered }),
})

/** The hold of a refusal ends with what is decided on it; what else was refused of the order is tried again. */
async function releaseRefused(
  tx: Transaction,
  { sla }: ProcessPorts,
  { plans, situations, actor, reason }: Written,
  cause: Cause,
): Promise<void> {
  for (const { releases, paper } of plans) {
    const { doc, company } = situations.get(paper.order)!.order
    for (const { id: hold } of releases)
      await releaseHold(tx, sla, { doc, company, hold, actor, reason }, cause)
  }
}

type ByHand = {
  readonly call: AnyCall<DocumentFacts>
  readonly plans: readonly Plan[]
  readonly cause: Cause
}

/** As the process itself takes the answer of a system. */
async function answerByHand(tx: Transaction, docket: Docket, { call, plans, cause }: ByHand): Promise<void> {
  const answered = plans.map(({ paper, subject, step, answer }): Answered<DocumentFacts, unknown> => ({
    facts: paper.facts,
    answers: [{ subject, answer, effectKey: `${paper.doc}/${step}/${subject}/by-hand` }],
  }))
  for (const done of (await call.confirmed(tx, answered, cause)).values()) {
    const { begins = [], wakes = [] }: Partial<Changed<DocumentFacts>> = done === 'look' ? {} : done
    docket.begin(begins)
    docket.wakeAfterwards(wakes)
  }
}

/** A hold that is released has had its step restarted; a call that is open goes on under its own key. */
function decidedOf({ override: { act }, paper, step, subject, generation, releases, call, was }: Plan) {
  if (act === 'restart' && (releases.length > 0 || (call && was !== 'skipped'))) return []
  return [{ act, doc: paper.doc, step, subject, generation }]
}

function moveCalls(tx: Transaction, plans: readonly Plan[]): void {
  const callsOf = (isWanted: (plan: Plan) => boolean): Intent[] =>
    plans.flatMap((plan) => (plan.call && isWanted(plan) ? [plan.call] : []))
  reviveEffects(
    tx,
    callsOf(({ override }) => override.act === 'restart'),
    'free',
  )
  withdrawParked(
    tx,
    callsOf(({ override }) => override.act !== 'restart'),
  )
}

function stuckOf({ paper, definition, call }: Plan) {
  const parked = call?.state === 'parked' ? [call] : []
  return { doc: paper.doc, parked, code: definition.code }
}

function rowOf({ override, paper, step, subject, was, call, entered }: Plan): OverrideRow {
  const inDoubt = call !== undefined && call.state !== 'retry'
  const { act, reference = null } = override
  return { doc: paper.doc, step, subject, act, state: was, inDoubt, reference, entered }
}

const PROCESS_OF: Readonly<Record<OverrideKind, string>> = {
  order: 'order-to-cash',
  fulfillment: 'fulfillment',
  shipment: 'shipment',
  invoice: 'invoice',
}
const PRIORITY = 1

/** The document goes on; its order too, where it waits for the document or for a hold. */
function wakesOf({ paper, releases }: Plan, { order }: Situation): DeskRow[] {
  const mine = wakeOf(paper, order.customerId)
  return releases.length > 0 && paper.kind !== 'order' ? [mine, wakeOrder(order)] : [mine]
}

export const wakeOf = (
  { kind, doc, facts: { company } }: Pick<Paper, 'kind' | 'doc' | 'facts'>,
  customerId: number,
): DeskRow => ({
  doc,
  process: PROCESS_OF[kind],
  company,
  priority: PRIORITY,
  share: kind === 'order' ? customerId : 0,
})

const wakeOrder = ({ doc, company, customerId }: Situation['order']): DeskRow => ({
  doc,
  process: PROCESS_OF.order,
  company,
  priority: PRIORITY,
  share: customerId,
})
