/** Stock that the warehouse corrects or gives another status. */
import type { StockStatus } from '../world/world.ts'

export type Adjustment = {
  site: string
  owner: string
  sku: string
  lot?: string
  /** Of a lot that was not there before. */
  expiresOn?: string
  /** What the shelf gains; minus what leaves it, be it for another status. */
  delta: number
  /** Which units; the warehouse's choice where they are not named. */
  serials?: string[]
  reason: AdjustmentReason
}

type AdjustmentReason = 'COUNT' | 'HOLD' | 'RELEASE' | 'DAMAGE'

/** The status that goods leave, and the one that they get instead. */
export const STATUS_CHANGES: Record<AdjustmentReason, [left: StockStatus, gets?: StockStatus]> = {
  COUNT: ['available'],
  HOLD: ['available', 'hold'],
  RELEASE: ['hold', 'available'],
  DAMAGE: ['available', 'damaged'],
}
