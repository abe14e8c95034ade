/** What the house asks of a warehouse, and what a warehouse tells it. */
import type { Label } from './carrier.ts'
import type { Address, OpenOrderLine, Page, PageRequest } from './erp.ts'
import type { StockFact, StockSnapshot } from './stock.ts'
import { operation } from '#platform/connector.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { Quantity } from '#platform/quantity.ts'

export type FulfillmentRequest = {
  readonly company: string
  /** Our fulfillment request, `F-1000031`: the business key, unique at the warehouse. */
  readonly number: string
  readonly order: string
  readonly customerOrder: string
  readonly location: string
  readonly customer: string
  readonly shipTo: Address
  readonly requestedDate?: string | undefined
  readonly lines: readonly FulfillmentRequestLine[]
}

export type FulfillmentRequestLine = {
  readonly line: number
  readonly sku: string
  /** In the item's base unit. */
  readonly quantity: Quantity
  readonly unit: string
  /** The line's own; the request's counts when absent. */
  readonly requestedDate?: string | undefined
  /** What it is to come from, what is to be taken first before the rest; what they leave open may come from any lot. */
  readonly lots?: readonly RequestedLot[] | undefined
  /** Nothing of it may expire before that day, wherever it comes from; ISO 8601. */
  readonly minimumExpiry?: string | undefined
}

/** In the item's base unit. */
export type RequestedLot = { readonly lot: string; readonly quantity: Quantity }

/** The warehouse's own number of the request. */
export type FulfillmentReference = { readonly number: string }

/** Business key: our fulfillment request's number. */
export const requestFulfillment = operation<FulfillmentRequest, FulfillmentReference>(
  'wms',
  'requestFulfillment',
)

export type FulfillmentCancellation = {
  readonly number: string
  readonly location: string
  readonly reason: string
}

/** Refused once picking has begun. */
export const cancelFulfillment = operation<FulfillmentCancellation, object>('wms', 'cancelFulfillment')

/** Labels that were bought for what the warehouse told to be packed. */
export type LabelGiving = {
  readonly fulfillment: string
  /** The warehouse's own number of the packing. */
  readonly packing: string
  readonly carrier: string
  readonly labels: Label['packages']
}

/** Business key: what was packed. Refused once it has left, or is packed anew. */
export const giveLabels = operation<LabelGiving, object>('wms', 'giveLabels')

// What a warehouse tells: the connector translates to these and files them in the inbox ------------------------------------

/** A shipment left the building; also the end of a request whose rest was short. */
export type ShipmentConfirmed = {
  readonly type: 'shipment-confirmed'
  /** The warehouse's own number of the shipment: one shipment however often it is told. */
  readonly shipment: string
  /** Our fulfillment request's number. */
  readonly fulfillment: string
  /** At the latest, where only its day is told. */
  readonly shippedAt: Date
  /** The beginning of that day. */
  readonly shippedFrom?: Date | undefined
  readonly carrier: string
  readonly service?: string | undefined
  readonly packages: readonly ShippedPackage[]
  /** Nothing more comes for this request; what is missing was short. */
  readonly final: boolean
  /** Its number among all that the warehouse tells, by which a snapshot of stock says whether it contains what left. */
  readonly mark?: number | undefined
}

export type ShippedPackage = {
  readonly sscc?: string | undefined
  readonly tracking?: string | undefined
  readonly weightGrams?: number | undefined
  readonly lines: readonly ShippedLine[]
}

export type ShippedLine = {
  /** The request's line; that of the item where the warehouse does not repeat it. */
  readonly line?: number | undefined
  readonly sku: string
  /** In the item's base unit. */
  readonly quantity: Quantity
  readonly lot?: string | undefined
  readonly expiresOn?: string | undefined
  /** Of an item whose units have serials. */
  readonly serials?: readonly string[] | undefined
  /** Actual weight in kilograms for catch-weight items. */
  readonly catchWeight?: Quantity | undefined
}

/** Picking began: from now on a cancellation is refused. */
export type PickingStarted = {
  readonly type: 'picking-started'
  readonly fulfillment: string
  readonly at: Date
}

/**
 * What was picked of a request, and what was not found. Quantities are of the line in all, not since the last message:
 * one that comes twice, late or never does no harm. Many warehouses tell only of the shipment.
 */
export type PickingConfirmed = {
  readonly type: 'picking-confirmed'
  readonly fulfillment: string
  readonly at: Date
  /** A line stands once for each lot. */
  readonly lines: readonly PickedLine[]
  readonly short: readonly HandledLine[]
}

/** What is packed of a request's lines, in all. */
export type PackingConfirmed = {
  readonly type: 'packing-confirmed'
  readonly fulfillment: string
  readonly at: Date
  readonly lines: readonly HandledLine[]
  /** All that is packed and has not left, where the warehouse can take labels for it; a later number replaces it. */
  readonly packing?:
    | {
        readonly number: string
        readonly packages: readonly { readonly sscc: string; readonly weightGrams: number }[]
      }
    | undefined
}

export type HandledLine = {
  readonly line: number
  readonly sku: string
  /** In the item's base unit. */
  readonly quantity: Quantity
}

export type PickedLine = HandledLine & { readonly lot?: string | undefined }

/** Stock moved inside the warehouse for a reason of its own; a `pick-short` is told beside the shipment that was short. */
export type StockMoved = { readonly type: 'stock-moved' } & StockFact

/** Whose stock, and where. */
export type StockPlace = { readonly company: string; readonly location: string }

export interface WmsReader {
  readonly instance: string
  /** All stock of a warehouse as of one moment of its own sequence. */
  stockSnapshot(place: StockPlace): Promise<StockSnapshot>
  /** What was told of stock and may not have come, by item number: its own numbers from one to another. */
  stockAgain(
    place: StockPlace,
    missing: ReadonlyMap<string, { readonly from: number; readonly to: number }>,
  ): Promise<InboundMessage<WarehouseMessage>[]>
  /**
   * Lines of orders of a company that did not come from us: all that are open, or all that have changed since, also
   * where nothing is open any more.
   */
  openOrders(company: string, request: PageRequest): Promise<Page<OpenOrderLine>>
}

/** What a warehouse tells of a request. */
export type RequestMessage = ShipmentConfirmed | PickingStarted | PickingConfirmed | PackingConfirmed

export type WarehouseMessage = RequestMessage | StockMoved
