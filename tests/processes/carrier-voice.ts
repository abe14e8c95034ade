/** A carrier that says what a test wants it to, in Swift's words and under its signature. */
import { createHmac } from 'node:crypto'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import type { Scan } from '#landscape/carrier/shapes.ts'
import type { Wholesaler } from './wholesaler.ts'

export type ToldScan = Partial<Omit<Scan, 'status'>> & {
  readonly id?: string
  /** The package's SSCC. */
  readonly reference?: string
}

/** Tells of one scan of a parcel; answers what became of it: applied, superseded, waiting … */
export type CarrierVoice = (tracking: string, status: string, scan?: ToldScan) => Promise<string>

const START_MS = Date.UTC(2026, 10, 27, 8)
const MINUTE_MS = 60_000

export function carrierVoice(house: Pick<Wholesaler, 'url'>): CarrierVoice {
  let scans = 0
  return async (tracking, status, { id, sequence = 1, reason = null, ...more } = {}) => {
    scans += 1
    const body = JSON.stringify({
      id: id ?? `V${String(scans)}`,
      type: 'tracking.updated',
      tracking_number: tracking,
      reference: '',
      sequence,
      status,
      reason,
      occurred_at: new Date(START_MS + sequence * MINUTE_MS).toISOString(),
      location: { city: 'Newark', country: 'US' },
      signed_by: status === 'DLV' ? 'J. DOE' : null,
      ...more,
    })
    const secret = DEFAULT_CREDENTIALS.carrier.webhookSecret
    const hmac = createHmac('sha256', secret).update(body).digest('hex')
    const response = await fetch(`${house.url}/system/carrier/v1/scans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-swift-signature': `sha256=${hmac}` },
      body,
    })
    const { messages } = (await response.json()) as { messages: { outcome: string }[] }
    return messages[0]!.outcome
  }
}
