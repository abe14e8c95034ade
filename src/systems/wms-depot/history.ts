/** What Depot told of orders and never reached us, asked for by its history of events. */
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { readable } from '#platform/connector-binding.ts'
import { Outage } from '#platform/faults.ts'
import { fieldsOf, list } from '#platform/fields.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { StreamGap } from '#platform/inbox-gaps.ts'
import type { DepotApi } from './api.ts'
import { readEvent, streamOfOrder } from './inbound.ts'

const ORDERS_PER_CALL = 50

/** Events of the history are those of the webhooks to the letter, so one that comes both ways is known. */
export async function eventsAgain(
  api: DepotApi,
  gaps: readonly StreamGap[],
): Promise<InboundMessage<WarehouseMessage>[]> {
  const missing = new Map(gaps.map((gap) => [gap.stream, gap.missing]))
  const orders = [...missing.keys()].map((stream) => stream.slice(streamOfOrder('').length))
  const found: InboundMessage<WarehouseMessage>[] = []
  for (let from = 0; from < orders.length; from += ORDERS_PER_CALL)
    found.push(...(await historyOf(api, orders.slice(from, from + ORDERS_PER_CALL))))
  return found.filter(({ stream, sequence }) => {
    const gap = missing.get(stream ?? '')
    return gap !== undefined && sequence !== undefined && sequence >= gap.from && sequence <= gap.to
  })
}

async function historyOf(
  api: DepotApi,
  orders: readonly string[],
): Promise<InboundMessage<WarehouseMessage>[]> {
  const response = await api.call('GET', `events?external_ref=${orders.map(encodeURIComponent).join(',')}`)
  if (response.status !== 200)
    throw new Outage(api.instance, `the history of events was answered with ${response.status}`)
  const answer: unknown = response.json()
  return readable(api.instance, () => list(fieldsOf(answer), 'events')).map(readEvent)
}
