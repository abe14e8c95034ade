/** The public words of what suppliers tell: answers to lines of purchase orders, and what is under way. */
import type { Quantity } from '#platform/quantity.ts'

export type AnsweredPart = {
  /** In the item's base unit. */
  readonly quantity: Quantity
  /** ISO date; absent: as ordered; null: it comes, and nobody knows when. */
  readonly expectedOn?: string | null | undefined
}

/** Who told it, when, and in which document. */
type Told = {
  readonly company: string
  readonly supplier: string
  readonly source: string
  readonly document: string
  readonly at: Date
}

/** A line of a purchase order as a supplier counts it. */
type NamedLine = {
  readonly number: string
  readonly itemId: number
  /** Absent where he names the item alone. */
  readonly line?: number | undefined
}

export type SupplierAnswer = Told &
  NamedLine & {
    readonly parts: readonly AnsweredPart[]
    /** What he will not deliver. */
    readonly refused: Quantity
    readonly tolerance: Tolerance
  }

/** How far what a supplier tells may be from the order before people are told. */
export type Tolerance = { readonly days: number; readonly ppm: number }

/** A ship notice, whole: a later one of its number takes its place, and one without lines takes it back. */
export type ShipNotice = Told & {
  readonly notice: string
  readonly tolerance: Pick<Tolerance, 'days'>
  readonly lines: readonly (NamedLine & {
    readonly quantity: Quantity
    readonly expectedOn?: string | undefined
    readonly lot?: string | undefined
    readonly expiresOn?: string | undefined
    readonly sscc?: string | undefined
  })[]
}
