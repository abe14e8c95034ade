/** Whether a line's price stands; pure. */
import { Refusal } from '#platform/faults.ts'
import { formatAmount } from '#platform/money.ts'
import type { PricePolicy } from './contract.ts'

export type PriceDispute = PricePolicy & {
  /** Ours for one unit; undefined when we have none. */
  readonly oursMinor: number | undefined
  /** What the customer expects to pay; undefined when the order leaves it to us. */
  readonly expectedMinor: number | undefined
  readonly currency: string
}

/** A held line is worth `amountMinor` until a person decides. */
export type PriceDecision =
  | { readonly kind: 'ok'; readonly amountMinor: number }
  | { readonly kind: 'hold'; readonly amountMinor: number; readonly reason: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

const MILLION = 1_000_000n

/** Exact: a price at the very edge of the tolerance is within it. */
export function isWithinTolerance(oursMinor: number, expectedMinor: number, policy: PricePolicy): boolean {
  const difference = Math.abs(expectedMinor - oursMinor)
  if (difference <= policy.toleranceMinor) return true
  return BigInt(difference) * MILLION <= BigInt(oursMinor) * BigInt(policy.tolerancePpm)
}

/** Our price counts unless the customer's is within the tolerance and the company honours it. */
export function decidePrice(dispute: PriceDispute): PriceDecision {
  const { oursMinor, expectedMinor, currency, within, beyond } = dispute
  if (oursMinor === undefined) return decideWithoutOurs(dispute)
  if (expectedMinor === undefined) return { kind: 'ok', amountMinor: oursMinor }
  if (isWithinTolerance(oursMinor, expectedMinor, dispute)) {
    return { kind: 'ok', amountMinor: within === 'customer' ? expectedMinor : oursMinor }
  }
  if (beyond === 'accept') return { kind: 'ok', amountMinor: oursMinor }
  const ours = formatAmount(oursMinor, currency)
  const expected = formatAmount(expectedMinor, currency)
  const reason = `The customer expects ${expected} ${currency}, our price is ${ours}`
  if (beyond === 'hold') return { kind: 'hold', amountMinor: oursMinor, reason }
  return {
    kind: 'refuse',
    refusal: new Refusal('pricing.price_mismatch', reason, { ours, expected, currency }),
  }
}

/** A line that nobody has priced cannot be valued at all; one that only the customer has needs a person's word. */
function decideWithoutOurs({ expectedMinor, currency, beyond }: PriceDispute): PriceDecision {
  const reason = `We have no price in ${currency}`
  if (expectedMinor === undefined || beyond === 'reject') {
    return { kind: 'refuse', refusal: new Refusal('pricing.price_missing', reason, { currency }) }
  }
  if (beyond === 'accept') return { kind: 'ok', amountMinor: expectedMinor }
  const expected = formatAmount(expectedMinor, currency)
  return { kind: 'hold', amountMinor: expectedMinor, reason: `${reason}; the customer expects ${expected}` }
}
