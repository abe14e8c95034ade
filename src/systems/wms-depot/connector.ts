/** The Depot WMS: releases and cancels fulfillment requests, answers stock snapshots, tells by webhook. */
import {
  cancelFulfillment,
  type FulfillmentReference,
  type FulfillmentRequest,
  requestFulfillment,
  type WarehouseMessage,
  type WmsReader,
} from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
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
  outcomeOfStatus,
  type Ready,
  refused,
  retry,
  unknown,
} from '#platform/connector-binding.ts'
import type { Connector, Effect } from '#platform/connector.ts'
import { Outage } from '#platform/faults.ts'
import { fieldsOf, Unexpected } from '#platform/fields.ts'
import type { HttpClient, HttpResponse } from '#platform/http-client.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { depotDoor } from './inbound.ts'
import { toDepotOrder, toSnapshotLines } from './map.ts'
import { DepotSettings } from './settings.ts'
import {
  bulkResults,
  type DepotBulkResult,
  type DepotError,
  type DepotOrder,
  type DepotSnapshotPage,
  type DepotStockRow,
  errorOf,
  orderState,
  orderStates,
  snapshotPage,
} from './wire.ts'
import type { z } from 'zod'

export type DepotConnector = Connector & WmsReader & { readonly inbound: InboundDoor<WarehouseMessage> }

export type DepotOptions = {
  readonly instance: string
  readonly settings: z.input<typeof DepotSettings>
  readonly http: HttpClient
  readonly clock: Clock
}

type Release = Ready<FulfillmentRequest, DepotOrder>
type Released = Outcome<FulfillmentReference>

const SNAPSHOT_ROWS = 2_000
/** A snapshot whose pages tell of different moments is read anew this often. */
const SNAPSHOT_TRIES = 3

export function createDepotConnector({ instance, settings: given, http, clock }: DepotOptions): DepotConnector {
  const settings = DepotSettings.parse(given)
  const { batchMax } = settings.options
  const headers = { 'x-api-key': settings.credentials.apiKey, 'content-type': 'application/json' }

  const call = (method: 'GET' | 'POST', path: string, body: unknown, context: CallContext): Promise<HttpResponse> =>
    http.request({
      method,
      url: `${settings.baseUrl}/api/${path}`,
      headers,
      timeoutMs: settings.timeoutMs,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...context,
    })

  const givenUp = (response: HttpResponse) => outcomeOfStatus(response, clock.now(), saysBusy)

  async function releaseOne(release: Release, context: CallContext): Promise<Released> {
    const response = await call('POST', 'outbound_orders', release.body, context)
    return givenUp(response) ?? legible(() => outcomeOfRelease(release.body.external_ref, resultOf(release, response)))
  }

  async function releaseMany(releases: readonly Release[], context: CallContext): Promise<OutcomeMap<FulfillmentReference>> {
    const orders = releases.map((release) => release.body)
    const response = await call('POST', 'outbound_orders/bulk', { orders }, context)
    const failed = givenUp(response)
    if (failed) return allOf(releases, failed)
    if (response.status >= 400) return allOf(releases, refusedWhole(response))
    return legibleAll(releases, () => outcomesOfBulk(releases, bulkResults(response.json())))
  }

  /** Depot cancels by its own number, which its look-up by ours gives. */
  async function cancel(number: string, reason: string, context: CallContext): Promise<Outcome<object>> {
    const found = await call('GET', `outbound_orders?external_ref=${encodeURIComponent(number)}`, undefined, context)
    const failed = givenUp(found)
    // Nothing but the look-up was sent, so nothing can have happened.
    if (failed) return failed.kind === 'unknown' ? retry(failed.reason) : failed
    const order = orderStates(found.json()).find((one) => one.externalRef === number)
    if (!order) return refused('NOT_FOUND', `the warehouse knows no order ${number}`)
    if (order.status === 'CANCELLED') return confirmed({})
    const path = `outbound_orders/${encodeURIComponent(order.wmsOrderId)}/cancel`
    const response = await call('POST', path, { reason }, context)
    return givenUp(response) ?? legible(() => outcomeOfCancel(response))
  }

  async function snapshot(location: string): Promise<{ page: DepotSnapshotPage; rows: DepotStockRow[] } | undefined> {
    const rows: DepotStockRow[] = []
    let page: DepotSnapshotPage | undefined
    for (let cursor: string | undefined = ''; cursor !== undefined; cursor = page.next) {
      const next = await readPage(location, cursor)
      if (page && page.sequence !== next.sequence) return undefined
      page = next
      for (const row of next.rows) rows.push(row)
    }
    return page && { page, rows }
  }

  async function readPage(location: string, cursor: string): Promise<DepotSnapshotPage> {
    const query = new URLSearchParams({ site: location, limit: String(SNAPSHOT_ROWS), ...(cursor && { cursor }) })
    const url = `${settings.baseUrl}/api/inventory/snapshot?${query.toString()}`
    const response = await http.request({ method: 'GET', url, headers, timeoutMs: settings.timeoutMs })
    if (response.status !== 200) throw new Outage(instance, `the stock snapshot was answered with ${response.status}`)
    return snapshotPage(response.json())
  }

  return {
    instance,
    operations: {
      ...bind(requestFulfillment, {
        batchMax,
        // `external_ref` is unique at Depot: what was released before is answered with 409 and its number.
        recovery: 'key',
        translate: toDepotOrder,
        async send(releases, context) {
          const [first] = releases
          if (releases.length > 1 || !first) return releaseMany(releases, context)
          return new Map<Effect, Released>([[first.effect, await releaseOne(first, context)]])
        },
      }),
      ...bind(cancelFulfillment, {
        batchMax: 1,
        // Cancelled again is cancelled still.
        recovery: 'key',
        translate: (request) => request,
        async send(cancellations, context) {
          const outcomes = new Map<Effect, Outcome<object>>()
          for (const { effect, request } of cancellations) {
            outcomes.set(effect, await cancel(request.number, request.reason, context))
          }
          return outcomes
        },
      }),
    },
    async stockSnapshot(location) {
      for (let attempt = 0; attempt < SNAPSHOT_TRIES; attempt++) {
        const read = await snapshot(location)
        if (read) {
          return { lines: toSnapshotLines(read.rows), sequence: read.page.sequence, takenAt: read.page.takenAt }
        }
      }
      throw new Outage(instance, 'the stock changed between the pages of every snapshot')
    },
    inbound: depotDoor(instance, settings, clock),
  }
}

/** `BUSY` is Depot's promise that nothing was done. */
const saysBusy = (response: HttpResponse): boolean => errorOf(jsonOrNothing(response))?.code === 'BUSY'

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
  if (result.externalRef !== reference) throw new Unexpected(`${result.externalRef} is not the order that was sent`)
  const { code, wmsOrderId, status, error } = result
  if (code === 201 || code === 409) {
    if (status === 'CANCELLED') return refused('CANCELLED', `${reference} was released before and cancelled`)
    return wmsOrderId === undefined ? unknown('the answer has no order number') : confirmed({ number: wmsOrderId })
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
