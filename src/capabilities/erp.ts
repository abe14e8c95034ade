/** What the house asks of an ERP: sales orders, invoices, payments, and the master data it owns. */
import { operation } from '#platform/connector.ts'
import type { Quantity, UnitFactor } from '#platform/quantity.ts'

export type Address = {
  readonly code?: string | undefined
  readonly name?: string | undefined
  readonly lines?: readonly string[] | undefined
  readonly city?: string | undefined
  readonly region?: string | undefined
  readonly postalCode?: string | undefined
  readonly country?: string | undefined
}

export type SalesOrder = {
  readonly company: string
  /** Our number, `O-1000017`: the business key by which the ERP is asked what became of it. */
  readonly number: string
  readonly customer: string
  readonly customerOrder: string
  readonly currency: string
  readonly requestedDate?: string | undefined
  readonly shipTo?: Address | undefined
  readonly lines: readonly SalesOrderLine[]
}

export type SalesOrderLine = {
  readonly line: number
  readonly sku: string
  /** In the unit of the line. */
  readonly quantity: Quantity
  readonly unit: string
  /** Minor units of the order's currency, for one of `priceUnit`. */
  readonly priceMinor: number
  /** The unit of the line; of catch weight KGM, whatever unit is ordered. */
  readonly priceUnit: string
  /** The line's own; the order's counts when absent. */
  readonly requestedDate?: string | undefined
}

/** The ERP's own number of the sales order. */
export type SalesOrderReference = { readonly number: string }

/** Business key: our order number. */
export const createSalesOrder = operation<SalesOrder, SalesOrderReference>('erp', 'createSalesOrder')

export type SalesOrderCancellation = {
  readonly company: string
  readonly number: string
  readonly erpNumber: string
}

/** Business key: our order number. Refused when the ERP has already gone further. */
export const cancelSalesOrder = operation<SalesOrderCancellation, object>('erp', 'cancelSalesOrder')

export type SalesOrderLineClosing = {
  readonly company: string
  readonly number: string
  readonly erpNumber: string
  readonly line: number
  /** What is still wanted of the line in all, delivered or not; in `unit`. */
  readonly quantity: Quantity
  readonly unit: string
}

/**
 * Short close: what is wanted of a line is lowered, never raised, so that a closing that comes late or twice changes
 * nothing. Business key: our order number. Refused when more than that is invoiced.
 */
export const closeSalesOrderLine = operation<SalesOrderLineClosing, object>('erp', 'closeSalesOrderLine')

export type InvoicePosting = {
  readonly company: string
  /** Our invoice document, `I-1000042`: the business key. */
  readonly document: string
  readonly customer: string
  /** The ERP's number of the sales order that is billed. */
  readonly salesOrder: string
  readonly shipment: string
  readonly shippedAt: Date
  readonly currency: string
  readonly netMinor: number
  /** What the tax system determined; absent where the ERP taxes. */
  readonly tax?: InvoicePostingTax | undefined
  readonly lines: readonly InvoicePostingLine[]
}

export type InvoicePostingTax = {
  readonly taxMinor: number
  /** The tax system's own number of the determination. */
  readonly evidence: string
  readonly jurisdiction: string
}

export type InvoicePostingLine = {
  readonly line: number
  readonly orderLine: number
  readonly sku: string
  /** In `unit`: what was ordered in, or the base unit where less than a whole one of it left. */
  readonly quantity: Quantity
  readonly unit: string
  /** For one of `priceUnit`. */
  readonly priceMinor: number
  readonly priceUnit: string
  /** Actual weight in kilograms, which is what a catch-weight line is priced by. */
  readonly catchWeight?: Quantity | undefined
  readonly netMinor: number
  /** Both absent where the ERP taxes. */
  readonly taxMinor?: number | undefined
  readonly taxRatePpm?: number | undefined
}

/** The posted invoice as the ERP made it: the legal number and the totals that count. */
export type PostedInvoice = {
  readonly number: string
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
  readonly postedAt: Date
}

/** Business key: our invoice document. */
export const postInvoice = operation<InvoicePosting, PostedInvoice>('erp', 'postInvoice')

export type PaymentRegistration = {
  readonly company: string
  /** Our payment document, `P-1000050`: the business key. */
  readonly document: string
  readonly customer: string
  readonly currency: string
  readonly amountMinor: number
  readonly receivedAt: Date
  readonly invoices: readonly { readonly number: string; readonly amountMinor: number }[]
}

export const registerPayment = operation<PaymentRegistration, { readonly number: string }>(
  'erp',
  'registerPayment',
)

export type PaymentReversal = {
  readonly company: string
  /** Our payment document: the business key, and the reference of what was registered. */
  readonly document: string
  readonly reason: string
  readonly reversedAt: Date
  /** False where the ERP refused the registration, perhaps after a part of it: what is not there is not taken back. */
  readonly registered: boolean
  /** As they were told when the payment was to be registered. */
  readonly invoices: PaymentRegistration['invoices']
}

/**
 * Takes back what is registered of a payment, whole; what is taken back already changes nothing. Answers the ERP's
 * number of the reversal where it made or knows one.
 */
export const reversePayment = operation<PaymentReversal, { readonly number?: string | undefined }>(
  'erp',
  'reversePayment',
)

// What an ERP can be read for ------------------------------------------------------------------------------------------

