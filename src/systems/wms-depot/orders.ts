/** Orders at Depot that did not come from us: what is open of them, or whatever has changed. */
import type { OpenOrderLine, Page, PageRequest } from '#capabilities/erp.ts'
import { readable } from '#platform/connector-binding.ts'
import { readRows, type ReportRow } from '#platform/connector-rows.ts'
import { Outage } from '#platform/faults.ts'
import type { DepotApi } from './api.ts'
import { toOpenOrder } from './map.ts'
import { otherPage } from './wire.ts'

export async function readOpenOrders(
  api: DepotApi,
  company: string,
  { cursor, changedSince, report }: PageRequest & { readonly report: ReportRow },
): Promise<Page<OpenOrderLine>> {
  const query = new URLSearchParams({ origin: 'other', owner: company })
  if (changedSince) query.set('modified_since', changedSince.toISOString())
  if (cursor !== undefined) query.set('cursor', cursor)
  const response = await api.call('GET', `outbound_orders?${query.toString()}`)
  if (response.status !== 200)
    throw new Outage(api.instance, `the list of orders was answered with ${response.status}`)
  const answer: unknown = response.json()
  const { asOf, orders, next } = readable(api.instance, () => otherPage(answer))
  const lines = readRows(orders, { instance: api.instance, kind: 'orders', report }, toOpenOrder)
  return { items: lines.flat(), next, asOf }
}
