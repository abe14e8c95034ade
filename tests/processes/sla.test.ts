/** Service levels of orders and invoices, from the doors: what starts, stands still and stops a clock, and who hears of a late one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '36001', stock: { DC1: 500 } },
      { number: '36002', stock: { DC1: 50 } },
    ],
    [{ number: '510001' }, { number: '510002', creditLimitMinor: 1_000 }],
  )
  house.app.keepUp()
}, 60_000)
afterAll(() => house.end())

const WITHIN = { timeout: 10_000 }
const clocks = () =>
  house.query<{ doc: number; flow: string; paused: boolean }>(
    'select doc, flow, paused_at is not null as paused from sla.clock order by doc',
  )
/** An order closes with its invoice drawn, a moment before the ERP has posted it. */
const atRest = () => expect.poll(clocks, WITHIN).toEqual([])
const breaches = () =>
  house.query<{ doc: number; flow: string }>('select doc, flow from sla.breach order by doc')
async function figure(name: string): Promise<number> {
  const text = await (await fetch(`${house.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}
const isOver =
  "update sla.clock set started_at = now() - interval '3 days', warn_at = now(), due_at = now(), look_at = now() where flow = $1"

test('an order that goes its way in time leaves no clock, and how long the ERP took is measured', async () => {
  const before = await figure('order_to_erp_seconds_count')
  const order = await house.order({ lines: [['36001', 2]] })
  await house.closed(order)
  await atRest()
  expect(await breaches()).toEqual([])
  expect((await figure('order_to_erp_seconds_count')) - before).toBe(1)
})

test("while a hold is a person's, the clock stands still; released, it goes on", async () => {
  const before = await figure('order_to_erp_seconds_count')
  const order = await house.order({ customer: '510002', lines: [['36001', 2]] })
  expect(await clocks()).toEqual([{ doc: order.doc, flow: 'order_to_erp_posting', paused: true }])
  await house.releaseHold(order, 'credit')
  await house.closed(order)
  await atRest()
  expect(await figure('order_to_erp_seconds_count')).toBe(before)
})

test('a held order that is cancelled takes its clock along', async () => {
  const order = await house.order({ customer: '510002', lines: [['36001', 2]] })
  expect(await clocks()).toHaveLength(1)
  await house.send('POST', `${O2C}/orders/${order.body.id}:cancel`, { body: { reason: 'too slow' } })
  await expect.poll(() => house.stageOf(order), WITHIN).toBe('cancelled')
  expect(await clocks()).toEqual([])
})

test('a refusal by the ERP is no pause', async () => {
  const item = house.landscape.world.items.find(({ number }) => number === '36002')!
  item.discontinued = true
  const order = await house.order({ lines: [['36002', 1]] })
  await expect.poll(() => house.holdsOf(order), WITHIN).toMatchObject([{ type: 'manual', status: 'open' }])
  expect(await clocks()).toMatchObject([{ doc: order.doc, paused: false }])
  item.discontinued = false
  await house.releaseHold(order, 'manual')
  await house.closed(order)
  await atRest()
})

async function lateAt(
  order: Placed,
  flow: 'order_to_erp_posting' | 'order_to_invoice_posting',
  owner: string,
) {
  const code = `sla.${flow}.breached`
  await house.query(isOver, [flow])
  await expect
    .poll(() => listExceptions(house.app.database, { code }), WITHIN)
    .toMatchObject([
      { owner, severity: 'high', affected: 1, stake: [{ amountMinor: 2_000, currency: 'USD' }] },
    ])
  expect(await figure(`sla_breaches_total{flow="${flow}"}`)).toBe(1)
  house.landscape.legacyErp.faults.clear()
  await house.closed(order)
  await expect.poll(() => listExceptions(house.app.database, { code }), WITHIN).toEqual([])
  await atRest()
  return (await breaches()).map((row) => row.flow)
}

test('an order that the ERP keeps waiting is late: somebody is told what is at stake, until it is through', async () => {
  house.landscape.legacyErp.faults.set({ kind: 'latency', ms: 4_000 })
  const order = await house.order({ lines: [['36001', 2]] })
  expect(await lateAt(order, 'order_to_erp_posting', 'integration')).toEqual(['order_to_erp_posting'])
})

test("a shipment that is not invoiced in time is billing's, until its invoice is posted", async () => {
  const order = await house.order({ lines: [['36001', 2]] })
  await expect
    .poll(
      () =>
        house.query('select 1 from orders.sales_order where id = $1 and erp_number is not null', [order.doc]),
      WITHIN,
    )
    .toHaveLength(1)
  house.landscape.legacyErp.faults.set({ kind: 'latency', ms: 4_000 })
  await expect.poll(clocks, WITHIN).toMatchObject([{ flow: 'order_to_invoice_posting', paused: false }])
  const late = await lateAt(order, 'order_to_invoice_posting', 'billing')
  expect(late).toEqual(['order_to_erp_posting', 'order_to_invoice_posting'])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
