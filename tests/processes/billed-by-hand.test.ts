/** What a paper bills too much: named with its amount also where the warehouse is quicker than the invoice. */
import { expect, test } from 'vitest'
import { units } from '#platform/quantity.ts'
import { billedTooMuch } from '#processes/billed-by-hand.ts'
import { draft } from '#tests/domains/billing/invoice-fixtures.ts'
import { newCustomer, order, write } from '#tests/domains/orders/order-fixtures.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'

test('what never left is named with what the invoice bills of it, or will bill where it is not drawn yet', async () => {
  const db = await openTestDatabase()
  try {
    // two cases of twelve at 24.90
    const sold = order(await newCustomer(db, 'C-1'))
    await write(db, sold)
    const missing = { orderId: sold.doc, shipment: 71, line: 1, quantity: units(6) }
    const told = () =>
      db.database.transaction(async (tx) => [...(await billedTooMuch(tx, [missing])).values()])
    const never = '6 of line 1 of S-71 never left, and'
    expect(await told()).toEqual([
      {
        value: { amountMinor: 1_245, currency: 'USD' },
        words: `${never} its invoice, which is not drawn yet, will bill it at 12.45 USD net`,
      },
    ])
    const { lines } = await draft(db, { doc: 9_001, orderId: sold.doc, shipmentId: 71 })
    await db.run(
      `insert into shipments.shipment_line (shipment_id, n, package, line, item_id, quantity)
       values (71, ${lines[0]!.shipmentLine}, 1, 1, 1, 24)`,
    )
    expect(await told()).toEqual([
      {
        value: { amountMinor: Math.round(lines[0]!.netMinor / 4), currency: 'USD' },
        words: expect.stringContaining(`${never} invoice I-9001 bills it at `),
      },
    ])
    expect(await db.database.transaction((tx) => billedTooMuch(tx, []))).toEqual(new Map())
  } finally {
    await db.end()
  }
})
