/** The Swift carrier: labels by our shipment's number, and the way of each parcel by webhook, and when it is asked. */
import type { z } from 'zod'
import {
  type CarrierReader,
  createLabel,
  type Label,
  type TrackingMessage,
  voidLabel,
} from '#capabilities/carrier.ts'
import {
  bind,
  type CallContext,
  confirmed,
  jsonOrNothing,
  legible,
  type Outcome,
  outcomeOfStatus,
  readable,
  refused,
  retryAt,
  unknown,
} from '#platform/connector-binding.ts'
import type { Connector, ConnectorOptions, Effect } from '#platform/connector.ts'
import { Outage } from '#platform/faults.ts'
import { fieldsOf, Unexpected } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import { readWay, swiftDoor } from './inbound.ts'
import { toLabel, toSwiftShipment } from './map.ts'
import { SwiftSettings } from './settings.ts'
import { errorOf, type SwiftShipment } from './wire.ts'

export type SwiftConnector = Connector & CarrierReader & { readonly inbound: InboundDoor<TrackingMessage> }

export type SwiftOptions = ConnectorOptions<z.input<typeof SwiftSettings>>

/** Calls the carrier; `failureOf` is the outcome of a call that came to nothing. */
type Api = {
  call(method: 'POST' | 'DELETE', path: string, body: unknown, context: CallContext): Promise<HttpResponse>
  /** An answer that is none is an `Outage`; undefined where there is no such thing. */
  read(path: string): Promise<unknown>
  failureOf(response: HttpResponse): Outcome<never> | undefined
}

export function createSwiftConnector(options: SwiftOptions): SwiftConnector {
  const settings = SwiftSettings.parse(options.settings)
  const api = openApi(options, settings)
  return {
    instance: options.instance,
    operations: {
      ...bind(createLabel, {
        batchMax: 1,
        // The same reference with the same content is answered with the first labels.
        recovery: 'key',
        translate: toSwiftShipment,
        async send(ready, context) {
          const outcomes = new Map<Effect, Outcome<Label>>()
          for (const { effect, body } of ready) outcomes.set(effect, await label(api, body, context))
          return outcomes
        },
      }),
      ...bind(voidLabel, {
        batchMax: 1,
        recovery: 'key',
        translate: (voiding) => voiding.number,
        async send(ready, context) {
          const outcomes = new Map<Effect, Outcome<object>>()
          for (const { effect, body } of ready) outcomes.set(effect, await voidOne(api, body, context))
          return outcomes
        },
      }),
    },
    inbound: swiftDoor(options.instance, settings),
    names: settings.options.names,
    track: (tracking) => track(options.instance, api, tracking),
  }
}

function openApi({ instance, http, clock }: SwiftOptions, settings: SwiftSettings): Api {
  const { user, password } = settings.credentials
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const to = (path: string) => ({
    url: `${settings.baseUrl}/v3/${path}`,
    headers: { authorization, 'content-type': 'application/json' },
    timeoutMs: settings.timeoutMs,
  })
  return {
    call: (method, path, body, context) =>
      http.request({
        method,
        ...to(path),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...context,
      }),
    async read(path) {
      const response = await http.request({ method: 'GET', ...to(path) })
      if (response.status === 200) return response.json()
      // A proxy's page does not say that a parcel is unknown.
      if (response.status === 404 && errorOf(jsonOrNothing(response))?.code === 'NOT_FOUND') return undefined
      const at = retryAt(response, clock.now())
      throw new Outage(instance, `${path} was answered with ${response.status}`, at && { retryAt: at })
    },
    failureOf: (response) => outcomeOfStatus(response, clock.now(), saysUnavailable) ?? refusalOf(response),
  }
}

async function label(api: Api, shipment: SwiftShipment, context: CallContext): Promise<Outcome<Label>> {
  const response = await api.call('POST', 'shipments', shipment, context)
  const failed = api.failureOf(response)
  if (failed) return failed
  const answer: unknown = response.json()
  return legible(() => {
    const labelled = fieldsOf(answer)
    if (labelled['reference'] !== shipment.reference) return unknown('the label is of another shipment')
    return labelled['status'] === 'VOIDED'
      ? refused('VOIDED', `${shipment.reference} was labelled before and voided`)
      : confirmed(toLabel(labelled))
  })
}

async function voidOne(api: Api, number: string, context: CallContext): Promise<Outcome<object>> {
  const response = await api.call('DELETE', `shipments/${encodeURIComponent(number)}`, undefined, context)
  const failed = api.failureOf(response)
  if (failed) return failed
  const answer: unknown = response.json()
  return legible(() =>
    fieldsOf(answer)['status'] === 'VOIDED' ? confirmed({}) : unknown('the label is not void'),
  )
}

async function track(
  instance: string,
  api: Api,
  tracking: string,
): Promise<readonly InboundMessage<TrackingMessage>[] | undefined> {
  const answer = await api.read(`tracking/${encodeURIComponent(tracking)}`)
  if (answer === undefined) return undefined
  return readable(instance, () => {
    const way = fieldsOf(answer)
    if (way['tracking_number'] !== tracking) throw new Unexpected(`the answer is not about ${tracking}`)
    return readWay(way)
  })
}

const saysUnavailable = (response: HttpResponse): boolean =>
  errorOf(jsonOrNothing(response))?.code === 'UNAVAILABLE'

function refusalOf(response: HttpResponse): Outcome<never> | undefined {
  if (response.status < 400) return undefined
  const error = errorOf(jsonOrNothing(response))
  return error ? refused(error.code, error.message) : unknown(`status ${response.status}`)
}
