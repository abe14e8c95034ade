/** Payments at the legacy ERP: one document for each invoice that is paid, found again by our reference. */
import { registerPayment, reversePayment } from '#capabilities/erp.ts'
import {
  bind,
  type CallContext,
  confirmed,
  type Found,
  type Outcome,
  sendEach,
  unknown,
} from '#platform/connector-binding.ts'
import type { Effect } from '#platform/connector.ts'
import { filledText, listOf, optionalText } from '#platform/fields.ts'
import type { Gateway } from './gateway.ts'
import { paymentReferences, toLegacyPayments, toLegacyReversals } from './map.ts'
import type { LegacyErpSettings } from './settings.ts'
import type { LegacyPayment, LegacyReversal } from './wire.ts'

/** What the ERP shows of a payment: its number, and that of its reversal once it has one. */
type Shown = { readonly number: string; readonly reversal: string | undefined }

/** By reference; what is not registered, or cannot be seen yet, is not in it. */
async function shown(
  gateway: Gateway,
  references: readonly string[],
  context: CallContext,
): Promise<Map<string, Shown> | Outcome<never>> {
  const { failed, fields } = await gateway.call('/rfc/FI_PAYMENT_READ', { XBLNR: references }, context)
  if (failed) return failed.kind === 'refused' ? unknown(failed.message) : failed
  const rows = listOf(fields, 'ROWS', (row): [string, Shown] => [
    filledText(row, 'XBLNR'),
    { number: filledText(row, 'AUGBL'), reversal: optionalText(row, 'STBLG') },
  ])
  return new Map(rows)
}

/** A payment of several invoices is one registration each; those that a former attempt left are not repeated. */
async function register(
  gateway: Gateway,
  parts: readonly LegacyPayment[],
  context: CallContext,
): Promise<Outcome<{ readonly number: string }>> {
  const references = parts.map((part) => part.XBLNR)
  const before = parts.length > 1 ? await shown(gateway, references, context) : new Map<string, Shown>()
  if (!(before instanceof Map)) return before
  const numbers = new Map([...before].map(([reference, { number }]) => [reference, number]))
  for (const part of parts) {
    if (numbers.has(part.XBLNR)) continue
    const { failed, fields } = await gateway.call('/rfc/FI_PAYMENT_POST', part, context)
    if (failed) return failed
    const number = optionalText(fields, 'AUGBL')
    if (number === undefined) return unknown('the answer has no number')
    numbers.set(part.XBLNR, number)
  }
  return confirmed({ number: numbers.get(references[0] ?? '') ?? '' })
}

const NOT_REGISTERED = '233'
const ALREADY_REVERSED = '234'

/** Each registration is taken back by its reference; those that are taken back already are passed over. */
async function reverse(
  gateway: Gateway,
  { parts, passed }: { parts: readonly LegacyReversal[]; passed: ReadonlySet<string> },
  context: CallContext,
): Promise<Outcome<{ readonly number?: string | undefined }>> {
  let first: string | undefined
  for (const part of parts) {
    const { failed, fields } = await gateway.call('/rfc/FI_PAYMENT_REVERSE', part, context)
    if (failed?.kind === 'refused' && passed.has(failed.code)) continue
    if (failed) return failed
    const number = optionalText(fields, 'STBLG')
    if (number === undefined) return unknown('the answer has no number')
    first ??= number
  }
  return confirmed({ number: first })
}

export function paymentOperations(gateway: Gateway, { options }: LegacyErpSettings) {
  const { timeZone, visibilityLagMs } = options
  const inDoubt = { batchMax: 1, recovery: 'lookup', visibilityLagMs } as const
  return {
    ...bind(registerPayment, {
      ...inDoubt,
      translate: (payment) => toLegacyPayments(payment, timeZone),
      send: (ready, context) => sendEach(ready, (parts) => register(gateway, parts, context)),
      lookUp: (asked, context) =>
        found(gateway, asked, { context, read: ({ number }) => number, answer: (number) => ({ number }) }),
    }),
    ...bind(reversePayment, {
      ...inDoubt,
      translate: (reversal) => ({
        parts: toLegacyReversals(reversal, timeZone),
        passed: new Set([ALREADY_REVERSED, ...(reversal.registered ? [] : [NOT_REGISTERED])]),
      }),
      send: (ready, context) => sendEach(ready, (body) => reverse(gateway, body, context)),
      lookUp: (asked, context) =>
        found(gateway, asked, {
          context,
          read: ({ reversal }) => reversal,
          answer: (number) => ({ number }),
        }),
    }),
  }
}

type Sought = {
  readonly effect: Effect
  readonly request: Parameters<typeof paymentReferences>[0]
}
type Seeking<Answer> = {
  readonly context: CallContext
  readonly read: (shown: Shown) => string | undefined
  readonly answer: (number: string) => Answer
}

/** Done is what is done for each invoice; the first number stands for them all. */
async function found<Answer>(
  gateway: Gateway,
  asked: readonly Sought[],
  { context, read, answer }: Seeking<Answer>,
): Promise<ReadonlyMap<Effect, Found<Answer>>> {
  const outcomes = new Map<Effect, Found<Answer>>()
  for (const { effect, request } of asked) {
    const references = paymentReferences(request)
    const rows = await shown(gateway, references, context)
    if (!(rows instanceof Map)) {
      outcomes.set(effect, rows)
      continue
    }
    const numbers = references.map((reference) => {
      const row = rows.get(reference)
      return row && read(row)
    })
    const [first] = numbers
    const isDone = first !== undefined && !numbers.includes(undefined)
    outcomes.set(effect, isDone ? confirmed(answer(first)) : { kind: 'absent' })
  }
  return outcomes
}
