/** Orders as screens see them: pages of a list, and how far an order has come. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { milestonesFrom } from '#domains/orders/milestones.ts'
import { changeHeaders, moveLines, recordErpNumbers, releaseHolds } from '#domains/orders/operations.ts'
import { milestonesOf } from '#domains/orders/views.ts'
import { listOrders, type OrderCursor, type OrderFilter } from '#domains/orders/views/lists.ts'
import { appendEvents } from '#platform/log.ts'
import { units } from '#platform/quantity.ts'
import {
  CAUSE,
  COMPANY,
  hold,
  line,
  newCustomer,
  newDoc,
  order,
  write,
} from '#tests/domains/orders/order-fixtures.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
let customerId: number
beforeAll(async () => {
  db = await openTestDatabase()
  customerId = await newCustomer(db, 'C-1')
})
afterAll(() => db.end())

let companies = 0
/** A company of the test's own, so that its list holds nothing else. */
const newCompany = (): string => `L${++companies}`

async function capture(
  company: string,
  count: number,
  overrides: Parameters<typeof order>[1] = {},
): Promise<number[]> {
  const orders = Array.from({ length: count }, () => order(customerId, { company, ...overrides }))
  await write(db, ...orders)
  return orders.map((each) => each.doc)
}

async function pages(filter: OrderFilter, limit: number): Promise<number[][]> {
  const all: number[][] = []
  let cursor: OrderCursor | undefined
  for (;;) {
    const rows = await listOrders(db.database, filter, cursor, limit)
    if (rows.length === 0) return all
    all.push(rows.map((row) => row.id))
    cursor = rows.at(-1)
  }
}

const list = async (filter: OrderFilter): Promise<number[]> => (await pages(filter, 50)).flat()

describe('the list of orders', () => {
  test('gives each order once whatever the size of a page, newest first, also where a batch shares its time', async () => {
    const company = newCompany()
    const batches = [await capture(company, 4), await capture(company, 1), await capture(company, 3)]
    const newestFirst = batches.toReversed().flatMap((docs) => docs.toReversed())
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), async (limit) => {
        const got = await pages({ company }, limit)
        expect(got.flat()).toEqual(newestFirst)
        for (const page of got.slice(0, -1)) expect(page).toHaveLength(limit)
      }),
      { numRuns: 9 },
    )
  })

  test('says of each order where it stands, from its lines and holds, in one statement', async () => {
    const company = newCompany()
    const [waiting] = await capture(company, 1, {
      lines: [line(), line({ n: 2, reserved: 0, backordered: units(24) })],
    })
    const doc = newDoc()
    await capture(company, 1, { doc, holds: [hold(doc)] })
    const before = db.statements().size
    const rows = await listOrders(db.database, { company }, undefined, 10)
    expect(db.statements().size).toBeLessThanOrEqual(before + 1)
    expect(rows.map(({ id, stage, held, lineCount }) => ({ id, stage, held, lineCount }))).toEqual([
      { id: doc, stage: 'held', held: true, lineCount: 1 },
      { id: waiting, stage: 'partially_allocated', held: false, lineCount: 2 },
    ])
    expect(rows[0]).toMatchObject({
      company,
      customer: 'C-1',
      currency: 'USD',
      totalMinor: 4_980,
      erpNumber: null,
    })
    expect(rows[0]!.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })

  test('can be narrowed to open, held and closed orders', async () => {
    const company = newCompany()
    const [open, closed] = (await capture(company, 2)) as [number, number]
    const held = newDoc()
    const credit = hold(held)
    await capture(company, 1, { doc: held, holds: [credit] })
    await db.database.transaction((tx) =>
      changeHeaders(tx, [{ doc: closed, company }], { change: 'closed', type: 'order.closed' }, CAUSE),
    )
    expect(await list({ company, state: 'open' })).toEqual([held, open])
    expect(await list({ company, state: 'held' })).toEqual([held])
    expect(await list({ company, state: 'closed' })).toEqual([closed])
    await db.database.transaction((tx) =>
      releaseHolds(tx, held, [credit.id], { actor: 'ann', reason: 'paid' }),
    )
    expect(await list({ company, state: 'held' })).toEqual([])
  })

  test('can be narrowed by customer and by time, of which the end is excluded', async () => {
    const company = newCompany()
    const [early] = await capture(company, 1)
    const [late] = await capture(company, 1, { customer: 'C-2' })
    await db.run('update orders.sales_order set created_at = $2 where id = $1', [
      early,
      '2026-03-02T09:00:00Z',
    ])
    await db.run('update orders.sales_order set created_at = $2 where id = $1', [
      late,
      '2026-03-03T09:00:00Z',
    ])
    const [monday, tuesday] = [new Date('2026-03-02T09:00:00Z'), new Date('2026-03-03T09:00:00Z')]
    expect(await list({ company, customer: 'C-2' })).toEqual([late])
    expect(await list({ company, from: monday, to: tuesday })).toEqual([early])
    expect(await list({ company, from: tuesday })).toEqual([late])
    expect(await list({ company: 'NOBODY' })).toEqual([])
  })

  test('finds an order by any of its numbers, whole, within the other filters', async () => {
    const company = newCompany()
    const [doc, other] = (await capture(company, 2)) as [number, number]
    const numbers = { doc, company, number: `SO-${company}`, effectKey: 'x' }
    await db.database.transaction((tx) => recordErpNumbers(tx, [numbers], CAUSE))
    expect(await list({ text: ` SO-${company} ` })).toEqual([doc])
    expect(await list({ text: `PO-${other}`, company })).toEqual([other])
    expect(await list({ text: `PO-${other}`, company, state: 'closed' })).toEqual([])
    expect(await list({ text: `SO-${company}`, company: 'NOBODY' })).toEqual([])
    expect(await list({ text: 'SO-' })).toEqual([])
  })
})

