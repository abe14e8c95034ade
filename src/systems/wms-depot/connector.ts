/** The Depot WMS: releases and cancels fulfillment requests, answers stock snapshots, tells by webhook. */
import {
  cancelFulfillment,
  type FulfillmentCancellation,
  type FulfillmentReference,
  type FulfillmentRequest,
  giveLabels,
  requestFulfillment,
  type WarehouseMessage,
  type WmsReader,
} from '#capabilities/wms.ts'
import {
  allOf,
  bind,
  type CallContext,
  confirmed,
  jsonOrNothing,
  legible,
  legibleAll,
  type Outcome,
  type OutcomeMap,
  type Ready,
  refused,
  retry,
  unknown,
} from '#platform/connector-binding.ts'
import type { ReportRow } from '#platform/connector-rows.ts'
import type { Connector, ConnectorOptions, Effect } from '#platform/connector.ts'
import { fieldsOf, Unexpected } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { type DepotApi, openDepotApi } from './api.ts'
import { eventsAgain, stockAgain } from './history.ts'
import { depotDoor } from './inbound.ts'
import { toDepotLabels, toDepotOrder } from './map.ts'
import { readOpenOrders } from './orders.ts'
import { DepotSettings } from './settings.ts'
import { readSnapshot } from './stock.ts'
import {
  bulkResults,
  type DepotBulkResult,
  type DepotError,
  type DepotLabels,
  type DepotOrder,
  errorOf,
  orderState,
  orderStates,
} from './wire.ts'
import type { z } from 'zod'

export type DepotConnector = Connector & WmsReader & { readonly inbound: InboundDoor<WarehouseMessage> }

export type DepotOptions = ConnectorOptions<z.input<typeof DepotSettings>> & {
  readonly onUnreadable: ReportRow
}

type Release = Ready<FulfillmentRequest, DepotOrder>
type Released = Outcome<FulfillmentReference>

export function createDepotConnector({ settings: given, ...options }: DepotOptions): DepotConnector {
  const settings = DepotSettings.parse(given)
  const api = openDepotApi({ ...options, settings })
  return {
    instance: options.instance,
    operations: {
      ...bind(requestFulfillment, {
        batchMax: settings.options.batchMax,
        // `external_ref` is unique at Depot: what was released before is answered with 409 and its number.
        recovery: 'key',
        translate: toDepotOrder,
        send: (releases, context) => release(api, releases, context),
      }),
      ...bind(cancelFulfillment, {
        batchMax: 1,
        // Cancelled again is cancelled still.
        recovery: 'key',
        translate: (cancellation) => cancellation,
        async send(cancellations, context) {
          const outcomes = new Map<Effect, Outcome<object>>()
          for (const { effect, body } of cancellations) outcomes.set(effect, await cancel(api, body, context))
          return outcomes
        },
      }),
      ...bind(giveLabels, {
        batchMax: 1,
        // The same labels again are taken again.
        recovery: 'key',
        translate: (giving) => ({ packing: giving.packing, labels: toDepotLabels(giving) }),
        async send(givings, context) {
          const outcomes = new Map<Effect, Outcome<object>>()
          for (const { effect, body } of givings) outcomes.set(effect, await give(api, body, context))
          return outcomes
        },
      }),
    },
    stockSnapshot: (place) => readSnapshot(api, place),
    stockAgain: (place, missing) => stockAgain(api, place, missing),
    openOrders: (company, request) =>
      readOpenOrders(api, company, { ...request, report: options.onUnreadable }),
    inbound: {
      ...depotDoor(options.instance, settings, options.clock),
      askAgain: (gaps) => eventsAgain(api, gaps),
    },
  }
}

async function release(
  api: DepotApi,
  releases: readonly Release[],
  context: CallContext,
): Promise<OutcomeMap<FulfillmentReference>> {
  const [first] = releases
  if (releases.length > 1 || !first) return releaseMany(api, releases, context)
  return new Map([[first.effect, await releaseOne(api, first, context)]])
}

async function releaseOne(api: DepotApi, release: Release, context: CallContext): Promise<Released> {
  const response = await api.call('POST', 'outbound_orders', { body: release.body, context })
  const failed = api.failureOf(response)
  if (failed) return failed
  return legible(() => outcomeOfRelease(release.body.external_ref, resultOf(release, response)))
}

