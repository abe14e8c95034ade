/** What waiting lines would be given of what is free: by their turn, their order's rule and how it is sourced. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Reservation } from '#domains/inventory/contract.ts'
import type { KeptDecision, SourcingCause, SourcingRules } from '#domains/inventory/contract/sourcing.ts'
import {
  allocateOrder,
  type ChannelStock,
  coverableLines,
  type FreeStock,
} from '#domains/inventory/operations.ts'
import {
  avoidedBy,
  leftByOthers,
  type QueuedLine,
  readWaiting,
  shareFor,
  sourcedBy,
  type Waiting,
} from '#domains/inventory/operations/queue.ts'
import type { ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import { defaultRules, lotsSinceOf, sourceFrom } from '#domains/inventory/operations/sourcing.ts'
import type { OrderHeader, OrderLine } from '#domains/orders/views.ts'
import { wholePart } from './ordered-unit.ts'
import type { CareNow } from './care.ts'
import { type LifePorts, readLives } from './shelf-life.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'

export type WaitingOrder = Pick<
  OrderHeader,
  'doc' | 'company' | 'channel' | 'shippingRule' | 'currency' | 'totalMinor'
> & {
  readonly lines: readonly OrderLine[]
  /** Claims that no request carries yet, and where requests are worked on. */
  readonly reservations: readonly Pick<Reservation, 'line' | 'location'>[]
  readonly requestedAt: readonly string[]
}

type Profile = { readonly id: number; readonly rules: SourcingRules; readonly shipTo: string | null }

export type WaitingOrders = Waiting & {
  /** Where a source of stock is silent: less is given than the books have. */
  readonly care: CareNow | undefined
  /** Where somebody waits for what lives long. */
  readonly lives: ShelfLives | undefined
  /** The version that each was sourced by when it came, where there was one. */
  readonly profiles: ReadonlyMap<number, Profile>
  readonly lotsSince: ReadonlyMap<string, Date> | undefined
}

/** Reads what decides on the waiting ones of these lines; undefined where none waits. */
export async function readOrdersWaiting(
  queries: Queries,
  { care: memory, ...ports }: Pick<ProcessPorts, 'care'> & LifePorts,
  lines: readonly OrderLine[],
  locations: readonly string[],
): Promise<WaitingOrders | undefined> {
  const waiting = lines.filter((line) => line.backordered > 0)
  if (waiting.length === 0) return undefined
  const docs = [...new Set(waiting.map(({ doc }) => doc))]
  const items = waiting.map(({ itemId }) => itemId)
  const [turns, sourced, care] = await Promise.all([
    readWaiting(queries, waiting, locations),
    sourcedBy(queries, docs),
    memory.ifAny(queries, items),
  ])
  const profiles = sourced.map(({ doc, id, shipTo, rules }): [number, Profile] => [
    doc,
    { id, shipTo, rules: rules as SourcingRules },
  ])
  const lotsSince = await lotsSinceOf(
    queries,
    profiles.map(([, { rules }]) => rules),
    items,
  )
  const lives = turns.living.length > 0 ? await readLives(queries, ports, turns.living, locations) : undefined
  const stockOf: Waiting['stockOf'] = (some) => within(turns.stockOf(some), { care, lives })
  return { ...turns, stockOf, care, lives, profiles: new Map(profiles), lotsSince }
}

/** What may be given of the stock to who waits. */
export function within(
  stock: ChannelStock,
  { care, lives }: Pick<WaitingOrders, 'care' | 'lives'>,
): ChannelStock {
  if (care) stock.beCareful(care.figure)
  if (lives) stock.countLives(lives.copy())
  return stock
}

export type Filled = {
  readonly lines: readonly {
    readonly n: number
    readonly itemId: number
    readonly quantity: Quantity
    readonly allocations: readonly Allocation[]
  }[]
  /** Where a profile decided, or a pick was short. */
  readonly decided?:
    | {
        readonly cause: SourcingCause
        readonly profile: number | null
        readonly shipTo: string | null
        readonly decision: KeptDecision
      }
    | undefined
}

type Asked = {
  readonly n: number
  readonly itemId: number
  readonly quantity: Quantity
  readonly part: Quantity
  readonly minimumShelfLifeDays: number | null
  readonly avoid: ReadonlySet<string> | undefined
  readonly line: OrderLine
  readonly row: QueuedLine
}

type Allocations = readonly (readonly Allocation[])[]

