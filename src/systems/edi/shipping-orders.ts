/** What the house asks of a warehouse that speaks EDI: 940s, as operations of a warehouse. */
import {
  cancelFulfillment,
  type FulfillmentCancellation,
  type FulfillmentReference,
  type FulfillmentRequest,
  requestFulfillment,
} from '#capabilities/wms.ts'
import { bind, confirmed, type Outcome, type Ready, refused } from '#platform/connector-binding.ts'
import type { Connector, Effect } from '#platform/connector.ts'
import { Refusal } from '#platform/faults.ts'
import type { AnswerPorts } from './answers.ts'
import { buildShippingOrder, CANCEL, cancelShippingOrder, ORIGINAL } from './documents/940.ts'
import { toShippingOrder } from './map-shipping-order.ts'
import type { Draft } from './outbox.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { lastDocuments } from './store.ts'
import type { SegmentData } from './x12-writer.ts'

const BATCH_MAX = 50
const TYPE = '940'

/**
 * A request is one document and its cancellation another, known by the request's number: sent again, by whomever and
 * after whatever, it is looked up and neither numbered nor written anew.
 */
export const shippingOrderOperations = (ports: AnswerPorts): Connector['operations'] => ({
  ...bind<FulfillmentRequest, FulfillmentReference, Draft>(requestFulfillment, {
    batchMax: BATCH_MAX,
    recovery: 'key',
    translate(request) {
      const guide = guideAt(ports, request.location)
      const draft = draftOf(guide, request.number, {
        status: ORIGINAL,
        segments: buildShippingOrder(toShippingOrder(request, guide)),
      })
      ports.outbox.check(draft)
      return draft
    },
    send: (ready) => leave(ports, ready, (name) => ({ number: name.replace(/\.edi$/, '') })),
  }),
  ...bind<FulfillmentCancellation, object, FulfillmentCancellation>(cancelFulfillment, {
    batchMax: BATCH_MAX,
    recovery: 'key',
    translate(cancellation) {
      const guide = guideAt(ports, cancellation.location)
      if (guide.warehouse.cancellations) return cancellation
      const message = `${guide.name} has not agreed to take requests back by 940`
      throw new Refusal('edi.cancellation_not_agreed', message, { partner: guide.partner })
    },
    send: (ready) => takeBack(ports, ready),
  }),
})

/** The warehouse at a location of ours. */
function guideAt({ guides }: Pick<AnswerPorts, 'guides'>, location: string): PartnerGuide {
  const found = [...guides.values()].find((guide) => isWarehouseAt(guide, location))
  if (found) return found
  throw new Refusal('edi.document_not_agreed', `no warehouse at ${location} takes a 940`, { location })
}

/** Whether requests to that location go to the partner. */
export const isWarehouseAt = ({ role, location, sends }: PartnerGuide, code: string): boolean =>
  role === 'warehouse' && location === code && sends.includes(TYPE)

const aboutOf = (number: string): string => `${TYPE}/${number}`

function draftOf(
  guide: PartnerGuide,
  number: string,
  { status, segments }: { readonly status: string; readonly segments: readonly SegmentData[] },
): Draft {
  return { key: `${aboutOf(number)}/${status}`, guide, type: TYPE, about: aboutOf(number), segments }
}

/** Committed with their control numbers first, then written. */
async function leave<Request, Answer extends object>(
  { database, outbox }: AnswerPorts,
  ready: readonly Ready<Request, Draft>[],
  answer: (fileName: string) => Answer,
): Promise<ReadonlyMap<Effect, Outcome<Answer>>> {
  const drafts = ready.map(({ body }) => body)
  await database.transaction((tx) => outbox.post(tx, drafts))
  const names = await outbox.write(drafts.map(({ key }) => key))
  return new Map(ready.map(({ effect, body }) => [effect, confirmed(answer(names.get(body.key)!))]))
}

/** What the warehouse was asked for is repeated, so that it knows all of what it is not to ship. */
async function takeBack(
  ports: AnswerPorts,
  ready: readonly Ready<FulfillmentCancellation, FulfillmentCancellation>[],
): Promise<ReadonlyMap<Effect, Outcome<object>>> {
  const about = ready.map(({ body }) => aboutOf(body.number))
  const written = await lastDocuments(ports.database, about, TYPE)
  const outcomes = new Map<Effect, Outcome<object>>()
  const known = ready.flatMap((one): Ready<FulfillmentCancellation, Draft>[] => {
    const { number, location } = one.body
    const asked = written.get(aboutOf(number))
    if (asked) {
      const segments = cancelShippingOrder(asked)
      return [{ ...one, body: draftOf(guideAt(ports, location), number, { status: CANCEL, segments }) }]
    }
    outcomes.set(one.effect, refused('NOT_FOUND', `the warehouse was never asked for ${number}`))
    return []
  })
  return new Map([...outcomes, ...(await leave(ports, known, () => ({})))])
}
