/** The public words of customers: what an order needs of a buyer, the record its ERP gives, the refusals. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'

const Text = (max: number) => z.string().trim().min(1).max(max)
const MinorUnits = z.int()

export const SHELF_LIFE_DAYS_MAX = 3650

export const AddressRecord = z.object({
  code: Text(35),
  name: z.string().max(80).optional(),
  lines: z.array(z.string().max(80)).max(4).readonly().optional(),
  city: z.string().max(60).optional(),
  region: z.string().max(35).optional(),
  postalCode: z.string().max(15).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'is not an ISO 3166-1 code of two letters')
    .optional(),
})

/** A customer as the system that owns it gives it. Amounts in minor units of the customer's currency. */
export const CustomerRecord = z
  .object({
    number: Text(35),
    name: Text(120),
    status: z.enum(['active', 'blocked']),
    currency: z.string().regex(/^[A-Z]{3}$/, 'is not an ISO 4217 code'),
    termsDays: z.int().min(0).max(3650),
    priceList: Text(40),
    creditLimitMinor: MinorUnits.min(0).nullable(),
    receivablesMinor: MinorUnits,
    creditHold: z.boolean(),
    countsOpenOrders: z.boolean().default(true),
    taxId: z.string().max(40).optional(),
    taxExempt: z.boolean(),
    shippingRule: z.enum(['ship-available', 'ship-complete', 'line-complete', 'cancel-rest']),
    minimumShelfLifeDays: z.int().min(0).max(SHELF_LIFE_DAYS_MAX).optional(),
    addresses: z.array(AddressRecord).max(1000).readonly(),
    defaultShipTo: Text(35),
  })
  .refine(({ addresses, defaultShipTo }) => addresses.some(({ code }) => code === defaultShipTo), {
    path: ['defaultShipTo'],
    message: 'is not one of the addresses',
  })
  .refine(({ addresses }) => new Set(addresses.map(({ code }) => code)).size === addresses.length, {
    path: ['addresses'],
    message: 'two addresses have the same code',
  })
export type CustomerRecord = z.infer<typeof CustomerRecord>
export type GivenCustomer = z.input<typeof CustomerRecord>

export type ShippingRule = 'ship-available' | 'ship-complete' | 'line-complete' | 'cancel-rest'

/** What selling to a customer needs. */
export type SellingCustomer = {
  readonly id: number
  readonly company: string
  readonly number: string
  readonly name: string
  readonly status: 'active' | 'blocked'
  readonly currency: string
  readonly termsDays: number
  readonly priceList: string
  readonly shippingRule: ShippingRule
  /** Set by the ERP: everything of this customer waits for a person. */
  readonly creditHold: boolean
  /** Whether what was ordered and not billed uses up its credit. */
  readonly countsOpenOrders: boolean
  readonly taxId: string | null
  /** Buys for resale under a certificate: not taxed. */
  readonly taxExempt: boolean
  /** Code of the address used when an order names none. */
  readonly defaultShipTo: string
  /** How long what is known by lots must live after it ships; null where any will do. */
  readonly minimumShelfLifeDays: number | null
  readonly asOf: Date
}

export type CustomerAddress = {
  readonly customerId: number
  readonly code: string
  readonly name: string | null
  readonly lines: readonly string[]
  readonly city: string | null
  readonly region: string | null
  readonly postalCode: string | null
  readonly country: string | null
}

/** Exposure = receivables as the ERP counts them + open, which is what it cannot know yet. */
export type CreditAccount = {
  /** Null: no limit. */
  readonly creditLimitMinor: number | null
  readonly receivablesMinor: number
  readonly receivablesAsOf: Date
  readonly openMinor: number
}

/** When the ERP's figures are older than allowed: hold the order, decide on the old figures, or refuse it. */
export type StaleCreditFallback = 'hold' | 'accept' | 'refuse'

// NUL cannot be stored, so no two pairs share a key.
export const customerKey = (company: string, number: string): string => `${company}\0${number}`
export const addressKey = (customerId: number, code: string): string => `${customerId}\0${code}`

export const customerRefusals = {
  'customers.credit_unverified': {
    status: 422,
    title: "The customer's credit cannot be verified",
    cause:
      "The ERP's receivables are older than the company allows, and its rule refuses orders until they are fresh.",
    fix: 'Send the order again once the ERP answers, or have the company choose to hold such orders.',
  },
  'customers.record_invalid': {
    status: 422,
    title: 'A customer record cannot be used',
    cause: 'The ERP gave a customer with a field that is missing, malformed or contradicts another.',
    fix: 'Correct the field named in the reason in the ERP; the next reading takes the record.',
  },
} as const satisfies Record<string, RefusalCode>
