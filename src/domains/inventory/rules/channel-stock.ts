/** Stock as each channel may take it: what is kept for it, and what is kept for nobody; counted down as it is given; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Kept, Portion } from '../contract.ts'
import { allocate, type FreeStock, setAside, stockKey, type WantedLine } from '../rules.ts'
import type { ShelfLives } from './shelf-life.ts'

type KeptHere = { readonly kept: Kept; left: Quantity }
type Place = {
  /** Beyond safety stock, whoever it is kept for. */
  free: Quantity
  readonly kept: readonly KeptHere[]
}

/** Who waits for an item: a line, or several of one channel that stand behind each other in the queue. */
export type Waiter = WantedLine & { readonly channel: string }

/** What lines get of what is free, by line; counts `free` down. */
export type Sharing = (free: FreeStock) => readonly (readonly Allocation[])[]

/** How much of what could be given is given while the source of a place is silent; `given` counts what was meanwhile. */
export type CarefulFigure = (
  place: { readonly itemId: number; readonly location: string },
  figure: { readonly available: Quantity; readonly given: Quantity },
) => Quantity

export class ChannelStock {
  /** Kept for nobody; below zero where more is kept than there is. */
  readonly rest: FreeStock
  readonly #places: Map<string, Place>
  readonly #given = new Map<string, Quantity>()
  /** By place and channel what orders gave back and nobody has taken yet. */
  readonly #back = new Map<string, Map<string, Quantity>>()
  #careful: CarefulFigure | undefined
  #lives: ShelfLives | undefined

