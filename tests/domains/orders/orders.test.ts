/** Orders on a real database: lines that add up, versions without a gap. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addHolds,
  addReferences,
  changeHeaders,
  changeLockedHeaders,
  lowerExposure,
  moveLines,
  moveLockedLines,
  recordErpNumbers,
  releaseHolds,
} from '#domains/orders/operations.ts'
import type { LineChange } from '#domains/orders/store.ts'
import {
  headersOf,
  linesOf,
  lockHeaders,
  numbersOf,
  openHoldsOf,
  ordersByReference,
  shipTosOf,
} from '#domains/orders/views.ts'
import { units } from '#platform/quantity.ts'
import {
  CAUSE,
  COMPANY,
  hold,
  line,
  newCustomer,
  newDoc,
  order,
  toldOf,
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

describe('a captured order', () => {
  test('is read back with its lines, holds, address and numbers, and begins with its event', async () => {
    const doc = newDoc()
    const shipTo = { name: 'Harbor Diner', lines: ['1 Pier'], city: 'Portland', country: 'US' }
    const held = hold(doc)
    await write(
      db,
      order(customerId, {
        doc,
        externalId: 'SHOP-77',
        channel: 'shop',
        shipToCode: null,
        shipTo,
        requestedDate: '2026-03-09',
        lines: [line(), line({ n: 2, reserved: units(4), backordered: units(20) })],
        holds: [held],
        outcome: 'accepted-with-holds',
      }),
    )
    const [header] = await headersOf(db.database, [doc])
    expect(header).toMatchObject({
      doc,
      version: 1,
      customerOrder: `PO-${doc}`,
      exposureMinor: 4_980,
      turn: 1,
    })
    expect(header).toMatchObject({ orderDate: '2026-03-02', requestedDate: '2026-03-09', closed: false })
    expect(await linesOf(db.database, [doc])).toMatchObject([
      { n: 1, ordered: units(24), reserved: units(24), open: 0, quantity: units(2), numerator: 12 },
      { n: 2, reserved: units(4), backordered: units(20) },
    ])
    expect(await openHoldsOf(db.database, [doc])).toEqual([
      { id: held.id, doc, type: 'credit', reason: held.reason, expiresAt: null, blocks: [...held.blocks] },
    ])
    expect(await shipTosOf(db.database, [doc])).toMatchObject([
      { lines: ['1 Pier'], region: null, country: 'US' },
    ])
    expect(await ordersByReference(db.database, 'SHOP-77')).toEqual([doc])
    expect(await numbersOf(db.database, doc)).toMatchObject([
      { scheme: 'customer-order' },
      { scheme: 'shop-order' },
    ])
    const [event] = await toldOf(db, doc)
    expect(event).toMatchObject({ type: 'order.accepted', version: 1 })
    expect(event!.data).toMatchObject({
      lines: 2,
      allocation: 'partially_allocated',
      holds: [{ type: 'credit' }],
    })
  })

  test.each([
    ['reserved', [line(), line({ n: 2, ordered: 0, reserved: 0 })]],
    ['backordered', [line({ reserved: 0, backordered: units(24) })]],
    ['partially_allocated', [line(), line({ n: 2, reserved: 0, backordered: units(24) })]],
    ['none', [line({ reserved: 0, cancelled: units(24) })]],
  ])('says that stock is %s', async (allocation, lines) => {
    const doc = newDoc()
    await write(db, order(customerId, { doc, lines }))
    expect((await toldOf(db, doc))[0]!.data).toMatchObject({ allocation })
  })

  test('is not written with a line whose quantities do not add up', async () => {
    for (const wrong of [
      { reserved: units(23) },
      { cancelled: 1 },
      { reserved: -1, backordered: units(24) + 1 },
    ]) {
      await expect(write(db, order(customerId, { lines: [line(wrong)] }))).rejects.toMatchObject({
        code: '23514',
      })
    }
  })

  test.each(['delivered', 'returned'])('never has more %s than shipped', async (column) => {
    const doc = newDoc()
    await write(db, order(customerId, { doc }))
    const tamper = db.run(`update orders.line set ${column} = 1 where order_id = $1`, [doc])
    await expect(tamper).rejects.toMatchObject({ code: '23514' })
  })
})

async function newOrder(overrides: Parameters<typeof order>[1] = {}) {
  const captured = order(customerId, overrides)
  await write(db, captured)
  return { doc: captured.doc, company: captured.company }
}

const moved = (at: { doc: number; company: string }, ...lines: readonly Omit<LineChange, 'doc'>[]) => ({
  ...at,
  data: { lines: lines.map((each) => each.n) },
  lines,
})

describe('moving quantities', () => {
  const release = { n: 1, reserved: -units(10), released: units(10) }

  test('raises the version by one and tells it once', async () => {
    const at = await newOrder()
    const versions = await db.database.transaction((tx) =>
      moveLines(tx, [moved(at, release)], 'order.released', CAUSE),
    )
    expect(versions).toEqual(new Map([[at.doc, 2]]))
    expect(await linesOf(db.database, [at.doc])).toMatchObject([{ reserved: units(14), released: units(10) }])
    expect(await toldOf(db, at.doc)).toMatchObject([
      { type: 'order.accepted', version: 1 },
      { type: 'order.released', version: 2, data: { lines: [1] } },
    ])
  })

  test('adds up changes of one line in one list', async () => {
    const at = await newOrder()
    const part = { n: 1, reserved: -units(3), released: units(3) }
    await db.database.transaction((tx) => moveLines(tx, [moved(at, part, part)], 'order.released', CAUSE))
    expect(await linesOf(db.database, [at.doc])).toMatchObject([{ reserved: units(18), released: units(6) }])
  })

  test('fails where a line would end with less than nothing or no longer add up, and tells nothing', async () => {
    const at = await newOrder()
    for (const wrong of [
      { n: 1, reserved: -units(25), released: units(25) },
      { n: 1, shipped: 1 },
    ]) {
      const move = db.database.transaction((tx) => moveLines(tx, [moved(at, wrong)], 'order.shipped', CAUSE))
      await expect(move).rejects.toMatchObject({ code: '23514' })
    }
    expect(await toldOf(db, at.doc)).toHaveLength(1)
  })

  test('of an order that does not exist is a bug that leaves no trace', async () => {
    const at = await newOrder()
    const nobody = { doc: newDoc(), company: COMPANY }
    const move = db.database.transaction((tx) =>
      moveLines(tx, [moved(at, release), moved(nobody, release)], 'order.released', CAUSE),
    )
    await expect(move).rejects.toThrow('does not exist')
    expect(await headersOf(db.database, [at.doc])).toMatchObject([{ version: 1 }])
  })

  test('of an order that stands twice in the list fails, since a version belongs to one event', async () => {
    const at = await newOrder()
    const twice = [moved(at, release), moved(at, release)]
    const move = db.database.transaction((tx) => moveLines(tx, twice, 'order.released', CAUSE))
    await expect(move).rejects.toMatchObject({ code: '23505' })
  })
})

describe('an order that is known to be locked', () => {
  const release = { n: 1, reserved: -units(10), released: units(10) }

  test('is changed and told without waiting for its version', async () => {
    const at = await newOrder()
    const versions = await db.database.transaction(async (tx) => {
      moveLockedLines(tx, [{ ...moved(at, release), version: 1 }], 'order.released', CAUSE)
      return changeLockedHeaders(
        tx,
        [{ ...at, version: 2 }],
        { change: 'closed', type: 'order.closed' },
        CAUSE,
      )
    })
    expect(versions).toEqual(new Map([[at.doc, 3]]))
    expect(await headersOf(db.database, [at.doc])).toMatchObject([{ version: 3, closed: true }])
    expect(await toldOf(db, at.doc)).toMatchObject([
      { version: 1 },
      { type: 'order.released', version: 2, data: { lines: [1] } },
      { type: 'order.closed', version: 3 },
    ])
  })

  test.each([
    ['another version than is believed', async () => ({ ...moved(await newOrder(), release), version: 2 })],
    ['no order at all', async () => ({ ...moved({ doc: newDoc(), company: COMPANY }, release), version: 1 })],
  ])('with %s fails the whole transaction', async (_, wrong) => {
    const [good, bad] = [{ ...moved(await newOrder(), release), version: 1 }, await wrong()]
    const move = db.database.transaction(async (tx) =>
      moveLockedLines(tx, [good, bad], 'order.released', CAUSE),
    )
    await expect(move).rejects.toMatchObject({ code: '22012' })
    expect(await headersOf(db.database, [good.doc])).toMatchObject([{ version: 1 }])
    expect(await toldOf(db, good.doc)).toHaveLength(1)
  })
})

describe('versions', () => {
  test('of an order changed by many at once have no gap and an event each', async () => {
    const orders = [await newOrder(), await newOrder(), await newOrder()]
    const changes = Array.from({ length: 8 }, (_, turn) =>
      db.database.transaction((tx) =>
        turn % 2 === 0
          ? changeHeaders(
              tx,
              turn % 4 === 0 ? orders : orders.toReversed(),
              { change: 'touched', type: 'order.hold_released' },
              CAUSE,
            )
          : moveLines(
              tx,
              orders.map((at) => moved(at, { n: 1, reserved: -units(1), released: units(1) })),
              'order.released',
              CAUSE,
            ),
      ),
    )
    await Promise.all(changes)
    for (const { doc } of orders) {
      const versions = (await toldOf(db, doc)).map((event) => event.version)
      expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(await headersOf(db.database, [doc])).toMatchObject([{ version: 9 }])
      expect(await linesOf(db.database, [doc])).toMatchObject([{ released: units(4) }])
    }
  })

  test.each([
    ['closed', 'order.closed', { closed: true }],
    ['cancel requested', 'order.cancel_requested', { cancelRequested: true, turn: 2 }],
    ['erp cancelled', 'order.erp_cancelled', { erpCancelled: true }],
    ['touched', 'order.hold_released', { turn: 1, closed: false }],
  ] as const)('rise when an order is %s, which is told as %s', async (change, type, header) => {
    const at = await newOrder()
    await db.database.transaction((tx) =>
      changeHeaders(tx, [{ ...at, data: { why: 'test' } }], { change, type }, CAUSE),
    )
    expect(await headersOf(db.database, [at.doc])).toMatchObject([{ ...header, version: 2 }])
    expect((await toldOf(db, at.doc))[1]).toEqual({ type, version: 2, data: { why: 'test' } })
  })

  test('rise when a request to cancel is refused, and the order goes on', async () => {
    const at = await newOrder()
    const change = (
      what: 'cancel requested' | 'cancel refused',
      type: 'order.cancel_requested' | 'order.cancel_refused',
    ) => db.database.transaction((tx) => changeHeaders(tx, [at], { change: what, type }, CAUSE))
    await change('cancel requested', 'order.cancel_requested')
    await change('cancel refused', 'order.cancel_refused')
    expect(await headersOf(db.database, [at.doc])).toMatchObject([{ cancelRequested: false, version: 3 }])
  })

  test('rise when the ERP gives its number, by which the order is found from then on', async () => {
    const at = await newOrder()
    const posted = { ...at, number: 'SO-4711', effectKey: `${at.doc}/postToErp//1` }
    await db.database.transaction((tx) => recordErpNumbers(tx, [posted], CAUSE))
    expect(await db.database.transaction((tx) => lockHeaders(tx, [at.doc]))).toMatchObject([
      { erpNumber: 'SO-4711', version: 2 },
    ])
    expect(await ordersByReference(db.database, 'SO-4711')).toEqual([at.doc])
    expect((await toldOf(db, at.doc))[1]).toMatchObject({
      type: 'order.posted_to_erp',
      data: { number: 'SO-4711' },
    })
  })
})

describe('holds', () => {
  test('are released once, by name, and only on their own order', async () => {
    const [mine, other] = [await newOrder(), await newOrder()]
    const [credit, manual] = [hold(mine.doc), hold(mine.doc, { type: 'manual', blocks: ['release'] })]
    const release = (doc: number, ...ids: readonly number[]) =>
      db.database.transaction((tx) => releaseHolds(tx, doc, ids, { actor: 'ann', reason: 'paid' }))
    await db.database.transaction(async (tx) => addHolds(tx, [credit, manual]))
    expect(await release(other.doc, credit.id)).toEqual([])
    expect(await release(mine.doc, credit.id)).toEqual([{ id: credit.id, doc: mine.doc, type: 'credit' }])
    expect(await release(mine.doc, credit.id)).toEqual([])
    expect(await openHoldsOf(db.database, [mine.doc])).toMatchObject([{ id: manual.id, blocks: ['release'] }])
  })
})

test('a number may name several orders, and adding it twice changes nothing', async () => {
  const [first, second] = [await newOrder(), await newOrder()]
  const reference = (doc: number) => ({ value: 'TRACK-1', scheme: 'tracking', doc, orderId: doc })
  await db.database.transaction(async (tx) =>
    addReferences(tx, [reference(first.doc), reference(second.doc)]),
  )
  await db.database.transaction(async (tx) => addReferences(tx, [reference(first.doc)]))
  expect(await ordersByReference(db.database, 'TRACK-1')).toEqual([first.doc, second.doc])
  expect(await ordersByReference(db.database, 'TRACK-2')).toEqual([])
})

test('an order is worth less to the credit account by what is cancelled of it', async () => {
  const at = await newOrder()
  await db.database.transaction(async (tx) => lowerExposure(tx, [{ doc: at.doc, amountMinor: 980 }]))
  expect(await headersOf(db.database, [at.doc])).toMatchObject([
    { exposureMinor: 4_000, totalMinor: 4_980, version: 1 },
  ])
})
