/** Labels that the house buys for what a warehouse has packed: sold by a carrier, given to the warehouse, voided if unused. */
import { createLabel, type Label, type LabelRequest, voidLabel } from '#capabilities/carrier.ts'
import { giveLabels, type LabelGiving } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import {
  type Answered,
  type AnyCall,
  call,
  type Done,
  type RefusedCall,
  type Work,
} from '#platform/process.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import type { Packing, PackingState } from '#domains/shipments/contract/labels.ts'
import { isActive } from '#domains/shipments/contract.ts'
import { lockRequests } from '#domains/shipments/operations.ts'
import { movePackings, packingsOf, recordLabels } from '#domains/shipments/operations/labels.ts'
import type { FulfillmentFacts } from './fulfillment-facts.ts'
import { fulfillmentNumber, orderNumber, type ProcessPorts } from './ports.ts'
import { endRefusals, leaveRefusals, refusalCause } from './refusals.ts'

type Facts = Pick<FulfillmentFacts, 'request' | 'packings'>

const inState =
  (...states: readonly PackingState[]) =>
  ({ packings }: Facts): string[] =>
    packings.filter(({ state }) => states.includes(state)).map(({ number }) => number)

// also of one that nobody wants any more: only the carrier's answer tells whether it is paid
export const labelsToBuy = inState('asked', 'refused', 'unwanted')
export const labelsToGive = inState('bought')
export const labelsToVoid = inState('orphaned', 'travelling')
const NOT_ENDED: readonly PackingState[] = ['orphaned', 'travelling', 'doubtful']
/** Of which a person may say what became of them. */
export const labelsNotEnded = inState(...NOT_ENDED)

/** Of a request that has ended otherwise than under them. */
export const labelsToDrop = (facts: Facts): string[] =>
  isActive(facts.request) ? [] : inState('asked', 'refused', 'bought', 'given')(facts)

/** None is under way. */
export const labelsSettled = (facts: Facts): boolean =>
  labelsToDrop(facts).length === 0 && inState('asked', 'unwanted', 'bought', 'orphaned')(facts).length === 0

const IF_UNWANTED: Readonly<Partial<Record<PackingState, PackingState>>> = {
  asked: 'unwanted',
  refused: 'dropped',
  bought: 'orphaned',
  given: 'orphaned',
}

const packingOf = ({ packings }: Facts, number: string): Packing =>
  packings.find((packing) => packing.number === number)!

/** Unique at the carrier, and the same however often the packing is told or the label is asked for. */
const referenceOf = ({ doc, number }: Packing): string => `${fulfillmentNumber(doc)}/${number}`

const REFUSED = 'shipments.label_refused'
const NOT_VOID = 'shipments.label_not_void'
const IN_DOUBT = 'shipments.label_in_doubt'

export const buyLabel = (ports: ProcessPorts): AnyCall<FulfillmentFacts> =>
  call<FulfillmentFacts, LabelRequest, Label>({
    operation: createLabel,
    location: (facts, number) => packingOf(facts, number).carrier,
    businessKey: (facts, number) => referenceOf(packingOf(facts, number)),
    request: (facts, number) => {
      const packing = packingOf(facts, number)
      return { ...packing.ask, company: facts.company, shipment: referenceOf(packing) }
    },
    async confirmed(tx, answered, cause) {
      await recordLabels(
        tx,
        answered.flatMap(({ facts, answers }) =>
          answers.map(({ subject, answer, effectKey }) => ({
            doc: facts.doc,
            number: subject,
            request: facts.request,
            carrier: packingOf(facts, subject).carrier,
            effectKey,
            label: answer.number,
            content: answer.packages,
            chargeMinor: answer.chargeMinor,
            currency: answer.currency,
          })),
        ),
        cause,
      )
      await endRefusals(tx, answered, REFUSED)
      return looked(answered)
    },
    async refused(tx, refused, cause) {
      await moveRefused(tx, refused, cause, (state) => (state === 'unwanted' ? 'dropped' : 'refused'))
      await ports.openExceptions(
        tx,
        refused.flatMap((work) => occurrencesOf(work, REFUSED)),
      )
      return looked(refused)
    },
  })

export const giveLabel: AnyCall<FulfillmentFacts> = call<FulfillmentFacts, LabelGiving, object>({
  operation: giveLabels,
  location: ({ request }) => request.location,
  businessKey: (facts, number) => referenceOf(packingOf(facts, number)),
  request: (facts, number) => ({
    fulfillment: fulfillmentNumber(facts.doc),
    packing: number,
    carrier: packingOf(facts, number).carrier,
    labels: packingOf(facts, number).content ?? [],
  }),
  async confirmed(tx, answered, cause) {
    await moveAnswered(tx, answered, cause, (state) => (state === 'bought' ? 'given' : undefined))
    return looked(answered)
  },
  // it has left, or is packed anew: the warehouse has no use for them
  async refused(tx, refused, cause) {
    await moveRefused(tx, refused, cause, (state) => (state === 'bought' ? 'orphaned' : undefined))
    return looked(refused)
  },
})

/** What became of a label; a carrier that answers has voided it. */
export type LabelEnd = { readonly became?: 'void' | 'used' }

export const voidUnused = (ports: ProcessPorts): AnyCall<FulfillmentFacts> =>
  call<FulfillmentFacts, { shipment: string; number: string }, LabelEnd>({
    operation: voidLabel,
    location: (facts, number) => packingOf(facts, number).carrier,
    businessKey: (facts, number) => referenceOf(packingOf(facts, number)),
    request: (facts, number) => {
      const packing = packingOf(facts, number)
      return { shipment: referenceOf(packing), number: packing.label! }
    },
    async confirmed(tx, answered, cause) {
      await moveAnswered(tx, answered, cause, (state, { became = 'void' }) =>
        NOT_ENDED.includes(state) ? became : undefined,
      )
      await endRefusals(tx, answered, NOT_VOID)
      await endDoubts(tx, answered)
      return looked(answered)
    },
    async refused(tx, refused, cause) {
      await moveRefused(tx, refused, cause, () => 'travelling')
      await ports.openExceptions(
        tx,
        refused.flatMap((work) => occurrencesOf(work, NOT_VOID)),
      )
      return looked(refused)
    },
  })

