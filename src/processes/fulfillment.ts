/** A request to one warehouse: asked, accepted, and taken back where it must be. */
import { cancelFulfillment, type FulfillmentRequest, requestFulfillment } from '#capabilities/wms.ts'
import type { DeskRow } from '#platform/desk.ts'
import { type Answers, call, type Done, type Process, process, type RefusedCall } from '#platform/process.ts'
import { addReferences } from '#domains/orders/operations.ts'
import {
  changeFulfillments,
  lockRequests,
  recordWmsNumbers,
  requestCancellations,
} from '#domains/shipments/operations.ts'
import { fulfillmentFacts, type FulfillmentFacts, isUnderWay } from './fulfillment-facts.ts'
import { openHolds } from './holds.ts'
import {
  buyLabel,
  dropLabels,
  giveLabel,
  labelsSettled,
  labelsToBuy,
  labelsToDrop,
  labelsToGive,
  labelsToVoid,
  voidUnused,
} from './labels.ts'
import { tellOfUnstopped } from './lots-at-warehouse.ts'
import { fulfillmentNumber, orderNumber, type ProcessPorts } from './ports.ts'

export function fulfillment(ports: ProcessPorts): Process {
  return process<FulfillmentFacts>('fulfillment', {
    kind: 'fulfillment',
    rank: 2,
    facts: fulfillmentFacts,
    steps: {
      // also of one that is to be cancelled: only the warehouse's answer tells whether it has it
      request: { when: ({ request }) => request.state === 'requested', call: ask(ports) },
      cancel: {
        when: ({ request }) => request.cancelRequested && isUnderWay(request),
        call: takeBack(ports),
      },
      dropLabels: { each: labelsToDrop, do: dropLabels },
      label: { each: labelsToBuy, call: buyLabel(ports) },
      giveLabel: { each: labelsToGive, call: giveLabel },
      voidLabel: { each: labelsToVoid, call: voidUnused(ports) },
    },
    finished: ({ request, packings }) =>
      request.state !== 'requested' &&
      !(request.cancelRequested && isUnderWay(request)) &&
      labelsSettled({ request, packings }),
  })
}

const ask = (ports: ProcessPorts) =>
  call<FulfillmentFacts, FulfillmentRequest, { readonly number: string }>({
    operation: requestFulfillment,
    location: ({ request }) => request.location,
    businessKey: ({ doc }) => fulfillmentNumber(doc),
    request: ({ doc, company, request, order, shipTo, lines }) => ({
      company,
      number: fulfillmentNumber(doc),
      order: orderNumber(request.orderId),
      customerOrder: order.customerOrder,
      location: request.location,
      customer: order.customer,
      shipTo,
      requestedDate: order.requestedDate ?? undefined,
      lines: lines.map((line) => ({
        ...line,
        requestedDate: line.requestedDate ?? undefined,
        minimumExpiry: line.minimumExpiry ?? undefined,
      })),
    }),
    async confirmed(tx, answered, cause) {
      const changed = await recordWmsNumbers(
        tx,
        answered.map(({ facts, answers: [first] }) => ({
          ...facts.request,
          number: first!.answer.number,
          effectKey: first!.effectKey,
        })),
        cause,
      )
      addReferences(
        tx,
        answered.map(({ facts: { doc, request }, answers: [first] }) => ({
          value: first!.answer.number,
          scheme: 'wms-order',
          doc,
          orderId: request.orderId,
        })),
      )
      return new Map(
        answered.map((work): [typeof work, Done<FulfillmentFacts>] => {
          const { facts, answers } = work
          const { version, state } = changed.get(facts.doc)!
          if (version !== facts.version + 1) return [work, 'look']
          const request = { ...facts.request, wmsNumber: answers[0]!.answer.number, state }
          return [work, { facts: { ...facts, version, request } }]
        }),
      )
    },
    async refused(tx, refused, cause) {
      await openHolds(
        tx,
        ports,
        refused.map(({ facts, refusals: [first] }) => ({
          doc: facts.request.orderId,
          company: facts.company,
          type: 'manual',
          reason: `${facts.request.location} refused the request: ${first!.message}`,
          valueMinor: facts.order.totalMinor,
          currency: facts.order.currency,
          cause: `${first!.system}:${first!.code}`,
          title: `${first!.system} refuses requests: ${first!.message}`,
        })),
      )
      const dataOf = ({ refusals: [first] }: RefusedCall<FulfillmentFacts>) => ({ reason: first!.message })
      return settle(tx, refused, { state: 'refused', cause, dataOf })
    },
  })

type Settling<W> = {
  readonly state: 'refused' | 'cancelled'
  readonly cause: Parameters<typeof changeFulfillments>[3]
  readonly dataOf?: (work: W) => object
}

/** The request ends; its order sees it and takes the claims back. */
async function settle<W extends { readonly facts: FulfillmentFacts }>(
  tx: Parameters<typeof changeFulfillments>[0],
  works: readonly W[],
  { state, cause, dataOf = () => ({}) }: Settling<W>,
): Promise<Answers<W, FulfillmentFacts>> {
  await changeFulfillments(
    tx,
    works.map((work) => ({ ...work.facts.request, data: dataOf(work) })),
    state,
    cause,
  )
  return lookAndWake(works)
}

const lookAndWake = <W extends { readonly facts: FulfillmentFacts }>(works: readonly W[]) =>
  new Map(
    works.map((work): [W, Done<FulfillmentFacts>] => [
      work,
      { facts: 'look', wakes: [wakeOrder(work.facts)] },
    ]),
  )

const wakeOrder = ({ request, company }: FulfillmentFacts): DeskRow => ({
  doc: request.orderId,
  process: 'order-to-cash',
  company,
  priority: 2,
  share: 0,
})

const takeBack = (ports: ProcessPorts) =>
  call<FulfillmentFacts, { number: string; location: string; reason: string }, object>({
    operation: cancelFulfillment,
    location: ({ request }) => request.location,
    businessKey: ({ doc }) => fulfillmentNumber(doc),
    request: ({ doc, request }) => ({
      number: fulfillmentNumber(doc),
      location: request.location,
      reason: request.cancelReason ?? 'order cancelled',
    }),
    confirmed: (tx, answered, cause) => settle(tx, answered, { state: 'cancelled', cause }),
    /** Too late: it ships, or has meanwhile, and comes back as a return if it must. */
    async refused(tx, refused: readonly RefusedCall<FulfillmentFacts>[], cause) {
      const stands = await lockRequests(
        tx,
        refused.map(({ facts }) => facts.doc),
      )
      // what the warehouse tells meanwhile wakes nobody here, so memory may not know that it is done
      const open = new Set(
        stands.filter((stand) => isUnderWay(stand) && stand.state !== 'packed').map(({ doc }) => doc),
      )
      const underWay = refused.filter(({ facts }) => open.has(facts.doc))
      await changeFulfillments(
        tx,
        underWay.map(({ facts, refusals: [first] }) => ({
          ...facts.request,
          data: { reason: first!.message },
        })),
        'picking',
        cause,
      )
      await requestCancellations(
        tx,
        refused.map(({ facts, refusals: [first] }) => ({ ...facts.request, reason: first!.message })),
        false,
        cause,
      )
      await tellOfUnstopped(
        tx,
        ports,
        refused.map(({ facts }) => facts),
      )
      return lookAndWake(refused)
    },
  })
