/** Payments that are taken back, on a real database: whole, once, and what they paid is open again. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InvoiceState, NewPayment, PaymentReversal } from '#domains/billing/contract.ts'
import { receivePayments, recordSent } from '#domains/billing/operations.ts'
import { recordRegistered, recordReversalRegistered } from '#domains/billing/operations/registrations.ts'
import { type ReversalOutcome, reversePayments } from '#domains/billing/operations/reversals.ts'
import { checkReversal, stateAfterReversal } from '#domains/billing/rules.ts'
import { lockInvoices, lockPayments, unknownPayments } from '#domains/billing/views.ts'
import { behindReversals, keepReversals, unregisteredBeside } from '#domains/billing/views/reversals.ts'
import {
  CAUSE,
  COMPANY,
  newDoc,
  numberOf,
  post,
  POSTED_AT,
  toldOf,
} from '#tests/domains/billing/invoice-fixtures.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

/** A payment that is received, for the invoices it names or the oldest open ones. */
async function paid(
  customerId: number,
  amountMinor: number,
  named?: readonly { readonly doc: number }[],
  doc = newDoc(),
): Promise<NewPayment> {
  const payment = {
    doc,
    company: COMPANY,
    customerId,
    sender: 'bank',
    reference: `W-${doc}`,
    currency: 'USD',
    amountMinor,
    receivedAt: POSTED_AT,
    named: named?.map((invoice) => ({ number: numberOf(invoice), amountMinor: 100 })),
  }
  const outcomes = await db.database.transaction((tx) => receivePayments(tx, [payment], CAUSE))
  expect(outcomes.get(payment)!.kind).toBe('received')
  return payment
}

const reversalOf = (doc: number, overrides: Partial<PaymentReversal> = {}): PaymentReversal => ({
  doc,
  company: COMPANY,
  payer: undefined,
  reason: 'returned by the bank',
  amount: undefined,
  ...overrides,
})

/** Reverses payments in one list; answers them in that order. */
async function reverse(...reversals: readonly PaymentReversal[]): Promise<ReversalOutcome[]> {
  const outcomes = await db.database.transaction((tx) => reversePayments(tx, reversals, CAUSE))
  return reversals.map((each) => outcomes.get(each)!)
}

const codeOf = (outcome: ReversalOutcome): string =>
  outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind
const invoiceOf = async (doc: number) => (await lockInvoices(db.database, [doc]))[0]!
const paymentOf = async (doc: number) => (await lockPayments(db.database, [doc]))[0]!

describe('a payment that is reversed', () => {
  test('opens again what it paid, and both sides say so with a version and an event each', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const { doc, reference } = await paid(customer, 100, [owed])
    expect(await reverse(reversalOf(doc, { amount: '1.00', payer: customer }))).toEqual([
      {
        kind: 'reversed',
        payment: {
          doc,
          company: COMPANY,
          customerId: customer,
          reference,
          currency: 'USD',
          amountMinor: 100,
          reason: 'returned by the bank',
          invoices: [
            {
              invoice: owed.doc,
              number: numberOf(owed),
              amountMinor: 100,
              openMinor: 100,
              paidMinor: 0,
              invoiceState: 'posted',
            },
          ],
        },
      },
    ])
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'posted', paidMinor: 0, version: 4 })
    expect((await toldOf(db, owed.doc))[3]).toEqual({
      type: 'invoice.payment_reversed',
      version: 4,
      data: { payment: doc, amountMinor: 100, openMinor: 100, reason: 'returned by the bank' },
    })
    expect(await paymentOf(doc)).toMatchObject({
      reversedAt: expect.any(Date) as Date,
      reversalReason: 'returned by the bank',
      reversalRegistered: false,
      version: 2,
    })
    expect((await toldOf(db, doc))[1]).toMatchObject({
      type: 'payment.reversed',
      version: 2,
      data: { reference, amountMinor: 100, invoices: [{ invoice: owed.doc, amountMinor: 100 }] },
    })
  })

  test('leaves what other payments paid, and what was sent is sent again only in its state', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const [first, second] = [await paid(customer, 60), await paid(customer, 40)]
    await db.database.transaction((tx) => recordSent(tx, [{ ...owed, reference: undefined }], CAUSE))
    await reverse(reversalOf(first.doc))
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'partially_paid', paidMinor: 40 })
    await reverse(reversalOf(second.doc))
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'sent', paidMinor: 0 })
  })

  test('makes room for the next one, which pays what it paid', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    await reverse(reversalOf((await paid(customer, 100)).doc))
    await paid(customer, 100)
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'paid', paidMinor: 100 })
  })

  test('that paid nothing has nothing to open', async () => {
    const { doc } = await paid(newDoc(), 75)
    expect(await reverse(reversalOf(doc))).toMatchObject([{ kind: 'reversed', payment: { invoices: [] } }])
  })

  test('stays reversed, whoever writes to it', async () => {
    const { doc } = await paid(newDoc(), 75)
    await reverse(reversalOf(doc))
    const undo = 'update billing.payment set reversed_at = null, reversal_reason = null where id = $1'
    await expect(db.run(undo, [doc])).rejects.toMatchObject({ code: 'CD002' })
  })
})

