/** The public words of billing: invoices drawn from shipments, payments applied to them. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'

export type InvoiceState =
  | 'draft'
  | 'taxed'
  | 'issued'
  | 'posted'
  | 'sent'
  | 'partially_paid'
  | 'paid'
  | 'disputed'
  | 'written_off'
  | 'void'

export type InvoiceHeader = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly customerId: number
  readonly shipmentId: number
  readonly currency: string
  readonly state: InvoiceState
  readonly netMinor: number
  readonly taxMinor: number | null
  readonly totalMinor: number | null
  readonly taxEvidence: string | null
  readonly taxJurisdiction: string | null
  readonly number: string | null
  readonly termsDays: number
  readonly postedAt: Date | null
  readonly sent: boolean
  readonly paidMinor: number
  readonly version: number
}

/** One billable shipment line. */
export type InvoiceLine = {
  readonly n: number
  readonly shipmentId: number
  readonly shipmentLine: number
  readonly orderLine: number
  readonly itemId: number
  /** In `unit`: what was ordered in, or the base unit where less than a whole one of it left. */
  readonly quantity: Quantity
  readonly unit: string
  /** For one of `priceUnit`. */
  readonly priceMinor: number
  readonly priceUnit: string
  /** Actual weight in kilograms, by which a catch-weight line is priced. */
  readonly catchWeight: Quantity | null
  readonly netMinor: number
  readonly taxMinor: number | null
  readonly taxRatePpm: number | null
}

export type NewInvoice = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly customerId: number
  readonly shipmentId: number
  readonly currency: string
  readonly netMinor: number
  readonly termsDays: number
  readonly lines: readonly InvoiceLine[]
}

/** A payment as a door hands it in, under a document number of its own. */
export type NewPayment = {
  readonly doc: number
  readonly company: string
  readonly customerId: number
  /** Who tells of it: a client, a bank, a lockbox; with company and reference its natural key. */
  readonly sender: string
  readonly reference: string
  readonly currency: string
  readonly amountMinor: number
  readonly receivedAt: Date
  /** What the payer says it is for; the oldest open invoices when absent. */
  readonly named: readonly NamedInvoice[] | undefined
}

export type NamedInvoice = { readonly number: string; readonly amountMinor: number }

export type PaymentState = 'applied' | 'partially_applied' | 'unapplied' | 'reversed'

/** A payment as it was applied when it was received. */
export type ReceivedPayment = {
  readonly doc: number
  readonly currency: string
  readonly amountMinor: number
  readonly appliedMinor: number
  readonly applications: readonly PaymentApplication[]
}

export type PaymentApplication = {
  readonly invoice: number
  readonly orderId: number
  readonly number: string
  readonly amountMinor: number
  /** What the payment made of the invoice. */
  readonly invoiceState: InvoiceState
}

/** An invoice that a payment named and did not pay to the end. */
export type ShortPaid = { readonly invoice: number; readonly number: string; readonly openMinor: number }

/** A payment that is to be taken back, as a door hands it in. */
export type PaymentReversal = {
  readonly doc: number
  readonly company: string
  /** Whose payments the caller may see; everybody's when absent. */
  readonly payer: number | undefined
  readonly reason: string
  /** What the caller takes back, as decimal text; the whole payment when absent. */
  readonly amount: string | undefined
}

export type ReversedPayment = {
  readonly doc: number
  readonly company: string
  readonly customerId: number
  readonly reference: string
  readonly currency: string
  readonly amountMinor: number
  readonly reason: string
  readonly invoices: readonly ReopenedInvoice[]
}

/** What a payment had paid of an invoice, and what the invoice is without it. */
export type ReopenedInvoice = {
  readonly invoice: number
  readonly number: string
  readonly amountMinor: number
  readonly openMinor: number
  readonly paidMinor: number
  readonly invoiceState: InvoiceState
}

const Amount = z
  .string()
  .regex(/^\d{1,13}(\.\d{1,4})?$/)
  .describe('Amount as decimal text in the currency')

const PositiveAmount = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,13}(\.\d{1,4})?$/)
  .describe('Amount above zero as decimal text in the currency')

