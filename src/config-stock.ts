/** Settings of what sources tell of stock: which message moves which bucket, and how far counts may differ. */
import { z } from 'zod'
import type { StockReason } from './capabilities/stock.ts'
import { LocalTime } from './platform/time-zone.ts'

const AS_TOLD = 'as told'

/** What each message moves where it counts. */
const MOVES = {
  receipt: 'supplier > available',
  return: 'shipped > quarantine',
  ship: 'available > shipped',
  'ship-other': 'available > shipped',
  count: 'adjustment > available',
  'pick-short': 'available > adjustment',
  damage: 'available > damaged',
  'quality-hold': 'available > quality_hold',
  'quality-release': 'quality_hold > available',
  'status-change': AS_TOLD,
  'transfer-out': AS_TOLD,
  'transfer-in': AS_TOLD,
  'transfer-missing': AS_TOLD,
} as const satisfies Record<StockReason, string>

const move = <Reason extends StockReason>(reason: Reason, byDefault: (typeof MOVES)[Reason] | 'none') =>
  z
    .enum([MOVES[reason], 'none'])
    .describe(`Buckets that a "${reason}" moves; "none" where another message tells it`)
    .default(byDefault as never)

const Moves = z.strictObject({
  receipt: move('receipt', MOVES.receipt),
  return: move('return', MOVES.return),
  ship: move('ship', 'none'),
  'ship-other': move('ship-other', MOVES['ship-other']),
  count: move('count', MOVES.count),
  'pick-short': move('pick-short', MOVES['pick-short']),
  damage: move('damage', MOVES.damage),
  'quality-hold': move('quality-hold', MOVES['quality-hold']),
  'quality-release': move('quality-release', MOVES['quality-release']),
  'status-change': move('status-change', AS_TOLD),
  'transfer-out': move('transfer-out', AS_TOLD),
  'transfer-in': move('transfer-in', AS_TOLD),
  'transfer-missing': move('transfer-missing', AS_TOLD),
})

const Tolerance = z.strictObject({
  units: z
    .number()
    .min(0)
    .max(1e9)
    .describe('A count that differs by so much at most is taken by itself')
    .default(0),
  percent: z
    .number()
    .min(0)
    .max(100)
    .describe('The same in percent of what the books have; the larger one counts')
    .default(0),
  value: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .describe(
      "However small, one that is worth more in whole units of the company's currency, or has no price, is told to a person",
    )
    .optional(),
})

const Source = z.strictObject({
  tolerance: Tolerance.optional().describe(
    'Where nothing is said, nothing is taken of what was asked for, and whatever comes by itself',
  ),
  tolerances: z
    .record(z.string().min(1), Tolerance)
    .describe('Instead of it, of single companies by their codes')
    .default({}),
  moves: Moves.prefault({}).describe(
    'Which message moves which bucket, so that nothing is counted twice; ship confirms of a warehouse always count',
  ),
})

export const StockSource = Source.extend({
  reconcileAt: z
    .union([LocalTime, z.literal('never')])
    .describe(
      'When its count of each location that it runs is held against the books each day, by the company\'s clock; "never": only when asked',
    )
    .default('02:30'),
  guard: z
    .number()
    .min(0)
    .max(1e9)
    .describe(
      'So many base units of each item are kept back where this system has sold it by itself, until it is read again',
    )
    .default(0),
})

const Feed = Source.extend({
  locations: z
    .array(z.string().min(1))
    .min(1)
    .meta({ description: 'Of which it tells', examples: [['CHI-1']] }),
  directory: z
    .string()
    .min(1)
    .meta({
      description: 'Folder that is watched for its files; without it they are loaded by hand',
      path: true,
    })
    .optional(),
})

export const Feeds = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a name such as counts-chicago'), Feed)
  .meta({ description: 'Sources of stock that come as files, by their names', names: 'kebab-case' })
  .default({})

type Moves = z.output<typeof Moves>

