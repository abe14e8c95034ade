/** The public words of inventory: positions, allocations, movements. */
import type { RefusalCode } from '#platform/faults.ts'
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

export const inventoryRefusals = {
  'inventory.company_unknown': {
    status: 422,
    title: 'There is no such company',
    cause: 'No legal entity of this house has this code.',
    fix: 'Send one of the companies that the message lists.',
  },
  'inventory.item_unknown': {
    status: 422,
    title: 'An item is not known',
    cause: 'The company has no item with this number.',
    fix: 'Send item numbers as the ERP knows them; the errors name those that are wrong.',
  },
  'inventory.location_unknown': {
    status: 422,
    title: 'There is no such location',
    cause: 'The company sells from no location with this code.',
    fix: 'Send one of the locations that the message lists, or leave it out for all of them.',
  },
} as const satisfies Record<string, RefusalCode>
