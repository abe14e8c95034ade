/** Payments on a real database: applied once, never beyond what is open. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NewPayment } from '#domains/billing/contract.ts'
import { type PaymentOutcome, receivePayments } from '#domains/billing/operations.ts'
import { lockInvoices } from '#domains/billing/views.ts'
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

function payment(customerId: number, amountMinor: number, overrides: Partial<NewPayment> = {}): NewPayment {
  const doc = newDoc()
  return {
    doc,
    company: COMPANY,
    customerId,
    sender: 'bank',
    reference: `W-${doc}`,
    currency: 'USD',
    amountMinor,
    receivedAt: POSTED_AT,
    named: undefined,
    ...overrides,
  }
}

const named = (invoice: { doc: number }, amountMinor: number) => ({ number: numberOf(invoice), amountMinor })

/** Receives payments in one list; answers them in that order. */
async function receive(...payments: readonly NewPayment[]): Promise<PaymentOutcome[]> {
  const outcomes = await db.database.transaction((tx) => receivePayments(tx, payments, CAUSE))
  return payments.map((each) => outcomes.get(each)!)
}

const appliedOf = (outcome: PaymentOutcome | undefined): number | undefined =>
  outcome && outcome.kind !== 'refused' ? outcome.payment.appliedMinor : undefined
const paymentIn = (outcome: PaymentOutcome | undefined) =>
  outcome && outcome.kind !== 'refused' ? outcome.payment : undefined
const codeOf = (outcome: PaymentOutcome | undefined): string | undefined =>
  outcome?.kind === 'refused' ? outcome.refusal.code : undefined
const invoiceOf = async (doc: number) => (await lockInvoices(db.database, [doc]))[0]!

describe('a payment', () => {
  test('in full makes the invoice paid, and both say so', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const paid = payment(customer, 100, { named: [named(owed, 100)] })
    expect(await receive(paid)).toEqual([
      {
        kind: 'received',
        short: [],
        payment: {
          doc: paid.doc,
          currency: 'USD',
          amountMinor: 100,
          appliedMinor: 100,
          applications: [
            {
              invoice: owed.doc,
              orderId: owed.orderId,
              number: numberOf(owed),
              amountMinor: 100,
              invoiceState: 'paid',
            },
          ],
        },
      },
    ])
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'paid', paidMinor: 100, version: 3 })
    expect((await toldOf(db, owed.doc))[2]).toEqual({
      type: 'invoice.paid',
      version: 3,
      data: { payment: paid.doc, amountMinor: 100, openMinor: 0 },
    })
    expect(await toldOf(db, paid.doc)).toMatchObject([
      { type: 'payment.received', version: 1, data: { reference: paid.reference, appliedMinor: 100 } },
    ])
  })

  test('in parts makes it partially paid and then paid, a version and an event each, also in one list', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const parts = [30, 50, 40].map((amount) => payment(customer, amount))
    expect((await receive(...parts)).map(appliedOf)).toEqual([30, 50, 20])
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'paid', paidMinor: 100, version: 5 })
    expect(
      (await toldOf(db, owed.doc))
        .slice(2)
        .map(({ type, version, data }) => [type, version, data['openMinor']]),
    ).toEqual([
      ['invoice.partially_paid', 3, 70],
      ['invoice.partially_paid', 4, 20],
      ['invoice.paid', 5, 0],
    ])
  })

  test('is short of what it names by what it leaves open, and of nothing that it does not name', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const outcomes = await receive(
      payment(customer, 60, { named: [named(owed, 60)] }),
      payment(customer, 10),
      payment(customer, 30, { named: [named(owed, 30)] }),
    )
    const short = outcomes.map((outcome) => (outcome.kind === 'received' ? outcome.short : undefined))
    expect(short).toEqual([[{ invoice: owed.doc, number: numberOf(owed), openMinor: 40 }], [], []])
  })

  test('without a name pays what fell due first, and never a draft, another payer or another currency', async () => {
    const customer = newDoc()
    const late = await post(db, { customerId: customer, termsDays: 60 })
    const early = await post(db, { customerId: customer, termsDays: 10 })
    await post(db, { customerId: customer, currency: 'EUR', termsDays: 1 })
    await post(db, { customerId: newDoc(), termsDays: 1 })
    const [outcome] = await receive(payment(customer, 150))
    expect(outcome).toMatchObject({
      payment: {
        appliedMinor: 150,
        applications: [
          { invoice: late.doc, amountMinor: 50, invoiceState: 'partially_paid' },
          { invoice: early.doc, amountMinor: 100, invoiceState: 'paid' },
        ],
      },
    })
  })

  test('that finds nothing open stays on account', async () => {
    const unapplied = payment(newDoc(), 75)
    expect((await receive(unapplied)).map(appliedOf)).toEqual([0])
    expect(await toldOf(db, unapplied.doc)).toMatchObject([{ data: { appliedMinor: 0, invoices: [] } }])
  })

  test("of somebody else's invoice is refused and leaves nothing, while its neighbors in the list are taken", async () => {
    const [customer, other] = [newDoc(), newDoc()]
    const [mine, theirs] = [await post(db, { customerId: customer }), await post(db, { customerId: other })]
    const wrong = payment(customer, 100, { named: [named(theirs, 100)] })
    const right = payment(customer, 100, { named: [named(mine, 100)] })
    const outcomes = await receive(wrong, right)
    expect(outcomes.map(codeOf)).toEqual(['billing.invoice_unknown', undefined])
    expect(await invoiceOf(theirs.doc)).toMatchObject({ paidMinor: 0, version: 2 })
    expect(await toldOf(db, wrong.doc)).toEqual([])
    const corrected = payment(customer, 100, { reference: wrong.reference, named: [named(theirs, 1)] })
    expect((await receive(corrected)).map(codeOf)).toEqual(['billing.invoice_unknown'])
    expect((await receive({ ...corrected, named: undefined })).map(appliedOf)).toEqual([0])
  })

  test('of an invoice of another company with the same number is refused', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const elsewhere = payment(customer, 100, { company: 'NWI', named: [named(owed, 100)] })
    expect((await receive(elsewhere)).map(codeOf)).toEqual(['billing.invoice_unknown'])
  })
})

