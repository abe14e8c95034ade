/** What the house asks of a carrier, and what a carrier tells it. */
import type { Address } from './erp.ts'
import { operation } from '#platform/connector.ts'
import type { InboundMessage } from '#platform/inbound.ts'

export type LabelRequest = {
  readonly company: string
  /** What was packed, `F-1000031/PK00000007`: the business key, unique at the carrier. */
  readonly shipment: string
  readonly service: string
  readonly shipFrom: Address
  readonly shipTo: Address
  readonly packages: readonly { readonly sscc: string; readonly weightGrams: number }[]
}

export type Label = {
  /** The carrier's own number of the shipment. */
  readonly number: string
  readonly packages: readonly {
    readonly sscc: string
    readonly tracking: string
    readonly format: string
    readonly contentBase64: string
  }[]
  readonly chargeMinor: number
  readonly currency: string
}

/** Business key: what was packed. */
export const createLabel = operation<LabelRequest, Label>('carrier', 'createLabel')

export type LabelVoiding = { readonly shipment: string; readonly number: string }

/** Refused after the first scan. */
export const voidLabel = operation<LabelVoiding, object>('carrier', 'voidLabel')

/** Where a parcel is, whatever the carrier calls it. A code that is not on the connector's list is `unknown`. */
export type Milestone =
  | 'manifested'
  | 'picked_up'
  | 'in_transit'
  | 'out_for_delivery'
  | 'delivered'
  | 'delayed'
  | 'refused'
  | 'damaged'
  | 'lost'
  | 'exception'
  | 'unknown'

/** One scan of one parcel. */
export type TrackingMessage = {
  readonly type: 'parcel-scanned'
  readonly tracking: string
  readonly sscc?: string | undefined
  readonly milestone: Milestone
  /** The carrier's own code and reason, for people. */
  readonly code: string
  readonly reason?: string | undefined
  readonly at: Date
  /** The order of the scans of this parcel. */
  readonly sequence: number
  readonly city?: string | undefined
  readonly country?: string | undefined
  readonly signedBy?: string | undefined
}

/** A carrier that can be asked where its parcels are. */
export type CarrierReader = {
  readonly instance: string
  /** As warehouses and people name it on shipments, in whatever case. */
  readonly names: readonly string[]
  /** Every scan of a parcel, as messages of the carrier's door; undefined where it has no such number. */
  track(tracking: string): Promise<readonly InboundMessage<TrackingMessage>[] | undefined>
}
