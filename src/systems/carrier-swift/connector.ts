/** The Swift carrier: labels by our shipment's number, and the way of each parcel by webhook. */
import type { z } from 'zod'
import { createLabel, type Label, type TrackingMessage, voidLabel } from '#capabilities/carrier.ts'
import {
  bind,
  type CallContext,
  confirmed,
  jsonOrNothing,
  legible,
  type Outcome,
  outcomeOfStatus,
  refused,
  unknown,
} from '#platform/connector-binding.ts'
import type { Connector, ConnectorOptions, Effect } from '#platform/connector.ts'
import { fieldsOf } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { swiftDoor } from './inbound.ts'
import { toLabel, toSwiftShipment } from './map.ts'
import { SwiftSettings } from './settings.ts'
import { errorOf, type SwiftShipment } from './wire.ts'

export type SwiftConnector = Connector & { readonly inbound: InboundDoor<TrackingMessage> }

export type SwiftOptions = ConnectorOptions<z.input<typeof SwiftSettings>>

/** Calls the carrier; `failureOf` is the outcome of a call that came to nothing. */
type Api = {
  call(method: 'POST' | 'DELETE', path: string, body: unknown, context: CallContext): Promise<HttpResponse>
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
  }
}

function openApi({ http, clock }: SwiftOptions, settings: SwiftSettings): Api {
  const { user, password } = settings.credentials
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return {
    call: (method, path, body, context) =>
      http.request({
        method,
        url: `${settings.baseUrl}/v3/${path}`,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: settings.timeoutMs,
        ...context,
      }),
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

const saysUnavailable = (response: HttpResponse): boolean =>
  errorOf(jsonOrNothing(response))?.code === 'UNAVAILABLE'

function refusalOf(response: HttpResponse): Outcome<never> | undefined {
  if (response.status < 400) return undefined
  const error = errorOf(jsonOrNothing(response))
  return error ? refused(error.code, error.message) : unknown(`status ${response.status}`)
}
