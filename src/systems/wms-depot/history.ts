/** What Depot told of orders and of stock and never reached us, asked for by its history of events. */
import type { StockPlace, WarehouseMessage } from '#capabilities/wms.ts'
import { readable } from '#platform/connector-binding.ts'
import { Outage } from '#platform/faults.ts'
import { fieldsOf, list } from '#platform/fields.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { StreamGap } from '#platform/inbox-gaps.ts'
import type { DepotApi } from './api.ts'
import { readEvent, streamOfOrder } from './inbound.ts'

const NAMES_PER_CALL = 50

/** Events of the history are those of the webhooks to the letter, so one that comes both ways is known. */
export async function eventsAgain(
  api: DepotApi,
  gaps: readonly StreamGap[],
): Promise<InboundMessage<WarehouseMessage>[]> {
  const missing = new Map(gaps.map((gap) => [gap.stream, gap.missing]))
  const orders = [...missing.keys()].map((stream) => stream.slice(streamOfOrder('').length))
  const found = await inPortions(orders, (names) => historyOf(api, `external_ref=${names}`))
  return found.filter(({ stream, sequence }) => {
    const gap = missing.get(stream ?? '')
    return gap !== undefined && sequence !== undefined && sequence >= gap.from && sequence <= gap.to
  })
}

/** What was told of stock of these items, by its own numbers. */
export async function stockAgain(
  api: DepotApi,
  { company, location }: StockPlace,
  missing: ReadonlyMap<string, { readonly from: number; readonly to: number }>,
): Promise<InboundMessage<WarehouseMessage>[]> {
  const place = `site=${encodeURIComponent(location)}&owner=${encodeURIComponent(company)}`
  const found = await inPortions([...missing.keys()], (names) => historyOf(api, `${place}&sku=${names}`))
  return found.filter(({ message }) => {
    if (message?.type !== 'stock-moved' || message.sequence === undefined) return false
    const gap = missing.get(message.sku)
    return gap !== undefined && message.sequence >= gap.from && message.sequence <= gap.to
  })
}

async function inPortions(
  names: readonly string[],
  ask: (names: string) => Promise<InboundMessage<WarehouseMessage>[]>,
): Promise<InboundMessage<WarehouseMessage>[]> {
  const found: InboundMessage<WarehouseMessage>[] = []
  for (let from = 0; from < names.length; from += NAMES_PER_CALL)
    found.push(
      ...(await ask(
        names
          .slice(from, from + NAMES_PER_CALL)
          .map(encodeURIComponent)
          .join(','),
      )),
    )
  return found
}

async function historyOf(api: DepotApi, query: string): Promise<InboundMessage<WarehouseMessage>[]> {
  const response = await api.call('GET', `events?${query}`)
  if (response.status !== 200)
    throw new Outage(api.instance, `the history of events was answered with ${response.status}`)
  const answer: unknown = response.json()
  return readable(api.instance, () => list(fieldsOf(answer), 'events')).map(readEvent)
}
