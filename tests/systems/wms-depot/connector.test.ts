/** The Depot connector against the simulated WMS: every fault becomes the right outcome, and nothing ships twice. */
import { beforeAll, expect, test } from 'vitest'
import type { OpenOrderLine } from '#capabilities/erp.ts'
import { cancelFulfillment, type FulfillmentRequest, requestFulfillment } from '#capabilities/wms.ts'
import { systemClock } from '#platform/clock.ts'
import type { UnreadableRow } from '#platform/connector-rows.ts'
import { units } from '#platform/quantity.ts'
import { createDepotConnector, type DepotConnector } from '#systems/wms-depot/connector.ts'
import { effectOf, fresh, ground, itemOf, send, sendAll, sendAfterLease } from '../landscape.ts'

const HOUR_MS = 3_600_000
const it = ground({ pace: { pickAfterMs: HOUR_MS, shipAfterMs: HOUR_MS } })
let depot: DepotConnector
const unreadable: UnreadableRow[] = []

const connect = (options: { batchMax?: number; timeoutMs?: number; apiKey?: string } = {}): DepotConnector =>
  createDepotConnector({
    instance: 'wms',
    settings: {
      baseUrl: it.landscape.wms.url,
      timeoutMs: options.timeoutMs ?? 5_000,
      credentials: { apiKey: options.apiKey ?? 'secret', webhookSecret: 'wms-secret' },
      options: { batchMax: options.batchMax ?? 50 },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: (row) => void unreadable.push(row),
  })

beforeAll(() => void (depot = connect()))

function releaseOf(overrides: Partial<FulfillmentRequest> = {}) {
  const number = fresh('F')
  const item = itemOf('NWF')
  return effectOf(number, {
    company: 'NWF',
    number,
    order: 'O-1',
    customerOrder: 'PO-1',
    location: item.sites[0]!,
    customer: '100106',
    shipTo: { name: 'Stone Bridge Catering', city: 'Boston', country: 'US' },
    lines: [{ line: 1, sku: item.number, quantity: units(2), unit: 'EA' }],
    ...overrides,
  } satisfies FulfillmentRequest)
}

const ordersOf = (reference: string) =>
  it.landscape.wms.truth().orders.filter((order) => order.external_ref === reference)

test('a release is confirmed with the number of the warehouse', async () => {
  const release = releaseOf()
  const outcome = await send(depot, requestFulfillment, release)
  expect(outcome).toEqual({
    kind: 'confirmed',
    answer: { number: ordersOf(release.businessKey)[0]!.wms_order_id },
  })
})

test('fifty releases are one call, each answered by its own effect', async () => {
  const releases = Array.from({ length: 50 }, () => releaseOf())
  const before = it.landscape.wms.received.requests('releaseOrders')
  const outcomes = await sendAll(depot, requestFulfillment, releases)
  expect(it.landscape.wms.received.requests('releaseOrders')).toBe(before + 1)
  for (const [at, release] of releases.entries()) {
    expect(outcomes[at]).toEqual({
      kind: 'confirmed',
      answer: { number: ordersOf(release.businessKey)[0]!.wms_order_id },
    })
  }
})

test('a batch with every kind of trouble fails item by item', async () => {
  const known = releaseOf()
  await send(depot, requestFulfillment, known)
  const [good, busy] = [releaseOf(), releaseOf()]
  const wrong = releaseOf({ lines: [{ line: 1, sku: '99999', quantity: units(1), unit: 'EA' }] })
  const unsayable = releaseOf({ lines: [{ line: 1, sku: '10000', quantity: units(1), unit: 'MTR' }] })
  it.landscape.wms.faults.set({ kind: 'item-failure', operation: 'releaseOrders', times: 1 })
  const outcomes = await sendAll(depot, requestFulfillment, [busy, known, wrong, unsayable, good])
  expect(outcomes[0]).toMatchObject({ kind: 'retry' })
  expect(outcomes[1]).toEqual({
    kind: 'confirmed',
    answer: { number: ordersOf(known.businessKey)[0]!.wms_order_id },
  })
  expect(outcomes[2]).toEqual({ kind: 'refused', code: 'UNKNOWN_SKU', message: 'unknown sku (lines/0/sku)' })
  expect(outcomes[3]).toMatchObject({ kind: 'refused', code: 'connector.code_unmapped' })
  expect(outcomes[4]).toMatchObject({ kind: 'confirmed' })
  expect(ordersOf(busy.businessKey)).toEqual([])
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['an empty body', { kind: 'wrong-body', body: 'empty' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)('%s after the effect is unknown, and sending again finds the first order', async (_, fault) => {
  for (const releases of [[releaseOf()], [releaseOf(), releaseOf()]]) {
    it.landscape.wms.faults.set({ ...fault, times: 1 })
    const first = await sendAll(depot, requestFulfillment, releases)
    expect(first.map((outcome) => outcome.kind)).toEqual(releases.map(() => 'unknown'))
    const second = await sendAll(depot, requestFulfillment, releases)
    for (const [at, release] of releases.entries()) {
      const [order, ...more] = ordersOf(release.businessKey)
      expect(second[at]).toEqual({ kind: 'confirmed', answer: { number: order!.wms_order_id } })
      expect(more).toEqual([])
    }
  }
})

test('an answer that does not come in time is unknown', async () => {
  it.landscape.wms.faults.set({ kind: 'no-answer', mode: 'hang', times: 1 })
  expect(await send(connect({ timeoutMs: 100 }), requestFulfillment, releaseOf())).toMatchObject({
    kind: 'unknown',
  })
})

test.each(['seconds', 'date'] as const)('a rate limit in %s says when to come back', async (retryAfterAs) => {
  it.landscape.wms.faults.set({
    kind: 'rate-limit',
    perSecond: 0.001,
    burst: 0,
    retryAfterSeconds: 30,
    retryAfterAs,
  })
  const startedMs = systemClock.now().getTime()
  const outcome = await send(depot, requestFulfillment, releaseOf())
  expect(outcome).toMatchObject({ kind: 'retry', at: expect.any(Date) })
  const waitMs = (outcome as { at: Date }).at.getTime() - startedMs
  expect(waitMs).toBeGreaterThan(27_000)
  expect(waitMs).toBeLessThan(33_000)
})

test('busy is a promise that nothing was done', async () => {
  const release = releaseOf()
  it.landscape.wms.faults.set({ kind: 'server-error', status: 503, times: 1 })
  expect(await send(depot, requestFulfillment, release)).toMatchObject({ kind: 'retry' })
  expect(ordersOf(release.businessKey)).toEqual([])
})

test('a closed port was surely not asked', async () => {
  it.landscape.wms.faults.set({ kind: 'outage', mode: 'refused' })
  await expect.poll(() => send(depot, requestFulfillment, releaseOf())).toMatchObject({ kind: 'retry' })
  it.landscape.wms.faults.clear()
  await expect.poll(() => send(depot, requestFulfillment, releaseOf())).toMatchObject({ kind: 'confirmed' })
})

test('wrong credentials refuse no document; they wait for the right ones', async () => {
  const outcome = await send(connect({ apiKey: 'wrong' }), requestFulfillment, releaseOf())
  expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('credentials') })
})

test('a request is cancelled once and stays cancelled', async () => {
  const release = releaseOf()
  await send(depot, requestFulfillment, release)
  const cancel = effectOf(release.businessKey, {
    number: release.businessKey,
    location: 'DC1',
    reason: 'customer',
  })
  expect(await send(depot, cancelFulfillment, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await send(depot, cancelFulfillment, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(ordersOf(release.businessKey)[0]!.status).toBe('CANCELLED')
  expect(await send(depot, requestFulfillment, release)).toMatchObject({ kind: 'refused', code: 'CANCELLED' })
})

test('a cancellation of what the warehouse never got is refused', async () => {
  const cancel = effectOf('F-0', { number: 'F-0', location: 'DC1', reason: 'customer' })
  expect(await send(depot, cancelFulfillment, cancel)).toMatchObject({ kind: 'refused', code: 'NOT_FOUND' })
})

test('a cancellation whose answer is lost is unknown, and confirmed when it is sent again', async () => {
  const release = releaseOf()
  await send(depot, requestFulfillment, release)
  const cancel = effectOf(release.businessKey, {
    number: release.businessKey,
    location: 'DC1',
    reason: 'customer',
  })
  it.landscape.wms.faults.set({ kind: 'no-answer', operation: 'cancelOrder', times: 1 })
  expect(await send(depot, cancelFulfillment, cancel)).toMatchObject({ kind: 'unknown' })
  expect(await send(depot, cancelFulfillment, cancel)).toMatchObject({ kind: 'confirmed' })
})

const NORTH_DC1 = { company: 'NWF', location: 'DC1' }

test('a snapshot holds all stock of a company at a site as of one moment', async () => {
  const { lines, mark } = await depot.stockSnapshot(NORTH_DC1)
  const truth = it.landscape.wms.truth()
  const expected = truth.stock.filter(
    (row) => row.site === 'DC1' && row.owner === 'NWF' && row.status === 'AVAIL',
  )
  const sum = (quantities: readonly number[]): number => quantities.reduce((total, one) => total + one, 0)
  expect(sum(lines.map((line) => line.available))).toBe(units(sum(expected.map((row) => row.qty))))
  expect(lines.length).toBeGreaterThan(20)
  expect(mark).toBe(truth.sequence)
})

test('a snapshot that cannot be read is an outage', async () => {
  it.landscape.wms.faults.set({ kind: 'wrong-body', operation: 'stock', body: 'html', times: 1 })
  await expect(depot.stockSnapshot(NORTH_DC1)).rejects.toThrow(/no usable answer/)
  it.landscape.wms.faults.set({ kind: 'server-error', operation: 'stock', times: 1 })
  await expect(depot.stockSnapshot(NORTH_DC1)).rejects.toThrow(/503/)
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const late = releaseOf()
  expect(await sendAfterLease(depot, requestFulfillment, late)).toBe('not asked: withdrawn')
  expect(ordersOf(late.businessKey)).toEqual([])
})

test('orders of others are listed with what is open of them, then by change date; one that cannot be read is left out', async () => {
  const { own } = it.landscape.wms
  const item = itemOf('NWF')
  const site = item.sites[0]!
  const { baseUnit: unit, number } = item
  const key = (quantity: number): string =>
    own.key({ owner: 'NWF', site, customer: 'Portal', lines: [{ item: number, quantity, unit }] })
  const many = Array.from({ length: 250 }, () => key(1))
  const [shipping, cancelled] = [key(6), key(4)]
  const read = async (changedSince?: Date) => {
    const lines: OpenOrderLine[] = []
    for (let cursor: string | undefined, more = true; more;) {
      const page = await depot.openOrders('NWF', { cursor, changedSince })
      lines.push(...page.items)
      cursor = page.next
      more = cursor !== undefined
    }
    return lines
  }
  const first = await read()
  expect(first.map((line) => line.number)).toEqual([...many, shipping, cancelled])
  expect(first.at(-2)).toMatchObject({
    line: '1',
    kind: 'order',
    customer: 'Portal',
    sku: number,
    location: site,
    open: units(6),
    shipped: 0,
  })
  const changes = first.at(-1)!.changedAt
  own.ship(shipping, 2)
  own.cancel(cancelled)
  own.remember().find((order) => order.wms_order_id === many[0])!.lines[0]!.uom = 'BARREL'
  const changed = new Map((await read(changes)).map((line) => [line.number, line]))
  expect(changed.get(shipping)).toMatchObject({ open: units(4), shipped: units(2) })
  expect(changed.get(cancelled)).toMatchObject({ open: 0, shipped: 0 })
  await read()
  expect(unreadable.at(-1)).toMatchObject({ instance: 'wms', kind: 'orders' })
  expect(await depot.openOrders('NWI', {})).toMatchObject({ items: [] })
})
