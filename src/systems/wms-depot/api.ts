/** Calls to the Depot WMS, and what a status of its says by itself. */
import type { Clock } from '#platform/clock.ts'
import {
  type CallContext,
  jsonOrNothing,
  type Outcome,
  outcomeOfStatus,
} from '#platform/connector-binding.ts'
import type { HttpClient, HttpResponse } from '#platform/http-client.ts'
import type { DepotSettings } from './settings.ts'
import { errorOf } from './wire.ts'

export interface DepotApi {
  readonly instance: string
  call(
    method: 'GET' | 'POST',
    path: string,
    about?: { body?: unknown; context?: CallContext },
  ): Promise<HttpResponse>
  /** The outcome of a call that came to nothing as a whole; undefined where the body decides. */
  failureOf(response: HttpResponse): Outcome<never> | undefined
}

export type DepotApiOptions = {
  readonly instance: string
  readonly settings: DepotSettings
  readonly http: HttpClient
  readonly clock: Clock
}

export function openDepotApi({ instance, settings, http, clock }: DepotApiOptions): DepotApi {
  const headers = { 'x-api-key': settings.credentials.apiKey, 'content-type': 'application/json' }
  return {
    instance,
    call: (method, path, { body, context } = {}) =>
      http.request({
        method,
        url: `${settings.baseUrl}/api/${path}`,
        headers,
        timeoutMs: settings.timeoutMs,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...context,
      }),
    failureOf: (response) => outcomeOfStatus(response, clock.now(), saysBusy),
  }
}

/** `BUSY` is Depot's promise that nothing was done. */
const saysBusy = (response: HttpResponse): boolean => errorOf(jsonOrNothing(response))?.code === 'BUSY'
