/** The verbs of sourcing: which profile decides, what it decides, and the record of it. */
import type { Queries } from '#platform/database.ts'
import { formatAmount, minorDigits } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Allocation } from '../contract.ts'
import type { KeptDecision, SourcingRules } from '../contract/sourcing.ts'
import { type FreeStock, stockKey } from '../rules.ts'
import { type SourcedLine, type Sourcing, type Sourced, sourceOrder } from '../rules/sourcing.ts'
import {
  insertDecisions,
  insertProfileVersion,
  insertShortPicks,
  type NewDecision,
  type ProfileInForce,
  selectInForce,
  selectLotsSince,
} from '../store/sourcing.ts'

export type { NewDecision, ProfileInForce }

/** The next version of a profile; answers its id. */
export const addProfileVersion = insertProfileVersion

/** The versions in force at these companies, those that are not in use among them. */
export const profilesInForce = (queries: Queries, companies: readonly string[]): Promise<ProfileInForce[]> =>
  selectInForce(queries, companies)

/** Keeps what was decided of orders. */
export const recordDecisions = insertDecisions

/** Remembers where nobody is sent again for these lines until something is told of the place. */
export const recordShortPicks = insertShortPicks

type Ordered = {
  readonly company: string
  readonly channel: string
  readonly customerGroup: string | undefined
}

/** The most exact one of those that are for such an order: its group counts before its channel. */
export function profileFor<Profile extends Omit<ProfileInForce, 'rules'>>(
  profiles: readonly Profile[],
  { company, channel, customerGroup }: Ordered,
): Profile | undefined {
  const exactness = (profile: Profile): number =>
    (profile.customerGroup === null ? 0 : 2) + (profile.channel === null ? 0 : 1)
  return profiles
    .filter(
      (profile) =>
        profile.inUse &&
        profile.company === company &&
        (profile.channel ?? channel) === channel &&
        (profile.customerGroup === null || profile.customerGroup === customerGroup),
    )
    .toSorted((a, b) => exactness(b) - exactness(a) || (a.name < b.name ? -1 : 1))[0]
}

/** What decides where no profile does: one location before several, in the company's order. */
export const defaultRules = (locations: readonly string[]): SourcingRules => ({
  network: [...locations],
  strategies: ['single-location'],
  tieBreakers: [],
  maxSplits: 5,
  minSplitOrder: '0',
  minSplitLine: '0',
  nearest: [],
  costs: [],
})

/** When the oldest lots came, where rules ask for it; by `stockKey`. */
export async function lotsSinceOf(
  queries: Queries,
  rules: readonly SourcingRules[],
  items: readonly number[],
): Promise<ReadonlyMap<string, Date> | undefined> {
  const asking = rules.filter(({ strategies }) => strategies.includes('oldest-lot'))
  if (asking.length === 0) return undefined
  const locations = [...new Set(asking.flatMap(({ network }) => network))]
  const rows = await selectLotsSince(queries, [...new Set(items)], locations)
  return new Map(rows.map(({ itemId, location, since }) => [stockKey(itemId, location), since]))
}

export type LineToSource = SourcedLine & { readonly line: string; readonly sku: string }

export type Asked = {
  readonly rules: SourcingRules
  /** Of the order's amounts. */
  readonly currency: string
  readonly lines: readonly LineToSource[]
  readonly free: FreeStock
  readonly shipTo?: string | undefined
  readonly lotsSince?: ReadonlyMap<string, Date> | undefined
  readonly locations: readonly string[]
  readonly orderMinor?: number | undefined
  readonly used?: readonly string[] | undefined
}

/** Decides; `free` is counted down by what is given. A line of which nothing is wanted is given nothing. */
export function sourceFrom(asked: Asked): {
  readonly allocations: readonly (readonly Allocation[])[]
  readonly decision: KeptDecision
} {
  const { lines, free } = asked
  const wanted = lines.filter(({ quantity }) => quantity > 0)
  const there = stockOf(free, wanted, [...new Set([...asked.rules.network, ...asked.locations])])
  const sourced = sourceOrder({
    ...asked,
    lines: wanted,
    rules: inMinor(asked.rules, asked.currency),
    free: there,
  })
  const given = new Map(wanted.map((line, at) => [line, sourced.allocations[at]!]))
  for (const [{ itemId }, some] of given) {
    for (const { location, quantity } of some) {
      const key = stockKey(itemId, location)
      free.set(key, free.get(key)! - quantity)
    }
  }
  return {
    allocations: lines.map((line) => given.get(line) ?? []),
    decision: keptOf(sourced, given, { ...asked, free: there }),
  }
}

/** Of these items alone: candidates copy it. */
function stockOf(free: FreeStock, lines: readonly SourcedLine[], locations: readonly string[]): FreeStock {
  const keys = lines.flatMap(({ itemId }) => locations.map((location) => stockKey(itemId, location)))
  return new Map(keys.map((key): [string, Quantity] => [key, free.get(key) ?? 0]))
}

/** With all that it was decided on, so that it can be decided again by other rules. */
function keptOf(
  { candidates, looked }: Sourced,
  given: ReadonlyMap<LineToSource, readonly Allocation[]>,
  asked: Asked,
): KeptDecision {
  const { currency, orderMinor, used = [], lotsSince } = asked
  return {
    lines: [...given].map(([line, some]) => ({
      line: line.line,
      sku: line.sku,
      wanted: formatQuantity(line.quantity),
      given: some.map(({ location, quantity }) => ({ location, quantity: formatQuantity(quantity) })),
      ...(line.part !== undefined && { whole: formatQuantity(line.part) }),
      worth: formatAmount(line.valueMinor, currency),
      free: freeOf(line, asked),
      ...(line.avoid && { avoided: [...line.avoid] }),
    })),
    ...(orderMinor !== undefined && { orderWorth: formatAmount(orderMinor, currency) }),
    ...(used.length > 0 && { used: [...used] }),
    ...(lotsSince && { lotsRead: true }),
    candidates: candidates.map(({ locations, valueMinor, scores, ...candidate }) => ({
      ...candidate,
      locations: [...locations],
      value: formatAmount(valueMinor, currency),
      scores: { ...scores },
    })),
    looked,
  }
}

function freeOf({ itemId }: LineToSource, { rules, locations, free, lotsSince }: Asked) {
  return [...new Set([...rules.network, ...locations])].flatMap((location) => {
    const key = stockKey(itemId, location)
    const quantity = free.get(key) ?? 0
    const since = lotsSince?.get(key)
    if (quantity === 0 && !since) return []
    return [{ location, quantity: formatQuantity(quantity), ...(since && { since: since.toISOString() }) }]
  })
}

/** With amounts in minor units. */
export const inMinor = (rules: SourcingRules, currency: string): Sourcing => ({
  ...rules,
  minSplitOrderMinor: minorOf(rules.minSplitOrder, currency),
  minSplitLineMinor: minorOf(rules.minSplitLine, currency),
  costs: rules.costs.map(({ location, shipTo, perShipment, perLine }) => ({
    location,
    shipTo,
    perShipmentMinor: minorOf(perShipment, currency),
    perLineMinor: minorOf(perLine, currency),
  })),
})

/** An order's currency may have fewer places than the one in which the rules were written. */
const minorOf = (amount: string, currency: string): number =>
  Math.round(Number(amount) * 10 ** minorDigits(currency))
