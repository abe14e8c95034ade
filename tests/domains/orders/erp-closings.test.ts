/** What the ERP has off its order: as much as was cancelled at most, and never less again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moveLines, recordErpClosings } from '#domains/orders/operations.ts'
import { linesOf } from '#domains/orders/views.ts'
import { units } from '#platform/quantity.ts'
import {
  CAUSE,
  COMPANY,
  line,
  newCustomer,
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

async function newOrder(overrides: Parameters<typeof order>[1] = {}) {
  const captured = order(customerId, overrides)
  await write(db, captured)
  return { doc: captured.doc, company: COMPANY }
}

describe('what the ERP has closed of a line', () => {
  const closed = (at: { doc: number; company: string }, quantity: number) =>
    db.database.transaction((tx) =>
      recordErpClosings(tx, [{ ...at, lines: [{ n: 1, closed: quantity }] }], CAUSE),
    )
  const closedOf = async ({ doc }: { doc: number }) => (await linesOf(db.database, [doc]))[0]!.erpClosed

  test('is what was cancelled at capture, then rises with each closing and never falls', async () => {
    const at = await newOrder({
      lines: [line({ ordered: units(9), cancelled: units(4), reserved: units(5) })],
    })
    expect(await closedOf(at)).toBe(units(4))
    const lines = [{ n: 1, reserved: -units(5), cancelled: units(5) }]
    await db.database.transaction((tx) =>
      moveLines(tx, [{ ...at, data: {}, lines }], 'order.lines_cancelled', CAUSE),
    )
    expect(await closedOf(at)).toBe(units(4))
    await closed(at, units(7))
    await closed(at, units(6))
    expect(await closedOf(at)).toBe(units(7))
    expect((await toldOf(db, at.doc)).at(-1)).toMatchObject({
      type: 'order.lines_closed_at_erp',
      data: { lines: [1] },
    })
  })

  test('is never more than what is cancelled', async () => {
    await expect(closed(await newOrder(), units(1))).rejects.toMatchObject({ code: '23514' })
  })
})
