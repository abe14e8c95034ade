/** What a customer may buy on credit; pure. */
import { Refusal } from '#platform/faults.ts'
import { formatAmount } from '#platform/money.ts'
import type { CreditAccount, StaleCreditFallback } from './contract.ts'

export type CreditQuestion = {
  readonly account: CreditAccount
  readonly orderMinor: number
  /** The customer's currency, in which the account is kept. */
  readonly currency: string
  readonly creditHold: boolean
  readonly staleAfterMs: number
  readonly now: Date
  readonly fallback: StaleCreditFallback
}

export type CreditDecision =
  | { readonly kind: 'ok' }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

export const exposureMinor = (account: Pick<CreditAccount, 'receivablesMinor' | 'openMinor'>): number =>
  account.receivablesMinor + account.openMinor

/** An order may bring the exposure to the limit and not a cent beyond it. */
export function decideCredit(question: CreditQuestion): CreditDecision {
  const { account, orderMinor, currency } = question
  if (question.creditHold) return { kind: 'hold', reason: 'The ERP has put the customer on credit hold' }
  const stale = isStale(question) ? decideStale(question) : undefined
  if (stale) return stale
  const limitMinor = account.creditLimitMinor
  if (limitMinor === null) return { kind: 'ok' }
  const exposure = exposureMinor(account) + orderMinor
  if (exposure <= limitMinor) return { kind: 'ok' }
  const [total, limit, excess] = [exposure, limitMinor, exposure - limitMinor].map((minor) =>
    formatAmount(minor, currency),
  )
  return {
    kind: 'hold',
    reason: `Exposure of ${total} ${currency} would exceed the limit of ${limit} by ${excess}`,
  }
}

const isStale = ({ account, now, staleAfterMs }: CreditQuestion): boolean =>
  now.getTime() - account.receivablesAsOf.getTime() > staleAfterMs

function decideStale({ account, fallback }: CreditQuestion): CreditDecision | undefined {
  const asOf = account.receivablesAsOf.toISOString()
  const reason = `The ERP's receivables are as of ${asOf}, too old to decide on`
  if (fallback === 'accept') return undefined
  if (fallback === 'hold') return { kind: 'hold', reason }
  return { kind: 'refuse', refusal: new Refusal('customers.credit_unverified', reason, { asOf }) }
}