describe('a repeated payment', () => {
  test('is answered as the first time, whatever has become of the invoice since', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const first = payment(customer, 60, { named: [named(owed, 60)] })
    const [before] = await receive(first)
    await receive(payment(customer, 40))
    const [again] = await receive({ ...first, doc: newDoc(), receivedAt: new Date('2026-04-01T00:00:00Z') })
    expect(again).toEqual({ payment: paymentIn(before), kind: 'known' })
    expect(await invoiceOf(owed.doc)).toMatchObject({ paidMinor: 100 })
  })

  test.each([
    ['amount', { amountMinor: 61 }],
    ['payer', { customerId: 4_711_000 }],
    ['currency', { currency: 'EUR' }],
    ['invoice', { named: [{ number: 'INV-X', amountMinor: 60 }] }],
  ])('with another %s is refused', async (_, overrides) => {
    const first = payment(newDoc(), 60)
    await receive(first)
    expect((await receive({ ...first, doc: newDoc(), ...overrides })).map(codeOf)).toEqual([
      'billing.payment_repeated',
    ])
  })

  test.each([
    ['company', { company: 'NWI' }],
    ['sender', { sender: 'lockbox' }],
  ])('is another one from another %s', async (_, overrides) => {
    const first = payment(newDoc(), 60)
    await receive(first)
    expect((await receive({ ...first, doc: newDoc(), ...overrides }))[0]).toMatchObject({ kind: 'received' })
  })

  test('inside one list is answered by the first of them, also where that is refused', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const good = payment(customer, 60, { named: [named(owed, 60)] })
    const bad = payment(customer, 200, { named: [named(owed, 200)] })
    const outcomes = await receive(good, { ...good, doc: newDoc() }, bad, { ...bad, doc: newDoc() })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['received', 'known', 'refused', 'refused'])
    expect(outcomes[1]).toEqual({ payment: paymentIn(outcomes[0]), kind: 'known' })
    expect(codeOf(outcomes[3])).toBe('billing.invoice_overpaid')
    expect(await invoiceOf(owed.doc)).toMatchObject({ paidMinor: 60 })
  })

  test('that comes eight times at once is applied once', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const first = payment(customer, 60)
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => receive({ ...first, doc: newDoc() })))
    expect(
      outcomes
        .flat()
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual([...Array(7).fill('known'), 'received'])
    expect(new Set(outcomes.flat().map(appliedOf))).toEqual(new Set([60]))
    expect(await invoiceOf(owed.doc)).toMatchObject({ paidMinor: 60, version: 3 })
  })
})

describe('payments at once', () => {
  test('of 80 twice on an invoice of 100 pay 100 together, and the rest stays on account', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const outcomes = await Promise.all([receive(payment(customer, 80)), receive(payment(customer, 80))])
    const applied = outcomes.flat().map(appliedOf)
    expect(applied.toSorted((a, b) => a! - b!)).toEqual([20, 80])
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'paid', paidMinor: 100 })
  })

  test('of 80 twice that both name it are one applied and one refused', async () => {
    const customer = newDoc()
    const owed = await post(db, { customerId: customer })
    const pay = () => receive(payment(customer, 80, { named: [named(owed, 80)] }))
    const outcomes = (await Promise.all([pay(), pay()])).flat()
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['received', 'refused'])
    expect(outcomes.map(codeOf)).toContain('billing.invoice_overpaid')
    expect(await invoiceOf(owed.doc)).toMatchObject({ state: 'partially_paid', paidMinor: 80 })
  })

  test('of any amounts pay as much as is open, and books, applications and versions agree', async () => {
    const amounts = fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 2, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(amounts, async (given) => {
        const customer = newDoc()
        const owed = [
          await post(db, { customerId: customer, termsDays: 30 }),
          await post(db, { customerId: customer, termsDays: 10 }),
          await post(db, { customerId: customer, termsDays: 20 }),
        ]
        const outcomes = (await Promise.all(given.map((amount) => receive(payment(customer, amount))))).flat()
        const applied = outcomes.reduce((sum, outcome) => sum + appliedOf(outcome)!, 0)
        expect(applied).toBe(
          Math.min(
            300,
            given.reduce((sum, amount) => sum + amount, 0),
          ),
        )
        for (const { doc } of owed) {
          const [row] = await db.run<{ paid: number; applied: number }>(
            `select paid_minor as paid, (select coalesce(sum(amount_minor), 0)::bigint from billing.payment_application
               where invoice_id = i.id) as applied from billing.invoice i where id = $1`,
            [doc],
          )
          expect(row!.applied).toBe(row!.paid)
          const versions = (await toldOf(db, doc)).map(({ version }) => version)
          expect(versions).toEqual(versions.map((_, place) => place + 1))
          expect((await invoiceOf(doc)).version).toBe(versions.length)
        }
      }),
      { numRuns: 10 },
    )
  })
})

test('no payments change nothing', async () => {
  expect(await receive()).toEqual([])
})
