/** How a payment is spread over invoices. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  billingRefusals,
  type InvoiceState,
  type NewPayment,
  PaymentAnswer,
  PaymentRequest,
  type ReceivedPayment,
} from '#domains/billing/contract.ts'
import {
  answerPayment,
  applyPayment,
  openOf,
  type PayableInvoice,
  paymentOf,
  stateAfterPayment,
  stateOfPayment,
} from '#domains/billing/rules.ts'
import { catalogue } from '#platform/http-catalogue.ts'

const invoice = (doc: number, overrides: Partial<PayableInvoice> = {}): PayableInvoice => ({
  doc,
  number: `INV-${doc}`,
  currency: 'USD',
  state: 'posted',
  dueDate: '2026-04-01',
  totalMinor: 100,
  paidMinor: 0,
  ...overrides,
})

const paying = (amountMinor: number, named?: NewPayment['named']) => ({ amountMinor, currency: 'USD', named })

describe('a payment that names no invoice', () => {
  test('pays the oldest by due date, then by number, and the last one in part', () => {
    const invoices = [
      invoice(1, { dueDate: '2026-04-02' }),
      invoice(2, { number: 'INV-B' }),
      invoice(3, { number: 'INV-A' }),
      invoice(4, { dueDate: '2026-05-01' }),
    ]
    expect(applyPayment(paying(250), invoices)).toEqual([
      { invoice: 3, amountMinor: 100 },
      { invoice: 2, amountMinor: 100 },
      { invoice: 1, amountMinor: 50 },
    ])
  })

  test('passes over what is paid, disputed, written off, void or in another currency', () => {
    const invoices = [
      invoice(1, { state: 'paid', paidMinor: 100 }),
      invoice(2, { state: 'disputed' }),
      invoice(3, { state: 'written_off' }),
      invoice(4, { state: 'void' }),
      invoice(5, { currency: 'EUR' }),
      invoice(6, { state: 'partially_paid', paidMinor: 60 }),
      invoice(7, { state: 'sent', dueDate: '2026-06-01' }),
    ]
    expect(applyPayment(paying(500), invoices)).toEqual([
      { invoice: 6, amountMinor: 40 },
      { invoice: 7, amountMinor: 100 },
    ])
  })

  test('stays on account where nothing is open', () => {
    expect(applyPayment(paying(50), [])).toEqual([])
  })
})

describe('a payment that names invoices', () => {
  const invoices = [
    invoice(1),
    invoice(2),
    invoice(3, { state: 'disputed' }),
    invoice(4, { currency: 'EUR' }),
  ]

  test('pays exactly those, also a disputed one, adding up one that is named twice', () => {
    const named = [
      { number: 'INV-3', amountMinor: 10 },
      { number: 'INV-1', amountMinor: 60 },
      { number: 'INV-1', amountMinor: 40 },
    ]
    expect(applyPayment(paying(500, named), invoices)).toEqual([
      { invoice: 3, amountMinor: 10 },
      { invoice: 1, amountMinor: 100 },
    ])
  })

  test.each([
    ['billing.invoice_unknown', '/invoices/0/number', 500, [['INV-9', 1]]],
    [
      'billing.currency_differs',
      '/invoices/1/number',
      500,
      [
        ['INV-1', 1],
        ['INV-4', 1],
      ],
    ],
    ['billing.invoice_overpaid', '/invoices/0/amount', 500, [['INV-1', 101]]],
    [
      'billing.invoice_overpaid',
      '/invoices/1/amount',
      500,
      [
        ['INV-1', 60],
        ['INV-1', 41],
      ],
    ],
    [
      'billing.applications_exceed_payment',
      '/invoices/1/amount',
      119,
      [
        ['INV-1', 100],
        ['INV-2', 20],
      ],
    ],
  ] as const)('is refused with %s at %s', (code, pointer, amountMinor, pairs) => {
    const named = pairs.map(([number, minor]) => ({ number, amountMinor: minor }))
    expect(() => applyPayment(paying(amountMinor, named), invoices)).toThrow(
      expect.objectContaining({ code, pointer }),
    )
  })

  test('is refused for an invoice that is settled already', () => {
    for (const state of ['paid', 'written_off', 'void'] as const) {
      const settled = invoice(1, { state, paidMinor: state === 'paid' ? 100 : 0 })
      expect(() => applyPayment(paying(10, [{ number: 'INV-1', amountMinor: 10 }]), [settled])).toThrow(
        expect.objectContaining({ code: 'billing.invoice_overpaid', facts: { open: '0.00' } }),
      )
    }
  })
})

describe('whatever is paid', () => {
  const states = fc.constantFrom<InvoiceState>('posted', 'sent', 'partially_paid', 'paid', 'disputed', 'void')
  const anyInvoices = fc
    .array(
      fc
        .record({
          totalMinor: fc.nat({ max: 5_000 }),
          share: fc.nat({ max: 100 }),
          state: states,
          dueDate: fc.constantFrom('2026-04-01', '2026-04-02', '2026-05-01'),
          number: fc.constantFrom('A', 'B', 'C'),
          currency: fc.constantFrom('USD', 'EUR'),
        })
        .map(({ share, ...row }) => ({ ...row, paidMinor: Math.floor((row.totalMinor * share) / 100) })),
      { maxLength: 8 },
    )
    .map((rows) => rows.map((row, place) => ({ ...row, doc: place + 1 })))
  const amount = fc.integer({ min: 1, max: 20_000 })

  test('never exceeds the payment nor what an invoice is open for, and leaves nothing that could be paid', () => {
    fc.assert(
      fc.property(anyInvoices, amount, (invoices, amountMinor) => {
        const applied = applyPayment(paying(amountMinor), invoices)
        const sum = applied.reduce((all, row) => all + row.amountMinor, 0)
        const byDoc = new Map(invoices.map((row) => [row.doc, row]))
        for (const row of applied) {
          expect(row.amountMinor).toBeGreaterThan(0)
          expect(row.amountMinor).toBeLessThanOrEqual(openOf(byDoc.get(row.invoice)!))
        }
        expect(new Set(applied.map((row) => row.invoice)).size).toBe(applied.length)
        const payable = invoices.filter(({ currency, state }) => currency === 'USD' && state !== 'disputed')
        expect(sum).toBe(
          Math.min(
            amountMinor,
            payable.reduce((all, row) => all + openOf(row), 0),
          ),
        )
      }),
    )
  })

  test('does not depend on the order in which the invoices are read', () => {
    fc.assert(
      fc.property(anyInvoices, amount, fc.infiniteStream(fc.nat()), (invoices, amountMinor, chance) => {
        const shuffled = invoices
          .map((row) => ({ row, rank: chance.next().value as number }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ row }) => row)
        expect(applyPayment(paying(amountMinor), shuffled)).toEqual(
          applyPayment(paying(amountMinor), invoices),
        )
      }),
    )
  })

  test('by name is either exactly what was named or refused', () => {
    const named = fc.array(
      fc.record({ number: fc.constantFrom('A', 'B', 'X'), amountMinor: fc.integer({ min: 1, max: 4_000 }) }),
      { minLength: 1, maxLength: 4 },
    )
    const distinct = anyInvoices.map((rows) => [...new Map(rows.map((row) => [row.number, row])).values()])
    fc.assert(
      fc.property(distinct, amount, named, (invoices, amountMinor, names) => {
        let applied: readonly { amountMinor: number }[]
        try {
          applied = applyPayment(paying(amountMinor, names), invoices)
        } catch (error) {
          expect(Object.keys(billingRefusals)).toContain((error as { code: string }).code)
          return
        }
        const sum = applied.reduce((all, row) => all + row.amountMinor, 0)
        expect(sum).toBe(names.reduce((all, row) => all + row.amountMinor, 0))
        expect(sum).toBeLessThanOrEqual(amountMinor)
      }),
    )
  })
})

test.each<[InvoiceState, number, InvoiceState]>([
  ['posted', 0, 'paid'],
  ['disputed', 0, 'paid'],
  ['posted', 1, 'partially_paid'],
  ['sent', 1, 'partially_paid'],
  ['partially_paid', 1, 'partially_paid'],
  ['disputed', 1, 'disputed'],
])('an invoice that was %s and is open for %d is %s', (before, openMinor, after) => {
  expect(stateAfterPayment(before, openMinor)).toBe(after)
})

describe('the words of payments', () => {
  const request = { company: 'NWF', customer: 'C-1', reference: 'W-1', currency: 'USD', amount: '120.50' }
  const received = { doc: 50, customerId: 7, sender: 'bank', receivedAt: new Date('2026-03-02T09:00:00Z') }

  test('are read in minor units, and received when the request does not say otherwise', () => {
    expect(paymentOf(PaymentRequest.parse(request), received)).toEqual({
      ...received,
      company: 'NWF',
      reference: 'W-1',
      currency: 'USD',
      amountMinor: 12_050,
      named: undefined,
    })
    const told = {
      ...request,
      receivedAt: '2026-03-01T10:00:00+02:00',
      invoices: [{ number: 'I', amount: '1' }],
    }
    expect(paymentOf(PaymentRequest.parse(told), received)).toMatchObject({
      receivedAt: new Date('2026-03-01T08:00:00Z'),
      named: [{ number: 'I', amountMinor: 100 }],
    })
    const yen = { ...request, currency: 'JPY', amount: '1.5' }
    expect(() => paymentOf(yen, received)).toThrow(expect.objectContaining({ code: 'money.malformed' }))
  })

  test.each(['0', '0.00', '-1', '1e3', ''])('take no amount of "%s"', (amount) => {
    expect(PaymentRequest.safeParse({ ...request, amount }).success).toBe(false)
    const invoices = [{ number: 'I', amount }]
    expect(PaymentRequest.safeParse({ ...request, invoices }).success).toBe(false)
  })

  test('answer what was applied to which invoice and what is left', () => {
    const application = {
      invoice: 4,
      orderId: 1,
      number: 'INV-4',
      amountMinor: 100,
      invoiceState: 'paid' as const,
    }
    const payment: ReceivedPayment = {
      doc: 50,
      currency: 'USD',
      amountMinor: 120,
      appliedMinor: 100,
      applications: [application],
    }
    const answer = answerPayment(payment, { payment: (doc) => `P-${doc}`, invoice: (doc) => `I-${doc}` })
    expect(PaymentAnswer.parse(answer)).toEqual({
      id: 'P-50',
      state: 'partially_applied',
      amount: '1.20',
      applied: '1.00',
      unapplied: '0.20',
      applications: [{ invoice: 'I-4', number: 'INV-4', amount: '1.00', invoiceState: 'paid' }],
    })
    expect(stateOfPayment({ ...payment, appliedMinor: 0 })).toBe('unapplied')
    expect(stateOfPayment({ ...payment, appliedMinor: 120 })).toBe('applied')
  })

  test('explain every refusal with a title, a cause and a way out', () => {
    expect([...catalogue(billingRefusals).keys()]).toEqual(Object.keys(billingRefusals))
  })
})
