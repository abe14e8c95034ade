/** What warehouses tell of packages: labels that are due for them, and what left under which. */
import type { PackingConfirmed, ShipmentConfirmed } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import type { Cause } from '#platform/log.ts'
import { type Fulfillment, isActive } from '#domains/shipments/contract.ts'
import type { Packing, PackingState } from '#domains/shipments/contract/labels.ts'
import { askForLabels, movePackings, packingsOf } from '#domains/shipments/operations/labels.ts'
import { addressesOf } from './fulfillment-facts.ts'
import { doubtsOf, endDoubts, unwanted } from './labels.ts'
import { parseNumber, type ProcessPorts } from './ports.ts'
import type { Books, Confirmation } from './warehouse-books.ts'

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
  ports: Pick<ProcessPorts, 'labels' | 'openExceptions'>,
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
  const moved = [...noted.moved.values()]
  await movePackings(tx, moved, cause)
  await noteDoubts(tx, ports, noted, moved)
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

/** What may travel under a label. */
const MAY_TRAVEL: ReadonlySet<PackingState> = new Set(['bought', 'given'])

/** A paper need not name a tracking number: then nobody but a person knows what left under which label. */
function noteLeft(noted: Noted, request: Fulfillment, { packages }: ShipmentConfirmed): void {
  const left = new Set(packages.flatMap(({ tracking }) => tracking ?? []))
  const isUnnamed = packages.some(({ tracking }) => !tracking)
  for (const { doc, number, state, tracking } of ofRequest(noted, request)) {
    const key = keyOf({ doc, number })
    const isUsed = tracking.some((one) => left.has(one))
    if (state !== 'used' && isUsed) noted.moved.set(key, { doc, number, request, state: 'used' })
    else if (isUnnamed && MAY_TRAVEL.has(state) && !noted.moved.has(key))
      noted.moved.set(key, { doc, number, request, state: 'doubtful' })
  }
}

/** Somebody is asked about each that has become doubtful, until it is known what became of it. */
async function noteDoubts(
  tx: Transaction,
  { openExceptions }: Pick<ProcessPorts, 'openExceptions'>,
  { known }: Noted,
  moved: readonly (Pick<Packing, 'doc' | 'number' | 'state'> & OfRequest)[],
): Promise<void> {
  const doubted = new Map(
    moved.flatMap(({ doc, state, request }) => (state === 'doubtful' ? [[doc, request] as const] : [])),
  )
  if (doubted.size > 0) await openExceptions(tx, doubtsOf([...doubted.values()]))
  const ended = moved.filter((one) => known.get(keyOf(one))?.state === 'doubtful')
  if (ended.length > 0)
    await endDoubts(
      tx,
      ended.map((facts) => ({ facts })),
    )
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
