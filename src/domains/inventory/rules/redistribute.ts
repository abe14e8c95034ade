/** Whom what there is of one item goes to when there is too little: by class and rank; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { CLASSES, type DemandClass } from '../contract/backorder-runs.ts'
import type { Allocation } from '../contract.ts'
import { partsOf } from '../rules.ts'
import type { ChannelStock } from './channel-stock.ts'

/** A line that keeps something, waits for something, or both. */
export type Demand = {
  readonly doc: number
  readonly line: number
  readonly channel: string
  readonly class: DemandClass
  readonly waiting: Quantity
  /** What it keeps and no warehouse was asked for, by location. */
  readonly kept: ReadonlyMap<string, Quantity>
  /** One ordered unit. */
  readonly part: Quantity
  /** It is served whole or not at all. */
  readonly whole: boolean
  /** For how long what it is given must live; null where any lot will do. */
  readonly minimumShelfLifeDays: number | null
}

export type Redistribution = {
  /** Best rank first, inside the classes as they are listed here. */
  readonly demands: readonly Demand[]
  readonly itemId: number
  /** What each channel may have, and what lives how long where that is asked for; counted down. */
  readonly stock: ChannelStock
  /** In order of preference. */
  readonly locations: readonly string[]
}

export type Shift = { readonly demand: Demand; readonly location: string; readonly quantity: Quantity }

const RANK = new Map(CLASSES.map((name, rank) => [name, rank]))
const GAINS: ReadonlySet<DemandClass> = new Set(['win', 'gain', 'improve', 'redistribute'])
/** From whom each may take; the last of them gives first. */
const GIVE_TO: Readonly<Partial<Record<DemandClass, readonly DemandClass[]>>> = {
  win: ['improve', 'redistribute', 'fill', 'lose'],
  gain: ['improve', 'redistribute', 'fill', 'lose'],
  improve: ['redistribute', 'fill', 'lose'],
  redistribute: ['redistribute', 'fill', 'lose'],
}

/**
 * What each loses (below zero) and gains, place by place. Nobody loses more than others gain of it by whole ordered units,
 * but for what has become too old for him. What is kept for a channel that gains nothing stays as it was.
 */
export function redistribute({ demands, itemId, stock, locations }: Redistribution): Shift[] {
  const ranked = demands.toSorted((a, b) => RANK.get(a.class)! - RANK.get(b.class)!)
  const lost = new Set<Demand>()
  const shifts: Shift[] = []
  for (const [rank, demand] of ranked.entries()) {
    if (!GAINS.has(demand.class) || demand.waiting === 0 || lost.has(demand)) continue
    const givers = giversTo(demand, ranked.slice(rank + 1)).filter((giver) => !lost.has(giver))
    const seeking = { demand, itemId, stock, locations }
    const used = neededOf({ ...seeking, givers })
    const taken = takenBy({ ...seeking, givers: used })
    if (taken.length === 0) continue
    for (const giver of used) lost.add(giver)
    const shifted = [...used.flatMap((giver) => givenBy(giver, locations)), ...taken]
    for (const { demand: by, ...one } of shifted) shiftIn(stock, itemId, { ...by, ...one })
    shifts.push(...shifted)
  }
  return withReturns(shifts, { stock, itemId })
}

type Step = Allocation & Pick<Demand, 'channel' | 'minimumShelfLifeDays'>

/** Takes, or below zero gives back; answers what is taken, undefined where there is too little. */
function shiftIn(
  stock: ChannelStock,
  itemId: number,
  { channel, location, quantity, minimumShelfLifeDays }: Step,
): Allocation | undefined {
  const line = { itemId, quantity, minimumShelfLifeDays }
  if (quantity < 0) stock.giveBack(channel, line, { location, quantity: -quantity })
  else if (stock.atFor(channel, line, location) >= quantity)
    return stock.allocate(channel, [line], [location], () => [[{ location, quantity }]])[0]![0]
  return undefined
}

/** Does all of it, what is lost first; answers what is gained, with what of it was kept for the channel. Of what lacks stock it knows nothing. */
export function shiftAll<One extends Step>(
  stock: ChannelStock,
  itemId: number,
  steps: readonly One[],
): ReadonlyMap<One, Allocation> {
  const gains = new Map<One, Allocation>()
  for (const step of steps.toSorted((a, b) => Number(a.quantity > 0) - Number(b.quantity > 0))) {
    const gained = shiftIn(stock, itemId, step)
    if (gained) gains.set(step, gained)
  }
  return gains
}