describe('reversals of one list', () => {
  test('each see what those before them have opened', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const parts = [await paid(customer, 30), await paid(customer, 70)]
    const outcomes = await reverse(...parts.map(({ doc }) => reversalOf(doc)))
    expect(outcomes).toMatchObject([
      { payment: { invoices: [{ openMinor: 30, invoiceState: 'partially_paid' }] } },
      { payment: { invoices: [{ openMinor: 100, invoiceState: 'posted' }] } },
    ])
    expect((await toldOf(db, owed.doc)).slice(4).map(({ version }) => version)).toEqual([5, 6])
    expect((await invoiceOf(owed.doc)).version).toBe(6)
  })

  test('of the same payment are one, and those that are refused leave their neighbours alone', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const { doc } = await paid(customer, 100)
    const outcomes = await reverse(
      reversalOf(doc, { amount: '0.99' }),
      reversalOf(doc, { amount: '1.001' }),
      reversalOf(doc, { company: 'NWI' }),
      reversalOf(doc, { payer: customer + 1 }),
      reversalOf(9_999_999),
      reversalOf(doc),
      reversalOf(doc),
    )
    expect(outcomes.map(codeOf)).toEqual([
      'billing.reversal_partial',
      'money.malformed',
      'billing.payment_unknown',
      'billing.payment_unknown',
      'billing.payment_unknown',
      'reversed',
      'billing.payment_reversed',
    ])
    expect(await invoiceOf(owed.doc)).toMatchObject({ paidMinor: 0, version: 4 })
  })

  test('that are none change nothing', async () => expect(await reverse()).toEqual([]))
})

test('of reversals and payments at once every cent is paid by a payment that stands', async () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(amounts, amounts, async (before, meanwhile) => {
      const customer = newDoc()
      const owed = [await post(db, { customerId: customer }), await post(db, { customerId: customer })]
      const received: number[] = []
      for (const amount of before) received.push((await paid(customer, amount)).doc)
      const twice = [...received, ...received].map((doc) => reverse(reversalOf(doc)))
      const outcomes = (
        await Promise.all([...twice, ...meanwhile.map(async (amount) => void (await paid(customer, amount)))])
      ).flatMap((each) => each ?? [])
      expect(outcomes.filter(({ kind }) => kind === 'reversed')).toHaveLength(received.length)
      for (const { doc } of owed) {
        const [row] = await db.run<{ paid: number; standing: number }>(
          `select paid_minor as paid, (select coalesce(sum(a.amount_minor), 0)::bigint from billing.payment_application a
             join billing.payment p on p.id = a.payment_id
             where a.invoice_id = i.id and p.reversed_at is null) as standing
           from billing.invoice i where id = $1`,
          [doc],
        )
        expect(row!.paid).toBe(row!.standing)
        const versions = (await toldOf(db, doc)).map(({ version }) => version)
        expect(versions).toEqual(versions.map((_, place) => place + 1))
      }
    }),
    { numRuns: 8 },
  )
})

test('what the ERP still counts as paid is less than no cash, until it has taken it back', async () => {
  const customer = newDoc()
  await post(db, { customerId: customer })
  const { doc } = await paid(customer, 150)
  const key = { doc, company: COMPANY, effectKey: 'k' }
  const unknownAt = async (asOf: string) =>
    (await unknownPayments(db.database, [customer], new Date(asOf)))[0]!.amountMinor
  const [LONG_AGO, FAR_AHEAD] = ['2026-01-01T00:00:00Z', '2126-01-01T00:00:00Z']
  expect(await unknownAt(LONG_AGO)).toBe(150)
  await db.database.transaction((tx) => recordRegistered(tx, [{ ...key, number: 'CP-1' }], CAUSE))
  expect([await unknownAt(LONG_AGO), await unknownAt(FAR_AHEAD)]).toEqual([150, 50])
  await reverse(reversalOf(doc))
  expect([await unknownAt(LONG_AGO), await unknownAt(FAR_AHEAD)]).toEqual([0, -100])
  await db.database.transaction((tx) => recordReversalRegistered(tx, [{ ...key, number: undefined }], CAUSE))
  expect([await unknownAt(LONG_AGO), await unknownAt(FAR_AHEAD)]).toEqual([0, 0])
  expect(await paymentOf(doc)).toMatchObject({ reversalRegistered: true, version: 4 })
  expect((await toldOf(db, doc)).map(({ type }) => type)).toEqual([
    'payment.received',
    'payment.registered',
    'payment.reversed',
    'payment.reversal_registered',
  ])
})

