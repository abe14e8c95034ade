/** Which turns of an order its channel was told of, whatever began meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeHeaders, recordAcknowledged } from '#domains/orders/operations.ts'
import { headersOf } from '#domains/orders/views.ts'
import { CAUSE, COMPANY, newCustomer, order, toldOf, write } from '#tests/domains/orders/order-fixtures.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

test('what was told of a turn says nothing of the next, and one that is confirmed late takes nothing back', async () => {
  const captured = order(await newCustomer(db, 'C-1'))
  await write(db, captured)
  const at = { doc: captured.doc, company: COMPANY }
  const told = (turn: number) =>
    db.database.transaction((tx) => recordAcknowledged(tx, [{ ...at, turn }], CAUSE))
  await db.database.transaction((tx) =>
    changeHeaders(tx, [at], { change: 'cancel requested', type: 'order.cancel_requested' }, CAUSE),
  )
  await told(1)
  expect(await headersOf(db.database, [at.doc])).toMatchObject([{ turn: 2, acknowledgedTurn: 1, version: 3 }])
  await told(2)
  await told(1)
  expect(await headersOf(db.database, [at.doc])).toMatchObject([{ turn: 2, acknowledgedTurn: 2, version: 5 }])
  expect((await toldOf(db, at.doc))[2]).toEqual({
    type: 'order.acknowledged',
    version: 3,
    data: { turn: 1 },
  })
})
