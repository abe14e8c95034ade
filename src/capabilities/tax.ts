/** What the house asks of a tax system: the tax on a document, with evidence that can be shown years later. */
import type { Address } from './erp.ts'
import { operation } from '#platform/connector.ts'
import type { Quantity } from '#platform/quantity.ts'

export type TaxRequest = {
  readonly company: string
  /** Our invoice document: the business key. */
  readonly document: string
  readonly customer: string
  readonly taxId?: string | undefined
  /** Why the customer is not taxed, where it says so with a certificate. */
  readonly exemption?: 'RESALE' | undefined
  readonly shipTo: Address
  readonly shipFrom: string
  readonly currency: string
  readonly date: string
  readonly lines: readonly {
    readonly line: number
    readonly sku: string
    readonly taxClass: string
    readonly quantity: Quantity
    readonly netMinor: number
  }[]
}

export type TaxDetermination = {
  /** The tax system's own number of the determination. */
  readonly evidence: string
  readonly jurisdiction: string
  readonly taxMinor: number
  readonly lines: readonly { readonly line: number; readonly taxMinor: number; readonly ratePpm: number }[]
}

/** Business key: our invoice document. */
export const determineTax = operation<TaxRequest, TaxDetermination>('tax', 'determineTax')
