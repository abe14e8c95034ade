/** The public words of shipments: fulfillment requests to a location, and what left it. */
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'

/** `requested` until the warehouse has it; `refused` when it will not; `packed` when all that it still will ship is; `done` when nothing more comes. */
export type FulfillmentState =
  | 'requested'
  | 'accepted'
  | 'picking'
  | 'packed'
  | 'done'
  | 'refused'
  | 'cancelled'

const ACTIVE: ReadonlySet<FulfillmentState> = new Set(['requested', 'accepted', 'picking', 'packed'])

/** A warehouse has the request, or is to have it. */
export const isActive = ({ state }: { readonly state: FulfillmentState }): boolean => ACTIVE.has(state)

/** Nothing of it is picked yet: its warehouse may be asked to leave it. */
export const canStop = ({ state }: { readonly state: FulfillmentState }): boolean =>
  state === 'requested' || state === 'accepted'

export type Fulfillment = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly location: string
  readonly state: FulfillmentState
  readonly wmsNumber: string | null
  readonly cancelRequested: boolean
  /** Why, from when it is asked for until the warehouse refuses. */
  readonly cancelReason: string | null
  /** People have entered something of it, with which the warehouse's own word is compared. */
  readonly byHand: boolean
  readonly version: number
}

/** Quantities in the item's base unit. */
export type FulfillmentLine = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly quantity: Quantity
  readonly shipped: Quantity
  readonly short: Quantity
  /** What the warehouse has told to be picked in all, whether it has shipped since or not; 0 where it tells no picks. */
  readonly picked: Quantity
  /** Of that, what it has told to be packed. */
  readonly packed: Quantity
  /** The first day on which what is taken for it may expire; null where any lot will do. */
  readonly minimumExpiry: string | null
}

export type NewFulfillment = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly location: string
  readonly lines: readonly NewFulfillmentLine[]
}

export type NewFulfillmentLine = {
  readonly line: number
  readonly itemId: number
  readonly quantity: Quantity
  /** Of an item that has lots: those that it is to come from, what is to be taken first before the rest. */
  readonly lots?: readonly LotPart[] | undefined
  /** The first day on which what is taken for it may expire; any lot will do when absent. */
  readonly minimumExpiry?: string | null | undefined
}

/** So much of a lot; without a name where the warehouse may take any. */
export type LotPart = { readonly lot: string; readonly quantity: Quantity }

/** What left of a lot that its line was not to come from. */
export type OtherLot = LotPart & {
  readonly line: number
  readonly itemId: number
  readonly asked: readonly string[]
}

/** What is open of a request's line, by lot. */
export type RequestedLot = LotPart & {
  readonly doc: number
  readonly line: number
  readonly n: number
  readonly itemId: number
  readonly location: string
}

export type NewShipment = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly fulfillmentId: number
  readonly location: string
  readonly carrier: string
  readonly service: string | null
  readonly shippedAt: Date
  /** The warehouse and its own number of the shipment: one shipment however often it is told. */
  readonly source: string
  readonly sourceKey: string
  readonly packages: readonly {
    readonly sscc?: string | undefined
    readonly tracking?: string | undefined
    readonly weightGrams?: number | undefined
  }[]
  readonly lines: readonly ShipmentLine[]
}

export type ShipmentLine = {
  readonly n: number
  readonly package: number
  /** The order's line. */
  readonly line: number
  readonly itemId: number
  readonly quantity: Quantity
  readonly lot: string | null
  readonly expiresOn: string | null
  /** Actual weight in kilograms. */
  readonly catchWeight: Quantity | null
  /** The units that left, where the warehouse names them. */
  readonly serials?: readonly string[] | null
}

export const shipmentRefusals = {
  'shipments.fulfillment_unknown': {
    status: 422,
    title: 'There is no such fulfillment request',
    cause: 'The warehouse names a request that we never sent it.',
    fix: "Check the warehouse's reference; stock that left without a request is put right as an adjustment.",
  },
  'shipments.request_taken_back': {
    status: 422,
    title: 'The fulfillment request was taken back',
    cause: 'The warehouse ships what it was told not to ship any more; its stock was given to others since.',
    fix: 'Have the goods stopped or sent back. What stays with the customer is put right as an adjustment here, and billed as an order of its own.',
  },
  'shipments.line_unknown': {
    status: 422,
    title: 'The warehouse handles what was not asked for',
    cause:
      'The warehouse picked, packed or shipped a line, an item or a quantity that the fulfillment request does not leave open.',
    fix: 'Have the warehouse correct its confirmation, or enter by hand what was handled.',
  },
  'shipments.shipped_after_end': {
    status: 422,
    title: 'More has left than was short',
    cause:
      'The warehouse tells of a shipment behind the last one of its request: of more than that called short, or of what the order does not wait for any more.',
    fix: 'Ask the warehouse whether it has left. What is to be sent again elsewhere has to stop first; then have the message replayed. What the order does not want is billed in the ERP and taken out of stock as an adjustment, and the message discarded; so it is where nothing has left.',
  },
} as const satisfies Record<string, RefusalCode>
