/** What the house tells the channel an order came through: a shop, an EDI partner. */
import { operation } from '#platform/connector.ts'
import type { Quantity, UnitFactor } from '#platform/quantity.ts'

/** What became of each line; the shop's order status, an EDI 855. */
export type OrderAcknowledgement = {
  readonly company: string
  readonly order: string
  readonly customer: string
  readonly customerOrder: string
  readonly orderDate?: string | undefined
  readonly externalId?: string | undefined
  readonly currency: string
  readonly outcome: 'accepted' | 'accepted-with-changes' | 'rejected'
  /** One when it was captured, and one more for each request to cancel it, each cancelling of its lines and each promise that slips. */
  readonly turn: number
  /** What became of the request to cancel the whole order, where the turn is one. */
  readonly cancel?: 'done' | 'refused' | undefined
  readonly lines: readonly {
    readonly line: string
    readonly sku: string
    readonly ordered: Quantity
    readonly reserved: Quantity
    readonly backordered: Quantity
    readonly cancelled: Quantity
    readonly unit: string
    /** For one of `priceUnit`: the unit that was ordered, or the kilogram of goods sold by weight. */
    readonly priceMinor: number
    readonly priceUnit: string
    /** When the customer wants the line, where it said so of the line itself. */
    readonly requestedDate?: string | undefined
    /** When what waits of it is expected to be there to ship. */
    readonly promisedDate?: string | undefined
    readonly reason?: string | undefined
  }[]
}

export const acknowledge = operation<OrderAcknowledgement, { readonly reference?: string }>(
  'channel',
  'acknowledge',
)

/** What left for the customer; the shop's fulfillment, an EDI 856. */
export type ShipNotice = {
  readonly company: string
  /** Our number: two warehouses may number theirs alike. */
  readonly shipment: string
  readonly order: string
  readonly customer: string
  readonly customerOrder: string
  readonly externalId?: string | undefined
  readonly shippedAt: Date
  readonly carrier: string
  readonly location: string
  readonly packages: readonly {
    readonly sscc?: string | undefined
    readonly tracking?: string | undefined
    readonly weightGrams?: number | undefined
    readonly lines: readonly {
      readonly line: string
      readonly sku: string
      /** In whole ordered units, else in the item's base unit: as the invoice counts it. */
      readonly quantity: Quantity
      readonly unit: string
      /** The same in the ordered unit, parts of it too; absent where it is not exact in that. */
      readonly asOrdered?: { readonly quantity: Quantity; readonly unit: string } | undefined
      readonly lot?: string | undefined
      /** Of an item whose units have serials. */
      readonly serials?: readonly string[] | undefined
    }[]
  }[]
}

export const notifyShipment = operation<ShipNotice, { readonly reference?: string }>(
  'channel',
  'notifyShipment',
)

/** The posted invoice for a channel that wants it; an EDI 810. */
export type InvoiceNotice = {
  readonly company: string
  readonly invoice: string
  /** The legal number, given by the ERP. */
  readonly number: string
  readonly order: string
  readonly customer: string
  readonly customerOrder: string
  readonly orderDate?: string | undefined
  readonly externalId?: string | undefined
  /** As the ship notice names it. */
  readonly shipment: string
  readonly currency: string
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
  readonly termsDays: number
  readonly issuedAt: Date
  readonly shippedAt: Date
  readonly lines: readonly {
    readonly line: string
    readonly sku: string
    /** What was shipped, in whole ordered units, else in the item's base unit. */
    readonly quantity: Quantity
    readonly unit: string
    /** For one of `priceUnit`. */
    readonly priceMinor: number
    readonly priceUnit: string
    /** How many of `unit` one `priceUnit` is; absent where what was shipped does not say, as for weighed goods. */
    readonly unitsPerPrice?: UnitFactor | undefined
    /** Kilograms that were weighed, where the price is for one. */
    readonly weight?: Quantity | undefined
    readonly netMinor: number
  }[]
}

export const sendInvoice = operation<InvoiceNotice, { readonly reference?: string }>('channel', 'sendInvoice')

/** What can be promised of an item to a channel now. Saying it again, also late, changes nothing. */
export type StockLevel = {
  readonly company: string
  readonly sku: string
  /** Of two figures the one of the later time counts, in whatever order they arrive. */
  readonly asOf: Date
  /** In each unit in which the item can be ordered, as many as there are whole. */
  readonly levels: readonly { readonly unit: string; readonly quantity: Quantity }[]
}

/** `newer`: the channel has a figure of that time, which is later, and keeps it. */
export const setStock = operation<StockLevel, { readonly newer?: Date }>('channel', 'setStock')

/** What can be promised of all items to a channel, as a feed file tells it. */
export type StockFeed = {
  readonly company: string
  readonly channel: string
  readonly asOf: Date
  /** The version of the formula by which it was reckoned. */
  readonly formula: number
  readonly lines: readonly {
    readonly sku: string
    readonly unit: string
    readonly available: Quantity
    /** Other than normal while a source of stock is silent. */
    readonly confidence: 'normal' | 'careful' | 'ask'
    readonly changedAt: Date
    /** Rises with each change of the figure. */
    readonly version: number
  }[]
}
