/** From where an order is served by a profile: candidates, what each is worth, and why it is not the one; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation } from '../contract.ts'
import type { Strategy, TieBreaker } from '../contract/sourcing.ts'
import { type FreeStock, partsOf, stockKey, type WantedLine } from '../rules.ts'

/** A profile's rules, with its amounts in minor units. */
export type Sourcing = {
  readonly network: readonly string[]
  readonly strategies: readonly Strategy[]
  readonly tieBreakers: readonly TieBreaker[]
  readonly maxSplits: number
  readonly minSplitOrderMinor: number
  readonly minSplitLineMinor: number
  readonly nearest: readonly { readonly shipTo: string; readonly locations: readonly string[] }[]
  readonly costs: readonly {
    readonly location: string
    readonly shipTo?: string | undefined
    readonly perShipmentMinor: number
    readonly perLineMinor: number
  }[]
}

export type SourcedLine = WantedLine & {
  /** What all that is wanted of it is worth. */
  readonly valueMinor: number
  /** Where it may not be taken from now. */
  readonly avoid?: ReadonlySet<string> | undefined
}

export type SourcingAsked = {
  readonly rules: Sourcing
  readonly lines: readonly SourcedLine[]
  /** By item and location; it is left as it is. */
  readonly free: FreeStock
  /** Country and region, as far as they are known. */
  readonly shipTo?: string | undefined
  /** When the oldest lot of an item came to a location, by `stockKey`. */
  readonly lotsSince?: ReadonlyMap<string, Date> | undefined
  /** Where the company sells from; what is not in the network is refused by name. */
  readonly locations: readonly string[]
  /** What the whole order is worth, where more of it is served than these lines. */
  readonly orderMinor?: number | undefined
  /** Where something of the order is kept or worked on already. */
  readonly used?: readonly string[] | undefined
}

export type Candidate = {
  readonly locations: readonly string[]
  readonly verdict: 'chosen' | 'beaten' | 'refused'
  readonly why: string
  readonly linesWhole: number
  readonly valueMinor: number
  readonly scores: Readonly<Record<string, number>>
}

export type Sourced = {
  /** By line, in the order of the lines. */
  readonly allocations: readonly (readonly Allocation[])[]
  readonly candidates: readonly Candidate[]
  readonly looked: number
}

type Plan = {
  readonly locations: readonly string[]
  readonly allocations: readonly (readonly Allocation[])[]
  readonly linesWhole: number
  readonly valueMinor: number
  readonly given: Quantity
  /** What counts, the first before the rest; the lower wins. */
  readonly scores: readonly (readonly [name: string, score: number])[]
}

/** Combinations beyond these are not looked at; the preferred ones come first. */
export const CANDIDATES_MAX = 200
/** Of those that lost, as many are told. */
const TOLD_MAX = 8
const DEAR = 1_000_000_000

/** The same question has the same answer. Nothing is given that is not free, and no order is split more than it may be. */
export function sourceOrder(asked: SourcingAsked): Sourced {
  const { rules, lines, locations } = asked
  const outside = locations.filter((location) => !rules.network.includes(location))
  const useful = preferred(asked).filter((location) =>
    lines.some((line) => reachOf(asked, line, location) > 0),
  )
  const empty = rules.network.filter((location) => !useful.includes(location))
  const plans = plansOf(asked, useful)
  const [best, ...others] = plans.toSorted(byScores)
  const refused = [
    ...tooMany(asked, useful, best),
    ...empty.map((location) => refusal([location], whyNothing(asked, location))),
    ...outside.map((location) => refusal([location], 'is not in the network of the profile')),
  ]
  return {
    allocations: best?.allocations ?? lines.map(() => []),
    candidates: [
      ...(best
        ? [
            told(
              best,
              'chosen',
              others[0] ? `before the next by ${edgeOf(best, others[0])}` : 'nothing else could serve it',
            ),
          ]
        : []),
      ...others.slice(0, TOLD_MAX).map((plan) => told(plan, 'beaten', edgeOf(best!, plan))),
      ...refused,
    ],
    looked: plans.length + refused.length,
  }
}

