/** Settings of what sources tell of stock: which message moves which bucket, and how far counts may differ. */
import { z } from 'zod'
import type { StockReason } from './capabilities/stock.ts'

const AS_TOLD = 'as told'

/** What each message moves where it counts. */
const MOVES = {
  receipt: 'supplier > available',
  return: 'shipped > quarantine',
  ship: 'available > shipped',
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

export const StockSource = z.strictObject({
  moves: Moves.prefault({}).describe(
    'Which message moves which bucket, so that nothing is counted twice; ship confirms of a warehouse always count',
  ),
})

/** What of a configuration is about stock, as far as it is read. */
type Stocked = {
  readonly systems: Readonly<Record<string, { readonly stock: z.output<typeof StockSource> }>>
  readonly locations: readonly { readonly code: string; readonly wms?: string | undefined }[]
}

/** The ship confirms of a warehouse system count what leaves; whoever tells it as a movement too must not move stock. */
export function stockProblems({ systems, locations }: Stocked): { path: string[]; message: string }[] {
  return Object.entries(systems).flatMap(([name, { stock }]) => {
    const place = locations.find(({ wms }) => wms === name)
    if (!place || stock.moves.ship === 'none') return []
    const message = `must be "none": what leaves ${place.code} is counted by the ship confirms of ${name} already`
    return [{ path: ['systems', name, 'stock', 'moves', 'ship'], message }]
  })
}