const giversTo = (demand: Demand, behind: readonly Demand[]): Demand[] =>
  behind.filter((giver) => giver.kept.size > 0 && GIVE_TO[demand.class]!.includes(giver.class)).toReversed()

type Seeking = {
  readonly demand: Demand
  /** Who gives first stands first. */
  readonly givers: readonly Demand[]
  readonly itemId: number
  readonly stock: ChannelStock
  readonly locations: readonly string[]
}

/** Each giver in turn where that serves more, and of those before it that alone served no more the ones it takes. */
function neededOf({ givers, ...seeking }: Seeking): Demand[] {
  const served = (some: readonly Demand[]): Quantity =>
    takenBy({ ...seeking, givers: some }).reduce((sum, { quantity }) => sum + quantity, 0)
  let needed: Demand[] = []
  let idle: Demand[] = []
  let best = served([])
  for (const giver of givers) {
    if (best === seeking.demand.waiting) break
    const more = served([...needed, ...idle, giver])
    if (more === best) {
      idle.push(giver)
      continue
    }
    needed = [...needed, ...withoutIdle(idle, (some) => served([...needed, ...some, giver]) === more), giver]
    idle = []
    best = more
  }
  return needed
}

/** As few of them as suffice. */
function withoutIdle(
  idle: readonly Demand[],
  suffice: (some: readonly Demand[]) => boolean,
): readonly Demand[] {
  let left = idle
  for (const one of idle) {
    const fewer = left.filter((other) => other !== one)
    if (suffice(fewer)) left = fewer
  }
  return left
}

const givenBy = (demand: Demand, locations: readonly string[]): Shift[] =>
  locations.flatMap((location) => {
    const quantity = demand.kept.get(location) ?? 0
    return quantity > 0 ? [{ demand, location, quantity: -quantity }] : []
  })

/**
 * As much as it waits for, in whole ordered units; nothing where it must be whole and is not. What is free is taken
 * first, then where those lie who give first.
 */
function takenBy({ demand, givers, itemId, stock, locations }: Seeking): Shift[] {
  const { channel, waiting, part, whole, minimumShelfLifeDays } = demand
  const line = { itemId, minimumShelfLifeDays }
  const then = stock.copy()
  const isFree = (location: string): boolean => stock.atFor(channel, line, location) > 0
  const turn = new Map(locations.map((location) => [location, isFree(location) ? 0 : givers.length + 1]))
  for (const [at, giver] of givers.entries()) {
    for (const { location, quantity } of givenBy(giver, locations)) {
      shiftIn(then, itemId, { ...giver, location, quantity })
      turn.set(location, Math.min(turn.get(location)!, at + 1))
    }
  }
  const places = locations.toSorted((a, b) => turn.get(a)! - turn.get(b)!)
  const there = places.map((location) => Math.max(0, then.atFor(channel, line, location)))
  const parts = partsOf(there, waiting, part)
  const sum = parts.reduce((total, quantity) => total + quantity, 0)
  if (sum === 0 || (whole && sum < waiting)) return []
  const taken = new Map(places.map((location, at) => [location, parts[at]!]))
  return locations.flatMap((location) => {
    const quantity = taken.get(location)!
    return quantity > 0 ? [{ demand, location, quantity }] : []
  })
}

/** What was given and nobody took goes back to who gave it last, as far as that leaves him whole units that serve him. */
function withReturns(
  shifts: readonly Shift[],
  { stock, itemId }: Pick<Redistribution, 'stock' | 'itemId'>,
): Shift[] {
  return shifts
    .toReversed()
    .flatMap((shift) => {
      const { demand, location, quantity } = shift
      if (quantity > 0 || demand.whole) return [shift]
      const line = { itemId, minimumShelfLifeDays: demand.minimumShelfLifeDays }
      const left = stock.leftOf(demand.channel, line, location)
      const back = partsOf([left], -quantity, demand.part)[0]!
      stock.keep(demand.channel, line, { location, quantity: back })
      const rest = quantity + back
      return rest === 0 ? [] : [{ ...shift, quantity: rest }]
    })
    .toReversed()
}
