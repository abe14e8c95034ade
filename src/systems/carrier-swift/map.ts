/** Between our labels and milestones and those of the Swift carrier; pure. */
import type { Label, LabelRequest, Milestone, TrackingMessage } from '#capabilities/carrier.ts'
import type { Address } from '#capabilities/erp.ts'
import {
  amountOf,
  type Fields,
  fieldsOf,
  filledText,
  instant,
  integer,
  listOf,
  optionalText,
  Unexpected,
} from '#platform/fields.ts'
import type { SwiftAddress, SwiftShipment } from './wire.ts'

const GRAMS_PER_KG = 1_000

export const toSwiftShipment = (request: LabelRequest): SwiftShipment => ({
  reference: request.shipment,
  service: request.service,
  ship_from: toSwiftAddress(request.shipFrom),
  ship_to: toSwiftAddress(request.shipTo),
  packages: request.packages.map(({ sscc, weightGrams }) => ({
    reference: sscc,
    weight_kg: weightGrams / GRAMS_PER_KG,
  })),
})

const toSwiftAddress = (address: Address): SwiftAddress => ({
  name: address.name ?? '',
  address: (address.lines ?? []).join(', '),
  city: address.city ?? '',
  region: address.region ?? '',
  postal_code: address.postalCode ?? '',
  country: address.country ?? '',
})

export function toLabel(shipment: Fields): Label {
  const charge = fieldsOf(shipment['charge'], 'charge')
  const currency = filledText(charge, 'currency')
  return {
    number: filledText(shipment, 'shipment_id'),
    packages: listOf(shipment, 'packages', (parcel) => {
      const label = fieldsOf(parcel['label'], 'label')
      return {
        sscc: filledText(parcel, 'reference'),
        tracking: filledText(parcel, 'tracking_number'),
        format: filledText(label, 'format'),
        contentBase64: filledText(label, 'data'),
      }
    }),
    chargeMinor: amountOf(filledText(charge, 'amount'), currency, 'amount'),
    currency,
  }
}

const MILESTONES: ReadonlyMap<string, Milestone> = new Map([
  ['MAN', 'manifested'],
  ['PUP', 'picked_up'],
  ['ARR', 'in_transit'],
  ['OFD', 'out_for_delivery'],
  ['DLV', 'delivered'],
])
const EXCEPTIONS: ReadonlyMap<string, Milestone> = new Map([
  ['WEATHER', 'delayed'],
  ['REFUSED', 'refused'],
  ['DAMAGED', 'damaged'],
  ['LOST', 'lost'],
])

const milestoneOf = (code: string, reason: string | undefined): Milestone =>
  code === 'EXC' ? (EXCEPTIONS.get(reason ?? '') ?? 'exception') : (MILESTONES.get(code) ?? 'unknown')

export function toTracking(event: Fields): TrackingMessage {
  if (event['type'] !== 'tracking.updated') throw new Unexpected('the event is no tracking')
  const location = fieldsOf(event['location'] ?? {}, 'location')
  const code = filledText(event, 'status')
  const reason = optionalText(event, 'reason')
  return {
    type: 'parcel-scanned',
    tracking: filledText(event, 'tracking_number'),
    sscc: optionalText(event, 'reference'),
    milestone: milestoneOf(code, reason),
    code,
    reason,
    at: instant(event, 'occurred_at'),
    sequence: integer(event, 'sequence'),
    city: optionalText(location, 'city'),
    country: optionalText(location, 'country'),
    signedBy: optionalText(event, 'signed_by'),
  }
}
