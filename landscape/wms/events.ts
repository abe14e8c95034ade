/** The WMS's outgoing events: kept in order, sent in batches of what came together. */
import type { Clock } from '#platform/clock.ts'
import type { Keep } from '../kept.ts'
import { kept, refill } from '../kept.ts'
import type { Delivery, Undelivered } from '../webhooks.ts'
import type { WmsEvent } from './shapes.ts'

export type EventStream = {
  publish(event: WmsEvent): void
  events(): WmsEvent[]
  remember(): EventsMemory
  /** What had not been delivered is sent. */
  recall(memory: EventsMemory): void
}

export type EventsMemory = { past: [string, WmsEvent][]; deliveries: number; undelivered: Undelivered[] }

export type EventStreamOptions = {
  clock: Clock
  keep: Keep
  batch: number
  sign: (body: string) => Delivery['sign']
  send: (delivery: Delivery) => void
  undelivered: () => Undelivered[]
}

export function eventStream({
  clock,
  keep,
  batch,
  sign,
  send,
  undelivered,
}: EventStreamOptions): EventStream {
  const past = kept<WmsEvent>(keep)
  let pending: WmsEvent[] = []
  let deliveries = 0

  function flush(): void {
    const events = pending
    pending = []
    for (let from = 0; from < events.length; from += batch) deliver(events.slice(from, from + batch))
  }

  function deliver(events: WmsEvent[]): void {
    const id = `D${String(++deliveries).padStart(10, '0')}`
    const body = JSON.stringify({ delivery_id: id, sent_at: clock.now().toISOString(), events })
    deliverAs({ id, topic: 'events', body })
  }

  function deliverAs({ id, topic, body }: Undelivered): void {
    const signed = sign(body)
    send({ id, topic, body, sign: (now) => ({ 'x-depot-delivery': id, ...signed(now) }) })
  }

  return {
    publish(event) {
      past.set(event.event_id, event)
      if (pending.length === 0) clock.soon(flush)
      pending.push(event)
    },
    events: () => [...past.values()],
    remember() {
      flush()
      return { past: [...past.entries()], deliveries, undelivered: undelivered() }
    },
    recall(memory) {
      refill(past, memory.past)
      deliveries = memory.deliveries
      memory.undelivered.forEach(deliverAs)
    },
  }
}
