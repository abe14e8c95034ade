/** Statements of orders that somebody waits for, on tables that were analyzed while they were empty. */
import { expect, test } from 'vitest'
import {
  addHolds,
  addReferences,
  changeHeaders,
  claimNaturalKeys,
  giveBackNaturalKeys,
  lowerExposure,
  moveLines,
  recordAcknowledged,
  recordErpClosings,
  recordErpNumbers,
  releaseHolds,
} from '#domains/orders/operations.ts'
import {
  headersOf,
  linesOf,
  lockHeaders,
  numbersOf,
  openHoldsOf,
  ordersAccepted,
  ordersByReference,
  shipTosOf,
} from '#domains/orders/views.ts'
import { listOrders } from '#domains/orders/views/lists.ts'
import { CAUSE, COMPANY, hold, newCustomer, order, write } from '#tests/domains/orders/order-fixtures.ts'
import { statements } from '#platform/database.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'

test('every statement of orders goes by index', async () => {
  const db = await openTestDatabase()
  try {
    await db.run('analyze')
    const customerId = await newCustomer(db, 'C-1')
    const captured = order(customerId, { shipTo: { city: 'Portland' }, shipToCode: null })
    const key = { doc: captured.doc, company: COMPANY }
    const held = hold(captured.doc)
    await write(db, captured)
    await db.database.transaction(async (tx) => {
      const { doc: orderId, sender, customerOrder } = captured
      const natural = {
        company: COMPANY,
        sender,
        customerId,
        customerOrder,
        period: '',
        orderId,
        contentHash: 'ab',
      }
      await claimNaturalKeys(tx, [natural, { ...natural, orderId: 0 }])
      giveBackNaturalKeys(tx, [natural])
      await lockHeaders(tx, [captured.doc])
      await recordErpNumbers(tx, [{ ...key, number: 'SO-1', effectKey: 'k' }], CAUSE)
      await changeHeaders(tx, [key], { change: 'touched', type: 'order.hold_released' }, CAUSE)
      await recordAcknowledged(tx, [{ ...key, turn: 1 }], CAUSE)
      await moveLines(
        tx,
        [{ ...key, data: {}, lines: [{ n: 1, reserved: -1, released: 1 }] }],
        'order.released',
        CAUSE,
      )
      await recordErpClosings(tx, [{ ...key, lines: [{ n: 1, closed: 0 }] }], CAUSE)
      lowerExposure(tx, [{ doc: captured.doc, amountMinor: 1 }])
      addHolds(tx, [held])
      await releaseHolds(tx, captured.doc, [held.id], { actor: 'ann', reason: 'paid' })
      addReferences(tx, [{ value: 'X', scheme: 'x', doc: 1, orderId: captured.doc }])
    })
    const docs = [captured.doc]
    await Promise.all([headersOf, linesOf, openHoldsOf, shipTosOf].map((read) => read(db.database, docs)))
    await ordersByReference(db.database, 'X')
    const ever = { from: new Date(0), until: new Date('2099-01-01T00:00:00Z') }
    await ordersAccepted(db.database, { ...ever, after: captured.doc, limit: 10 })
    await numbersOf(db.database, captured.doc)
    const filters = [{}, { state: 'held' as const }, { text: 'X' }, { customer: 'C-1' }, { partner: 'C-1' }]
    for (const filter of filters) {
      await listOrders(db.database, filter, undefined, 10)
    }
    const ours = [...db.statements()].filter(([name]) => name.startsWith('orders.'))
    expect(ours.length).toBeGreaterThanOrEqual(25)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const),
    )
    // the list of held orders begins at the open holds, which are few
    const allowed = new Map([['orders.list_held', ['Index Only Scan on hold']]])
    expect(
      reads.filter(([name, found]) => found.length > 0 && `${allowed.get(name)}` !== `${found}`),
    ).toEqual([])
  } finally {
    await db.end()
  }
})

type Plan = {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Plan[]
}

const rowsRead = (plan: Plan): number =>
  (plan['Relation Name'] === 'sales_order'
    ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    : 0) + (plan.Plans ?? []).reduce((sum, each) => sum + rowsRead(each), 0)

test('the list of a customer or a partner passes by none of the newer orders of others', async () => {
  const db = await openTestDatabase()
  try {
    const customerId = await newCustomer(db, 'C-OLD')
    const own = [
      order(customerId, { customer: 'C-OLD', sender: 'someone' }),
      order(customerId, { customer: 'someone', sender: 'C-OLD' }),
      order(customerId, { customer: 'C-OLD', sender: 'C-OLD' }),
    ]
    await write(db, ...own)
    await write(db, ...Array.from({ length: 400 }, () => order(customerId, { customer: 'C-NEW' })))
    await db.run('analyze orders.sales_order')
    const [bySoldTo, byPartner] = await Promise.all([
      listOrders(db.database, { customer: 'C-OLD' }, undefined, 10),
      listOrders(db.database, { partner: 'C-OLD' }, undefined, 10),
    ])
    expect(bySoldTo.map(({ id }) => id)).toEqual([own[2]!.doc, own[0]!.doc])
    expect(byPartner.map(({ id }) => id)).toEqual(own.map(({ doc }) => doc).toReversed())
    for (const name of ['orders.list_of_customer', 'orders.list_of_partner']) {
      const values = [null, name.endsWith('customer') ? 'C-OLD' : null, null, null, null, null, null]
      const [row] = await db.run<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `explain (analyze, format json) ${db.statements().get(name)!.text}`,
        [...values, name.endsWith('partner') ? 'C-OLD' : null, 10],
      )
      expect(rowsRead(row!['QUERY PLAN'][0].Plan)).toBeLessThanOrEqual(own.length + 1)
    }
  } finally {
    await db.end()
  }
})

test('only columns of an order that never change are indexed', async () => {
  const db = await openTestDatabase()
  try {
    const indexed = await db.run<{ name: string }>(
      `select distinct a.attname::text as name from pg_index i
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
       where i.indrelid = 'orders.sales_order'::regclass order by 1`,
    )
    expect(indexed.map(({ name }) => name)).toEqual(['created_at', 'customer', 'id', 'sender'])
    const ours = statements().filter(({ name }) => name.startsWith('orders.'))
    const updated = ours.flatMap(
      ({ text }) => /update orders\.sales_order \w* ?set ([^]*?)(?: from | where |$)/i.exec(text)?.[1] ?? [],
    )
    expect(updated.length).toBeGreaterThan(2)
    expect(updated.filter((set) => /\b(created_at|customer|id|sender) = /.test(set))).toEqual([])
  } finally {
    await db.end()
  }
})
