/** Takes what places tell of transfers between them, and answers the movements that they are. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { StockStatus } from '../contract.ts'
import { ownerOf } from '../contract/owners.ts'
import type { StockChange } from '../operations.ts'
import { stepTransfer, type TransferAct } from '../rules/transfers.ts'
import { lockTransfers, type TransferKey, updateTransfers } from '../store/transfers.ts'

/** What somebody told of a transfer. */
export type TransferTold = TransferKey &
  Pick<StockChange, 'source' | 'sourceKey' | 'at'> & {
    readonly act: TransferAct
    /** The place that sends; who receives need not know it. */
    readonly from?: string | undefined
    readonly quantity: Quantity
    readonly status: StockStatus
  }

/**
 * Counts the transfers on; the caller books the movements in the same transaction. They are locked before the positions
 * that they move, by key.
 */
export async function takeTransfers(
  tx: Transaction,
  told: readonly TransferTold[],
): Promise<ReadonlyMap<TransferTold, StockChange[]>> {
  if (told.length === 0) return new Map()
  const keys = [...new Map(told.map((one) => [keyOf(one), one])).values()].toSorted(byKey)
  const rows = new Map((await lockTransfers(tx, keys)).map((row) => [keyOf(row), row]))
  const changes = told.map((one): [TransferTold, StockChange[]] => {
    const row = rows.get(keyOf(one))!
    const { after, moves } = stepTransfer(row, one)
    rows.set(keyOf(one), { ...row, ...after, from: row.from ?? one.from ?? null })
    return [one, moves.map(({ at, ...move }) => ({ ...changeOf(one), ...move, location: placeOf(at, one) }))]
  })
  updateTransfers(tx, [...rows.values()])
  return new Map(changes)
}

/** What leaves is told with the place that it leaves. */
const placeOf = (at: 'from' | 'to', { from, to }: TransferTold): string => (at === 'from' ? from! : to)

const changeOf = ({ company, itemId, lot, owner, act, source, sourceKey, at }: TransferTold) => ({
  company,
  itemId,
  owner,
  lot,
  reason: `transfer ${act}`,
  source,
  sourceKey,
  at,
})

// NUL cannot be stored, so no two transfers share a key.
const keyOf = ({ company, number, itemId, lot, to, ...of }: TransferKey): string =>
  [company, number, itemId, lot, to, ownerOf(of)].join('\0')

const byKey = (a: TransferKey, b: TransferKey): number => (keyOf(a) < keyOf(b) ? -1 : 1)
