/** Claims that only lots serve which live for long: what is left for them, and which they are. */
import type { Transaction } from '#platform/database.ts'
import { type LivingLot, ShelfLives } from '../rules/shelf-life.ts'
import {
  type LifeAwaited,
  type LifeClaim,
  selectDatedStock,
  selectLifeAwaited,
  selectLifeClaimedItems,
  selectLifeClaims,
  updateWantedLife,
  type WantedLine,
} from '../store/shelf-life.ts'

export type { LifeAwaited, LifeClaim, LivingLot }
export { ShelfLives }
export const datedStock = selectDatedStock
export const lifeClaims = selectLifeClaims
export const lifeClaimedItems = selectLifeClaimedItems
export const lifeAwaited = selectLifeAwaited

type Line = WantedLine & { readonly minimumShelfLifeDays?: number | null | undefined }

/** What these lines keep and wait for is to live so long. Comes behind whatever made it; costs nothing where none wants it. */
export function wantLife(tx: Transaction, lines: readonly Line[]): void {
  for (const [days, some] of Map.groupBy(
    lines,
    ({ minimumShelfLifeDays }) => minimumShelfLifeDays ?? undefined,
  )) {
    if (days !== undefined) updateWantedLife(tx, some, days)
  }
}
