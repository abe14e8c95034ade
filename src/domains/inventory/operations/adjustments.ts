/** The verbs of adjustments: compare counts with the books, keep what was asked, book it, decide on it. */
import type { Queries, Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Bucket, StockStatus } from '../contract.ts'
import type { AdjustedLine, Adjustment } from '../contract/adjustments.ts'
import { ownerOf } from '../contract/owners.ts'
import { lockOwned, move, type Shortfall, type StockChange } from '../operations.ts'
import { correction, type CorrectingMove, stillInDoubt } from '../rules/counting-up.ts'
import type { PositionChange } from '../store.ts'
import {
  type AdjustmentFilter,
  insertAdjustment,
  lockAdjustment,
  selectAdjustment,
  selectAdjustments,
  updateDecision,
} from '../store/adjustments.ts'
import { takeTransfers, type TransferTold } from './transfers.ts'

export type { AdjustmentFilter }
export const lockedAdjustment = lockAdjustment
export const adjustmentOf = selectAdjustment
export const listAdjustments = (
  queries: Queries,
  filter: AdjustmentFilter,
  after: number | undefined,
  limit: number,
): Promise<Adjustment[]> => selectAdjustments(queries, filter, after, limit)

/** Positions of the lines' items at their locations, of all owners whom they name, locked. */
export async function lockAdjusted(
  tx: Transaction,
  lines: readonly Pick<AdjustedLine, 'itemId' | 'location' | 'owner' | 'toOwner'>[],
): Promise<readonly PositionChange[]> {
  if (lines.length === 0) return []
  const taken = lines.flatMap(({ toOwner, ...line }) =>
    toOwner === null ? [] : [{ ...line, owner: toOwner }],
  )
  return lockOwned(tx, [...lines, ...taken])
}

const COLUMN = {
  available: 'available',
  quality_hold: 'qualityHold',
  quarantine: 'quarantine',
  damaged: 'damaged',
  blocked: 'blocked',
} as const satisfies Record<StockStatus, keyof PositionChange>

/** What counts found more or less than these positions, and what of their doubt they explain. */
export const compareCounts = (
  lines: readonly AdjustedLine[],
  positions: readonly PositionChange[],
): AdjustedLine[] =>
  lines.map((line) => {
    if (line.kind !== 'counted') return line
    const here = positionOf(positions, line, line.lot)
    return {
      ...line,
      difference: line.quantity - (here?.[COLUMN[line.status]] ?? 0),
      explained: line.status === 'available' ? -(here?.unreconciled ?? 0) + 0 : 0,
    }
  })

type OwnedPlace = Pick<AdjustedLine, 'itemId' | 'location' | 'owner'>

const isAt = (row: PositionChange, { itemId, location, owner }: OwnedPlace): boolean =>
  row.itemId === itemId && row.location === location && ownerOf(row) === owner

const positionOf = (
  positions: readonly PositionChange[],
  place: OwnedPlace,
  lot: string,
): PositionChange | undefined => positions.find((row) => row.lot === lot && isAt(row, place))

/** Whether the lot of the line was ever there. */
export const hasLot = (positions: readonly PositionChange[], line: OwnedPlace & { readonly lot: string }) =>
  positionOf(positions, line, line.lot) !== undefined

/** What the owner of the line has there in its status that nobody has reserved, of its lot where it names one. */
export function unreservedOf(positions: readonly PositionChange[], line: AdjustedLine): Quantity {
  const whole = positionOf(positions, line, '')
  if (!whole) return 0
  const there = whole[COLUMN[line.status]] - (line.status === 'available' ? whole.reserved : 0)
  const inLot = line.lot === '' ? there : (positionOf(positions, line, line.lot)?.[COLUMN[line.status]] ?? 0)
  return Math.max(0, Math.min(there, inLot))
}

/** Keeps what was asked, and tells it. What waits for approval is not booked. */
export function addAdjustment(tx: Transaction, adjustment: Adjustment, cause: Cause): void {
  insertAdjustment(tx, adjustment)
  tell(tx, adjustment, cause)
}

/** Keeps what was decided, and tells it. */
export function decideAdjustment(tx: Transaction, adjustment: Adjustment, cause: Cause): void {
  updateDecision(tx, adjustment)
  tell(tx, adjustment, cause)
}

const TYPES = {
  pending: 'adjustment.requested',
  booked: 'adjustment.booked',
  rejected: 'adjustment.rejected',
} as const

