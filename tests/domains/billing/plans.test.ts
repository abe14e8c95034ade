/** Statements of billing that somebody waits for, on tables that were analyzed while they were empty. */
import { expect, test } from 'vitest'
import { receivePayments, recordSent, recordTax } from '#domains/billing/operations.ts'
import { recordRegistered, recordReversalRegistered } from '#domains/billing/operations/registrations.ts'
import { reversePayments } from '#domains/billing/operations/reversals.ts'
import { invoicesOfOrders, linesOfInvoices, lockInvoices } from '#domains/billing/views.ts'
import { behindReversals, keepReversals, unregisteredBeside } from '#domains/billing/views/reversals.ts'
import {
  CAUSE,
  COMPANY,
  draft,
  newDoc,
  numberOf,
  post,
  POSTED_AT,
} from '#tests/domains/billing/invoice-fixtures.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'

test('every statement of billing goes by index', async () => {
  const db = await openTestDatabase()
  try {
    await db.run('analyze')
    const [drafted, posted] = [await draft(db), await post(db, { customerId: 9 })]
    const common = { company: COMPANY, customerId: 9, sender: 'bank', currency: 'USD', receivedAt: POSTED_AT }
    const payment = { ...common, doc: newDoc(), reference: 'W-1', amountMinor: 1, named: undefined }
    const wrong = {
      ...payment,
      doc: newDoc(),
      reference: 'W-2',
      named: [{ number: numberOf(posted), amountMinor: 2 }],
    }
    await db.database.transaction(async (tx) => {
      await receivePayments(tx, [payment, { ...payment, doc: newDoc() }, wrong], CAUSE)
      const taxed = {
        ...drafted,
        taxMinor: 1,
        evidence: 'E',
        jurisdiction: 'J',
        lines: [{ line: 1, taxMinor: 1, ratePpm: 10_000 }],
      }
      await recordTax(tx, [taxed], CAUSE)
      await recordSent(tx, [{ ...posted, reference: undefined }], CAUSE)
      await Promise.all([lockInvoices, linesOfInvoices].map((read) => read(tx, [posted.doc])))
      await invoicesOfOrders(tx, [posted.orderId])
      const { doc, company } = payment
      const reversal = { doc, company, payer: 9, reason: 'bounced', amount: undefined }
      await reversePayments(tx, [reversal], CAUSE)
      const registered = { doc, company, number: 'P-1', effectKey: 'k' }
      await recordRegistered(tx, [registered], CAUSE)
      await recordReversalRegistered(tx, [registered], CAUSE)
      await keepReversals(tx, [doc])
      await Promise.all([behindReversals(tx, [doc]), unregisteredBeside(tx, [doc])])
    })
    const ours = [...db.statements()].filter(([name]) => name.startsWith('billing.'))
    expect(ours.length).toBeGreaterThanOrEqual(24)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const),
    )
    expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
  } finally {
    await db.end()
  }
})
