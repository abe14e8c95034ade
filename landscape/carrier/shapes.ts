/** The carrier's shapes: labels by our reference, scans with codes of its own. */
import type { Fields } from '../fields.ts'

export type ScanStatus = 'MAN' | 'PUP' | 'ARR' | 'EXC' | 'OFD' | 'DLV'
export type Scan = {
  sequence: number
  status: ScanStatus
  reason: string | null
  occurred_at: string
  location: { city: string; country: string }
  signed_by: string | null
}

export type Parcel = { reference: string; tracking_number: string; label: { format: 'ZPL'; data: string } }
export type CarrierShipment = {
  shipment_id: string
  reference: string
  status: 'LABELLED' | 'VOIDED' | 'MANIFESTED'
  service: string
  packages: Parcel[]
  charge: { amount: string; currency: string }
}

export type Tracked = {
  tracking_number: string
  reference: string
  shipTo: Fields
  scans: Scan[]
  /** Its label is sold, and nothing was handed over under it. */
  isAwaited?: true
}
