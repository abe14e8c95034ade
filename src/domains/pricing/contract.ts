/** The public words of pricing: what a price is asked by, what one is, the record the ERP gives, the refusals. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import { formatQuantity, MAX_UNITS, type Quantity, units } from '#platform/quantity.ts'

const Text = (max: number) => z.string().trim().min(1).max(max)

/** Before a customer's number it names that customer's contract prices. */
const CONTRACT = 'customer:'
export const contractList = (customer: string): string => CONTRACT + customer

/**
 * A price as the system that owns it gives it, of an item that we know. It stands on a price list or in one customer's
 * contract, is valid on both of its dates, and counts from its minimum quantity of its unit on.
 */
export const PriceRecord = z
  .object({
    itemId: z.int(),
    sku: Text(40),
    list: Text(40).optional(),
    customer: Text(35).optional(),
    unit: z.string().regex(/^[A-Z0-9]{2,3}$/, 'is not a UN/ECE unit code'),
    currency: z.string().regex(/^[A-Z]{3}$/, 'is not an ISO 4217 code'),
    /** Ten-thousandths of the unit. */
    minQuantity: z.int().min(0).max(units(MAX_UNITS)),
    amountMinor: z.int().min(0),
    validFrom: z.iso.date(),
    validTo: z.iso.date().optional(),
  })
  .refine(({ list, customer }) => (list === undefined) !== (customer === undefined), {
    path: ['list'],
    message: 'a price stands either on a list or in a contract',
  })
  .refine(({ list }) => !list?.startsWith(CONTRACT), { path: ['list'], message: 'looks like a contract' })
  .refine(({ validFrom, validTo }) => validTo === undefined || validFrom <= validTo, {
    path: ['validTo'],
    message: 'ends before it begins',
  })
export type PriceRecord = z.infer<typeof PriceRecord>
export type GivenPrice = z.input<typeof PriceRecord>

/** What a price depends on. */
export type PriceQuestion = {
  readonly company: string
  readonly itemId: number
  readonly customerNumber: string
  readonly priceList: string
  /** The unit that is priced, and how many of it are ordered. */
  readonly unit: string
  readonly currency: string
  readonly quantity: Quantity
  /** ISO 8601. */
  readonly date: string
}

/** The price of one unit, in minor units of the asked currency. */
export type SellingPrice = {
  readonly amountMinor: number
  readonly unit: string
  /** A price list, or the contract it comes from. */
  readonly list: string
  /** The quantity break that was reached. */
  readonly minQuantity: Quantity
  readonly source: string
  readonly asOf: Date
}

// NUL cannot be stored, so no two questions share a key.
export const priceKey = (question: PriceQuestion): string =>
  [
    question.company,
    question.itemId,
    question.customerNumber,
    question.priceList,
    question.unit,
    question.currency,
    formatQuantity(question.quantity),
    question.date,
  ].join('\0')

/** How far a customer's expected price may be from ours, and what happens beyond. */
export type PricePolicy = {
  /** The larger of the two tolerances counts: millionths of our price, or an amount. */
  readonly tolerancePpm: number
  readonly toleranceMinor: number
  /** Whose price counts within the tolerance. */
  readonly within: 'customer' | 'ours'
  /** Beyond it: a person decides, the line is rejected, or our price counts. */
  readonly beyond: 'hold' | 'reject' | 'accept'
}

export const pricingRefusals = {
  'pricing.price_missing': {
    status: 422,
    title: 'The item has no price',
    cause:
      'Neither a contract nor the price list has a price for this item, unit, currency, quantity and date.',
    fix: "Order in another of the item's units, or ask the sales department for a price.",
  },
  'pricing.price_mismatch': {
    status: 422,
    title: 'The expected price is not ours',
    cause: 'The price on the line differs from ours by more than the agreed tolerance.',
    fix: 'Correct the price, or leave it out to order at the agreed price.',
  },
  'pricing.item_unknown': {
    status: 422,
    title: 'A price is for an item we do not have',
    cause: 'The ERP gave a price for an item that it has not given, or whose record was rejected.',
    fix: 'Correct the item in the ERP; its waiting prices are taken with the next reading.',
  },
  'pricing.record_invalid': {
    status: 422,
    title: 'A price record cannot be used',
    cause: 'The ERP gave a price with a field that is missing, malformed or contradicts another.',
    fix: 'Correct the field named in the reason in the ERP; the next reading takes the record.',
  },
} as const satisfies Record<string, RefusalCode>