/** So much of a line could be taken there at most. */
const reachOf = (asked: SourcingAsked, line: SourcedLine, location: string): Quantity =>
  partsOf([thereOf(asked, line, location)], line.quantity, line.part)[0]!

const thereOf = ({ free }: SourcingAsked, { itemId, avoid }: SourcedLine, location: string): Quantity =>
  avoid?.has(location) ? 0 : Math.max(0, free.get(stockKey(itemId, location)) ?? 0)

function whyNothing({ lines }: SourcingAsked, location: string): string {
  return lines.some((line) => line.avoid?.has(location))
    ? 'a pick found too little there, and nobody has counted since'
    : 'has no whole part of any line free'
}

const refusal = (locations: readonly string[], why: string): Candidate => ({
  locations,
  verdict: 'refused',
  why,
  linesWhole: 0,
  valueMinor: 0,
  scores: {},
})

const told = (plan: Plan, verdict: 'chosen' | 'beaten', why: string): Candidate => ({
  locations: plan.locations,
  verdict,
  why,
  linesWhole: plan.linesWhole,
  valueMinor: plan.valueMinor,
  scores: Object.fromEntries(plan.scores.filter(([name]) => !(name in GIVES))),
})

// Which combinations there are ------------------------------------------------------------------------------------------

/** Combinations of few locations before those of more; where few locations are what counts, more than needed are not tried. */
function plansOf(asked: SourcingAsked, useful: readonly string[]): Plan[] {
  const { rules, lines, used = [] } = asked
  const most = mostOf(asked)
  const fewFirst = rules.strategies[0] === 'single-location' || rules.strategies[0] === 'fewest-splits'
  const plans: Plan[] = []
  let tried = 0
  for (let size = 1; size <= Math.min(most, useful.length); size++) {
    for (const combination of combinationsOf(useful, size)) {
      if (new Set([...used, ...combination]).size > most) continue
      if (++tried > CANDIDATES_MAX) return plans
      const plan = planOf(asked, combination)
      if (plan.locations.length === size) plans.push(plan)
    }
    if (fewFirst && plans.some(({ linesWhole }) => linesWhole === lines.length)) return plans
  }
  return plans
}

/** How many locations may serve the order. */
function mostOf({ rules, lines, orderMinor }: SourcingAsked): number {
  const valueMinor = orderMinor ?? lines.reduce((sum, line) => sum + line.valueMinor, 0)
  return valueMinor < rules.minSplitOrderMinor ? 1 : rules.maxSplits + 1
}

function* combinationsOf(all: readonly string[], size: number): Generator<readonly string[]> {
  if (size === 0) yield []
  for (let first = 0; first + size <= all.length && size > 0; first++) {
    for (const rest of combinationsOf(all.slice(first + 1), size - 1)) yield [all[first]!, ...rest]
  }
}

/** What more locations could serve is named, and why they may not. */
function tooMany(asked: SourcingAsked, useful: readonly string[], best: Plan | undefined): Candidate[] {
  const most = mostOf(asked)
  const isServed = best?.linesWhole === asked.lines.length
  if (isServed || new Set([...(asked.used ?? []), ...useful]).size <= most) return []
  const { maxSplits } = asked.rules
  const why =
    most <= maxSplits
      ? 'the order is worth less than what may be split'
      : `more than ${maxSplits} ${maxSplits === 1 ? 'split' : 'splits'}`
  return [refusal(useful, why)]
}

// What a combination gives ----------------------------------------------------------------------------------------------

function planOf(asked: SourcingAsked, combination: readonly string[]): Plan {
  const left: FreeStock = new Map(asked.free)
  const allocations = asked.lines.map((line) => {
    const given = serve(asked, left, line, inOrderOf(asked, line, combination))
    for (const { location, quantity } of given) {
      const key = stockKey(line.itemId, location)
      left.set(key, left.get(key)! - quantity)
    }
    return given
  })
  const plan = measuredPlan(asked, allocations, combination)
  return { ...plan, scores: scoresOf(asked, plan) }
}