export const PaymentRequest = z.strictObject({
  company: z.string().min(1).max(12).meta({ example: 'NWF' }),
  customer: z.string().min(1).max(35).meta({ example: 'C-1007' }),
  reference: z.string().min(1).max(60).describe("The payer's or the bank's own number of the payment"),
  currency: z.string().regex(/^[A-Z]{3}$/),
  amount: PositiveAmount.meta({ example: '120.00' }),
  receivedAt: z.iso.datetime({ offset: true }).optional().describe('Now when absent'),
  invoices: z
    .array(z.strictObject({ number: z.string().min(1).max(40), amount: PositiveAmount }))
    .min(1)
    .max(500)
    .optional()
    .describe('What the payer says it is for; the oldest open invoices when absent'),
})
export type PaymentRequest = z.infer<typeof PaymentRequest>

export const PaymentAnswer = z.object({
  id: z.string().meta({ example: 'P-1000050' }),
  state: z
    .enum(['applied', 'partially_applied', 'unapplied', 'reversed'])
    .describe('A payment that was reversed pays nothing any more'),
  amount: Amount,
  applied: Amount,
  unapplied: Amount,
  applications: z.array(
    z.object({ invoice: z.string(), number: z.string(), amount: Amount, invoiceState: z.string() }),
  ),
})
export type PaymentAnswer = z.infer<typeof PaymentAnswer>

export const ReversalRequest = z.strictObject({
  company: z.string().min(1).max(12).meta({ example: 'NWF' }),
  reason: z.string().min(1).max(500).meta({ example: 'Returned by the bank: insufficient funds' }),
  amount: PositiveAmount.optional().describe(
    'The amount of the payment, where the caller wants it compared; a part of it cannot be reversed',
  ),
})
export type ReversalRequest = z.infer<typeof ReversalRequest>

export const ReversalAnswer = z.object({
  id: z.string().meta({ example: 'P-1000050' }),
  state: z.literal('reversed'),
  amount: Amount,
  reason: z.string(),
  invoices: z
    .array(
      z.object({
        invoice: z.string(),
        number: z.string(),
        amount: Amount.describe('What the payment had paid of it'),
        open: Amount.describe('What is open on it now'),
        invoiceState: z.string(),
      }),
    )
    .describe('What the payment had paid'),
})
export type ReversalAnswer = z.infer<typeof ReversalAnswer>

export const billingRefusals = {
  'billing.customer_unknown': {
    status: 422,
    title: 'The payer is not known',
    cause: 'The company has no customer with this number.',
    fix: "Send the sold-to's number as the ERP knows it.",
  },
  'billing.invoice_unknown': {
    status: 422,
    title: 'There is no such posted invoice',
    cause: 'The customer has no posted invoice with this number.',
    fix: 'Check the number, or leave the invoices out to apply the payment to the oldest open ones.',
  },
  'billing.currency_differs': {
    status: 422,
    title: 'The invoice is in another currency',
    cause: 'The payment names an invoice that was posted in another currency than the payment.',
    fix: "Send the payment in the invoice's currency, or leave the invoice out.",
  },
  'billing.invoice_overpaid': {
    status: 422,
    title: 'More is applied than the invoice is open for',
    cause: 'The amount named for an invoice exceeds what is still open on it.',
    fix: 'Lower the amount; what is left stays on account as unapplied cash.',
  },
  'billing.applications_exceed_payment': {
    status: 422,
    title: 'The invoices add up to more than the payment',
    cause: 'The amounts named for the invoices exceed the amount received.',
    fix: 'Correct the amounts so that they add up to the payment at most.',
  },
  'billing.payment_repeated': {
    status: 409,
    title: 'The payment is known with other content',
    cause: 'A payment with the same reference was received with another amount or customer.',
    fix: 'Use the reference of this payment, or correct the content.',
  },
  'billing.payment_unknown': {
    status: 404,
    title: 'There is no such payment',
    cause: 'The company has no payment with this number, or it is not a payment of yours.',
    fix: 'Use the id that the report of the payment was answered with, and the company that received it.',
  },
  'billing.payment_reversed': {
    status: 409,
    title: 'The payment is reversed already',
    cause: 'A payment is taken back once, and this one was.',
    fix: 'Nothing is left to do. Money that came after all is a payment of its own, under a reference of its own.',
  },
  'billing.reversal_partial': {
    status: 422,
    title: 'A payment is reversed whole',
    cause: 'The amount to take back is not the amount of the payment.',
    fix: 'Leave the amount out to reverse the whole payment, then report what was really paid as a payment of its own.',
  },
} as const satisfies Record<string, RefusalCode>
