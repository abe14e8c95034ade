/** What the carrier keeps: shipments by reference, parcels and their scans on the way. */
import { type Fields, text } from '../fields.ts'
import type { Clock } from '#platform/clock.ts'
import { decimalText } from '../erp/amounts.ts'
import { kept, type Keep, type Kept } from '../kept.ts'
import { draw, drawOne, hash } from '../random.ts'
import type { CarrierShipment, Parcel, Scan, ScanStatus, Tracked } from './shapes.ts'

export class CarrierRefusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** What the carrier knows when its program ends. */
export type CarrierMemory = {
  stored: Stored[]
  tracked: Tracked[]
  last: { shipment: number; parcel: number }
}

type Stored = { shipment: CarrierShipment; contentHash: number; seenFromMs: number }
type Options = {
  clock: Clock
  seed: string
  keep: Keep
  visibilityLagMs: number
  exceptionShare: number
  tell: (tracked: Tracked, scan: Scan) => void
}

const ROUTE: ScanStatus[] = ['MAN', 'PUP', 'ARR', 'OFD', 'DLV']
const REASONS = ['WEATHER', 'REFUSED', 'DAMAGED', 'LOST']
const SERVICES: ReadonlySet<string> = new Set(['GROUND', 'EXPRESS'])
const BASE_CHARGE_MINOR = 650
const CHARGE_PER_KG_MINOR = 35

export class CarrierStore {
  private readonly options: Options
  private readonly byId: Kept<Stored>
  private readonly byReference: Kept<Stored>
  private readonly tracked: Kept<Tracked>
  private lastShipment = 80_000
  private lastParcel = 0

  constructor(options: Options) {
    this.options = options
    this.byId = kept(options.keep)
    this.byReference = kept(options.keep)
    this.tracked = kept(options.keep)
  }

  label(fields: Fields): { first: boolean; shipment: CarrierShipment } {
    const reference = fields['reference']
    const packages = Array.isArray(fields['packages']) ? (fields['packages'] as Fields[]) : []
    if (typeof reference !== 'string' || reference === '')
      throw new CarrierRefusal(422, 'INVALID', 'reference')
    if (packages.length === 0) throw new CarrierRefusal(422, 'INVALID', 'packages')
    const contentHash = hash(JSON.stringify(fields))
    const before = this.byReference.get(reference)
    if (before && before.contentHash !== contentHash)
      throw new CarrierRefusal(409, 'REFERENCE_CONFLICT', reference)
    if (before) return { first: false, shipment: before.shipment }
    if (!SERVICES.has(text(fields['service'], 'GROUND')))
      throw new CarrierRefusal(422, 'UNKNOWN_SERVICE', text(fields['service']))
    const parcels = packages.map((one) =>
      this.parcel(text(one['reference']), (fields['ship_to'] ?? {}) as Fields),
    )
    const kilograms = packages.reduce((sum, one) => sum + (Number(one['weight_kg']) || 0), 0)
    const chargeMinor = parcels.length * BASE_CHARGE_MINOR + Math.round(kilograms * CHARGE_PER_KG_MINOR)
    const shipment: CarrierShipment = {
      shipment_id: `CS${++this.lastShipment}`,
      reference,
      status: 'LABELLED',
      service: text(fields['service'], 'GROUND'),
      packages: parcels,
      charge: { amount: decimalText(chargeMinor, 2), currency: 'USD' },
    }
    const seenFromMs = this.options.clock.monotonicMs() + this.options.visibilityLagMs
    const stored = { shipment, contentHash, seenFromMs }
    this.byId.set(shipment.shipment_id, stored)
    this.byReference.set(reference, stored)
    return { first: true, shipment }
  }

  void(id: string): CarrierShipment {
    const shipment = this.byId.get(id)?.shipment
    if (!shipment) throw new CarrierRefusal(404, 'NOT_FOUND', id)
    const scanned = shipment.packages.some(
      (one) => (this.tracked.get(one.tracking_number)?.scans.length ?? 0) > 0,
    )
    if (scanned) throw new CarrierRefusal(409, 'ALREADY_SCANNED', id)
    shipment.status = 'VOIDED'
    return shipment
  }

  find(reference: string): CarrierShipment[] {
    const stored = this.byReference.get(reference)
    return stored && stored.seenFromMs <= this.options.clock.monotonicMs() ? [stored.shipment] : []
  }

  track(number: string): Tracked {
    const tracked = this.tracked.get(number)
    if (!tracked) throw new CarrierRefusal(404, 'NOT_FOUND', number)
    return tracked
  }

  /** Hands a parcel over, known or not: a warehouse has labels of its own. False when it was handed over before. */
  manifest(trackingNumber: string, reference: string, shipTo: Fields): Tracked | false {
    const sold = this.tracked.get(trackingNumber)
    if (sold && !sold.isAwaited) return false
    const tracked: Tracked = sold ?? { tracking_number: trackingNumber, reference, shipTo, scans: [] }
    delete tracked.isAwaited
    this.tracked.set(trackingNumber, tracked)
    return tracked
  }

  /** The next scan on the parcel's way; false when it has arrived. */
  scan(tracked: Tracked): boolean {
    const { seed, exceptionShare, clock } = this.options
    const done = tracked.scans.filter((one) => one.status !== 'EXC').length
    const troubled = draw(seed, 'carrier/exception', tracked.tracking_number) < exceptionShare
    const excepted = tracked.scans.some((one) => one.status === 'EXC')
    const status = troubled && !excepted && ROUTE[done] === 'OFD' ? 'EXC' : ROUTE[done]
    if (!status) return false
    delete tracked.isAwaited
    const scan: Scan = {
      sequence: tracked.scans.length + 1,
      status,
      reason: status === 'EXC' ? drawOne(seed, 'carrier/reason', tracked.tracking_number, REASONS) : null,
      occurred_at: clock.now().toISOString(),
      location: {
        city: text(tracked.shipTo['city']),
        country: text(tracked.shipTo['country']),
      },
      signed_by: status === 'DLV' ? 'RECEIVING' : null,
    }
    tracked.scans.push(scan)
    this.options.tell(tracked, scan)
    return status !== 'DLV'
  }

  remember(): CarrierMemory {
    const last = { shipment: this.lastShipment, parcel: this.lastParcel }
    return { stored: [...this.byId.values()], tracked: this.parcels(), last }
  }

  recall({ stored, tracked, last }: CarrierMemory): void {
    for (const one of stored) {
      one.seenFromMs = 0
      this.byId.set(one.shipment.shipment_id, one)
      this.byReference.set(one.shipment.reference, one)
    }
    for (const parcel of tracked) this.tracked.set(parcel.tracking_number, parcel)
    this.lastShipment = last.shipment
    this.lastParcel = last.parcel
  }

  shipments = (): CarrierShipment[] => [...this.byId.values()].map((stored) => stored.shipment)
  parcels = (): Tracked[] => [...this.tracked.values()]

  private parcel(reference: string, shipTo: Fields): Parcel {
    const trackingNumber = `SW${500_000_000 + ++this.lastParcel}`
    const tracked = { tracking_number: trackingNumber, reference, shipTo, scans: [] }
    this.tracked.set(trackingNumber, { ...tracked, isAwaited: true })
    const zpl = `^XA^FO50,50^BCN,100^FD${trackingNumber}^FS^XZ`
    const label = { format: 'ZPL' as const, data: Buffer.from(zpl).toString('base64') }
    return { reference, tracking_number: trackingNumber, label }
  }
}
