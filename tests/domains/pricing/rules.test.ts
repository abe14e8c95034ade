/** Whose price counts. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decidePrice, type PriceDispute } from '#domains/pricing/rules.ts'

const dispute = (overrides: Partial<PriceDispute> = {}): PriceDispute => ({
  oursMinor: 1_000,
  expectedMinor: undefined,
  currency: 'USD',
  tolerancePpm: 20_000,
  toleranceMinor: 0,
  within: 'customer',
  beyond: 'hold',
  ...overrides,
})

describe('a price', () => {
  test('is ours when the customer expects none', () => {
    expect(decidePrice(dispute())).toEqual({ kind: 'ok', amountMinor: 1_000 })
  })

  test.each([980, 1_000, 1_020])(
    'of %d is honored at the very edge of two percent of 1000',
    (expectedMinor) => {
      expect(decidePrice(dispute({ expectedMinor }))).toEqual({ kind: 'ok', amountMinor: expectedMinor })
    },
  )

  test('within the tolerance is ours where the company does not honor the customer', () => {
    expect(decidePrice(dispute({ expectedMinor: 990, within: 'ours' }))).toEqual({
      kind: 'ok',
      amountMinor: 1_000,
    })
  })

  test.each([979, 1_021])(
    'of %d, a cent beyond the tolerance, waits for a person at ours',
    (expectedMinor) => {
      expect(decidePrice(dispute({ expectedMinor }))).toMatchObject({ kind: 'hold', amountMinor: 1_000 })
    },
  )

  test('that waits says both prices', () => {
    expect(decidePrice(dispute({ expectedMinor: 500 }))).toMatchObject({
      reason: 'The customer expects 5.00 USD, our price is 10.00',
    })
  })

  test('beyond the tolerance is refused or ours where the company says so', () => {
    expect(decidePrice(dispute({ expectedMinor: 500, beyond: 'reject' }))).toMatchObject({
      kind: 'refuse',
      refusal: { code: 'pricing.price_mismatch' },
    })
    expect(decidePrice(dispute({ expectedMinor: 500, beyond: 'accept' }))).toEqual({
      kind: 'ok',
      amountMinor: 1_000,
    })
  })

  test('the larger of the two tolerances counts', () => {
    expect(decidePrice(dispute({ expectedMinor: 950, toleranceMinor: 50 })).kind).toBe('ok')
    expect(decidePrice(dispute({ expectedMinor: 949, toleranceMinor: 50 })).kind).toBe('hold')
    expect(decidePrice(dispute({ expectedMinor: 980, toleranceMinor: 1 })).kind).toBe('ok')
  })

  test('that nobody has named is refused whatever the policy', () => {
    for (const beyond of ['hold', 'reject', 'accept'] as const) {
      expect(decidePrice(dispute({ oursMinor: undefined, beyond }))).toMatchObject({
        kind: 'refuse',
        refusal: { code: 'pricing.price_missing' },
      })
    }
  })

  test('that only the customer has follows the policy', () => {
    const decide = (beyond: PriceDispute['beyond']) =>
      decidePrice(dispute({ oursMinor: undefined, expectedMinor: 700, beyond }))
    expect(decide('hold')).toMatchObject({ kind: 'hold', amountMinor: 700 })
    expect(decide('accept')).toEqual({ kind: 'ok', amountMinor: 700 })
    expect(decide('reject')).toMatchObject({ kind: 'refuse', refusal: { code: 'pricing.price_missing' } })
  })

  const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  const policy = fc.record({
    tolerancePpm: fc.nat({ max: 1_000_000 }),
    toleranceMinor: fc.nat({ max: 1_000_000 }),
    within: fc.constantFrom('customer' as const, 'ours' as const),
  })

  test('that is accepted is never further from ours than the tolerance, and exactly those are accepted', () => {
    fc.assert(
      fc.property(amount, amount, policy, (oursMinor, expectedMinor, tolerances) => {
        const decision = decidePrice(dispute({ ...tolerances, oursMinor, expectedMinor }))
        const difference = BigInt(expectedMinor) - BigInt(oursMinor)
        const distance = difference < 0n ? -difference : difference
        const isWithin =
          distance <= BigInt(tolerances.toleranceMinor) ||
          distance * 1_000_000n <= BigInt(oursMinor) * BigInt(tolerances.tolerancePpm)
        expect(decision.kind).toBe(isWithin ? 'ok' : 'hold')
      }),
    )
  })

  test('that the customer expects exactly as ours is never in dispute', () => {
    fc.assert(
      fc.property(amount, policy, (oursMinor, tolerances) => {
        const decision = decidePrice(
          dispute({ ...tolerances, oursMinor, expectedMinor: oursMinor, beyond: 'reject' }),
        )
        expect(decision).toEqual({ kind: 'ok', amountMinor: oursMinor })
      }),
    )
  })
})
