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
  ordersByReference,
  shipTosOf,
} from '#domains/orders/views.ts'
import { listOrders } from '#domains/orders/views/lists.ts'
import { CAUSE, COMPANY, hold, newCustomer, order, write } from '#tests/domains/orders/order-fixtures.ts'
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
    await numbersOf(db.database, captured.doc)
    for (const filter of [{}, { state: 'held' as const }, { text: 'X' }]) {
      await listOrders(db.database, filter, undefined, 10)
    }
    const ours = [...db.statements()].filter(([name]) => name.startsWith('orders.'))
    expect(ours.length).toBeGreaterThanOrEqual(23)
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
