/** What waiting lines would be given of what is free: by their turn, their order's rule and how it is sourced. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Reservation } from '#domains/inventory/contract.ts'
import type { KeptDecision, SourcingCause, SourcingRules } from '#domains/inventory/contract/sourcing.ts'
import { allocateOrder, coverableLines, type FreeStock, stockKey } from '#domains/inventory/operations.ts'
import {
  avoidedBy,
  readWaiting,
  shareFor,
  sourcedBy,
  type Waiting,
} from '#domains/inventory/operations/queue.ts'
import { defaultRules, lotsSinceOf, sourceFrom } from '#domains/inventory/operations/sourcing.ts'
import type { OrderHeader, OrderLine } from '#domains/orders/views.ts'
import { wholePart } from './ordered-unit.ts'
import type { CareNow } from './care.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'

export type WaitingOrder = Pick<
  OrderHeader,
  'doc' | 'company' | 'shippingRule' | 'currency' | 'totalMinor'
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
  /** The version that each was sourced by when it came, where there was one. */
  readonly profiles: ReadonlyMap<number, Profile>
  readonly lotsSince: ReadonlyMap<string, Date> | undefined
}

/** Reads what decides on the waiting ones of these lines; undefined where none waits. */
export async function readOrdersWaiting(
  queries: Queries,
  { care: memory }: Pick<ProcessPorts, 'care'>,
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
  const free = care ? care.lowered(turns.free, items) : turns.free
  return { ...turns, free, care, profiles: new Map(profiles), lotsSince }
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
  readonly avoid: ReadonlySet<string> | undefined
  readonly line: OrderLine
}

/** What an order's lines are given of `free`, which is left as it is; lines that get nothing are left out. */
export function fillOf(
  waiting: WaitingOrders,
  order: WaitingOrder,
  { free, company }: { readonly free: FreeStock; readonly company: CompanyRules },
): Filled {
  const profile = waiting.profiles.get(order.doc)
  const locations = profile?.rules.network ?? company.locations
  const asked = askedBy(waiting, order, locations)
  if (asked.length === 0) return { lines: [] }
  const isShort = asked.some(({ avoid }) => avoid !== undefined)
  if (!profile && !isShort) return { lines: given(asked, allocatePlainly(free, asked, locations), order) }
  const avoided = new Set(asked.flatMap(({ avoid }) => [...(avoid ?? [])]))
  const { allocations, decision } = sourceFrom({
    rules: profile?.rules ?? defaultRules(company.locations),
    currency: order.currency,
    lines: asked.map(({ line, ...one }) => ({
      ...one,
      line: line.customerLine,
      sku: line.sku,
      valueMinor: Math.floor((line.netMinor * one.quantity) / line.ordered),
    })),
    free: new Map(free),
    shipTo: profile?.shipTo ?? undefined,
    lotsSince: waiting.lotsSince,
    locations: company.locations,
    orderMinor: order.totalMinor,
    used: usedBy(order).filter((location) => !avoided.has(location)),
  })
  const cause = isShort ? 'short' : 'waited'
  return {
    lines: given(asked, allocations, order),
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
    return suffices
      ? [{ n: line.n, itemId: line.itemId, quantity, part, avoid: avoidedBy(waiting, row), line }]
      : []
  })
}

/**
 * A share is read after the stock was locked and may count on some that came in between, at a place that had none:
 * such a line is left out. Whoever brought it has woken the order, which looks again.
 */
function allocatePlainly(
  free: FreeStock,
  asked: readonly Asked[],
  locations: readonly string[],
): readonly (readonly Allocation[])[] {
  const covered = coverableLines(free, asked, locations)
  const allocations = allocateOrder(new Map(free), covered, locations)
  const found = new Map(covered.map((line, at) => [line, allocations[at]!]))
  return asked.map((line) => found.get(line) ?? [])
}

function given(
  asked: readonly Asked[],
  allocations: readonly (readonly Allocation[])[],
  { shippingRule }: WaitingOrder,
): Filled['lines'] {
  return asked.flatMap(({ n, itemId, line }, at) => {
    const some = allocations[at]!
    const quantity = some.reduce((sum, one) => sum + one.quantity, 0)
    const isEnough = shippingRule === 'line-complete' ? quantity === line.backordered : quantity > 0
    return isEnough ? [{ n, itemId, quantity, allocations: some }] : []
  })
}

/** Takes what was given off what is free. */
export function countDown(free: FreeStock, { lines }: Filled): void {
  for (const { itemId, allocations } of lines) {
    for (const { location, quantity } of allocations) {
      const key = stockKey(itemId, location)
      free.set(key, free.get(key)! - quantity)
    }
  }
}