describe('until the ERP has taken a reversed payment back', () => {
  const takenBack = (doc: number) =>
    db.database.transaction(async (tx) => {
      await recordReversalRegistered(tx, [{ doc, company: COMPANY, number: 'R-1' }], CAUSE)
      return unregisteredBeside(tx, [doc])
    })
  const docsOf = (rows: readonly { readonly doc: number }[]) => rows.map(({ doc }) => doc)

  test('what would be too much with it waits, whatever the numbers of the two are, and nothing else does', async () => {
    const customer = newDoc()
    await post(db, { customerId: customer })
    const lower = newDoc()
    const [part, rest] = [await paid(customer, 30), await paid(customer, 70)]
    await reverse(reversalOf(part.doc))
    expect(await behindReversals(db.database, [part.doc, rest.doc])).toEqual([])
    await paid(customer, 30, undefined, lower)
    expect(await behindReversals(db.database, [lower])).toEqual([{ doc: lower, reversal: part.doc }])
    await post(db, { customerId: customer })
    expect(await behindReversals(db.database, [(await paid(customer, 100)).doc])).toEqual([])
    expect(docsOf(await takenBack(part.doc))).toEqual(expect.arrayContaining([lower, rest.doc]))
    expect(await behindReversals(db.database, [lower, rest.doc])).toEqual([])
  })

  test('who comes at that moment is seen by whoever writes it down', async () => {
    const customer = newDoc()
    await post(db, { customerId: customer })
    const first = await paid(customer, 100)
    await reverse(reversalOf(first.doc))
    const next = { ...first, doc: newDoc(), reference: `W-${first.doc}-again` }
    let woken: ReturnType<typeof takenBack> | undefined
    await db.database.transaction(async (tx) => {
      await receivePayments(tx, [next], CAUSE)
      const behind = await behindReversals(tx, [next.doc])
      await keepReversals(
        tx,
        behind.map(({ reversal }) => reversal),
      )
      let isDone = false
      woken = takenBack(first.doc).finally(() => (isDone = true))
      const waits = () =>
        db.run(`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`)
      await expect.poll(async () => isDone || (await waits()).length > 0, { timeout: 10_000 }).toBe(true)
    })
    expect(docsOf(await woken!)).toEqual([next.doc])
  })
})

test.each<[InvoiceState, number, boolean, InvoiceState]>([
  ['paid', 0, false, 'posted'],
  ['paid', 0, true, 'sent'],
  ['paid', 1, true, 'partially_paid'],
  ['partially_paid', 0, true, 'sent'],
  ['partially_paid', 1, false, 'partially_paid'],
  ['disputed', 0, true, 'disputed'],
  ['written_off', 0, true, 'written_off'],
])(
  'an invoice that was %s, of which %d is paid still and sent is %s, is %s',
  (before, paidMinor, sent, after) => {
    expect(stateAfterReversal(before, { paidMinor, sent })).toBe(after)
  },
)

test.each([
  [{}, undefined],
  [{ amount: '1.00' }, undefined],
  [{ amount: '1' }, undefined],
  [{ amount: '0.50' }, 'billing.reversal_partial'],
  [{ amount: '1.01' }, 'billing.reversal_partial'],
  [{ company: 'NWI' }, 'billing.payment_unknown'],
  [{ payer: 8 }, 'billing.payment_unknown'],
  [{ payer: 7 }, undefined],
])('a reversal with %j of a payment of 1.00 USD by customer 7 is refused as %s', (asked, code) => {
  const payment = { company: COMPANY, customerId: 7, currency: 'USD', amountMinor: 100, reversed: false }
  const check = () =>
    checkReversal({ company: COMPANY, payer: undefined, amount: undefined, ...asked }, payment)
  if (code === undefined) expect(check()).toBe(payment)
  else expect(check).toThrow(expect.objectContaining({ code }) as Error)
})
