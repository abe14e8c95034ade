/** The tax engine's shapes: documents by code, amounts and rates as decimal strings. */

export type TaxPlace = { country: string; region: string; postal_code: string }
export type TaxDocument = {
  code: string
  company: string
  type: string
  date: string
  currency: string
  customer: { code: string; exemption: string | null; vat_number: string | null }
  ship_from: TaxPlace
  ship_to: TaxPlace
  lines: { number: string; item: string; tax_code: string; quantity: number; amount: string }[]
}

export type TaxDetail = { jurisdiction: string; name: string; rate: string; taxable: string; tax: string }
export type TaxedLine = { number: string; amount: string; tax: string; details: TaxDetail[] }
export type TaxSummary = Omit<TaxDetail, 'name'>

export type Transaction = TaxDocument & {
  id: string
  status: 'Quoted' | 'Committed' | 'Voided'
  total_amount: string
  total_tax: string
  total: string
  committed_at: string
  taxed_lines: TaxedLine[]
  summary: TaxSummary[]
}
