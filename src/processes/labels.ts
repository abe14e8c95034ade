/** Labels that the house buys for what a warehouse has packed: sold by a carrier, given to the warehouse, voided if unused. */
import { createLabel, type Label, type LabelRequest, voidLabel } from '#capabilities/carrier.ts'
import {
  giveLabels,
  type LabelGiving,
  type PackingConfirmed,
  type ShipmentConfirmed,
} from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
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
import { askForLabels, movePackings, packingsOf, recordLabels } from '#domains/shipments/operations/labels.ts'
import { addressesOf, type FulfillmentFacts } from './fulfillment-facts.ts'
import { fulfillmentNumber, orderNumber, parseNumber, type ProcessPorts } from './ports.ts'
import { endRefusals, leaveRefusals, refusalCause } from './refusals.ts'
import type { Books, Confirmation } from './warehouse-books.ts'

type Facts = Pick<FulfillmentFacts, 'request' | 'packings'>

const inState =
  (...states: readonly PackingState[]) =>
  ({ packings }: Facts): string[] =>
    packings.filter(({ state }) => states.includes(state)).map(({ number }) => number)

// also of one that nobody wants any more: only the carrier's answer tells whether it is paid
export const labelsToBuy = inState('asked', 'refused', 'unwanted')
export const labelsToGive = inState('bought')
export const labelsToVoid = inState('orphaned', 'travelling')

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
    await moveAnswered(tx, answered, cause, { bought: 'given' })
    return looked(answered)
  },
  // it has left, or is packed anew: the warehouse has no use for them
  async refused(tx, refused, cause) {
    await moveRefused(tx, refused, cause, (state) => (state === 'bought' ? 'orphaned' : undefined))
    return looked(refused)
  },
})

