/** What can be promised of one item, by the published formula: the arithmetic by which stock is granted; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { ChannelStock, type Waiter } from '../rules/channel-stock.ts'
import type { Careful } from '../contract/freshness.ts'
import type { Kept } from '../contract.ts'
import { stockKey } from '../rules.ts'

/** Published beside each figure; another text is another version. */
export const FORMULA = {
  version: 4,
  text:
    'free = onHand - onHold - reserved + min(0, unreconciled) - safetyStock + coming; ' +
    'own = min(keptForChannel, max(0, free)); ' +
    'available = own + max(0, free - keptForOthers - keptForChannel) - waiting, own - waiting behind a wall; ' +
    'waiting = what of that orders wait for, each of what its own channel may have; ' +
    'coming = what is expected from today until the date that is asked about, 0 without one; ' +
    'less by the rule of a source that is silent',
} as const

/** The books of an item at a location. */
export type StockHere = {
  readonly location: string
  /** In the building and sellable, reserved or not. */
  readonly available: Quantity
  readonly reserved: Quantity
  /** In the building and not for sale. */
  readonly onHold: Quantity
  readonly inTransit: Quantity
  /** Minus what left although our books could not cover it. */
  readonly unreconciled: Quantity
  /** When a source last told something of it, in milliseconds of the epoch; null where nobody has. */
  readonly toldMs: number | null
}

/** All that the books say of an item. */
export type StockFacts = {
  readonly here: readonly StockHere[]
  readonly kept: readonly Kept[]
  /** The first in the queue of an item first. */
  readonly waiting: readonly Waiter[]
}

export type Promisable = Omit<StockHere, 'available'> & {
  readonly itemId: number
  readonly onHand: Quantity
  /** What is expected until the date that is asked about. */
  readonly coming: Quantity
  readonly safetyStock: Quantity
  readonly keptForOthers: Quantity
  readonly keptForChannel: Quantity
  /** What orders wait for and would be given here, of what the channel may have. */
  readonly waiting: Quantity
  readonly available: Quantity
  /** By which rule less is promised, while the source of the stock here is silent. */
  readonly careful?: Careful
}

/** How much the figure can be relied on. */
export const confidenceIn = ({ careful }: Promisable): 'normal' | 'careful' | 'ask' =>
  careful === undefined ? 'normal' : careful.rule === 'ask' ? 'ask' : 'careful'

export type Asking = {
  /** All that the company sells from: who waits may be served from any of them. */
  readonly locations: readonly string[]
  readonly channel?: string | undefined
  /** By location, until the date that is asked about. */
  readonly coming?: ReadonlyMap<string, Quantity> | undefined
}

/** At every location, in base units; zeros where there is no position. */
export function promisableOf(
  itemId: number,
  facts: StockFacts | undefined,
  { locations, channel, coming }: Asking,
): Promisable[] {
  const { here, kept, waiting } = facts ?? NOTHING
  const rows = locations.map((location) => here.find((row) => row.location === location) ?? empty(location))
  const free = new Map(
    rows.map((row) => [stockKey(itemId, row.location), freeOf(row) + (coming?.get(row.location) ?? 0)]),
  )
  const unclaimed = new ChannelStock({ free, kept })
  const stock = waiting.length > 0 ? unclaimed.copy() : unclaimed
  stock.setAside(waiting, locations)
  return rows.map(({ available, ...row }) => {
    const left = (isSafety: boolean): Quantity =>
      kept.reduce(
        (sum, one) =>
          one.location === row.location && (one.kind === 'safety') === isSafety ? sum + one.left : sum,
        0,
      )
    const keptForChannel = unclaimed.keptFor(channel, itemId, row.location)
    return {
      itemId,
      ...row,
      onHand: available + row.onHold,
      coming: coming?.get(row.location) ?? 0,
      safetyStock: left(true),
      keptForOthers: left(false) - keptForChannel,
      keptForChannel,
      waiting: unclaimed.at(channel, itemId, row.location) - stock.at(channel, itemId, row.location),
      available: Math.max(0, stock.at(channel, itemId, row.location)),
    }
  })
}

const NOTHING: StockFacts = { here: [], kept: [], waiting: [] }

const empty = (location: string): StockHere => ({
  location,
  available: 0,
  reserved: 0,
  onHold: 0,
  inTransit: 0,
  unreconciled: 0,
  toldMs: null,
})

const freeOf = ({ available, reserved, unreconciled }: StockHere): Quantity =>
  available - reserved + Math.min(0, unreconciled)
