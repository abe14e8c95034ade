/** What anybody tells of stock, whoever he is and however it comes: movements, and counts of all that is there. */
import type { StockStatus } from '#domains/inventory/contract.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { StockOnHand } from './erp.ts'

/**
 * What happened. Which buckets it moves, if any, is said for each source in the configuration, so that a shipment which
 * is told twice in different words is counted once. A `pick-short` writes off what a pick did not find, told beside the
 * shipment that was short of it; a `status-change` says which statuses; transfers name their number. A `ship` is told
 * beside the ship confirm of a request of ours, a `ship-other` is for an order that the source took itself.
 */
export const STOCK_REASONS = [
  'receipt',
  'return',
  'ship',
  'ship-other',
  'count',
  'pick-short',
  'damage',
  'quality-hold',
  'quality-release',
  'status-change',
  'transfer-out',
  'transfer-in',
  'transfer-missing',
] as const
export type StockReason = (typeof STOCK_REASONS)[number]

/** A purchase order by its number at the ERP, and its line where that is told. */
export type PurchaseOrderReference = { readonly number: string; readonly line?: number | undefined }

/** One movement. */
export type StockFact = {
  readonly location: string
  readonly sku: string
  /** The code of him whose stock it is; ours when absent. */
  readonly owner?: string | undefined
  readonly lot?: string | undefined
  /** The last day on which the lot may be sold, where the source says. */
  readonly expiresOn?: string | undefined
  /** Of an item whose units have serials: those that move. */
  readonly serials?: readonly string[] | undefined
  readonly reason: StockReason
  /** What moves, in the item's base unit; negative for a count that found less, and for what is taken back. */
  readonly quantity: Quantity
  /** When it happened, by the clock of the source. */
  readonly at: Date
  /** Where it tells no more than between when and when: the first moment, and `at` is the last. */
  readonly since?: Date | undefined
  /**
   * Its number among all that the source tells of this item at this location: from 1, none left out. Absent where the
   * source does not number them; then a lost one is found by a snapshot only.
   */
  readonly sequence?: number | undefined
  /** Its number among all that the source tells, by which a snapshot says what it contains; else its time counts. */
  readonly mark?: number | undefined
  /** Of a change of status: what it was and what it is. Of a transfer: what leaves, or what it arrives as. */
  readonly statuses?: { readonly from: StockStatus; readonly to: StockStatus } | undefined
  /** The number that both ends know, and the other end where that is told. */
  readonly transfer?: { readonly number: string; readonly place?: string | undefined } | undefined
  /** What a receipt is of, where the source says. */
  readonly purchaseOrder?: PurchaseOrderReference | undefined
  /** Of a shipment for an order of its own: which line, and how much of that has left with it in all. */
  readonly order?: { readonly number: string; readonly line: string; readonly shipped: Quantity } | undefined
}

/** What is there of an item, of one lot where it has lots. */
export type CountedStock = StockOnHand & {
  /** The code of him whose stock it is; ours when absent. */
  readonly owner?: string | undefined
  /** Of the lot, where its source keeps that. */
  readonly expiresOn?: string | undefined
  /** Of the last movement of the item at the location that is contained. */
  readonly sequence?: number | undefined
}

/** All that a source has of a company at one moment. */
export type StockSnapshot = {
  readonly company: string
  readonly location: string
  readonly takenAt: Date
  /** Movements up to this mark are contained, later ones are not; else their time says so. */
  readonly mark?: number | undefined
  /** `location`: what is not named is not there. `items`: it tells of the named items alone, of each of them all lots. */
  readonly scope: 'location' | 'items'
  readonly lines: readonly CountedStock[]
}

/** Why a line of a file is not taken, and which field of it. */
export type BadLine = {
  readonly line: number
  readonly field: string
  readonly code: string
  readonly message: string
}

/** A line that can be read; its quantities are in `unit`, or in the item's base unit where none is named. */
type FileLine<Told> = {
  readonly line: number
  readonly company: string
  readonly unit: string | undefined
  readonly told: Told
}

export type CountLine = FileLine<CountedStock> & {
  /** As it stands in the file. */
  readonly text: string
  readonly takenAt: Date
  readonly mark: number | undefined
}

/** What a line of a snapshot is about that cannot be read otherwise; '' where it does not say. */
export type UnreadCount = Pick<CountLine, 'line' | 'text' | 'company'> & {
  readonly location: string
  readonly sku: string
}

/** A file of stock as it was read; what cannot be read is left out and named. */
export type StockFile = { readonly bad: readonly BadLine[] } & (
  | { readonly kind: 'movements'; readonly lines: readonly FileLine<StockFact>[] }
  | {
      readonly kind: 'snapshot'
      readonly lines: readonly CountLine[]
      readonly unread: readonly UnreadCount[]
    }
)