function measuredPlan(
  { lines }: SourcingAsked,
  allocations: Plan['allocations'],
  places: readonly string[] = [...new Set(allocations.flat().map(({ location }) => location))],
): Measured {
  const givenOf = allocations.map((some) => some.reduce((sum, { quantity }) => sum + quantity, 0))
  return {
    locations: places.filter((place) =>
      allocations.some((some) => some.some(({ location }) => location === place)),
    ),
    allocations,
    linesWhole: lines.filter(({ quantity }, at) => givenOf[at] === quantity).length,
    valueMinor: lines.reduce(
      (sum, line, at) => sum + Math.floor((line.valueMinor * givenOf[at]!) / line.quantity),
      0,
    ),
    given: givenOf.reduce((sum, quantity) => sum + quantity, 0),
  }
}

/** From the first that can serve the line whole, else from one after the other; a line worth little from one alone. */
function serve(
  asked: SourcingAsked,
  left: FreeStock,
  line: SourcedLine,
  locations: readonly string[],
): Allocation[] {
  const here = { ...asked, free: left }
  const whole = locations.find((location) => reachOf(here, line, location) === line.quantity)
  if (whole !== undefined) return [{ location: whole, quantity: line.quantity }]
  const isSmall = line.valueMinor < asked.rules.minSplitLineMinor
  const places = isSmall ? mostFirst(here, line, locations).slice(0, 1) : locations
  const there = places.map((location) => thereOf(here, line, location))
  return partsOf(there, line.quantity, line.part).flatMap((quantity, at) =>
    quantity > 0 ? [{ location: places[at]!, quantity }] : [],
  )
}

const mostFirst = (asked: SourcingAsked, line: SourcedLine, locations: readonly string[]): string[] =>
  locations.toSorted((a, b) => reachOf(asked, line, b) - reachOf(asked, line, a))

// What counts -----------------------------------------------------------------------------------------------------------

/** Before all strategies: what can be served is served. */
const GIVES = {
  value: 'it serves what is worth more',
  lines: 'it serves more lines whole',
  quantity: 'it serves more',
}

type Measured = Omit<Plan, 'scores'>

/** What rules say of lines that are served like this, whoever has decided it; no cost where they know none. */
export function measured(asked: SourcingAsked, allocations: Plan['allocations']) {
  const plan = measuredPlan(asked, allocations)
  const costMinor = SCORES['lowest-cost'](asked, plan)
  return {
    splits: Math.max(0, plan.locations.length - 1),
    valueMinor: plan.valueMinor,
    distance: SCORES.nearest(asked, plan),
    costMinor: costMinor < DEAR ? costMinor : undefined,
  }
}

function scoresOf(asked: SourcingAsked, plan: Measured): Plan['scores'] {
  const { strategies, tieBreakers } = asked.rules
  return [
    ['value', -plan.valueMinor],
    ['lines', -plan.linesWhole],
    ['quantity', -plan.given],
    ...strategies.map((strategy): [string, number] => [strategy, SCORES[strategy](asked, plan)]),
    ...tieBreakers.map((one): [string, number] => [one, stockScore(asked, plan, one)]),
  ]
}

const SCORES: Readonly<Record<Strategy, (asked: SourcingAsked, plan: Measured) => number>> = {
  'single-location': (_, { locations }) => (locations.length > 1 ? 1 : 0),
  'fewest-splits': (_, { locations }) => locations.length - 1,
  nearest: (asked, plan) => sumOfParts(asked, plan, (location) => nearness(asked, location)),
  'lowest-cost': (asked, plan) =>
    plan.locations.reduce((sum, location) => {
      const lines = plan.allocations.filter((some) => some.some((one) => one.location === location)).length
      const { perShipmentMinor, perLineMinor } = costOf(asked, location)
      return sum + perShipmentMinor + perLineMinor * lines
    }, 0),
  'oldest-lot': (asked, plan) =>
    sumOfParts(asked, plan, (location, line) =>
      inOrderOfLots(asked, line, asked.rules.network).indexOf(location),
    ),
}

