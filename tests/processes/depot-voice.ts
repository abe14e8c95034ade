/** A warehouse that says what a test wants it to, in Depot's words, under its signature and in its numbering. */
import { createHmac } from 'node:crypto'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import { expect } from 'vitest'
import type { Placed, Wholesaler } from './wholesaler.ts'

/** A fulfillment request for one item. */
export type Request = { readonly doc: number; readonly location: string; readonly sku: string }

/** What the warehouse is asked for of an order of that item, once it has it. */
export async function acceptedRequest(
  { query }: Pick<Wholesaler, 'query'>,
  { doc }: Pick<Placed, 'doc'>,
  sku: string,
): Promise<Request> {
  const requests = () =>
    query<Request & { state: string }>(
      'select id as doc, location, state, $2 as sku from shipments.fulfillment where order_id = $1',
      [doc, sku],
    )
  await expect.poll(requests, { timeout: 15_000 }).toMatchObject([{ state: 'accepted' }])
  return (await requests())[0]!
}

/** Pieces by line of the order. */
export type Pieces = Readonly<Record<number, number>>

export type DepotVoice = {
  /** All that is told meanwhile comes in one call; answers what became of each. */
  together(telling: () => void): Promise<string[]>
  /** Answers what became of the event: applied, superseded, parked … */
  tell(request: Request, type: string, facts?: object): Promise<string>
  picked(request: Request, pieces: Pieces, short?: Pieces): Promise<string>
  packed(request: Request, pieces: Pieces): Promise<string>
  /** With more said of each line, such as its lot or weight. */
  shipped(request: Request, pieces: Pieces, final?: boolean, more?: object): Promise<string>
  /** The last event of an order of which nothing was found. */
  nothingFound(request: Request): Promise<string>
  /** What a pick did not find is gone from the warehouse's books too. */
  wroteOff(location: string, sku: string, pieces: number): Promise<string>
}

export function depotVoice(house: Pick<Wholesaler, 'url'>): DepotVoice {
  const sequences = new Map<number, number>()
  let events = 0
  /** Where one call brings several. */
  let collected: object[] | undefined

  async function post(told: readonly object[]): Promise<string[]> {
    const body = JSON.stringify({ delivery_id: `D${events}`, events: told })
    const at = Math.floor(Date.now() / 1_000)
    const secret = DEFAULT_CREDENTIALS.wms.webhookSecret
    const v1 = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
    const response = await fetch(`${house.url}/system/wms/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-depot-signature': `t=${at},v1=${v1}` },
      body,
    })
    const { messages } = (await response.json()) as { messages: { outcome: string }[] }
    return messages.map(({ outcome }) => outcome)
  }

  async function say(type: string, facts: object): Promise<string> {
    events += 1
    const head = { event_id: `V${events}`, type, occurred_at: new Date().toISOString(), owner: 'NWF' }
    const event = { ...head, ...facts }
    if (!collected) return (await post([event]))[0]!
    collected.push(event)
    return 'collected'
  }

  const tell = ({ doc, location }: Request, type: string, facts: object = {}): Promise<string> => {
    const order_sequence = (sequences.get(doc) ?? 0) + 1
    sequences.set(doc, order_sequence)
    const head = { wms_order_id: `OB${doc}`, external_ref: `F-${doc}`, site: location, order_sequence }
    return say(type, { ...head, ...facts })
  }

  const contents = ({ sku }: Request, pieces: Pieces, more: object = {}) =>
    Object.entries(pieces).map(([line, quantity]) => ({
      line_no: Number(line),
      sku,
      qty: quantity,
      uom: 'EA',
      base_qty: quantity,
      lot: null,
      ...more,
    }))
  const shorts = (request: Request, pieces: Pieces) =>
    contents(request, pieces).map(({ qty, ...line }) => ({ ...line, short_base_qty: qty }))

  return {
    tell,
    together(telling) {
      const told = (collected = [])
      telling()
      collected = undefined
      return post(told)
    },
    picked: (request, pieces, short = {}) =>
      tell(request, 'order.picked', {
        picks: contents(request, pieces),
        short_lines: shorts(request, short),
      }),
    packed: (request, pieces) =>
      tell(request, 'order.packed', { cartons: [{ sscc: '1', contents: contents(request, pieces) }] }),
    shipped: (request, pieces, final = true, more = {}) =>
      tell(request, 'shipment.confirmed', {
        shipment_id: `VS${events}`,
        final,
        carrier: 'SWIFT',
        shipped_at: new Date().toISOString(),
        packages: [{ contents: contents(request, pieces, more) }],
      }),
    nothingFound: (request) => tell(request, 'order.short'),
    wroteOff: (location, sku, pieces) =>
      say('inventory.adjusted', {
        site: location,
        sku,
        lot: '',
        delta_qty: -pieces,
        reason: 'PICK_SHORT',
        sequence: events,
      }),
  }
}
