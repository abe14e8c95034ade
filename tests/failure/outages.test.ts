/** Systems that are down, overloaded or slow: orders are still taken, only what needs the system waits, and all of it ends. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { differences, EVERYTHING_ONCE, ourInvoices, theirInvoices } from '#tests/support/house-books.ts'
import { type Answer, inParallel, submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const CALLERS = 16
const CALLS_AT_ONCE = 4
const POLICY = {
  timeoutMs: 1_000,
  concurrencyPerProcess: CALLS_AT_ONCE,
  retry: { baseMs: 20, maxMs: 200, maxAttempts: 40, budget: { perSecond: 100, max: 1_000 } },
  breaker: { minCalls: 5, windowMs: 2_000, openMs: 300, halfOpenProbes: 2 },
}
const WAIT = { timeout: 90_000, interval: 20 }

let house: House
let query: Query
let disconnect: () => Promise<void>
let orders: WorldOrder[]
beforeEach(async () => {
  house = await openHouse({ plannedOrders: 600, policy: POLICY, config: { worker: { claimPollMs: 50 } } })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  orders = house.landscape.world
    .orders(600)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
}, 60_000)
afterEach(async () => {
  await disconnect()
  await house.end()
})

const take = (company: WorldOrder['company'], count: number): WorldOrder[] =>
  orders.filter((order) => order.company === company).slice(0, count)

async function send(some: readonly WorldOrder[]): Promise<void> {
  await inParallel(some, CALLERS, async (order) => {
    const answer: Answer = await submit(house.url, order, `arrival-${order.nth}`)
    expect(answer).toMatchObject({ status: 201, body: { outcome: 'accepted' } })
  })
}

async function count(what: string): Promise<number> {
  const [row] = await query<{ count: number }>(`select count(*) as count from ${what}`)
  return row!.count
}

const closed = (company: string): Promise<number> =>
  count(`orders.sales_order where company = '${company}' and closed_at is not null`)

async function ended(expected: number): Promise<void> {
  await atRest(query, 60_000)
  expect(await count(`orders.sales_order where closed_at is not null`)).toBe(expected)
  expect(await differences(query, house.landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(house.landscape)).toEqual(await ourInvoices(query))
  expect(await violationsAtRest(query)).toEqual([])
}

test('while an ERP is down orders are accepted, the other company goes on, and afterwards all of it drains', async () => {
  const { faults, received } = house.landscape.legacyErp
  faults.set({ kind: 'outage', mode: 'refused' })
  const [foods, industrial] = [take('NWF', 150), take('NWI', 50)]
  await send([...foods, ...industrial])
  await vi.waitFor(async () => expect(await closed('NWI')).toBe(50), WAIT)
  expect(await closed('NWF')).toBe(0)
  // the breaker has opened, been probed and opened again
  await vi.waitFor(
    async () =>
      expect(
        await count(`policies.system where instance = 'erp-foods' and breaker <> 'closed' and revision > 5`),
      ).toBe(1),
    WAIT,
  )
  expect(received.items('createOrder') + received.items('createOrders')).toBe(0)
  expect(await count(`parking.item`)).toBe(0)
  faults.clear()
  await ended(200)
}, 240_000)

test('while the WMS is down orders are posted to the ERP and wait for their release', async () => {
  const { faults } = house.landscape.wms
  faults.set({ kind: 'outage', mode: 'unavailable' })
  await send([...take('NWF', 40), ...take('NWI', 40)])
  await vi.waitFor(
    async () => expect(await count(`orders.sales_order where erp_number is not null`)).toBe(80),
    WAIT,
  )
  expect(await count(`shipments.fulfillment where wms_number is not null`)).toBe(0)
  faults.clear()
  await ended(80)
}, 240_000)

test('an invoice whose tax nobody can determine waits, and is never guessed', async () => {
  const { faults } = house.landscape.tax
  faults.set({ kind: 'outage', mode: 'unavailable' })
  await send(take('NWI', 30))
  await vi.waitFor(
    async () => expect(await count(`billing.invoice where state = 'draft'`)).toBeGreaterThanOrEqual(30),
    WAIT,
  )
  expect(house.landscape.cloudErp.truth().invoices).toEqual([])
  faults.clear()
  await ended(30)
}, 240_000)

test.each(['seconds', 'date'] as const)(
  'a system that asks for silence in %s is left alone for so long',
  async (retryAfterAs) => {
    const { faults } = house.landscape.cloudErp
    // over before the silence is: a call that does not heed it is refused too, and counted
    faults.set({
      kind: 'rate-limit',
      operation: '*',
      perSecond: 0.001,
      burst: 1,
      retryAfterSeconds: 2,
      retryAfterAs,
      forMs: 1_500,
    })
    const refused = (): number => faults.list()[0]!.struck
    const isPaused = async (): Promise<void> =>
      expect(await count(`policies.system where instance = 'erp-industrial' and paused_until > now()`)).toBe(
        1,
      )
    // looked for while orders are sent: on a slow machine the silence is over before the last of them is accepted
    await Promise.all([send(take('NWI', 60)), vi.waitFor(isPaused, WAIT)])
    const before = refused()
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThanOrEqual(CALLS_AT_ONCE)
    await ended(60)
    expect(refused()).toBe(before)
  },
  240_000,
)

test('bursts of errors at every system at once delay orders and lose none', async () => {
  const { legacyErp, cloudErp, wms, tax } = house.landscape
  for (const { faults } of [legacyErp, cloudErp, wms, tax]) {
    faults.set([
      { kind: 'server-error', status: 500, share: 0.2 },
      { kind: 'server-error', status: 503, share: 0.2, retryAfterSeconds: 0 },
      { kind: 'no-answer', share: 0.1 },
      { kind: 'latency', ms: 5, jitterMs: 40 },
    ])
  }
  const some = [...take('NWF', 60), ...take('NWI', 60)]
  await send(some)
  await vi.waitFor(
    async () => expect(await count(`orders.sales_order where closed_at is not null`)).toBeGreaterThan(60),
    WAIT,
  )
  for (const { faults } of [legacyErp, cloudErp, wms, tax]) faults.clear()
  await ended(120)
}, 240_000)