/** What nobody needs any more is voided, where it is bought. */
export async function dropLabels(
  tx: Transaction,
  works: readonly Work<FulfillmentFacts>[],
  cause: Cause,
): Promise<ReadonlyMap<Work<FulfillmentFacts>, Done<FulfillmentFacts>>> {
  await movePackings(
    tx,
    works.flatMap(({ facts, subjects }) =>
      subjects.flatMap((number) => unwanted(facts.request, packingOf(facts, number))),
    ),
    cause,
  )
  await leaveRefusals(tx, works, REFUSED)
  return looked(works)
}

export const unwanted = (request: Omit<Fulfillment, 'version'>, { doc, number, state }: Packing) => {
  const next = IF_UNWANTED[state]
  return next === undefined ? [] : [{ doc, number, request, state: next }]
}

/** Nobody has to say any more what became of the labels of these requests, where all have ended. */
export async function endDoubts(
  tx: Transaction,
  works: readonly { readonly facts: { readonly doc: number } }[],
): Promise<void> {
  const rows = await packingsOf(
    tx,
    works.map(({ facts }) => facts.doc),
  )
  const doubted = new Set(rows.flatMap(({ doc, state }) => (state === 'doubtful' ? [doc] : [])))
  await leaveRefusals(
    tx,
    works.filter(({ facts }) => !doubted.has(facts.doc)),
    IN_DOUBT,
  )
}

/** Goods of these have left by paper, which names no tracking number. */
export const doubtsOf = (
  requests: readonly Pick<Fulfillment, 'doc' | 'company' | 'orderId' | 'location'>[],
) =>
  requests.map(({ doc, company, orderId, location }) => ({
    company,
    cause: `${IN_DOUBT}:${fulfillmentNumber(doc)}`,
    code: IN_DOUBT,
    title: `Goods left ${location} by paper, perhaps under a label that we bought`,
    suggestedAction:
      'Ask the warehouse for the tracking number, and say what became of the label (step voidLabel): void, or used. It is not voided before.',
    facts: { order: orderNumber(orderId) },
    affects: { doc, kind: 'fulfillment' },
  }))

const looked = <W extends { readonly facts: FulfillmentFacts }>(
  works: readonly W[],
): ReadonlyMap<W, Done<FulfillmentFacts>> =>
  new Map(works.map((work): [W, Done<FulfillmentFacts>] => [work, 'look']))

/** Where they stand now, and stay: what the warehouse told meanwhile may have moved them on, or may be about to. */
async function standing(
  tx: Transaction,
  works: readonly { readonly facts: FulfillmentFacts }[],
): Promise<ReadonlyMap<string, PackingState>> {
  const docs = works.map(({ facts }) => facts.doc)
  await lockRequests(tx, docs)
  const rows = await packingsOf(tx, docs)
  return new Map(rows.map((row) => [`${row.doc} ${row.number}`, row.state]))
}

async function moveAnswered<Answer>(
  tx: Transaction,
  answered: readonly Answered<FulfillmentFacts, Answer>[],
  cause: Cause,
  next: (state: PackingState, answer: Answer) => PackingState | undefined,
): Promise<void> {
  const states = await standing(tx, answered)
  const moved = answered.flatMap(({ facts, answers }) =>
    answers.flatMap(({ subject: number, effectKey, answer }) => {
      const state = next(states.get(`${facts.doc} ${number}`)!, answer)
      const { carrier, tracking } = packingOf(facts, number)
      const data = { carrier, tracking, effectKey }
      return state === undefined ? [] : [{ doc: facts.doc, number, request: facts.request, state, data }]
    }),
  )
  await movePackings(tx, moved, cause)
}

async function moveRefused(
  tx: Transaction,
  refused: readonly RefusedCall<FulfillmentFacts>[],
  cause: Cause,
  next: (state: PackingState) => PackingState | undefined,
): Promise<void> {
  const states = await standing(tx, refused)
  const moved = refused.flatMap(({ facts, refusals }) =>
    refusals.flatMap(({ subject: number, message }) => {
      const state = next(states.get(`${facts.doc} ${number}`)!)
      const data = { carrier: packingOf(facts, number).carrier, reason: message }
      return state === undefined ? [] : [{ doc: facts.doc, number, request: facts.request, state, data }]
    }),
  )
  await movePackings(tx, moved, cause)
}

const WORDS = {
  [REFUSED]: {
    says: 'sells no label',
    action:
      'The warehouse ships under a label of its own. Mend the cause with the carrier; have it tried again while the goods are still there.',
  },
  [NOT_VOID]: {
    says: 'will not void a label that nobody used',
    action: 'Ask the carrier what travels under it, and for the charge back where nothing does.',
  },
} as const

const occurrencesOf = ({ facts, refusals }: RefusedCall<FulfillmentFacts>, code: keyof typeof WORDS) =>
  refusals.slice(0, 1).map((first) => ({
    company: facts.company,
    cause: refusalCause(code, first),
    code,
    title: `${first.system} ${WORDS[code].says}: ${first.message}`,
    suggestedAction: WORDS[code].action,
    facts: { order: orderNumber(facts.request.orderId), packing: first.subject },
    affects: { doc: facts.doc, kind: 'fulfillment' },
  }))
