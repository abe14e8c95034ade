/** What processes are handed by app.ts: identity, time, the rules of each company, who is told of what. */
import type { Address } from '#capabilities/erp.ts'
import type { StockReason } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import type { Occurrence } from '#platform/exceptions.ts'
import type { Clock } from '#platform/clock.ts'
import type { Ids } from '#platform/ids.ts'
import type { FreshnessRule } from '#domains/inventory/contract/freshness.ts'
import type { Tolerance } from '#domains/inventory/contract/reconciliations.ts'
import type { PricePolicy } from '#domains/pricing/contract.ts'
import type { StaleCreditFallback } from '#domains/customers/contract.ts'
import type { Care } from './care.ts'
import type { Sla } from './sla.ts'

/** How one legal entity sells. */
export type CompanyRules = {
  readonly code: string
  readonly currency: string
  /** By whose clock its days begin. */
  readonly timeZone: string
  /** Where its stock may be taken from, in the order of preference. */
  readonly locations: readonly string[]
  /** Those among them that channels may name together, each group in the same order. */
  readonly locationGroups: ReadonlyMap<string, readonly string[]>
  /** Who determines tax: the ERP while it posts, or the tax system before. */
  readonly taxedBy: 'erp' | 'tax-system'
  readonly credit: { readonly staleAfterMs: number; readonly fallback: StaleCreditFallback }
  readonly price: PricePolicy
  /** How long an order waits for somebody to decide on a hold; for ever where undefined. */
  readonly holdsExpireAfterMs: number | undefined
  /** How long a soft reservation of a channel keeps stock: when nobody says, and at most. */
  readonly reservations: { readonly softMs: number; readonly softMaxMs: number }
  /** What people change of stock beyond this value, another person has to approve. */
  readonly adjustments: { readonly approveAboveMinor: number }
}

/** What a channel wants to be told of an order that came through it. */
export type ChannelWishes = {
  readonly acknowledgement: boolean
  readonly shipNotice: boolean
  readonly invoice: boolean
}

/** Where the labels of a location are bought. */
export type LabelRules = { readonly carrier: string; readonly service: string; readonly shipFrom: Address }

export type ProcessPorts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly company: (code: string) => CompanyRules
  /** As `company`, for what a caller names: refuses one that there is not. */
  readonly findCompany: (code: string) => CompanyRules
  readonly wishes: (order: { readonly channel: string; readonly sender: string }) => ChannelWishes
  /** Whether what a source tells for this reason moves stock, or another message tells it. */
  readonly countsStock: (source: string, reason: StockReason) => boolean
  /** How far a count of a source may differ from the company's books and be taken by itself, where that is said. */
  readonly tolerance: (source: string, company: string) => Tolerance | undefined
  /** How fresh sources of stock must be, and what is promised of their places otherwise. */
  readonly freshness: readonly FreshnessRule[]
  /** What is given meanwhile. */
  readonly care: Care
  /** Whether any carrier tells of parcels: scans may wait for shipments that are booked. */
  readonly tracksParcels: boolean
  /** When a parcel of which nothing is heard is asked about, and where. */
  readonly parcelsAsked: {
    readonly afterMs: number
    /** The system of a carrier by the name that shipments give it; undefined where none can be asked. */
    readonly systemOf: (carrier: string) => string | undefined
    readonly canAsk: (system: string) => boolean
  }
  /** Where labels are bought, by location. */
  readonly labels: ReadonlyMap<string, LabelRules>
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
  readonly sla: Sla
}

/** Numbers as people see them: a letter for the kind, then the document's number. */
export const orderNumber = (doc: number): string => `O-${doc}`
export const fulfillmentNumber = (doc: number): string => `F-${doc}`
export const shipmentNumber = (doc: number): string => `S-${doc}`
export const invoiceNumber = (doc: number): string => `I-${doc}`
export const paymentNumber = (doc: number): string => `P-${doc}`
export const reservationNumber = (id: number): string => `R-${id}`
export const adjustmentNumber = (id: number): string => `A-${id}`
export const holdNumber = (id: number): string => `H-${id}`

const NUMBERS: Readonly<Record<string, (doc: number) => string>> = {
  order: orderNumber,
  fulfillment: fulfillmentNumber,
  shipment: shipmentNumber,
  invoice: invoiceNumber,
  payment: paymentNumber,
  reservation: reservationNumber,
  adjustment: adjustmentNumber,
}

/** The number under which people know a document of this kind. */
export const numberOf = (kind: string, doc: number): string => NUMBERS[kind]?.(doc) ?? String(doc)

/** The same, by the process that works on it. */
export const numberOfProcess = (process: string, doc: number): string =>
  numberOf(process === 'order-to-cash' ? 'order' : process, doc)

/** The document behind the number of any kind of it. */
export function documentNamed(text: string): number | undefined {
  const [, digits] = /^[A-Z]-(\d{1,15})$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** The document behind `O-1000017`; undefined when the text is no such number. */
export function parseNumber(text: string, letter: string): number | undefined {
  const match = /^([A-Z])-(\d{1,15})$/.exec(text)
  return match?.[1] === letter ? Number(match[2]) : undefined
}
