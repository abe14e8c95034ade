/** Calls whose answer is lost, wrong or only half given: looked up or repeated under their key, and done once at their target. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fault } from '#landscape/faults.ts'
import type { CompanyCode, WorldOrder } from '#landscape/world/world.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { differences, EVERYTHING_ONCE, ourInvoices, theirInvoices } from '#tests/support/house-books.ts'
import { inParallel, submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const PLANNED = 1_000
/** So many come at once, some of which travel together. */
const TOGETHER = 8
const POLICY = {
  timeoutMs: 400,
  retry: { baseMs: 20, maxMs: 100, maxAttempts: 30, budget: { perSecond: 500, max: 1_000 } },
  breaker: { minCalls: 10_000 },
}

type SystemName = 'legacyErp' | 'cloudErp' | 'wms' | 'tax'
type Target = {
  readonly system: SystemName
  readonly operations: readonly [one: string, many: string]
  readonly company: CompanyCode
}

const TARGETS: Readonly<Record<string, Target>> = {
  'an order at the legacy ERP': {
    system: 'legacyErp',
    operations: ['createOrder', 'createOrders'],
    company: 'NWF',
  },
  'an invoice at the legacy ERP': {
    system: 'legacyErp',
    operations: ['postInvoice', 'postInvoices'],
    company: 'NWF',
  },
  'an order at the cloud ERP': {
    system: 'cloudErp',
    operations: ['createOrder', 'createOrders'],
    company: 'NWI',
  },
  'an invoice at the cloud ERP': {
    system: 'cloudErp',
    operations: ['postInvoice', 'postInvoices'],
    company: 'NWI',
  },
  'a release at the WMS': { system: 'wms', operations: ['releaseOrder', 'releaseOrders'], company: 'NWF' },
  'a tax document': { system: 'tax', operations: ['commit', 'commits'], company: 'NWI' },
}

const TROUBLES: Readonly<Record<string, Fault>> = {
  'the connection breaks after the effect': { kind: 'no-answer', times: 2 },
  'the connection breaks before the effect': { kind: 'outage', mode: 'reset', times: 1 },
  'no answer comes in time after the effect': { kind: 'no-answer', mode: 'hang', times: 1 },
  'a page of HTML comes instead of the answer': { kind: 'wrong-body', body: 'html', times: 1 },
  'an empty answer comes': { kind: 'wrong-body', body: 'empty', times: 1 },
  'half an answer comes': { kind: 'wrong-body', body: 'truncated', times: 1 },
  'it fails without an effect, again and again': { kind: 'server-error', times: 4 },
}

let house: House
let query: Query
let disconnect: () => Promise<void>
let stock: Record<CompanyCode, WorldOrder[]>
beforeAll(async () => {
  house = await openHouse({ plannedOrders: PLANNED, policy: POLICY, config: { worker: { claimPollMs: 50 } } })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  const regular = house.landscape.world
    .orders(PLANNED)
    .filter((order) => order.case === 'regular' && order.expected === 'ships_at_once')
  stock = {
    NWF: regular.filter(({ company }) => company === 'NWF'),
    NWI: regular.filter(({ company }) => company === 'NWI'),
  }
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
})

/** Orders of a company that nobody has sent yet. */
const take = (company: CompanyCode, count: number): WorldOrder[] => stock[company].splice(0, count)

async function sendAndFinish(orders: readonly WorldOrder[]): Promise<void> {
  await inParallel(orders, orders.length, async (order) => {
    expect(await submit(house.url, order, `arrival-${order.nth}`)).toMatchObject({ status: 201 })
  })
  await atRest(query, 15_000)
  const rows = await query(
    `select customer_order from orders.sales_order where closed_at is not null and customer_order = any($1)`,
    [orders.map(({ poNumber }) => poNumber)],
  )
  expect(rows).toHaveLength(orders.length)
}

describe.each(Object.entries(TARGETS))('%s is made once', (_, { system, operations, company }) => {
  test.each(Object.entries(TROUBLES))('when %s', async (_, trouble) => {
    const { faults } = house.landscape[system]
    faults.set(operations.map((operation) => ({ ...trouble, operation })))
    await sendAndFinish(take(company, TOGETHER))
    expect(faults.list().reduce((sum, { struck }) => sum + struck, 0)).toBeGreaterThan(0)
    faults.clear()
    expect(await differences(query, house.landscape)).toEqual(EVERYTHING_ONCE)
  })

  test('when some of a batch are refused for the moment', async () => {
    const { faults } = house.landscape[system]
    faults.set({ kind: 'item-failure', operation: operations[1], times: 5 })
    await sendAndFinish(take(company, TOGETHER * 2))
    expect(faults.list()[0]!.struck).toBeGreaterThan(0)
    faults.clear()
    expect(await differences(query, house.landscape)).toEqual(EVERYTHING_ONCE)
  })
})

test('a legacy ERP that knows no keys is asked what it has before anything is sent again', async () => {
  const { faults, received } = house.landscape.legacyErp
  const looked = received.requests('findOrders')
  faults.set(['createOrder', 'createOrders'].map((operation) => ({ kind: 'no-answer', operation, times: 1 })))
  const [order] = take('NWF', 1) as [WorldOrder]
  await sendAndFinish([order])
  faults.clear()
  const [row] = await query<{ number: string }>(
    `select 'O-' || id as number from orders.sales_order where customer_order = $1`,
    [order.poNumber],
  )
  expect(received.requests('findOrders')).toBeGreaterThan(looked)
  expect(received.times('createOrder', row!.number) + received.times('createOrders', row!.number)).toBe(1)
})

test('after all of it the books agree', async () => {
  expect(theirInvoices(house.landscape)).toEqual(await ourInvoices(query))
  expect(await violationsAtRest(query)).toEqual([])
  expect(house.complaints).toEqual([])
})
