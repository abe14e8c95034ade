/** Captures orders: credit, stock and the order itself decided and written in one transaction for a whole list. */
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Docket, Process } from '#platform/process.ts'
import { localDate } from '#platform/time-zone.ts'
import { changeExposure, decideCredits, lockCreditAccounts } from '#domains/customers/operations.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import { type ChannelStock, lockUnclaimedStock, reserve } from '#domains/inventory/operations.ts'
import { markDoubts, withhold } from '#domains/inventory/operations/freshness.ts'
import type { ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import type { HoldType, OrderAnswer, OrderRequest } from '#domains/orders/contract.ts'
import { capture, claimNaturalKeys, giveBackNaturalKeys, keepByRule } from '#domains/orders/operations.ts'
import { heldExposure } from '#domains/orders/views.ts'
import { type Arrival, type Candidate, compose, type Decided, factsOf, holdsOf } from './captured-order.ts'
import type { CareNow } from './care.ts'
import { doubtsOf, holdsToAsk, withheldLines, withholdingOf } from './careful-orders.ts'
import { expiryOf, openHoldExceptions } from './holds.ts'
import { joined, lockNamedReservations, type NamedReservations } from './order-reservations.ts'
import { valueOrders, type ValuedOrder } from './order-pricing.ts'
import { wholePart } from './ordered-unit.ts'
import { orderNumber, type ProcessPorts } from './ports.ts'
import { waitsForSomebody } from './sla.ts'
import { lifeWanted, livesForNew, livingOf, tooOldFor } from './shelf-life.ts'
import { type Sources, sourcesFor } from './sources.ts'

export type Captured =
  | { readonly kind: 'new'; readonly doc: number; readonly answer: OrderAnswer }
  /** The same business document was here before, under whatever key. */
  | { readonly kind: 'known'; readonly doc: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** What the doors gather before anything is locked. */
export type Gathered = ReadonlyMap<OrderRequest, ValuedOrder | Refusal>

export const gather = (
  queries: Queries,
  ports: ProcessPorts,
  arrivals: readonly Arrival[],
): Promise<Gathered> => valueOrders(queries, ports, arrivals)

/** Writes what can be accepted and begins its process; answers by arrival. */
export async function acceptOrders(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  {
    arrivals,
    gathered,
    process,
    cause,
  }: { arrivals: readonly Arrival[]; gathered: Gathered; process: Process; cause: Cause },
): Promise<ReadonlyMap<Arrival, Captured>> {
  const answers = new Map<Arrival, Captured>()
  const candidates = await candidatesOf(ports, arrivals, gathered, answers)
  const named = await lockNamedReservations(tx, candidates)
  // Sent together: a repetition locks what it will not use, and all others are answered one journey earlier.
  const [{ fresh, repeated }, accounts, free, sources] = await Promise.all([
    onlyNew(tx, candidates),
    lockAccounts(tx, candidates),
    lockStock(tx, ports, candidates),
    sourcesFor(tx, ports, candidates),
  ])
  const refused = refusalsOf(fresh, (candidate) => named.refusalOf(candidate))
  const usable = fresh.filter(({ doc }) => !refused.has(doc))
  const credits = await decideOnCredit(tx, ports, { accounts, candidates: usable })
  for (const [doc, refusal] of refusalsOf(usable, creditRefusal(credits))) refused.set(doc, refusal)
  for (const { doc, arrival } of fresh) {
    const refusal = refused.get(doc)
    if (refusal) answers.set(arrival, { kind: 'refused', refusal })
  }
  for (const repetition of repeated)
    answers.set(repetition.candidate.arrival, answerRepeated(repetition, refused))
  giveBackNaturalKeys(tx, fresh.filter(({ doc }) => refused.has(doc)).map(naturalKeyOf))
  const granted = fresh.filter(({ doc }) => !refused.has(doc))
  const care = await ports.care.ifAny(tx, granted.flatMap(wantedItems))
  if (care) free.beCareful(care.figureForOrders)
  const lives = await livesForNew(
    tx,
    ports,
    granted.map(({ valued }) => valued),
  )
  if (lives) free.countLives(lives)
  const decided = await decide(ports, granted, { free, named, sources, care, lives }, (doc) => {
    const credit = credits.get(String(doc))
    return credit?.kind === 'hold' ? credit.reason : undefined
  })
  await named.write(tx, cause)
  sources.write(tx)
  await write(tx, ports, decided, cause)
  if (care) {
    markDoubts(tx, doubtsOf(care, decided))
    withhold(tx, withheldLines(decided))
  }
  turn.begin(decided.map((order) => ({ process, facts: factsOf(order), share: order.valued.customer.id })))
  for (const { arrival, doc, answer } of decided) answers.set(arrival, { kind: 'new', doc, answer })
  return answers
}

function refusalsOf(
  candidates: readonly Candidate[],
  refusalOf: (candidate: Candidate) => Refusal | undefined,
): Map<number, Refusal> {
  const refused = new Map<number, Refusal>()
  for (const candidate of candidates) {
    const refusal = refusalOf(candidate)
    if (refusal) refused.set(candidate.doc, refusal)
  }
  return refused
}

const creditRefusal =
  (credits: Decisions) =>
  ({ doc }: Candidate): Refusal | undefined => {
    const credit = credits.get(String(doc))
    if (credit?.kind !== 'refuse') return undefined
    const { message, facts } = credit.refusal
    return new Refusal('orders.credit_refused', message, facts, '/customer')
  }

async function candidatesOf(
  ports: ProcessPorts,
  arrivals: readonly Arrival[],
  gathered: Gathered,
  answers: Map<Arrival, Captured>,
): Promise<Candidate[]> {
  const ids = await ports.ids.documents(arrivals.length)
  const candidates: Candidate[] = []
  for (const [place, arrival] of arrivals.entries()) {
    const valued = gathered.get(arrival.request)!
    const refusal = valued instanceof Refusal ? valued : refuseEmpty(valued)
    if (refusal) answers.set(arrival, { kind: 'refused', refusal })
    else if (!(valued instanceof Refusal)) candidates.push({ arrival, doc: ids[place]!, valued })
  }
  return candidates
}

/** An order of which no line can be sold is refused as a whole, with the reason of each line. */
function refuseEmpty({ lines }: ValuedOrder): Refusal | undefined {
  if (lines.some((line) => line.kind === 'sold')) return undefined
  const errors = lines.flatMap((line, place) =>
    line.kind === 'rejected'
      ? [{ pointer: `/lines/${place}`, code: line.refusal.code, message: line.refusal.message }]
      : [],
  )
  return new Refusal('orders.nothing_acceptable', 'every line was rejected', { errors })
}

const naturalKeyOf = ({ arrival, doc, valued }: Candidate) => ({
  company: arrival.request.company,
  sender: arrival.sender,
  customerId: valued.customer.id,
  customerOrder: arrival.request.customerOrder,
  // purchase order numbers recur; the order date, where it is told, says which one is meant
  period: arrival.period ?? arrival.request.orderDate?.slice(0, 4) ?? '',
  orderId: doc,
  contentHash: valued.contentHash,
})

/** The same business document as an earlier one, stored or in the same list; `same`: with the same content. */
type Repetition = { readonly candidate: Candidate; readonly first: number; readonly same: boolean }

/** Parts business documents that are here already, whatever idempotency key they come under, from those that are new. */
async function onlyNew(
  tx: Transaction,
  candidates: readonly Candidate[],
): Promise<{ fresh: readonly Candidate[]; repeated: readonly Repetition[] }> {
  const keys = new Map(candidates.map((candidate) => [naturalKeyOf(candidate), candidate]))
  const fresh: Candidate[] = []
  const repeated: Repetition[] = []
  for (const [key, claimed] of await claimNaturalKeys(tx, [...keys.keys()])) {
    const candidate = keys.get(key)!
    if (claimed.state === 'new') fresh.push(candidate)
    else repeated.push({ candidate, first: claimed.doc, same: claimed.same })
  }
  return { fresh, repeated }
}

/** What refuses the first of a list, its reservation or the customer's credit, refuses its repetitions too: there is no order to name. */
function answerRepeated(
  { candidate, first, same }: Repetition,
  refused: ReadonlyMap<number, Refusal>,
): Captured {
  const refusal = refused.get(first)
  if (refusal) return { kind: 'refused', refusal }
  if (same) return { kind: 'known', doc: first }
  return { kind: 'refused', refusal: otherContent(candidate.arrival.request.customerOrder, first) }
}

const otherContent = (customerOrder: string, doc: number): Refusal =>
  new Refusal(
    'orders.same_number_other_content',
    `purchase order ${customerOrder} is ${orderNumber(doc)} already, with other content`,
    { order: orderNumber(doc) },
    '/customerOrder',
  )

const lockAccounts = (tx: Transaction, candidates: readonly Candidate[]) =>
  lockCreditAccounts(
    tx,
    candidates.map(({ valued }) => valued.customer.id),
  )

function lockStock(
  tx: Transaction,
  ports: ProcessPorts,
  candidates: readonly Candidate[],
): Promise<ChannelStock> {
  const companies = new Set(candidates.map(({ arrival }) => arrival.request.company))
  const locations = new Set([...companies].flatMap((code) => ports.company(code).locations))
  return lockUnclaimedStock(tx, candidates.flatMap(wantedItems), [...locations])
}

const wantedItems = ({ valued }: Candidate): number[] =>
  valued.lines.flatMap((line) => (line.kind === 'sold' ? [line.item.id] : []))

type Accounts = Awaited<ReturnType<typeof lockCreditAccounts>>

type Deciding = { readonly accounts: Accounts; readonly candidates: readonly Candidate[] }
type Decisions = ReturnType<typeof decideCredits>

/** Orders on credit hold stop nobody else: where credit does not suffice, what they would take of it is left out. */
async function decideOnCredit(
  tx: Transaction,
  ports: ProcessPorts,
  { accounts, candidates }: Deciding,
): Promise<Decisions> {
  const decisions = decideAll(ports, { accounts, candidates })
  const doubtful = candidates.filter(({ doc }) => decisions.get(String(doc))?.kind === 'hold')
  if (doubtful.length === 0) return decisions
  const heldMinor = await heldExposure(tx, [...new Set(doubtful.map(({ valued }) => valued.customer.id))])
  if (heldMinor.size === 0) return decisions
  const withoutHeld = [...accounts].map(([id, { openMinor, ...account }]) => {
    return [id, { ...account, openMinor: openMinor - (heldMinor.get(id) ?? 0) }] as const
  })
  return decideAll(ports, { accounts: new Map(withoutHeld), candidates })
}

function decideAll(ports: ProcessPorts, { accounts, candidates }: Deciding): Decisions {
  const byCompany = Map.groupBy(candidates, ({ arrival }) => arrival.request.company)
  const decisions = [...byCompany].flatMap(([company, group]) => [
    ...decideCredits(
      accounts,
      group.map(({ doc, valued }) => ({
        key: String(doc),
        customer: valued.customer,
        orderMinor: valued.totalMinor,
      })),
      { ...ports.company(company).credit, now: ports.clock.now() },
    ),
  ])
  return new Map(decisions)
}

type Supply = {
  readonly free: ChannelStock
  readonly named: NamedReservations
  readonly sources: Sources
  /** Where a source of stock is silent. */
  readonly care: CareNow | undefined
  /** Where a customer wants goods to live for long. */
  readonly lives: ShelfLives | undefined
}

/** Shares out stock in the order of arrival; demand for one item inside the list is seen together. */
async function decide(
  ports: ProcessPorts,
  candidates: readonly Candidate[],
  { free, named, sources, care, lives }: Supply,
  creditHold: (doc: number) => string | undefined,
): Promise<Decided[]> {
  if (candidates.length === 0) return []
  const holds = candidates.map((candidate) => holdsOf(candidate, creditHold(candidate.doc)))
  const ids = await ports.ids.documents(holds.flat().length + (care ? candidates.length : 0))
  return candidates.map((candidate, place) => {
    const { request } = candidate.arrival
    const sold = candidate.valued.lines.filter((line) => line.kind === 'sold')
    const asked = sold.map((line) => ({
      itemId: line.item.id,
      quantity: line.base,
      part: wholePart(line.factor),
      minimumShelfLifeDays: lifeWanted(candidate.valued.customer, line.item),
    }))
    const offered = named.offer(candidate, asked)
    const reserved = lives ? offered.map((some, at) => livingOf(lives, asked[at]!, some)) : offered
    const missing = asked.map((line, at) => ({ ...line, quantity: line.quantity - sumOf(reserved[at]!) }))
    const { locations, timeZone } = ports.company(request.company)
    const sharing = sources.sharingOf(candidate, missing)
    const given = free.allocate(request.channel, missing, locations, sharing)
    const found = given.map((some, at) => joined(reserved[at]!, some))
    const kept = keepByRule(
      request.shippingRule ?? candidate.valued.customer.shippingRule,
      asked.map(({ quantity }, at) => ({ wanted: quantity, found: sumOf(found[at]!) })),
    )
    // what an order that waits for more does not keep is not there for the next: that would overtake it
    const allocations = found.map((some, at) => (kept[at]!.reserve > 0 ? some : []))
    named.take(
      candidate,
      reserved.flatMap((some, at) => (kept[at]!.reserve > 0 ? some : [])),
    )
    const expiresAt = expiryOf(ports, request.company)
    const all = [...holds[place]!, ...holdsToAsk(care, candidate, allocations)]
    const numbered = all.map((hold) => ({ ...hold, id: ids.pop()!, expiresAt }))
    const withheld = care
      ? asked.map(({ itemId }, at) =>
          withholdingOf(care, { itemId, backorder: kept[at]!.backorder }, locations),
        )
      : []
    const left = { free, channel: request.channel, locations, today: localDate(ports.clock.now(), timeZone) }
    const tooOld = lives ? asked.map((line) => tooOldFor(line, { ...left, lives })) : []
    return compose(candidate, { allocations, kept, holds: numbered, withheld, tooOld })
  })
}

const sumOf = (allocations: readonly Pick<Allocation, 'quantity'>[]): number =>
  allocations.reduce((sum, { quantity }) => sum + quantity, 0)

async function write(
  tx: Transaction,
  ports: ProcessPorts,
  orders: readonly Decided[],
  cause: Cause,
): Promise<void> {
  if (orders.length === 0) return
  capture(
    tx,
    orders.map((order) => order.captured),
    cause,
  )
  changeExposure(
    tx,
    orders.map(({ captured }) => ({ customerId: captured.customerId, amountMinor: captured.exposureMinor })),
  )
  reserve(
    tx,
    orders.flatMap(({ captured, arrival, allocations }) => {
      const sold = captured.lines.filter((line) => line.rejection === null)
      return sold.map((line, place) => ({
        doc: captured.doc,
        line: line.n,
        company: captured.company,
        channel: arrival.request.channel,
        itemId: line.itemId,
        minimumShelfLifeDays: line.minimumShelfLifeDays,
        allocations: allocations[place]!,
        backordered: line.backordered,
        waited: false,
      }))
    }),
  )
  recordAudit(
    tx,
    orders.map(({ captured, arrival }) => ({
      actor: arrival.actor,
      action: 'orders.accept',
      company: captured.company,
      kind: 'order',
      doc: captured.doc,
      traceId: arrival.traceId,
    })),
  )
  ports.sla.clocks.start(
    tx,
    'order_to_erp_posting',
    orders.map(({ captured: { doc, company, holds } }) => ({
      doc,
      company,
      paused: waitsForSomebody(ports.sla, holds),
    })),
  )
  await openHoldExceptions(tx, ports, orders.flatMap(heldFor))
}

const HELD_FOR: Readonly<Partial<Record<HoldType, (customer: string) => string>>> = {
  credit: (customer: string) => `Customer ${customer} has no credit left`,
  price_review: (customer: string) => `Prices of customer ${customer} differ from ours`,
  edi_mismatch: (customer: string) =>
    `Purchase orders of customer ${customer} say something that must be looked at`,
  inventory: (customer: string) => `Whether what customer ${customer} ordered is there is not known`,
}

function heldFor({ captured }: Decided) {
  const { doc, company, totalMinor: valueMinor, currency, customer } = captured
  return captured.holds.map(({ type, reason }) => ({
    doc,
    company,
    type,
    reason,
    valueMinor,
    currency,
    cause: `${type}:${customer}`,
    title: HELD_FOR[type]?.(customer) ?? `Orders of customer ${customer} are held`,
  }))
}