/** What of a configuration is about stock. */
type Stocked = {
  readonly systems: Readonly<Record<string, { readonly stock: { readonly moves: Moves } }>>
  readonly feeds: Readonly<Record<string, { readonly moves: Moves; readonly locations: readonly string[] }>>
  readonly locations: readonly { readonly code: string; readonly wms?: string | undefined }[]
}
type Found = { readonly path: (string | number)[]; readonly message: string }

/** Whatever would be counted twice, or tells of nothing. */
export function stockProblems({ systems, feeds, locations }: Stocked): Found[] {
  const wmsOf = new Map(locations.map(({ code, wms }) => [code, wms]))
  const ships = (moves: Moves, path: readonly string[], places: readonly string[]): Found[] => {
    const place = places.find((code) => wmsOf.get(code) !== undefined)
    if (place === undefined || moves.ship === 'none') return []
    const message = `must be "none": what leaves ${place} is counted by the ship confirms of ${wmsOf.get(place)} already`
    return [{ path: [...path, 'moves', 'ship'], message }]
  }
  return [
    ...Object.entries(systems).flatMap(([name, { stock }]) =>
      ships(
        stock.moves,
        ['systems', name, 'stock'],
        locations.flatMap(({ code, wms }) => (wms === name ? [code] : [])),
      ),
    ),
    ...Object.entries(feeds).flatMap(([name, feed]) => [
      ...(name in systems ? [{ path: ['feeds', name], message: 'is the name of a system' }] : []),
      ...ships(feed.moves, ['feeds', name], feed.locations),
      ...feed.locations.flatMap((code, at): Found[] =>
        wmsOf.has(code)
          ? []
          : [{ path: ['feeds', name, 'locations', at], message: `names "${code}", which is not configured` }],
      ),
      ...twice(name, feed, { systems, feeds, wmsOf }),
    ]),
  ]
}

type Others = Pick<Stocked, 'systems' | 'feeds'> & { readonly wmsOf: ReadonlyMap<string, string | undefined> }

/** The same kind of movement at the same location by two sources. */
function twice(
  name: string,
  { moves, locations }: Stocked['feeds'][string],
  { systems, feeds, wmsOf }: Others,
): Found[] {
  return movedBy(moves).flatMap((reason) => {
    const place = locations.find((code) => {
      const wms = systems[wmsOf.get(code) ?? '']
      const others = Object.entries(feeds).filter(
        ([other, feed]) => other < name && feed.locations.includes(code) && feed.moves[reason] !== 'none',
      )
      return (
        (wms !== undefined && reason !== 'ship' && wms.stock.moves[reason] !== 'none') || others.length > 0
      )
    })
    if (place === undefined) return []
    const message = `"${reason}" at ${place} is moved by another source as well; one of the two must say "none"`
    return [{ path: ['feeds', name, 'moves', reason], message }]
  })
}

const movedBy = (moves: Moves): StockReason[] =>
  (Object.keys(moves) as StockReason[]).filter((reason) => moves[reason] !== 'none')

/**
 * What EDI partners tell of the locations of feeds that move the same. Their guides, which say what, are read at the
 * start; a feed under a partner's own name says what of it counts.
 */
export function toldByPartners(
  { feeds, locations }: Pick<Stocked, 'feeds' | 'locations'>,
  reasonsOf: (partner: string) => ReadonlySet<StockReason>,
): Found[] {
  const wmsOf = new Map(locations.map(({ code, wms }) => [code, wms]))
  return Object.entries(feeds).flatMap(([name, feed]) =>
    movedBy(feed.moves).flatMap((reason): Found[] => {
      const place = feed.locations.find((code) => {
        const partner = wmsOf.get(code) ?? ''
        return partner !== name && feeds[partner]?.moves[reason] !== 'none' && reasonsOf(partner).has(reason)
      })
      if (place === undefined) return []
      const partner = wmsOf.get(place)
      const message = `"${reason}" at ${place} is moved by the EDI partner ${partner} as well; one of the two must say "none", the partner under feeds.${partner}`
      return [{ path: ['feeds', name, 'moves', reason], message }]
    }),
  )
}
