/** Whom what there is of one item goes to when there is too little: by class and rank; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { CLASSES, type DemandClass } from '../contract/backorder-runs.ts'
import { partsOf } from '../rules.ts'

/** A line that keeps something, waits for something, or both. */
export type Demand = {
  readonly doc: number
  readonly line: number
  readonly class: DemandClass
  readonly waiting: Quantity
  /** What it keeps and no warehouse was asked for, by location. */
  readonly kept: ReadonlyMap<string, Quantity>
  /** One ordered unit. */
  readonly part: Quantity
  /** It is served whole or not at all. */
  readonly whole: boolean
}

export type Redistribution = {
  /** Best rank first, inside the classes as they are listed here. */
  readonly demands: readonly Demand[]
  /** By location; who waits may have it. */
  readonly free: ReadonlyMap<string, Quantity>
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

/** What each loses (below zero) and gains, place by place. Nobody loses more than others gain of it by whole ordered units. */
export function redistribute({ demands, free, locations }: Redistribution): Shift[] {
  const ranked = demands.toSorted((a, b) => RANK.get(a.class)! - RANK.get(b.class)!)
  const pool = new Map(locations.map((location) => [location, Math.max(0, free.get(location) ?? 0)]))
  const lost = new Set<Demand>()
  const shifts: Shift[] = []
  for (const [rank, demand] of ranked.entries()) {
    if (!GAINS.has(demand.class) || demand.waiting === 0 || lost.has(demand)) continue
    const givers = giversTo(demand, ranked.slice(rank + 1)).filter((giver) => !lost.has(giver))
    const used = neededOf({ demand, givers, pool, locations })
    const { there, taken } = takenBy({ demand, givers: used, pool, locations })
    if (taken.size === 0) continue
    for (const giver of used) {
      lost.add(giver)
      shifts.push(...givenBy(giver, locations))
    }
    for (const location of locations) {
      const quantity = taken.get(location) ?? 0
      pool.set(location, there.get(location)! - quantity)
      if (quantity > 0) shifts.push({ demand, location, quantity })
    }
  }
  return withReturns(shifts, pool)
}

const giversTo = (demand: Demand, behind: readonly Demand[]): Demand[] =>
  behind.filter((giver) => giver.kept.size > 0 && GIVE_TO[demand.class]!.includes(giver.class)).toReversed()

type Seeking = {
  readonly demand: Demand
  /** Who gives first stands first. */
  readonly givers: readonly Demand[]
  readonly pool: ReadonlyMap<string, Quantity>
  readonly locations: readonly string[]
}

/** Each giver in turn where that serves more, and of those before it that alone served no more the ones it takes. */
function neededOf({ givers, ...seeking }: Seeking): Demand[] {
  const served = (some: readonly Demand[]): Quantity =>
    [...takenBy({ ...seeking, givers: some }).taken.values()].reduce((sum, quantity) => sum + quantity, 0)
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

type Taken = {
  readonly there: ReadonlyMap<string, Quantity>
  /** By location, where something is taken. */
  readonly taken: ReadonlyMap<string, Quantity>
}

/**
 * As much as it waits for, in whole ordered units; nothing where it must be whole and is not. What is free is taken
 * first, then where those lie who give first.
 */
function takenBy({ demand, givers, pool, locations }: Seeking): Taken {
  const there = new Map(pool)
  const turn = new Map(
    locations.map((location) => [location, pool.get(location)! > 0 ? 0 : givers.length + 1]),
  )
  for (const [at, { kept }] of givers.entries()) {
    for (const [location, quantity] of kept) {
      if (!there.has(location)) continue
      there.set(location, there.get(location)! + quantity)
      turn.set(location, Math.min(turn.get(location)!, at + 1))
    }
  }
  const places = locations.toSorted((a, b) => turn.get(a)! - turn.get(b)!)
  const parts = partsOf(
    places.map((location) => there.get(location)!),
    demand.waiting,
    demand.part,
  )
  const sum = parts.reduce((total, quantity) => total + quantity, 0)
  const isEnough = sum > 0 && (!demand.whole || sum === demand.waiting)
  const rows = isEnough ? places.map((location, at): [string, Quantity] => [location, parts[at]!]) : []
  return { there, taken: new Map(rows.filter(([, quantity]) => quantity > 0)) }
}

/** What was given and nobody took goes back to who gave it last, as far as that leaves him whole units. */
function withReturns(shifts: readonly Shift[], pool: Map<string, Quantity>): Shift[] {
  return shifts
    .toReversed()
    .flatMap((shift) => {
      const left = pool.get(shift.location)!
      if (shift.quantity > 0 || left === 0 || shift.demand.whole) return [shift]
      const back = partsOf([left], -shift.quantity, shift.demand.part)[0]!
      pool.set(shift.location, left - back)
      const rest = shift.quantity + back
      return rest === 0 ? [] : [{ ...shift, quantity: rest }]
    })
    .toReversed()
}
