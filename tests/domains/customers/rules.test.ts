/** Credit decisions. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CreditQuestion, decideCredit } from '#domains/customers/rules.ts'

const NOW = new Date('2026-03-02T09:00:00Z')
const HOUR_MS = 3_600_000

const question = (overrides: Partial<CreditQuestion> = {}): CreditQuestion => ({
  account: {
    creditLimitMinor: 1_000_000,
    receivablesMinor: 600_000,
    receivablesAsOf: NOW,
    openMinor: 300_000,
  },
  orderMinor: 100_000,
  currency: 'USD',
  creditHold: false,
  staleAfterMs: HOUR_MS,
  now: NOW,
  fallback: 'hold',
  ...overrides,
})

const late = (fallback: CreditQuestion['fallback'], orderMinor = 100_000) =>
  question({ fallback, orderMinor, now: new Date(NOW.getTime() + HOUR_MS + 1) })

describe('credit', () => {
  test('an order that reaches the limit to the cent is accepted', () => {
    expect(decideCredit(question())).toEqual({ kind: 'ok' })
  })

  test('an order one cent over the credit limit is held', () => {
    expect(decideCredit(question({ orderMinor: 100_001 }))).toEqual({
      kind: 'hold',
      reason: 'Exposure of 10000.01 USD would exceed the limit of 10000.00 by 0.01',
    })
  })

  test('a customer without a limit may order anything', () => {
    const account = { ...question().account, creditLimitMinor: null }
    expect(decideCredit(question({ account, orderMinor: 1e12 }))).toEqual({ kind: 'ok' })
  })

  test('a credit hold of the ERP holds every order', () => {
    expect(decideCredit(question({ creditHold: true, orderMinor: 0 })).kind).toBe('hold')
  })

  test('figures as old as allowed still count', () => {
    expect(decideCredit(question({ now: new Date(NOW.getTime() + HOUR_MS) })).kind).toBe('ok')
  })

  test('stale figures hold the order where the company says so', () => {
    expect(decideCredit(late('hold'))).toMatchObject({
      kind: 'hold',
      reason: expect.stringContaining('too old'),
    })
  })

  test('stale figures refuse the order where the company says so', () => {
    expect(decideCredit(late('refuse'))).toMatchObject({
      kind: 'refuse',
      refusal: { code: 'customers.credit_unverified' },
    })
  })

  test('a company that accepts stale figures decides on them', () => {
    expect(decideCredit(late('accept')).kind).toBe('ok')
    expect(decideCredit(late('accept', 100_001)).kind).toBe('hold')
  })

  test('with fresh figures an order is accepted exactly when exposure and order stay within the limit', () => {
    const amount = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 })
    fc.assert(
      fc.property(
        amount,
        amount,
        fc.nat(),
        fc.nat(),
        (receivablesMinor, openMinor, orderMinor, creditLimitMinor) => {
          const account = { creditLimitMinor, receivablesMinor, receivablesAsOf: NOW, openMinor }
          const fits =
            BigInt(receivablesMinor) + BigInt(openMinor) + BigInt(orderMinor) <= BigInt(creditLimitMinor)
          expect(decideCredit(question({ account, orderMinor })).kind).toBe(fits ? 'ok' : 'hold')
        },
      ),
    )
  })
})
