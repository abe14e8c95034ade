/** Calls about one order or the stock of one shop, and what a status says by itself. */
import type { Clock } from '#platform/clock.ts'
import {
  type CallContext,
  jsonOrNothing,
  type Outcome,
  outcomeOfStatus,
  refused,
  unknown,
} from '#platform/connector-binding.ts'
import type { HttpClient, HttpResponse } from '#platform/http-client.ts'
import type { HostedShopSettings } from './settings.ts'
import { errorsOf } from './wire.ts'

export type OrderPlace = { readonly company: string; readonly orderId: string }

export interface ShopApi {
  /** `path` goes on behind the order. */
  call(
    method: 'GET' | 'POST' | 'PUT',
    order: OrderPlace,
    about: { path: string; body?: unknown; context: CallContext },
  ): Promise<HttpResponse>
  /** A page of a shop's orders. */
  list(company: string, query: string): Promise<HttpResponse>
  /** Many levels of one shop. */
  setLevels(company: string, body: unknown, context: CallContext): Promise<HttpResponse>
  /** The outcome of a call that came to nothing; undefined where the body decides. */
  failureOf(response: HttpResponse): Outcome<never> | undefined
}

export type ShopApiOptions = {
  readonly settings: HostedShopSettings
  readonly http: HttpClient
  readonly clock: Clock
}

const ROOT = '/admin/api/2026-10'
const ORDERS = `${ROOT}/orders`

export function openShopApi({ settings, http, clock }: ShopApiOptions): ShopApi {
  const tokens = new Map(settings.shops.map((shop) => [shop.company, shop.token]))
  const headersOf = (company: string): Record<string, string> => ({
    'x-shop-access-token': tokens.get(company) ?? '',
    'content-type': 'application/json',
  })
  return {
    call: (method, { company, orderId }, { path, body, context }) =>
      http.request({
        method,
        url: `${settings.baseUrl}${ORDERS}/${orderId}${path}.json`,
        headers: headersOf(company),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: settings.timeoutMs,
        ...context,
      }),
    list: (company, query) =>
      http.request({
        method: 'GET',
        url: `${settings.baseUrl}${ORDERS}.json?${query}`,
        headers: headersOf(company),
        timeoutMs: settings.timeoutMs,
      }),
    setLevels: (company, body, context) =>
      http.request({
        method: 'POST',
        url: `${settings.baseUrl}${ROOT}/inventory_levels/set.json`,
        headers: headersOf(company),
        body: JSON.stringify(body),
        timeoutMs: settings.timeoutMs,
        ...context,
      }),
    failureOf: (response) => outcomeOfStatus(response, clock.now()) ?? refusalOf(response),
  }
}

/** The shop's errors have no codes, so the status stands for one. */
function refusalOf(response: HttpResponse): Outcome<never> | undefined {
  if (response.status < 400) return undefined
  const errors = errorsOf(jsonOrNothing(response))
  return errors === undefined
    ? unknown(`status ${response.status}`)
    : refused(String(response.status), errors)
}