async function releaseMany(
  api: DepotApi,
  releases: readonly Release[],
  context: CallContext,
): Promise<OutcomeMap<FulfillmentReference>> {
  const orders = releases.map(({ body }) => body)
  const response = await api.call('POST', 'outbound_orders/bulk', { body: { orders }, context })
  const failed = api.failureOf(response)
  if (failed) return allOf(releases, failed)
  if (response.status >= 400) return allOf(releases, refusedWhole(response))
  return legibleAll(releases, () => outcomesOfBulk(releases, bulkResults(response.json())))
}

/** Depot cancels by its own number, which its look-up by ours gives. */
async function cancel(
  api: DepotApi,
  { number, reason }: FulfillmentCancellation,
  context: CallContext,
): Promise<Outcome<object>> {
  const found = await api.call('GET', `outbound_orders?external_ref=${encodeURIComponent(number)}`, {
    context,
  })
  const failed = api.failureOf(found)
  // Nothing but the look-up was sent, so nothing can have happened.
  if (failed) return failed.kind === 'unknown' ? retry(failed.reason) : failed
  const order = orderStates(found.json()).find((one) => one.externalRef === number)
  if (!order) return refused('NOT_FOUND', `the warehouse knows no order ${number}`)
  if (order.status === 'CANCELLED') return confirmed({})
  const path = `outbound_orders/${encodeURIComponent(order.wmsOrderId)}/cancel`
  const response = await api.call('POST', path, { body: { reason }, context })
  return api.failureOf(response) ?? legible(() => outcomeOfCancel(response))
}

async function give(
  api: DepotApi,
  { packing, labels }: { readonly packing: string; readonly labels: DepotLabels },
  context: CallContext,
): Promise<Outcome<object>> {
  const path = `packings/${encodeURIComponent(packing)}/labels`
  const response = await api.call('POST', path, { body: labels, context })
  const failed = api.failureOf(response)
  if (failed) return failed
  if (response.status >= 400) return refusedWhole(response)
  return legible(() =>
    fieldsOf(response.json())['packing_id'] === packing
      ? confirmed({})
      : unknown('the answer is of another packing'),
  )
}

/** The answer to a single release in the shape of an entry of a bulk answer. */
function resultOf(release: Release, response: HttpResponse): DepotBulkResult {
  const body = fieldsOf(response.json())
  const { status } = response
  const reported = { externalRef: release.body.external_ref, code: status, error: errorOf(body) }
  if (status !== 201 && status !== 409) return { ...reported, wmsOrderId: undefined, status: undefined }
  return { ...reported, ...orderState(status === 409 ? fieldsOf(body['order'], 'order') : body) }
}

function outcomesOfBulk(
  releases: readonly Release[],
  results: readonly DepotBulkResult[],
): OutcomeMap<FulfillmentReference> {
  const byReference = new Map(results.map((result) => [result.externalRef, result]))
  return new Map(
    releases.map(({ effect, body }) => [
      effect,
      legible(() => outcomeOfRelease(body.external_ref, byReference.get(body.external_ref))),
    ]),
  )
}

function outcomeOfRelease(reference: string, result: DepotBulkResult | undefined): Released {
  if (!result) return unknown('the answer leaves this order out')
  if (result.externalRef !== reference)
    throw new Unexpected(`${result.externalRef} is not the order that was sent`)
  const { code, wmsOrderId, status, error } = result
  if (code === 201 || code === 409) {
    if (status === 'CANCELLED') return refused('CANCELLED', `${reference} was released before and cancelled`)
    return wmsOrderId === undefined
      ? unknown('the answer has no order number')
      : confirmed({ number: wmsOrderId })
  }
  if (code === 503) return retry(error?.message ?? 'busy')
  return error && code >= 400 && code < 500 ? refusedBy(error) : unknown(`code ${code}`)
}

const refusedBy = (error: DepotError): Outcome<never> => refused(error.code, error.message)

/** A whole call that was turned away: by Depot, in its words, or by something before it. */
function refusedWhole(response: HttpResponse): Outcome<never> {
  const error = errorOf(jsonOrNothing(response))
  return error ? refusedBy(error) : unknown(`status ${response.status}`)
}

function outcomeOfCancel(response: HttpResponse): Outcome<object> {
  if (response.status >= 400) return refusedWhole(response)
  const { status } = orderState(fieldsOf(response.json()))
  return status === 'CANCELLED' ? confirmed({}) : unknown(`the order stands at ${status}`)
}