  constructor({ free, kept }: { readonly free: FreeStock; readonly kept: readonly Kept[] }) {
    this.rest = new Map(free)
    this.#places = placesOf(free, kept)
    for (const [key, { free: here, kept: some }] of this.#places) this.rest.set(key, here - sumOf(some))
  }

  /** Gives no more from now on than this says. */
  beCareful(figure: CarefulFigure): void {
    this.#careful = figure
  }

  /** Gives lines that want goods to live for long what these say, and counts it down; without it they are given nothing. */
  countLives(lives: ShelfLives): void {
    this.#lives = lives
  }

  /** What a channel can be given of these items at these locations; of nobody's channel, what is kept for nobody. */
  of(channel: string | undefined, items: Iterable<number>, locations: readonly string[]): FreeStock {
    if (this.#places.size === 0 && !this.#careful) return this.rest
    return this.for(
      channel,
      [...items].map((itemId) => ({ itemId })),
      locations,
    )
  }

  /** As `of`, for lines that want goods to live so long; those of one item want the same. */
  for(channel: string | undefined, lines: readonly WantedLife[], locations: readonly string[]): FreeStock {
    const view: FreeStock = new Map()
    for (const line of lines) {
      for (const location of locations)
        view.set(stockKey(line.itemId, location), this.atFor(channel, line, location))
    }
    return view
  }

  /** As `at`, of what lives as long as a line wants. */
  atFor(channel: string | undefined, line: WantedLife, location: string): Quantity {
    return Math.min(this.at(channel, line.itemId, location), this.#livingFor(line, location))
  }

  #livingFor({ itemId, minimumShelfLifeDays: days }: WantedLife, location: string): Quantity {
    return days === null || days === undefined ? Infinity : (this.#lives?.at(itemId, location, days) ?? 0)
  }

  #claimLife({ itemId, minimumShelfLifeDays: days }: WantedLife, { location, quantity }: Allocation): void {
    if (days !== null && days !== undefined) this.#lives?.claim({ itemId, location, days, quantity })
  }

  /** Another that is counted down by itself. */
  copy(): ChannelStock {
    const copy = new ChannelStock({ free: this.rest, kept: [] })
    for (const [key, { free, kept }] of this.#places)
      copy.#places.set(key, { free, kept: kept.map((one) => ({ ...one })) })
    for (const [key, given] of this.#given) copy.#given.set(key, given)
    for (const [key, back] of this.#back) copy.#back.set(key, new Map(back))
    copy.#careful = this.#careful
    copy.#lives = this.#lives?.copy()
    return copy
  }

  /** Something is kept for channels: who wants some of it is judged by his channel. */
  get isShared(): boolean {
    return [...this.#places.values()].some(({ kept }) => kept.length > 0)
  }

  /** What is kept for a channel there, whether or not there is so much. */
  keptFor(channel: string | undefined, itemId: number, location: string): Quantity {
    return sumOf(ownOf(this.#places.get(stockKey(itemId, location))?.kept ?? [], channel))
  }

  at(channel: string | undefined, itemId: number, location: string): Quantity {
    const key = stockKey(itemId, location)
    const available = this.#at(channel, key)
    if (!this.#careful) return available
    return this.#careful({ itemId, location }, { available, given: this.#given.get(key) ?? 0 })
  }

  #at(channel: string | undefined, key: string): Quantity {
    const rest = this.rest.get(key) ?? 0
    const place = this.#places.get(key)
    const own = ownOf(place?.kept ?? [], channel)
    const back = this.#backFor(channel, key).reduce((sum, [, quantity]) => sum + quantity, 0)
    if (!place) return back > 0 ? Math.max(0, rest) + back : rest
    return reach(place, own) + (isWalled(own) ? 0 : Math.max(0, rest)) + back
  }

  /** What orders gave back there and a channel may have, its own first: a wall lets nothing in and nothing out. */
  #backFor(channel: string | undefined, key: string): [string, Quantity][] {
    const kept = this.#places.get(key)?.kept ?? []
    const isFor = (name: string): boolean =>
      name === channel || !(isWalled(ownOf(kept, channel)) || isWalled(ownOf(kept, name)))
    return [...(this.#back.get(key) ?? [])]
      .filter(([name]) => isFor(name))
      .toSorted(([name]) => (name === channel ? -1 : 0))
  }

  /** Gives lines of a channel what there is, its own first, as `share` shares it out; counts down. */
  allocate(
    channel: string,
    lines: readonly WantedLine[],
    locations: readonly string[],
    share: Sharing = (free) => allocate(free, lines, locations),
  ): readonly (readonly Allocation[])[] {
    const given = share(this.for(channel, lines, locations))
    return given.map((some, at) => some.map((one) => this.#take(channel, lines[at]!, one)))
  }

  /** Sets aside what those who wait are given, the first in the queue first; answers how much of what it wants each has. */
  setAside(waiting: readonly Waiter[], locations: readonly string[]): Quantity[] {
    return waiting.map(({ channel, ...line }) => {
      const take: Sharing = (free) => setAside(free, [line], locations)
      const [given] = this.allocate(channel, [line], locations, take)
      return given!.reduce((sum, { quantity }) => sum + quantity, 0)
    })
  }

  /** More has come, for whom the shares say; it lives as long as anybody wants. */
  receive(itemId: number, location: string, quantity: Quantity): void {
    this.#lives?.receive({ itemId, location, quantity, days: Infinity })
    const key = stockKey(itemId, location)
    this.rest.set(key, (this.rest.get(key) ?? 0) + quantity)
    const place = this.#places.get(key)
    if (place) place.free += quantity
  }

  /** An order gives something back: what it had of its channel's share counts as taken, whoever has it next. */
  giveBack(channel: string, line: WantedLife, { location, quantity }: Allocation): void {
    this.#claimLife(line, { location, quantity: -quantity })
    const key = stockKey(line.itemId, location)
    const back = this.#back.get(key) ?? new Map<string, Quantity>()
    back.set(channel, (back.get(channel) ?? 0) + quantity)
    this.#back.set(key, back)
  }

  /** What orders of a channel gave back there and nobody has taken, as far as it serves a line. */
  leftOf(channel: string, line: WantedLife, location: string): Quantity {
    const left = this.#back.get(stockKey(line.itemId, location))?.get(channel) ?? 0
    return Math.min(left, this.#livingFor(line, location))
  }

  /** An order keeps some of what it gave back and `leftOf` says that nobody took. */
  keep(channel: string, line: WantedLife, { location, quantity }: Allocation): void {
    this.#claimLife(line, { location, quantity })
    const back = this.#back.get(stockKey(line.itemId, location))
    back?.set(channel, back.get(channel)! - quantity)
  }

  #take(channel: string, line: WantedLife, { location, quantity }: Allocation): Allocation {
    this.#claimLife(line, { location, quantity })
    const key = stockKey(line.itemId, location)
    const rest = this.rest.get(key) ?? 0
    const place = this.#places.get(key)
    const own = ownOf(place?.kept ?? [], channel)
    const fromOwn = place ? Math.min(quantity, reach(place, own)) : 0
    this.#given.set(key, (this.#given.get(key) ?? 0) + quantity)
    const fromBack = this.#takeBack(
      channel,
      key,
      quantity - fromOwn - (isWalled(own) ? 0 : Math.max(0, rest)),
    )
    this.rest.set(key, rest - (quantity - fromOwn - fromBack))
    if (place) place.free -= quantity - fromBack
    return fromOwn === 0 ? { location, quantity } : { location, quantity, from: countDown(own, fromOwn) }
  }

  /** Takes what was not there without it. */
  #takeBack(channel: string, key: string, quantity: Quantity): Quantity {
    let missing = Math.max(0, quantity)
    for (const [name, here] of this.#backFor(channel, key)) {
      const taken = Math.min(missing, here)
      this.#back.get(key)!.set(name, here - taken)
      missing -= taken
    }
    return Math.max(0, quantity) - missing
  }
}

type WantedLife = Pick<WantedLine, 'itemId' | 'minimumShelfLifeDays'>

type StockRows = {
  readonly free: readonly { readonly itemId: number; readonly location: string; readonly free: Quantity }[]
  readonly kept: readonly Kept[]
}

/** The stock of any of these items, anew each time: who counts one down is not noticed by the others. */
export function stockOfItems({ free, kept }: StockRows): (items: Iterable<number>) => ChannelStock {
  const freeOf = Map.groupBy(free, ({ itemId }) => itemId)
  const keptOf = Map.groupBy(kept, ({ itemId }) => itemId)
  return (items) => {
    const some = [...new Set(items)]
    const rows = some.flatMap((item) => freeOf.get(item) ?? [])
    return new ChannelStock({
      free: new Map(rows.map((row) => [stockKey(row.itemId, row.location), row.free])),
      kept: some.flatMap((item) => keptOf.get(item) ?? []),
    })
  }
}

/** Items of which something is kept for channels: who waits for one is judged by his channel. */
export const sharedItems = (kept: readonly Kept[]): ReadonlySet<number> =>
  new Set(kept.filter(({ kind }) => kind !== 'safety').map(({ itemId }) => itemId))

function placesOf(free: FreeStock, kept: readonly Kept[]): Map<string, Place> {
  const byPlace = Map.groupBy(kept, ({ itemId, location }) => stockKey(itemId, location))
  return new Map(
    [...byPlace].map(([key, some]) => {
      const safety = some.reduce((sum, one) => (one.kind === 'safety' ? sum + one.left : sum), 0)
      // What is within another is for fewer channels.
      const ofChannels = some
        .filter(({ kind }) => kind !== 'safety')
        .toSorted((one, other) => one.channels.length - other.channels.length)
      return [
        key,
        {
          free: (free.get(key) ?? 0) - safety,
          kept: ofChannels.map((one) => ({ kept: one, left: one.left })),
        },
      ]
    }),
  )
}

const sumOf = (some: readonly KeptHere[]): Quantity => some.reduce((sum, { left }) => sum + left, 0)

/** What of a place is kept for a channel: its own first, then the pools around it; a wall alone. */
function ownOf(kept: readonly KeptHere[], channel: string | undefined): readonly KeptHere[] {
  if (channel === undefined) return []
  const own = kept.filter((one) => one.kept.channels.includes(channel))
  return isWalled(own) ? own.slice(0, 1) : own
}

const isWalled = ([innermost]: readonly KeptHere[]): boolean => innermost?.kept.kind === 'wall'

/** How much of what is kept for a channel is there. Where more is kept than there is, whoever comes first has his. */
const reach = ({ free }: Place, own: readonly KeptHere[]): Quantity => Math.min(sumOf(own), Math.max(0, free))

function countDown(own: readonly KeptHere[], quantity: Quantity): Portion[] {
  let missing = quantity
  const portions: Portion[] = []
  for (const one of own) {
    const taken = Math.min(missing, one.left)
    if (taken > 0) portions.push({ id: one.kept.id, quantity: taken })
    one.left -= taken
    missing -= taken
  }
  return portions
}
