/** Stock as each channel may take it: what is kept for it, and what is kept for nobody; counted down as it is given; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Kept, Portion } from '../contract.ts'
import { allocate, type FreeStock, setAside, stockKey, type WantedLine } from '../rules.ts'

type KeptHere = { readonly kept: Kept; left: Quantity }
type Place = {
  /** Beyond safety stock, whoever it is kept for. */
  free: Quantity
  readonly kept: readonly KeptHere[]
}

type Given = {
  readonly free: FreeStock
  readonly kept: readonly Kept[]
  /** What orders wait for; they are served from what is kept for nobody. */
  readonly waiting: readonly WantedLine[]
  readonly locations: readonly string[]
}

/** What lines get of what is free, by line; counts `free` down. */
export type Sharing = (free: FreeStock) => readonly (readonly Allocation[])[]

/** How much of what could be given is given while the source of a place is silent; `given` counts what was meanwhile. */
export type CarefulFigure = (
  place: { readonly itemId: number; readonly location: string },
  figure: { readonly available: Quantity; readonly given: Quantity },
) => Quantity

export class ChannelStock {
  /** Kept for nobody, and waited for by nobody; below zero where more is kept than there is. */
  readonly rest: FreeStock
  readonly #places: ReadonlyMap<string, Place>
  readonly #given = new Map<string, Quantity>()
  #careful: CarefulFigure | undefined

  constructor({ free, kept, waiting, locations }: Given) {
    this.rest = new Map(free)
    this.#places = placesOf(free, kept)
    for (const [key, { free: here, kept: some }] of this.#places) this.rest.set(key, here - sumOf(some))
    setAside(this.rest, waiting, locations)
  }

  /** Gives no more from now on than this says. */
  beCareful(figure: CarefulFigure): void {
    this.#careful = figure
  }

  /** What a channel can be given of these items at these locations; of nobody's channel, what is kept for nobody. */
  of(channel: string | undefined, items: Iterable<number>, locations: readonly string[]): FreeStock {
    if (this.#places.size === 0 && !this.#careful) return this.rest
    const view: FreeStock = new Map()
    for (const item of items) {
      for (const location of locations) view.set(stockKey(item, location), this.at(channel, item, location))
    }
    return view
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
    if (!place) return rest
    const own = ownOf(place.kept, channel)
    return isWalled(own) ? reach(place, own) : reach(place, own) + Math.max(0, rest)
  }

  /** Gives lines of a channel what there is, its own first, as `share` shares it out; counts down. */
  allocate(
    channel: string,
    lines: readonly WantedLine[],
    locations: readonly string[],
    share: Sharing = (free) => allocate(free, lines, locations),
  ): readonly (readonly Allocation[])[] {
    if (this.#places.size === 0 && !this.#careful) return share(this.rest)
    const items = lines.map((line) => line.itemId)
    const given = share(this.of(channel, items, locations))
    return given.map((some, at) => some.map((one) => this.#take(channel, items[at]!, one)))
  }

  #take(channel: string, itemId: number, { location, quantity }: Allocation): Allocation {
    const key = stockKey(itemId, location)
    const place = this.#places.get(key)
    const own = place ? ownOf(place.kept, channel) : []
    const fromOwn = place ? Math.min(quantity, reach(place, own)) : 0
    this.#given.set(key, (this.#given.get(key) ?? 0) + quantity)
    this.rest.set(key, (this.rest.get(key) ?? 0) - quantity + fromOwn)
    if (place) place.free -= quantity
    return fromOwn === 0 ? { location, quantity } : { location, quantity, from: countDown(own, fromOwn) }
  }
}

function placesOf(free: FreeStock, kept: readonly Kept[]): ReadonlyMap<string, Place> {
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