export type ErpCustomer = {
  readonly number: string
  readonly name: string
  readonly status: 'active' | 'blocked'
  readonly currency: string
  readonly termsDays: number
  readonly priceList: string
  readonly creditLimitMinor: number | null
  readonly receivablesMinor: number
  readonly creditHold: boolean
  /** Whether what was ordered and not billed uses up its credit. */
  readonly countsOpenOrders: boolean
  readonly taxId?: string | undefined
  /** Buys for resale under a certificate: not taxed. */
  readonly taxExempt: boolean
  /** Whether an order may leave in parts. */
  readonly shippingRule: 'ship-available' | 'ship-complete'
  /** How many days what is known by lots must live after it ships; any lot will do when absent. */
  readonly minimumShelfLifeDays?: number | undefined
  readonly addresses: readonly (Address & { readonly code: string })[]
  /** The address used when an order names none. */
  readonly defaultShipTo: string
}

export type ErpItem = {
  readonly sku: string
  readonly name: string
  readonly status: 'active' | 'discontinued' | 'blocked'
  readonly baseUnit: string
  /** How many base units one of each further unit is. */
  readonly units: readonly { readonly unit: string; readonly factor: UnitFactor }[]
  readonly catchWeight: boolean
  readonly lotControlled: boolean
  /** Each unit is known by a serial of its own. */
  readonly serialControlled: boolean
  readonly taxClass: string
  readonly identifiers: readonly { readonly scheme: string; readonly value: string }[]
}

export type ErpPrice = {
  readonly sku: string
  /** A price list, or one customer's contract. */
  readonly list?: string | undefined
  readonly customer?: string | undefined
  readonly unit: string
  readonly currency: string
  readonly minQuantity: Quantity
  readonly amountMinor: number
  readonly validFrom: string
  readonly validTo?: string | undefined
}

/** What lies at a location, by status, in the item's base unit. */
export type StockOnHand = {
  readonly sku: string
  readonly location: string
  readonly lot?: string | undefined
  /** For sale. */
  readonly available: Quantity
  readonly qualityHold: Quantity
  readonly damaged: Quantity
}

/** A line of a purchase order: what a supplier owes us, and by when. */
export type PurchaseOrderLine = {
  /** The ERP's number of the purchase order. */
  readonly number: string
  readonly line: number
  readonly supplier: string
  readonly sku: string
  readonly location: string
  readonly unit: string
  /** These in `unit`. */
  readonly ordered: Quantity
  /** As the ERP counts it, which learns of a warehouse's receipts in its own time. */
  readonly received: Quantity
  readonly cancelled: Quantity
  /** When the supplier is to deliver; absent where nobody has said. */
  readonly expectedOn?: string | undefined
  /** A line that changed later is the newer one, however late an earlier one is read. */
  readonly changedAt: Date
}

/** A line of a sales order that an ERP or a warehouse has open, whoever took it: it keeps stock for it. */
export type OpenOrderLine = {
  /** Its number of the order. */
  readonly number: string
  readonly line: string
  /** Our number where it is an order or a request of ours; else whatever its clerks wrote. */
  readonly reference?: string | undefined
  /** counter: sold over the counter, until the goods are taken away. */
  readonly kind: 'order' | 'counter'
  readonly customer: string
  readonly sku: string
  /** Absent where the ERP was not told from where it is to be served. */
  readonly location?: string | undefined
  /** Neither delivered nor cancelled; in `unit`. 0 where nothing of it is open any more. */
  readonly open: Quantity
  /** What of it has left and is told as a movement of stock that names the order as well; in `unit`. */
  readonly shipped?: Quantity | undefined
  readonly unit: string
  readonly changedAt: Date
}

/** A page of what an ERP knows; `next` is absent on the last. `asOf` is the ERP's own time of reading. */
export type Page<T> = {
  readonly items: readonly T[]
  readonly next?: string | undefined
  readonly asOf: Date
}

export type PageRequest = { readonly cursor?: string | undefined; readonly changedSince?: Date | undefined }

export type PostedKind = 'orders' | 'invoices'

/** What an ERP has under a reference of ours. */
export type StandingDocument = { readonly reference: string; readonly number: string }

/** Read access to an ERP's master data, implemented by its connector beside the operations above. */
export interface ErpReader {
  readonly instance: string
  customers(request: PageRequest): Promise<Page<ErpCustomer>>
  items(request: PageRequest): Promise<Page<ErpItem>>
  prices(request: PageRequest): Promise<Page<ErpPrice>>
  stock(request: PageRequest): Promise<Page<StockOnHand>>
  /** Purchase orders, also those of which nothing more is to come. */
  supply(request: PageRequest): Promise<Page<PurchaseOrderLine>>
  /** Lines of sales orders: all that are open, or all that have changed since, also where nothing is open any more. */
  openOrders(request: PageRequest): Promise<Page<OpenOrderLine>>
  /** One customer's credit figures as of now. */
  credit(
    customer: string,
  ): Promise<{ creditLimitMinor: number | null; receivablesMinor: number; creditHold: boolean; asOf: Date }>
}

/** An ERP's books, by our references; implemented by its connector too. */
export interface ErpBooks {
  readonly instance: string
  /** So many references one look-up takes. */
  readonly referencesMax: number
  /**
   * What stands under these references, at most `referencesMax`: several documents where one was posted twice, none of
   * what was cancelled there.
   */
  standing(kind: PostedKind, references: readonly string[]): Promise<readonly StandingDocument[]>
}
