/** Depot's history of events: what a stream misses comes as its webhook would have brought it, and nothing else. */
import { createHmac } from 'node:crypto'
import { beforeAll, expect, test, vi } from 'vitest'
import type { FulfillmentRequest } from '#capabilities/wms.ts'
import { requestFulfillment } from '#capabilities/wms.ts'
import { systemClock } from '#platform/clock.ts'
import { units } from '#platform/quantity.ts'
import { createDepotConnector, type DepotConnector } from '#systems/wms-depot/connector.ts'
import { effectOf, fresh, ground, itemOf, sendAll } from '../landscape.ts'

const it = ground({ pace: { pickAfterMs: 1, shipAfterMs: 1 }, announcePicking: true })
const ORDERS = 60
const references = Array.from({ length: ORDERS }, () => fresh('F'))
let depot: DepotConnector
beforeAll(async () => {
  depot = createDepotConnector({
    instance: 'wms',
    settings: {
      baseUrl: it.landscape.wms.url,
      credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: () => undefined,
  })
  const item = itemOf('NWF')
  const releases = references.map((number) =>
    effectOf(number, {
      company: 'NWF',
      number,
      order: 'O-1',
      customerOrder: 'PO-1',
      location: item.sites[0]!,
      customer: '100106',
      shipTo: { city: 'Boston', country: 'US' },
      lines: [{ line: 1, sku: item.number, quantity: units(1), unit: 'EA' }],
    } satisfies FulfillmentRequest),
  )
  await sendAll(depot, requestFulfillment, releases.slice(0, 50))
  await sendAll(depot, requestFulfillment, releases.slice(50))
  await vi.waitFor(
    () => {
      if (events().length < 2 * ORDERS) throw new Error('still picking')
    },
    { timeout: 5_000 },
  )
})

const events = () => it.landscape.wms.truth().events
const gap = (reference: string, from: number, to: number) => ({
  source: 'wms',
  stream: `fulfillment/${reference}`,
  missing: { from, to },
})

test('only what is missing is answered, to the letter of its webhook', async () => {
  const [first, second] = references as [string, string]
  const told = await depot.inbound.askAgain!([gap(first, 1, 1), gap(second, 2, 4)])
  expect(told.map(({ stream, sequence }) => [stream, sequence])).toEqual([
    [`fulfillment/${first}`, 1],
    [`fulfillment/${second}`, 2],
  ])
  const event = events().find((one) => one.event_id === told[0]!.messageId)
  const body = JSON.stringify({ events: [event] })
  const at = Math.floor(systemClock.now().getTime() / 1_000)
  const v1 = createHmac('sha256', 'wms-secret').update(`${at}.${body}`).digest('hex')
  expect(depot.inbound.read({ 'x-depot-signature': `t=${at},v1=${v1}` }, Buffer.from(body))).toEqual([
    told[0],
  ])
})

test('more orders than a call takes are asked for in several', async () => {
  const before = it.landscape.wms.received.requests('events')
  const told = await depot.inbound.askAgain!(references.map((reference) => gap(reference, 1, 2)))
  expect(told).toHaveLength(2 * ORDERS)
  expect(it.landscape.wms.received.requests('events')).toBe(before + 2)
})

test('an order that the warehouse never had is answered with nothing', async () => {
  expect(await depot.inbound.askAgain!([gap('F-0', 1, 1)])).toEqual([])
})

test('a history that cannot be read is an outage', async () => {
  it.landscape.wms.faults.set({ kind: 'wrong-body', operation: 'events', body: 'html', times: 1 })
  await expect(depot.inbound.askAgain!([gap('F-0', 1, 1)])).rejects.toThrow(/no usable answer/)
  it.landscape.wms.faults.set({ kind: 'server-error', operation: 'events', times: 1 })
  await expect(depot.inbound.askAgain!([gap('F-0', 1, 1)])).rejects.toThrow(/503/)
})