function sumOfParts(
  { lines }: SourcingAsked,
  { allocations }: Measured,
  score: (location: string, line: SourcedLine) => number,
): number {
  return allocations.reduce(
    (sum, some, at) => sum + some.reduce((part, { location }) => part + score(location, lines[at]!), 0),
    0,
  )
}

/** What is left of the items where they are taken from: little of it where much is to be kept together. */
function stockScore({ free, lines }: SourcingAsked, plan: Measured, breaker: TieBreaker): number {
  const items = [...new Set(lines.map(({ itemId }) => itemId))]
  const there = plan.locations.reduce(
    (sum, location) => sum + items.reduce((of, item) => of + (free.get(stockKey(item, location)) ?? 0), 0),
    0,
  )
  return breaker === 'most-stock' ? -there : there
}

/** Zero is the nearest; what is not in the list is farther than all that is. */
function nearness({ rules, shipTo }: SourcingAsked, location: string): number {
  const locations = entryFor(rules.nearest, shipTo)?.locations ?? []
  const place = locations.indexOf(location)
  return place < 0 ? locations.length : place
}

const costOf = ({ rules, shipTo }: SourcingAsked, location: string) => {
  const costs = rules.costs.filter((cost) => cost.location === location)
  const named = costs.filter((cost): cost is typeof cost & { shipTo: string } => cost.shipTo !== undefined)
  return (
    entryFor(named, shipTo) ??
    costs.find((cost) => cost.shipTo === undefined) ?? { perShipmentMinor: DEAR, perLineMinor: 0 }
  )
}

/** The entry of the region, else that of its country. */
const entryFor = <Entry extends { readonly shipTo: string }>(
  entries: readonly Entry[],
  shipTo: string | undefined,
): Entry | undefined =>
  entries.find((entry) => entry.shipTo === shipTo) ??
  entries.find((entry) => entry.shipTo === shipTo?.slice(0, COUNTRY_LENGTH))
const COUNTRY_LENGTH = 2

/** The network by what counts of a single location. */
function preferred(asked: SourcingAsked): string[] {
  const { network, strategies } = asked.rules
  const by = strategies.filter((strategy) => strategy === 'nearest' || strategy === 'lowest-cost')
  const score = (strategy: Strategy, location: string): number =>
    strategy === 'nearest' ? nearness(asked, location) : costOf(asked, location).perShipmentMinor
  return network.toSorted((a, b) => {
    for (const strategy of by) {
      const difference = score(strategy, a) - score(strategy, b)
      if (difference !== 0) return difference
    }
    return network.indexOf(a) - network.indexOf(b)
  })
}

/** Of what counts of single locations the age of lots is the line's own. */
function inOrderOf(
  asked: SourcingAsked,
  line: SourcedLine,
  combination: readonly string[],
): readonly string[] {
  const [first] = asked.rules.strategies.filter((one) => one !== 'single-location' && one !== 'fewest-splits')
  return first === 'oldest-lot' ? inOrderOfLots(asked, line, combination) : combination
}

function inOrderOfLots(
  { lotsSince }: SourcingAsked,
  { itemId }: SourcedLine,
  locations: readonly string[],
): string[] {
  const since = (location: string): number =>
    lotsSince?.get(stockKey(itemId, location))?.getTime() ?? Number.MAX_SAFE_INTEGER
  return locations.toSorted((a, b) => since(a) - since(b))
}

function byScores(a: Plan, b: Plan): number {
  for (const [at, [, score]] of a.scores.entries()) {
    const difference = score - b.scores[at]![1]
    if (difference !== 0) return difference
  }
  return 0
}

/** What the better one is better by. */
function edgeOf(better: Plan, worse: Plan): string {
  const at = better.scores.findIndex(([, score], place) => score !== worse.scores[place]![1])
  if (at < 0) return 'the order of the network'
  const [name, score] = better.scores[at]!
  const gives = GIVES[name as keyof typeof GIVES]
  return gives ?? `${name}: ${score} against ${worse.scores[at]![1]}`
}