describe('milestones', () => {
  const AT = new Date('2026-03-02T09:00:00Z')
  type Fact = readonly [type: string, key?: number, data?: object]
  const ORDER = 1
  const FULL = {
    ordered: 10,
    cancelled: 0,
    open: 0,
    backordered: 0,
    reserved: 0,
    released: 0,
    picked: 0,
    packed: 0,
    shipped: 0,
  }
  const shippedAll = [{ ...FULL, shipped: 10 }]

  const kinds = (facts: readonly Fact[], lines = shippedAll): string[] =>
    milestonesFrom(
      facts.map(([type, key = ORDER, data = {}]) => ({ type, key, data, occurredAt: AT, source: 'test' })),
      lines,
    ).map(({ milestone }) => milestone)

  test('of an order that goes straight through are each reached once, in order', () => {
    const facts: Fact[] = [
      ['order.accepted', ORDER, { outcome: 'accepted', allocation: 'reserved' }],
      ['order.posted_to_erp'],
      ['order.released'],
      ['fulfillment.requested', 2],
      ['fulfillment.accepted', 2],
      ['fulfillment.picking', 2],
      ['shipment.confirmed', 3],
      ['fulfillment.shipped', 2],
      ['order.shipped'],
      ['invoice.drafted', 4],
      ['invoice.posted', 4],
      ['order.closed'],
      ['invoice.partially_paid', 4],
      ['invoice.paid', 4],
    ]
    expect(kinds(facts)).toEqual([
      'submitted',
      'accepted',
      'credit_approved',
      'reserved',
      'released',
      'picking',
      'packed',
      'shipped',
      'invoiced',
      'closed',
      'partially_paid',
      'paid',
    ])
  })

  test('of an order in two parts are partial until the last, and stay partial while something is left', () => {
    const facts: Fact[] = [
      ['order.accepted', ORDER, { outcome: 'partially-allocated', allocation: 'partially_allocated' }],
      ['shipment.confirmed', 3],
      ['order.shipped'],
      ['invoice.posted', 4],
      ['order.allocated'],
      ['shipment.confirmed', 5],
      ['order.shipped'],
      ['invoice.posted', 6],
      ['invoice.paid', 4],
      ['invoice.paid', 6],
    ]
    expect(kinds(facts).slice(3)).toEqual([
      'partially_allocated',
      'packed',
      'partially_shipped',
      'partially_invoiced',
      'reserved',
      'packed',
      'shipped',
      'invoiced',
      'partially_paid',
      'paid',
    ])
    const open = [{ ...FULL, shipped: 6, backordered: 4 }]
    expect(kinds(facts.slice(0, 8), open).slice(3)).toEqual([
      'partially_allocated',
      'packed',
      'partially_shipped',
      'partially_invoiced',
      'partially_allocated',
      'packed',
      'partially_shipped',
      'partially_invoiced',
    ])
  })

  test('do not call an order paid whose payment was taken back, until it is paid again', () => {
    const facts: Fact[] = [
      ['shipment.confirmed', 3],
      ['invoice.posted', 4],
      ['invoice.paid', 4],
      ['invoice.payment_reversed', 4],
    ]
    expect(kinds(facts).slice(1)).toEqual(['invoiced', 'partially_paid'])
    expect(kinds([...facts, ['invoice.paid', 4]]).slice(1)).toEqual(['invoiced', 'partially_paid', 'paid'])
  })

  test('say packed when packing is told, and then not again with the shipment', () => {
    const facts: Fact[] = [
      ['fulfillment.picking', 2],
      ['order.picked'],
      ['order.packed'],
      ['fulfillment.packed', 2],
      ['shipment.confirmed', 3],
      ['order.shipped'],
    ]
    expect(kinds(facts)).toEqual(['picking', 'packed', 'shipped'])
  })

  test('do not call an order invoiced while a shipment of it is not', () => {
    const facts: Fact[] = [
      ['shipment.confirmed', 3],
      ['shipment.confirmed', 5],
      ['invoice.posted', 4],
      ['invoice.paid', 4],
    ]
    expect(kinds(facts)).toEqual(['packed', 'packed', 'partially_invoiced', 'partially_paid'])
  })

  test('name holds and the credit that was approved after all', () => {
    const facts: Fact[] = [
      [
        'order.accepted',
        ORDER,
        { outcome: 'accepted-with-holds', allocation: 'reserved', holds: [{ type: 'credit' }] },
      ],
      ['order.hold_released', ORDER, { type: 'credit' }],
      ['order.erp_refused'],
      ['order.hold_released', ORDER, { type: 'manual' }],
      ['fulfillment.refused', 2],
    ]
    expect(kinds(facts)).toEqual([
      'submitted',
      'accepted',
      'on_hold',
      'reserved',
      'credit_approved',
      'on_hold',
      'on_hold',
    ])
  })

  test('call an order cancelled of which nothing was found and nothing is wanted later', () => {
    const nothing = [{ ...FULL, cancelled: 10 }]
    expect(kinds([['order.picked_short']], nothing)).toEqual(['cancelled'])
    expect(kinds([['order.lines_cancelled'], ['order.picked_short']], nothing)).toEqual([
      'partially_cancelled',
      'cancelled',
    ])
    expect(kinds([['order.picked_short']], [{ ...FULL, backordered: 10 }])).toEqual([])
  })

  test('tell a cancelled order from one of which a part is cancelled', () => {
    expect(kinds([['order.lines_cancelled']], [{ ...FULL, cancelled: 10 }])).toEqual(['cancelled'])
    expect(kinds([['order.lines_cancelled']], [{ ...FULL, cancelled: 4, shipped: 6 }])).toEqual([
      'partially_cancelled',
    ])
    expect(kinds([['order.shipped']], [{ ...FULL, backordered: 10 }])).toEqual([])
    expect(kinds([['order.accepted', ORDER, { outcome: 'rejected' }]])).toEqual(['submitted', 'rejected'])
  })

  test('are read from the log of the order and its documents, each with its time and source', async () => {
    const [doc] = (await capture(COMPANY, 1)) as [number]
    const shipment = newDoc()
    const event = {
      type: 'shipment.confirmed',
      key: shipment,
      keyVersion: 1,
      company: COMPANY,
      correlationId: doc,
      data: {},
    }
    await db.database.transaction(async (tx) => {
      appendEvents(tx, [event], { source: 'wms-north', actor: 'wms-north', occurredAt: AT })
      const lines = [{ n: 1, reserved: -units(24), shipped: units(24) }]
      await moveLines(tx, [{ doc, company: COMPANY, data: {}, lines }], 'order.shipped', CAUSE)
    })
    const reached = await milestonesOf(db.database, doc, [shipment])
    expect(reached.map(({ milestone }) => milestone)).toEqual([
      'submitted',
      'accepted',
      'credit_approved',
      'reserved',
      'packed',
      'shipped',
    ])
    expect(reached.find(({ milestone }) => milestone === 'packed')).toEqual({
      milestone: 'packed',
      at: AT,
      source: 'wms-north',
      doc: shipment,
      event: 'shipment.confirmed',
    })
    expect((await milestonesOf(db.database, doc)).some(({ milestone }) => milestone === 'packed')).toBe(false)
  })
})
