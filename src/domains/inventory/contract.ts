/** The public words of inventory: positions, demands, allocations, movements. */
import type { Quantity } from '#platform/quantity.ts'

/** The buckets of a position between which movements run; the last four stand outside it. */
export type Bucket =
  | 'available'
  | 'quality_hold'
  | 'damaged'
  | 'in_transit'
  | 'unreconciled'
  | 'supplier'
  | 'shipped'
  | 'adjustment'
  | 'opening'

/** What an order wants of an item, in base units, from any of these locations in the order of preference. */
export type Demand = {
  readonly doc: number
  readonly line: number
  readonly company: string
  readonly itemId: number
  readonly quantity: Quantity
}

/** Where a line's quantity is taken from. */
export type Allocation = { readonly location: string; readonly quantity: Quantity }

export type Reservation = {
  readonly doc: number
  readonly line: number
  readonly location: string
  readonly company: string
  readonly itemId: number
  readonly quantity: Quantity
}

export type Movement = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly from: Bucket
  readonly to: Bucket
  readonly quantity: Quantity
  readonly reason: string
  readonly source: string
  readonly sourceKey: string
  readonly doc: number | null
  readonly at: Date
}