function tell(
  tx: Transaction,
  { id, company, state, version, reason, reference, lines }: Adjustment,
  cause: Cause,
) {
  const data = { reason, reference, lines: lines.length }
  appendEvents(
    tx,
    [{ type: TYPES[state], key: id, keyVersion: version, company, correlationId: id, data }],
    cause,
  )
}

export type Booking = {
  /** Under which the movements are found. */
  readonly number: string
  readonly at: Date
  readonly positions: readonly PositionChange[]
}

/** Books the lines on positions that are locked; answers what moved and what the books could not cover. */
export async function bookAdjustment(
  tx: Transaction,
  { id, company, reason, lines }: Adjustment,
  { number, at, positions }: Booking,
): Promise<{ readonly changes: readonly StockChange[]; readonly shortfalls: readonly Shortfall[] }> {
  const common = { company, reason, source: 'adjustment', at, doc: id }
  const transfers = new Map(
    lines.flatMap((line) => {
      const told = transferOf(line, { company, sourceKey: `${number}/${line.n}`, at })
      return told ? [[line, told] as const] : []
    }),
  )
  const transferred = await takeTransfers(tx, [...transfers.values()])
  const changes = lines.flatMap((line): StockChange[] => {
    const told = transfers.get(line)
    if (told) return transferred.get(told)!.map((change) => ({ ...change, reason, doc: id }))
    const { itemId, location, owner, n } = line
    const here = { ...common, itemId, location, owner, sourceKey: `${number}/${n}` }
    return movesOf(line, positions).map((one) => ({ ...here, ...one }))
  })
  return { changes, shortfalls: changes.length > 0 ? await move(tx, changes) : [] }
}

type LotMove = CorrectingMove & { readonly lot: string; readonly owner?: string }

function movesOf(line: AdjustedLine, positions: readonly PositionChange[]): LotMove[] {
  const { kind, lot, quantity, status, toStatus } = line
  if (kind === 'counted') return movesOfCount(line, positions)
  if (kind === 'handed-over') {
    return [
      { lot, quantity, from: status, to: 'owner' },
      { lot, quantity, from: 'owner', to: status, owner: line.toOwner! },
    ]
  }
  const [from, to] = BOOKED_AS[kind as keyof typeof BOOKED_AS](status, toStatus)
  return quantity > 0 ? [{ lot, quantity, from, to }] : []
}

const BOOKED_AS = {
  found: (status) => ['adjustment', status],
  lost: (status) => [status, 'adjustment'],
  moved: (status, toStatus) => [status, toStatus!],
  returned: () => ['shipped', 'quarantine'],
} as const satisfies Record<
  string,
  (status: StockStatus, toStatus: StockStatus | null) => readonly [from: Bucket, to: Bucket]
>

/** A pick that was short is in doubt without its lot: what a lot lacks explains that. */
function movesOfCount(line: AdjustedLine, positions: readonly PositionChange[]): LotMove[] {
  const { lot, status } = line
  const mine = positionOf(positions, line, lot)?.unreconciled ?? 0
  const moves = correction(status, {
    difference: line.difference!,
    explained: stillInDoubt(line.explained!, mine),
  }).map((one) => ({ ...one, lot }))
  if (lot === '') return moves
  const lost = moves.find(({ from, to }) => from === 'available' && to === 'adjustment')?.quantity ?? 0
  const inLots = positions
    .filter((row) => row.lot !== '' && isAt(row, line))
    .reduce((sum, row) => sum + row.unreconciled, 0)
  const doubt = (positionOf(positions, line, '')?.unreconciled ?? 0) - inLots
  const quantity: Quantity = Math.min(lost, Math.max(0, doubt))
  return quantity > 0 ? [{ lot: '', from: 'unreconciled', to: 'available', quantity }, ...moves] : moves
}

function transferOf(
  { kind, itemId, owner, lot, location, place, transfer, quantity, status }: AdjustedLine,
  { company, sourceKey, at }: Pick<TransferTold, 'company' | 'sourceKey' | 'at'>,
): TransferTold | undefined {
  if (kind !== 'sent' && kind !== 'arrived' && kind !== 'missing') return undefined
  const [from, to] = kind === 'sent' ? [location, place!] : [place ?? undefined, location]
  const told = { company, number: transfer!, itemId, owner, lot, from, to, act: kind, quantity, status }
  return { ...told, source: 'adjustment', sourceKey, at }
}
