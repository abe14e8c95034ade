/** A purchase order in neutral words, with the sender's own codes: what the 850 says before any guide is applied. */
import type { Position } from '../findings.ts'
import type { Allowance, Contact, DocumentParty, ProductId, QualifiedDate, Reference } from './parts.ts'

/** X12 353, as far as an order can have it. */
export const ORDER_PURPOSES = {
  '00': 'original',
  '01': 'cancellation',
  '05': 'replacement',
  '06': 'confirmation',
  '07': 'duplicate',
} as const

export type OrderPurpose = (typeof ORDER_PURPOSES)[keyof typeof ORDER_PURPOSES]

export type PurchaseOrderLine = {
  /** Unique inside the order: PO101, or the line's position, with a suffix where it repeats. */
  readonly line: string
  /** PO101 as sent, which our answers echo. */
  readonly assignedId?: string
  /** Decimal text, as sent. */
  readonly quantity?: string
  readonly unit?: string
  readonly price?: string
  readonly priceBasis?: string
  readonly currency?: string
  readonly productIds: readonly ProductId[]
  readonly description?: string
  /** PO401: how many of the inner unit one pack holds. */
  readonly pack?: string
  readonly dates: readonly QualifiedDate[]
  readonly references: readonly Reference[]
  readonly allowances: readonly Allowance[]
  readonly notes: readonly string[]
  readonly schedules: readonly { readonly quantity: string; readonly unit: string; readonly date: string }[]
  readonly destinations: readonly {
    readonly location: string
    readonly quantity: string
    readonly unit: string
  }[]
  readonly parties: readonly DocumentParty[]
  readonly at: Position
}

export type PurchaseOrderDocument = {
  readonly purpose: OrderPurpose
  /** X12 92: SA stand-alone, NE new, DS drop ship, RL release … */
  readonly type: string
  readonly number: string
  readonly release?: string
  readonly date: string
  readonly contract?: string
  readonly currency?: string
  readonly references: readonly Reference[]
  readonly contacts: readonly Contact[]
  readonly freight?: { readonly payment: string; readonly terms?: string; readonly location?: string }
  readonly terms: readonly {
    readonly type?: string
    readonly discountPercent?: string
    readonly discountDays?: string
    readonly netDays?: string
    readonly description?: string
  }[]
  readonly dates: readonly QualifiedDate[]
  readonly routing: readonly {
    readonly carrier?: string
    readonly method?: string
    readonly routing?: string
  }[]
  readonly allowances: readonly Allowance[]
  readonly notes: readonly string[]
  readonly parties: readonly DocumentParty[]
  readonly lines: readonly PurchaseOrderLine[]
  /** AMT01 = TT, the buyer's own total. */
  readonly totalAmount?: string
  readonly at: Position
}
