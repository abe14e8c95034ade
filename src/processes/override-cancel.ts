/** Takes orders back whose step is stuck: what was done is undone, and a call in doubt is looked up first. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { reviveEffects } from '#platform/effects.ts'
import { Refusal } from '#platform/faults.ts'
import { endTrouble, writeOverrides } from '#platform/overrides.ts'
import type { Docket } from '#platform/process.ts'
import { requestCancels } from './cancel.ts'
import type { Override, Overridden } from './override-decision.ts'
import type { Situation } from './override-situation.ts'
import { tellOfPapers } from './override-telling.ts'
import { causeOf, wakeOf, type Written } from './override-writing.ts'
import { orderNumber } from './ports.ts'

type Cancelling = Pick<Written, 'actor' | 'reason' | 'traceId' | 'situations'> & {
  readonly overrides: readonly Override[]
}

/** Each order stands once in the list, and is locked. */
export async function cancelStuck(
  tx: Transaction,
  docket: Docket,
  { overrides, situations, ...by }: Cancelling,
): Promise<ReadonlyMap<Override, Overridden | Refusal>> {
  const answers = new Map<Override, Overridden | Refusal>()
  if (overrides.length === 0) return answers
  const requests = new Map(
    overrides.map((override) => [override, { ...by, order: situations.get(override.order)!.order }]),
  )
  const cancelled = await requestCancels(tx, [...requests.values()], causeOf(by))
  for (const [override, request] of requests) {
    const answer = cancelled.get(request)!
    const isRefused = answer instanceof Refusal
    answers.set(override, isRefused ? answer : cancelledBy(override, situations, answer === 'known'))
  }
  const taken = overrides.filter((override) => !(answers.get(override) instanceof Refusal))
  const stuck = taken.map((override) => situations.get(override.order)!)
  await reviveParked(tx, stuck, by)
  const told = taken.map((override) => ({
    step: override.step ?? '',
    order: situations.get(override.order)!.order,
  }))
  writeOverrides(
    tx,
    told.map(({ step, order: { doc } }) => ({ ...WHOLE, doc, step })),
    by,
  )
  await tellOfPapers(
    tx,
    told.map(({ step, order: { doc, company } }) => ({
      kind: 'order' as const,
      doc,
      company,
      order: doc,
      data: { act: 'cancel', ...(step !== '' && { step }), reason: by.reason },
    })),
    'step_overridden',
    causeOf(by),
  )
  recordAudit(
    tx,
    told.map(({ step, order: { doc, company } }) => ({
      ...by,
      kind: 'order',
      doc,
      company,
      action: 'orders.step_cancelled',
      after: step === '' ? {} : { step },
    })),
  )
  docket.wakeAfterwards(
    stuck.flatMap(({ order, papers }) =>
      papers
        .filter(({ kind, intents }) => kind === 'order' || intents.some(({ state }) => state === 'parked'))
        .map((paper) => wakeOf(paper, order.customerId)),
    ),
  )
  return answers
}

const WHOLE = {
  subject: '',
  act: 'cancel',
  state: 'open',
  inDoubt: false,
  reference: null,
  entered: {},
} as const

/** Undoing waits for what was asked before: what nobody would go on with is looked up and settled. */
async function reviveParked(
  tx: Transaction,
  stuck: readonly Situation[],
  by: Pick<Written, 'actor' | 'reason'>,
): Promise<void> {
  const papers = stuck.flatMap((situation) => situation.papers)
  const parked = papers.map(({ doc, intents }) => ({
    doc,
    parked: intents.filter(({ state }) => state === 'parked'),
  }))
  reviveEffects(
    tx,
    parked.flatMap((one) => one.parked),
    'free',
  )
  await endTrouble(tx, parked, by)
}

function cancelledBy(override: Override, situations: Cancelling['situations'], known: boolean): Overridden {
  const { order, papers } = situations.get(override.order)!
  const call = papers.flatMap(({ intents }) => intents).find(({ state }) => state !== 'retry')
  const number = orderNumber(order.doc)
  return {
    order: number,
    document: number,
    step: override.step ?? '',
    subject: '',
    act: 'cancel',
    was: 'open',
    known,
    entered: {},
    call: undefined,
    releases: [],
    follows: [
      'What was done is taken back, latest step first; what a warehouse has begun to pick ships.',
      ...(call ? ['A call that may have been done is looked up first, and taken back where it was.'] : []),
    ],
  }
}
