/** Claims that only lots serve which live for long: what is left for them, and which they are. */
import type { Transaction } from '#platform/database.ts'
import { ShelfLives } from '../rules/shelf-life.ts'
import {
  type LifeAwaited,
  selectDatedStock,
  selectLifeAwaited,
  selectLifeClaims,
  updateWantedLife,
  type WantedLine,
} from '../store/shelf-life.ts'

export type { LifeAwaited }
export { ShelfLives }
export const datedStock = selectDatedStock
export const lifeClaims = selectLifeClaims
export const lifeAwaited = selectLifeAwaited

type Line = WantedLine & { readonly minimumShelfLifeDays: number | null }

/** What these lines keep and wait for is to live so long. Comes behind whatever made it; costs nothing where none wants it. */
export function wantLife(tx: Transaction, lines: readonly Line[]): void {
  const wanting = lines.filter(({ minimumShelfLifeDays }) => minimumShelfLifeDays !== null)
  for (const [days, some] of Map.groupBy(wanting, (line) => line.minimumShelfLifeDays!))
    updateWantedLife(tx, some, days)
}
