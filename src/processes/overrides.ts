/**
 * A person decides on a step that is stuck: completes it with what the system would have said, leaves it out, has it
 * tried again, or takes the order back. The decision is a fact; the process goes on from it as from any other.
 */
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Docket } from '#platform/process.ts'
import { claimNumbers } from '#domains/orders/operations.ts'
import { holdersOf } from '#domains/orders/views.ts'
import { cancelStuck } from './override-cancel.ts'
import {
  overriddenBy,
  type Overridden,
  type Override,
  type Plan,
  planOf,
  type Steps,
} from './override-decision.ts'
import { type Situation, situationsOf } from './override-situation.ts'
import { writePlans, type WritingWires, type Written } from './override-writing.ts'
import { numberOf, orderNumber } from './ports.ts'

export type OverrideWires = WritingWires & { readonly steps: Steps }

export type Decision = Pick<Written, 'actor' | 'reason' | 'traceId'>

type Answers = Map<Override, Overridden | Refusal>

/**
 * Answers each by itself. Decided before in the same words, it changes nothing. Of several decisions on one order each
 * sees what the one before has done.
 */
export async function overrideSteps(
  tx: Transaction,
  docket: Docket,
  wires: OverrideWires,
  { overrides, ...by }: Decision & { readonly overrides: readonly Override[] },
): Promise<ReadonlyMap<Override, Overridden | Refusal>> {
  const answers: Answers = new Map()
  const turns = [...Map.groupBy(overrides, ({ order }) => order).values()]
  const longest = Math.max(0, ...turns.map(({ length }) => length))
  for (let nth = 0; nth < longest; nth++)
    await take(tx, docket, wires, { ...by, answers, overrides: turns.flatMap((turn) => turn[nth] ?? []) })
  return answers
}

type Taking = Decision & { readonly overrides: readonly Override[]; readonly answers: Answers }

/** One decision for each order at most. */
async function take(
  tx: Transaction,
  docket: Docket,
  wires: OverrideWires,
  { overrides, answers, ...by }: Taking,
): Promise<void> {
  const orders = overrides.map(({ order }) => order)
  const situations = await situationsOf(tx, wires.processes, orders)
  for (const override of overrides)
    if (!situations.has(override.order)) answers.set(override, unknown(override.order))
  const known = overrides.filter(({ order }) => situations.has(order))
  const [whole, single] = [known.filter(isWhole), known.filter((override) => !isWhole(override))]
  const plans = await plansOf(tx, wires.steps, { overrides: single, situations, answers })
  await writePlans(tx, docket, wires, { ...by, plans, situations })
  const cancelled = await cancelStuck(tx, docket, { ...by, situations, overrides: whole })
  for (const [override, answer] of cancelled) answers.set(override, answer)
}

const isWhole = ({ act }: Override): boolean => act === 'cancel'

const unknown = (order: number): Refusal =>
  new Refusal('orders.unknown', `there is no order ${orderNumber(order)}`)

type Planning = Pick<Taking, 'overrides' | 'answers'> & {
  readonly situations: ReadonlyMap<number, Situation>
}

/** Those that change something; every one is answered. */
async function plansOf(
  tx: Transaction,
  steps: Steps,
  { overrides, situations, answers }: Planning,
): Promise<Plan[]> {
  const plans: Plan[] = []
  for (const override of overrides) {
    const plan = planOf(steps, situations.get(override.order)!, override)
    if (plan instanceof Refusal) answers.set(override, plan)
    else plans.push(plan)
  }
  const holders = await holdersOfReferences(tx, plans)
  for (const plan of plans) {
    const holder = holders.get(plan)
    answers.set(plan.override, holder === undefined ? overriddenBy(plan) : taken(plan, holder))
  }
  return plans.filter((plan) => !plan.isKnown && !holders.has(plan))
}

/** A number at the ERP stands for one document of a company, also where several people enter it at once. */
async function holdersOfReferences(
  tx: Transaction,
  plans: readonly Plan[],
): Promise<ReadonlyMap<Plan, number>> {
  const unique = plans.flatMap((plan) => {
    const { override, definition, paper } = plan
    const { unique: scheme } = definition
    if (override.act !== 'complete' || scheme === undefined || plan.isKnown) return []
    return [{ plan, scheme, value: override.reference!, company: paper.facts.company, doc: paper.doc }]
  })
  await claimNumbers(tx, unique)
  const holders = await holdersOf(tx, unique)
  return new Map(
    unique.flatMap((one, at) => {
      const holder = holders.get(one) ?? unique.slice(0, at).find((other) => isSameNumber(one, other))?.doc
      return holder === undefined ? [] : [[one.plan, holder]]
    }),
  )
}

type Claimed = { readonly company: string; readonly scheme: string; readonly value: string }

const isSameNumber = (a: Claimed, b: Claimed): boolean =>
  a.company === b.company && a.scheme === b.scheme && a.value === b.value

function taken({ override: { reference }, paper: { kind } }: Plan, holder: number): Refusal {
  const document = numberOf(kind, holder)
  const message = `${reference} is the number of ${document}`
  return new Refusal('overrides.reference_taken', message, { document }, '/reference')
}
