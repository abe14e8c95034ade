/** What the house tells an EDI partner of its order: 855, 856 and 810, as operations of a channel. */
import { acknowledge, notifyShipment, sendInvoice } from '#capabilities/channel.ts'
import type { Clock } from '#platform/clock.ts'
import { bind, confirmed, type Outcome, type Ready, refused } from '#platform/connector-binding.ts'
import type { Connector, Effect, Operation } from '#platform/connector.ts'
import type { Database } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { buildInvoice } from './documents/810.ts'
import { buildOrderAcknowledgment } from './documents/855.ts'
import { buildShipNotice } from './documents/856.ts'
import { toOrderAcknowledgment } from './map-acknowledgment.ts'
import { toInvoice } from './map-invoice.ts'
import { toShipNotice } from './map-ship-notice.ts'
import type { Draft, Outbox } from './outbox.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { type KeptOrder, purchaseOrders } from './store.ts'
import { wallClock } from './wall-clock.ts'
import type { SegmentData } from './x12-writer.ts'

type Told = { readonly reference?: string }
type AboutOrder = { readonly externalId?: string | undefined; readonly order: string }
type Compose<Request> = (request: Request, order: KeptOrder, guide: PartnerGuide) => SegmentData[]

export type AnswerPorts = {
  readonly database: Database
  readonly outbox: Outbox
  readonly clock: Clock
  readonly guides: ReadonlyMap<string, PartnerGuide>
}

const BATCH_MAX = 50

export function ediOperations(ports: AnswerPorts): Connector['operations'] {
  const today = (guide: PartnerGuide): string => wallClock(ports.clock.now(), guide).date

  /** The effect's key names the document, so that sending it again neither numbers nor writes it anew. */
  const sent = <Request extends AboutOrder>(
    operation: Operation<Request, Told>,
    type: Draft['type'],
    compose: Compose<Request>,
  ): Connector['operations'] =>
    bind<Request, Told, Request>(operation, {
      batchMax: BATCH_MAX,
      recovery: 'key',
      translate: (request) => request,
      send: (ready) =>
        sendAll(ports, ready, (one, order, guide) =>
          draftOf(one, type, { guide, segments: compose(one.request, order, guide) }),
        ),
    })

  return {
    ...sent(acknowledge, '855', (acknowledgement, { document, refusedLines }, guide) =>
      buildOrderAcknowledgment(
        toOrderAcknowledgment(document, guide, { acknowledgement, refusedLines, on: today(guide) }),
      ),
    ),
    ...sent(notifyShipment, '856', (notice, { document }, guide) =>
      buildShipNotice(toShipNotice(notice, document, guide), guide.hierarchy),
    ),
    ...sent(sendInvoice, '810', (notice, { document }, guide) =>
      buildInvoice(toInvoice(notice, document, guide)),
    ),
  }
}

function draftOf<Request extends AboutOrder>(
  { effect, request }: Ready<Request, Request>,
  type: Draft['type'],
  written: { readonly guide: PartnerGuide; readonly segments: readonly SegmentData[] },
): Draft {
  return { ...written, key: effect.key, type, about: request.externalId }
}

type Drafting<Request> = (ready: Ready<Request, Request>, order: KeptOrder, guide: PartnerGuide) => Draft

async function sendAll<Request extends AboutOrder>(
  { database, outbox, guides }: AnswerPorts,
  ready: readonly Ready<Request, Request>[],
  draft: Drafting<Request>,
): Promise<ReadonlyMap<Effect, Outcome<Told>>> {
  const orders = await purchaseOrders(
    database,
    ready.flatMap(({ request }) => request.externalId ?? []),
  )
  const outcomes = new Map<Effect, Outcome<Told>>()
  const drafts: Draft[] = []
  for (const one of ready) {
    try {
      const order = orderOf(one.request, orders)
      const drafted = draft(one, order, guideOf(order, guides))
      outbox.check(drafted)
      drafts.push(drafted)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      outcomes.set(one.effect, refused(error.code, error.message))
    }
  }
  await database.transaction((tx) => outbox.post(tx, drafts))
  const names = await outbox.write(drafts.map(({ key }) => key))
  for (const { effect } of ready) {
    const reference = names.get(effect.key)
    if (reference !== undefined) outcomes.set(effect, confirmed({ reference }))
  }
  return outcomes
}

function orderOf({ externalId, order }: AboutOrder, orders: ReadonlyMap<string, KeptOrder>): KeptOrder {
  const kept = orders.get(externalId ?? '')
  if (kept) return kept
  throw new Refusal('connector.reference_missing', `${order} did not come by EDI.`, { order })
}

function guideOf({ partner }: KeptOrder, guides: ReadonlyMap<string, PartnerGuide>): PartnerGuide {
  const guide = guides.get(partner)
  if (guide) return guide
  throw new Refusal('edi.partner_unknown', `There is no guide of ${partner} any more.`, { partner })
}
