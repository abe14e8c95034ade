/** What a supplier tells of what it owes us: its answer to a purchase order, and what is under way. */
import type { Quantity } from '#platform/quantity.ts'

type Told = {
  readonly company: string
  /** The partner behind the door. */
  readonly sender: string
  /** As the ERP numbers it. */
  readonly supplier: string
  /** By the supplier's own clock: an older document never takes the place of a newer one. */
  readonly at: Date
  /** How far it may be from the order before people are told. */
  readonly tolerance: { readonly days: number; readonly ppm: number }
}

/** A line of our purchase order; one of the two is there. */
type NamedLine = {
  readonly line?: number | undefined
  readonly sku?: string | undefined
  /** UN/ECE; the item's base unit when absent. */
  readonly unit?: string | undefined
}

export type AnsweredLine = NamedLine & {
  readonly parts: readonly {
    readonly quantity: Quantity
    /** ISO date of its arrival; absent: as ordered; null: it comes, and nobody knows when. */
    readonly expectedOn?: string | null | undefined
  }[]
  readonly refused: Quantity
}

export type SupplyAnswered = Told & {
  readonly type: 'supply-answered'
  readonly purchaseOrder: string
  /** Of an answer without lines: what it says of all of them. */
  readonly whole?: 'accepted' | 'refused' | undefined
  readonly lines: readonly AnsweredLine[]
}

export type ShippedLine = NamedLine & {
  readonly purchaseOrder: string
  readonly quantity: Quantity
  readonly lot?: string | undefined
  readonly expiresOn?: string | undefined
  readonly sscc?: string | undefined
}

export type SupplyShipped = Told & {
  readonly type: 'supply-shipped'
  /** The supplier's number of the notice: a later one takes the place of the earlier, one without lines takes it back. */
  readonly notice: string
  /** ISO date of its arrival; absent: as ordered. */
  readonly expectedOn?: string | undefined
  readonly lines: readonly ShippedLine[]
}

export type SupplierMessage = SupplyAnswered | SupplyShipped