/** What an order's lines are given of the stock, which is counted down; lines that get nothing are left out. */
export function fillOf(
  waiting: WaitingOrders,
  order: WaitingOrder,
  { stock, company }: { readonly stock: ChannelStock; readonly company: CompanyRules },
): Filled {
  const profile = waiting.profiles.get(order.doc)
  const locations = profile?.rules.network ?? company.locations
  const asked = askedBy(waiting, order, locations)
  if (asked.length === 0) return { lines: [] }
  const isShort = asked.some(({ avoid }) => avoid !== undefined)
  const free = reachOf(waiting, order, { asked, stock, locations: company.locations })
  const give = (allocations: Allocations): Filled['lines'] => {
    const enough = enoughOf(asked, allocations, order)
    const taken = stock.allocate(order.channel, asked, company.locations, () => enough)
    return asked.flatMap(({ n, itemId }, at) => {
      const quantity = sumOf(taken[at]!)
      return quantity > 0 ? [{ n, itemId, quantity, allocations: taken[at]! }] : []
    })
  }
  if (!profile && !isShort) return { lines: give(allocatePlainly(free, asked, locations)) }
  const avoided = new Set(asked.flatMap(({ avoid }) => [...(avoid ?? [])]))
  const { allocations, decision } = sourceFrom({
    rules: profile?.rules ?? defaultRules(company.locations),
    currency: order.currency,
    lines: asked.map(({ line, row: _, ...one }) => ({
      ...one,
      line: line.customerLine,
      sku: line.sku,
      valueMinor: Math.floor((line.netMinor * one.quantity) / line.ordered),
    })),
    free,
    shipTo: profile?.shipTo ?? undefined,
    lotsSince: waiting.lotsSince,
    locations: company.locations,
    orderMinor: order.totalMinor,
    used: usedBy(order).filter((location) => !avoided.has(location)),
  })
  const cause = isShort ? 'short' : 'waited'
  return {
    lines: give(allocations),
    decided: { cause, profile: profile?.id ?? null, shipTo: profile?.shipTo ?? null, decision },
  }
}

const usedBy = ({ reservations, requestedAt }: WaitingOrder): string[] => [
  ...new Set([...reservations.map(({ location }) => location), ...requestedAt]),
]

/** What each line may have by its turn, in whole parts; of an order that wants lines whole, whole lines. */
function askedBy(
  waiting: WaitingOrders,
  { doc, shippingRule, lines }: WaitingOrder,
  locations: readonly string[],
): Asked[] {
  const lineOf = new Map(lines.map((line) => [line.n, line]))
  return waiting.queued.flatMap((row): Asked[] => {
    const line = row.doc === doc ? lineOf.get(row.line) : undefined
    if (!line || line.backordered === 0) return []
    const part = wholePart(line)
    const quantity = shareFor(waiting, row, { locations, part })
    const suffices = shippingRule === 'line-complete' ? quantity === line.backordered : quantity > 0
    if (!suffices) return []
    const { n, itemId, minimumShelfLifeDays } = line
    return [{ n, itemId, quantity, part, minimumShelfLifeDays, avoid: avoidedBy(waiting, row), line, row }]
  })
}

type Reaching = {
  readonly asked: readonly Asked[]
  readonly stock: ChannelStock
  readonly locations: readonly string[]
}

/** What there is for an order's channel, without what others before it wait for and would be given at a place. */
function reachOf(
  waiting: WaitingOrders,
  { channel }: WaitingOrder,
  { asked, stock, locations }: Reaching,
): FreeStock {
  const free = new Map(stock.for(channel, asked, locations))
  // of several lines for an item the last is behind all others that one of them is behind
  for (const { row } of asked) {
    for (const [key, left] of leftByOthers(waiting, row, locations) ?? [])
      free.set(key, Math.min(free.get(key) ?? 0, left))
  }
  return free
}

/**
 * A share is read after the stock was locked and may count on some that came in between, at a place that had none:
 * such a line is left out. Whoever brought it has woken the order, which looks again.
 */
function allocatePlainly(
  free: FreeStock,
  asked: readonly Asked[],
  locations: readonly string[],
): Allocations {
  const covered = coverableLines(free, asked, locations)
  const allocations = allocateOrder(new Map(free), covered, locations)
  const found = new Map(covered.map((line, at) => [line, allocations[at]!]))
  return asked.map((line) => found.get(line) ?? [])
}

const sumOf = (some: readonly Allocation[]): Quantity => some.reduce((sum, { quantity }) => sum + quantity, 0)

/** A line that wants all or nothing gives back what does not suffice. */
const enoughOf = (
  asked: readonly Asked[],
  allocations: Allocations,
  { shippingRule }: WaitingOrder,
): Allocations =>
  allocations.map((some, at) =>
    shippingRule === 'line-complete' && sumOf(some) < asked[at]!.line.backordered ? [] : some,
  )
