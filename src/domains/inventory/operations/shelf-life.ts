/** Claims that only lots serve which live for long: what is left for them, and which they are. */
import { type LivingLot, ShelfLives } from '../rules/shelf-life.ts'
import {
  type LifeAwaited,
  type LifeClaim,
  selectDatedStock,
  selectLifeAwaited,
  selectLifeClaimedItems,
  selectLifeClaims,
} from '../store/shelf-life.ts'

export type { LifeAwaited, LifeClaim, LivingLot }
export { ShelfLives }
export const datedStock = selectDatedStock
export const lifeClaims = selectLifeClaims
export const lifeClaimedItems = selectLifeClaimedItems
export const lifeAwaited = selectLifeAwaited
