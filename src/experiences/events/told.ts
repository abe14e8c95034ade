/** Which events a caller is told of, and in what words: the same for who pulls, who listens and who is called. */
import type { Queries } from '#platform/database.ts'
import { type CloudEvent, type EventWords, toCloudEvent } from '#platform/cloud-events.ts'
import { Refusal } from '#platform/faults.ts'
import type { RecordedEvent } from '#platform/log.ts'
import type { PlacedEvent } from '#platform/log-batches.ts'
import { type EventFilter, unknownDomain, unknownType, wants } from '#platform/subscription-filter.ts'
import { headersOf, isPartners } from '#domains/orders/views.ts'
import { numberOf } from '#processes/ports.ts'

export const eventWords = (typePrefix: string): EventWords => ({
  typePrefix,
  root: 'order',
  domains: {
    order: 'orders',
    fulfillment: 'shipments',
    shipment: 'shipments',
    invoice: 'billing',
    payment: 'billing',
    reservation: 'inventory',
    source: 'inventory',
    availability: 'inventory',
  },
  numberOf,
})

/**
 * A partner is told what happens on the way of its own orders. A payment is no order's, so its invoices tell of it.
 */
export async function visibleTo(
  queries: Queries,
  partner: string,
  events: readonly RecordedEvent[],
): Promise<ReadonlySet<RecordedEvent>> {
  const ofOrders = events.filter(({ type }) => !type.startsWith('payment.'))
  const orders = await headersOf(queries, [...new Set(ofOrders.map(({ correlationId }) => correlationId))])
  const own = new Set(orders.filter((order) => isPartners(order, partner)).map(({ doc }) => doc))
  return new Set(ofOrders.filter(({ correlationId }) => own.has(correlationId)))
}

/** Refuses a filter that could never let anything through. */
export function assertKnown(words: EventWords, { types, domains }: EventFilter, pointer: string): void {
  const type = unknownType(words, types)
  if (type !== undefined)
    throw new Refusal(
      'subscriptions.type_unknown',
      `no event is called "${type}"`,
      { type },
      `${pointer}/types`,
    )
  const domain = unknownDomain(words, domains)
  if (domain === undefined) return
  const facts = { domain }
  throw new Refusal(
    'subscriptions.type_unknown',
    `no domain is called "${domain}"`,
    facts,
    `${pointer}/domains`,
  )
}

export type Listener = {
  readonly filter: EventFilter
  readonly partner: string | undefined
}

export type ToldEvent = Pick<PlacedEvent, 'told'> & { readonly event: CloudEvent }

/** Those of `placed` that are for the listener, in their order. */
export async function toldTo(
  queries: Queries,
  words: EventWords,
  { filter, partner }: Listener,
  placed: readonly PlacedEvent[],
): Promise<ToldEvent[]> {
  const wanted = placed.filter(({ event }) => wants(words, filter, event))
  const seen =
    partner === undefined || wanted.length === 0
      ? undefined
      : await visibleTo(
          queries,
          partner,
          wanted.map(({ event }) => event),
        )
  return wanted
    .filter(({ event }) => seen?.has(event) ?? true)
    .map(({ event, told }) => ({ told, event: toCloudEvent(words, event, 'full') }))
}