export const voidUnused = (ports: ProcessPorts): AnyCall<FulfillmentFacts> =>
  call<FulfillmentFacts, { shipment: string; number: string }, object>({
    operation: voidLabel,
    location: (facts, number) => packingOf(facts, number).carrier,
    businessKey: (facts, number) => referenceOf(packingOf(facts, number)),
    request: (facts, number) => {
      const packing = packingOf(facts, number)
      return { shipment: referenceOf(packing), number: packing.label! }
    },
    async confirmed(tx, answered, cause) {
      await moveAnswered(tx, answered, cause, { orphaned: 'void', travelling: 'void' })
      await endRefusals(tx, answered, NOT_VOID)
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

const unwanted = (request: Omit<Fulfillment, 'version'>, { doc, number, state }: Packing) => {
  const next = IF_UNWANTED[state]
  return next === undefined ? [] : [{ doc, number, request, state: next }]
}

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

async function moveAnswered(
  tx: Transaction,
  answered: readonly Answered<FulfillmentFacts, object>[],
  cause: Cause,
  next: Readonly<Partial<Record<PackingState, PackingState>>>,
): Promise<void> {
  const states = await standing(tx, answered)
  const moved = answered.flatMap(({ facts, answers }) =>
    answers.flatMap(({ subject: number, effectKey }) => {
      const state = next[states.get(`${facts.doc} ${number}`)!]
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

type Told = {
  readonly books: Books
  /** What was taken, in the order of the list. */
  readonly told: readonly Confirmation[]
}

type Noting = Told & {
  /** What is known of these requests, under their locks. */
  readonly packings: readonly Packing[]
}

const requestOf = ({ books }: Told, { message }: Confirmation): Fulfillment | undefined =>
  books.requests.get(parseNumber(message.fulfillment, 'F') ?? -1)

/** What is known of requests of which it was told what is packed, or has left. */
export async function packingsTold(tx: Transaction, noting: Told): Promise<readonly Packing[]> {
  const docs = noting.told.flatMap((one) =>
    isOfLabels(one.message) ? (requestOf(noting, one)?.doc ?? []) : [],
  )
  return docs.length === 0 ? [] : packingsOf(tx, [...new Set(docs)])
}

/**
 * Packings for which labels are to be bought, and what left under labels of ours, also where none are bought any more.
 * Answers the requests that must see it.
 */
export async function noteLabels(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'labels'>,
  noting: Noting,
  cause: Cause,
): Promise<DeskRow[]> {
  const { books, told, packings } = noting
  const known = new Map(packings.map((row) => [keyOf(row), row]))
  const labelled = new Set(packings.map(({ doc }) => doc))
  const mine = told.flatMap((one) => {
    const { message } = one
    const request = requestOf(noting, one)
    if (!request || !isOfLabels(message)) return []
    const rules = ports.labels.get(request.location)
    return rules || labelled.has(request.doc) ? [{ request, rules, message }] : []
  })
  if (mine.length === 0) return []
  const docs = [...new Set(mine.map(({ request }) => request.doc))].toSorted((a, b) => a - b)
  const packed = mine.filter(({ rules, message }) => rules && message.type === 'packing-confirmed')
  const orders = new Set(packed.map(({ request }) => books.orders.get(request.orderId)!))
  const shipTos = await addressesOf(tx, [...orders])
  const noted: Noted = { known, asked: new Map(), moved: new Map() }
  for (const { request, rules, message } of mine) {
    if (message.type === 'shipment-confirmed') noteLeft(noted, request, message)
    else if (isActive(request)) {
      const { number, packages } = message.packing
      const shipTo = shipTos.get(request.orderId)
      const asked = rules && {
        carrier: rules.carrier,
        ask: { service: rules.service, shipFrom: rules.shipFrom, shipTo: shipTo!, packages },
      }
      notePacked(noted, request, number, asked)
    }
  }
  await movePackings(tx, [...noted.moved.values()], cause)
  await askForLabels(tx, [...noted.asked.values()], cause)
  return docs.map((doc) => ({
    doc,
    process: 'fulfillment',
    company: books.requests.get(doc)!.company,
    priority: 2,
    share: 0,
  }))
}

type Packed = PackingConfirmed & { readonly packing: NonNullable<PackingConfirmed['packing']> }
const isOfLabels = (message: Confirmation['message']): message is ShipmentConfirmed | Packed =>
  message.type === 'shipment-confirmed' || (message.type === 'packing-confirmed' && !!message.packing)

type Asked = Pick<Packing, 'carrier' | 'ask'>
type OfRequest = { readonly request: Fulfillment }

type Noted = {
  readonly known: Map<string, Packing>
  readonly asked: Map<string, Pick<Packing, 'doc' | 'number'> & Asked & OfRequest>
  readonly moved: Map<string, Pick<Packing, 'doc' | 'number' | 'state'> & OfRequest>
}

const keyOf = ({ doc, number }: Pick<Packing, 'doc' | 'number'>): string => `${doc} ${number}`

const ofRequest = ({ known }: Noted, { doc }: Fulfillment): Packing[] =>
  [...known.values()].filter((row) => row.doc === doc)

function noteLeft(noted: Noted, request: Fulfillment, { packages }: ShipmentConfirmed): void {
  const left = new Set(packages.flatMap(({ tracking }) => tracking ?? []))
  for (const { doc, number, state, tracking } of ofRequest(noted, request))
    if (state !== 'used' && tracking.some((one) => left.has(one)))
      noted.moved.set(keyOf({ doc, number }), { doc, number, request, state: 'used' })
}

/** What was packed before is packed anew. */
function notePacked(noted: Noted, request: Fulfillment, number: string, asked: Asked | undefined): void {
  const packing = { doc: request.doc, number }
  const key = keyOf(packing)
  if (noted.known.has(key)) return
  for (const row of ofRequest(noted, request)) {
    // of one that is refused, nothing is bought
    const [next] = noted.asked.delete(keyOf(row)) || row.state === 'refused' ? [] : unwanted(request, row)
    if (next) noted.moved.set(keyOf(row), { ...next, request })
  }
  if (!asked) return
  noted.asked.set(key, { ...packing, ...asked, request })
  noted.known.set(key, { ...packing, ...asked, state: 'asked', label: null, tracking: [], content: null })
}
