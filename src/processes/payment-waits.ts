/** Payments for which the ERP has no room before it has taken an earlier one back, and who hears that they wait. */
import type { Transaction } from '#platform/database.ts'
import { stepRowsOf } from '#platform/desk.ts'
import { intentsOf } from '#platform/effects.ts'
import { closeExceptions, openExceptionsOf } from '#platform/exceptions.ts'
import { lockPayments } from '#domains/billing/views.ts'
import {
  type Behind,
  behindReversals,
  keepReversals,
  unregisteredBeside,
} from '#domains/billing/views/reversals.ts'
import { paymentNumber, type ProcessPorts } from './ports.ts'

type Payment = { readonly doc: number; readonly company: string }

const REGISTRATION_WAITS = 'billing.registration_waits'
const causeOf = ({ doc, company }: Payment) => ({
  company,
  cause: `${REGISTRATION_WAITS}:${paymentNumber(doc)}`,
})

/**
 * Keeps the reversals for which payments that begin in this transaction wait: whoever writes down that the ERP has taken
 * one back comes after it, finds who waits, and wakes them.
 */
export async function keepWhatIsWaitedFor(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  begun: readonly Payment[],
): Promise<void> {
  const behind = await behindReversals(tx, docsOf(begun))
  if (behind.length === 0) return
  const reversals = distinct(behind.map(({ reversal }) => reversal))
  await keepReversals(tx, reversals)
  const companyOf = new Map(begun.map(({ doc, company }) => [doc, company]))
  const stuck = await stuckOf(tx, reversals)
  const firsts = new Map(behind.map(({ doc, reversal }) => [reversal, companyOf.get(doc)!]))
  await tellWhoWaits(
    tx,
    ports,
    stuck.map((doc) => ({ doc, company: firsts.get(doc)! })),
  )
}

/** What a person has to decide on before they go on. */
async function stuckOf(tx: Transaction, reversals: readonly number[]): Promise<number[]> {
  const [calls, steps] = await Promise.all([intentsOf(tx, reversals), stepRowsOf(tx, reversals)])
  const stuck = new Set([
    ...calls.flatMap(({ doc, state }) => (state === 'parked' ? [doc] : [])),
    ...steps.flatMap(({ doc, step, state }) => (step === 'reverse' && state === 'refused' ? [doc] : [])),
  ])
  return reversals.filter((doc) => stuck.has(doc))
}

/** Of reversals that do not go on by themselves: who waits for them is told as waiting. */
export async function tellWhoWaits(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  stuck: readonly Payment[],
): Promise<void> {
  if (stuck.length === 0) return
  const beside = new Map((await unregisteredBeside(tx, docsOf(stuck))).map((row) => [row.doc, row]))
  const reversals = new Map(stuck.map((payment) => [payment.doc, payment]))
  const behind = await behindReversals(tx, [...beside.keys()])
  await ports.openExceptions(
    tx,
    behind.flatMap(({ doc, reversal }: Behind) => {
      const payment = reversals.get(reversal)
      if (!payment) return []
      const { amountMinor, currency } = beside.get(doc)!
      const number = paymentNumber(reversal)
      return [
        {
          ...causeOf(payment),
          code: REGISTRATION_WAITS,
          title: `Payments wait until the ERP has taken ${number} back`,
          suggestedAction: `End what keeps the reversal of ${number} from the ERP; they are registered by themselves then.`,
          facts: { reversal: number },
          affects: { doc, kind: 'payment', value: { amountMinor, currency } },
        },
      ]
    }),
  )
}

/** Nobody waits any longer for these. */
export const endWaits = (tx: Transaction, reversals: readonly Payment[]): Promise<unknown> =>
  closeExceptions(tx, reversals.map(causeOf), 'the ERP has taken it back')

/** This one is reversed itself, before the ERP has heard of it. */
export async function leaveWaits(tx: Transaction, { doc }: Payment): Promise<void> {
  const open = (await openExceptionsOf(tx, [doc])).get(doc) ?? []
  const waits = open.filter(({ code }) => code === REGISTRATION_WAITS)
  await closeExceptions(
    tx,
    waits.map(({ company, cause }) => ({ company, cause, doc })),
    'the payment was reversed',
  )
}

/** The ERP may have heard of it: it has it, was asked to have it, or has refused it. Its row is locked. */
export async function isTold(tx: Transaction, doc: number): Promise<boolean> {
  const [[row], calls, steps] = await Promise.all([
    lockPayments(tx, [doc]),
    intentsOf(tx, [doc]),
    stepRowsOf(tx, [doc]),
  ])
  return row!.erpNumber !== null || calls.length > 0 || steps.length > 0
}

const docsOf = (payments: readonly Payment[]): number[] => payments.map(({ doc }) => doc)
const distinct = (docs: readonly number[]): number[] => [...new Set(docs)].toSorted((a, b) => a - b)
