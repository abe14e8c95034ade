/** Master data as the legacy ERP connector reads it from the simulated one. */
import { beforeAll, expect, test } from 'vitest'
import type { Receipt } from '#landscape/world/world.ts'
import { systemClock } from '#platform/clock.ts'
import type { UnreadableRow } from '#platform/connector-rows.ts'
import { units } from '#platform/quantity.ts'
import { createLegacyErpConnector, type LegacyErpConnector } from '#systems/erp-legacy/connector.ts'
import { customerOf, ground, world } from '../landscape.ts'

const it = ground()
let erp: LegacyErpConnector
const unreadable: UnreadableRow[] = []

const connect = (rowsPerPage: number): LegacyErpConnector =>
  createLegacyErpConnector({
    instance: 'erp-north',
    settings: {
      baseUrl: it.landscape.legacyErp.url,
      timeoutMs: 5_000,
      credentials: { user: 'CROSSDOCK', password: 'secret' },
      options: { rowsPerPage },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: (row) => unreadable.push(row),
  })

beforeAll(() => void (erp = connect(1_000)))

const customer = customerOf('NWF')

test('master data is read to the last page, and nothing of it is unreadable', async () => {
  const small = connect(7)
  const numbers: string[] = []
  let cursor: string | undefined
  do {
    const page = await small.customers({ cursor })
    numbers.push(...page.items.map((one) => one.number))
    cursor = page.next
  } while (cursor !== undefined)
  expect(numbers).toEqual(world.customers.filter((one) => one.company === 'NWF').map((one) => one.number))
  expect((await erp.items({})).items).toHaveLength(world.items.filter((one) => one.company === 'NWF').length)
  expect((await erp.prices({})).items).toHaveLength(
    world.prices.filter((one) => one.company === 'NWF').length,
  )
  expect((await erp.stock({})).items.length).toBeGreaterThan(10)
  expect(unreadable).toEqual([])
})

test('changes since a moment are those after it, also in its own second', async () => {
  const since = systemClock.now()
  expect((await erp.customers({ changedSince: since })).items).toEqual([])
  it.landscape.legacyErp.changeCustomer(customer.number, { creditLimitMinor: 1_234_500 })
  const changed = await erp.customers({ changedSince: since })
  expect(changed.items.map((one) => [one.number, one.creditLimitMinor])).toEqual([
    [customer.number, 1_234_500],
  ])
})

test('purchase orders are read by what changed of them: moved, delivered in part, cancelled', async () => {
  const [late, partial, cancelled] = world.receipts.filter((one) => one.company === 'NWF') as [
    Receipt,
    Receipt,
    Receipt,
  ]
  const since = systemClock.now()
  expect((await erp.supply({})).items.map((one) => one.number)).toContain(late.id)
  expect((await erp.supply({ changedSince: since })).items).toEqual([])
  const { legacyErp } = it.landscape
  legacyErp.changePurchase(late.id, { expectedOn: '2026-12-01' })
  legacyErp.changePurchase(partial.id, { received: 12 })
  legacyErp.changePurchase(cancelled.id, { cancelled: cancelled.quantity })
  const { items, asOf } = await erp.supply({ changedSince: since })
  expect(items).toMatchObject([
    { number: late.id, expectedOn: '2026-12-01', received: 0 },
    { number: partial.id, expectedOn: partial.expectedOn, received: units(12) },
    { number: cancelled.id, cancelled: units(cancelled.quantity) },
  ])
  expect(asOf.getTime()).toBeGreaterThanOrEqual(since.getTime())
})

test('what cannot be read is an outage', async () => {
  it.landscape.legacyErp.faults.set({ kind: 'server-error', operation: 'items', times: 1 })
  await expect(erp.items({})).rejects.toThrow(/was not answered/)
  it.landscape.legacyErp.faults.set({ kind: 'wrong-body', operation: 'items', body: 'html', times: 1 })
  await expect(erp.items({})).rejects.toThrow(/no usable answer/)
})

test('open orders are those of clerks and ours; asked for changes it also names what is open no more', async () => {
  const { clerks } = it.landscape.legacyErp
  const row = world.stock.find(
    ({ company, status, quantity }) => company === 'NWF' && status === 'available' && quantity > 10,
  )!
  const unit = world.items.find(({ number }) => number === row.item)!.baseUnit
  const lines = [{ item: row.item, unit, quantity: 2, site: row.site }]
  const sold = { customer: customer.number, reference: 'by phone', lines }
  const [kept, cancelled] = [clerks.key(sold), clerks.key({ ...sold, kind: 'counter' })]
  const line = { sku: row.item, location: row.site, customer: customer.number, open: units(2) }
  expect((await erp.openOrders({})).items).toMatchObject([
    { number: kept, kind: 'order', reference: 'by phone', ...line },
    { number: cancelled, kind: 'counter', ...line },
  ])
  const since = systemClock.now()
  clerks.cancel(cancelled)
  expect((await erp.openOrders({})).items.map(({ number }) => number)).toEqual([kept])
  const changed = (await erp.openOrders({ changedSince: since })).items
  expect(changed.find(({ number }) => number === cancelled)).toMatchObject({ open: 0 })
})
