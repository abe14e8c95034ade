/** What a person has to know of a call to say that it was done: for each operation, in the words of its answer. */
import { acknowledge, notifyShipment, sendInvoice } from '#capabilities/channel.ts'
import { createLabel, voidLabel } from '#capabilities/carrier.ts'
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  postInvoice,
  registerPayment,
  reversePayment,
} from '#capabilities/erp.ts'
import { determineTax } from '#capabilities/tax.ts'
import { cancelFulfillment, giveLabels, requestFulfillment } from '#capabilities/wms.ts'
import { type Operation, operationKey } from '#platform/connector.ts'
import type { Finding } from '#platform/effects-repair.ts'
import { Refusal, type RefusalCode } from '#platform/faults.ts'
import { z } from 'zod'

export const answerRefusals = {
  'effects.answer_incomplete': {
    status: 422,
    title: 'What was said of the call is not what its step goes on with',
    cause: 'The step needs to know more of what the system did, or what was said makes no sense to it.',
    fix: 'Say what the detail asks for, as it stands in the system.',
  },
  'effects.answer_not_by_hand': {
    status: 422,
    title: 'Nobody but the system can say what it answered',
    cause: 'The step goes on with more than a person can read off and type.',
    fix: 'Have the call tried again; where the system has nothing of it, say so.',
  },
} as const satisfies Record<string, RefusalCode>

type Shape = { readonly schema: z.ZodType<object> } | { readonly never: string }

/** Ties what a person says to the type of the operation's answer. */
const said = <Answer extends object>(
  operation: Operation<never, Answer>,
  schema: z.ZodType<Answer>,
): readonly [string, Shape] => [operationKey(operation), { schema }]

const never = (operation: Operation<never, unknown>, why: string): readonly [string, Shape] => [
  operationKey(operation),
  { never: why },
]

const Reference = z.string().trim().min(1).max(80)
const Minor = z.int().min(0)

const Numbered = z
  .strictObject({ reference: Reference })
  .transform(({ reference }) => ({ number: reference }))
const PerhapsNumbered = z
  .strictObject({ reference: Reference.optional() })
  .transform(({ reference }) => (reference === undefined ? {} : { number: reference }))
const PerhapsReferred = z
  .strictObject({ reference: Reference.optional() })
  .transform(({ reference }) => (reference === undefined ? {} : { reference }))
const Done = z.strictObject({}).transform((): object => ({}))
const Posted = z
  .strictObject({
    reference: Reference,
    netMinor: Minor,
    taxMinor: Minor,
    totalMinor: Minor,
    postedAt: z.iso.datetime({ offset: true }),
  })
  .refine(({ netMinor, taxMinor, totalMinor }) => netMinor + taxMinor === totalMinor, {
    path: ['totalMinor'],
    message: 'is not net and tax together',
  })
  .transform(({ reference, postedAt, ...totals }) => ({
    number: reference,
    ...totals,
    postedAt: new Date(postedAt),
  }))

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  said(createSalesOrder, Numbered),
  said(cancelSalesOrder, Done),
  said(closeSalesOrderLine, Done),
  said(postInvoice, Posted),
  said(registerPayment, Numbered),
  said(reversePayment, PerhapsNumbered),
  said(requestFulfillment, Numbered),
  said(cancelFulfillment, Done),
  said(acknowledge, PerhapsReferred),
  said(notifyShipment, PerhapsReferred),
  said(sendInvoice, PerhapsReferred),
  said(voidLabel, Done),
  said(giveLabels, Done),
  never(determineTax, 'the tax of each line; asking the tax system again determines the same'),
  never(createLabel, 'the labels themselves'),
])

/** What a person says of a call: that it was done, that the system refused it, or that it has nothing of it. */
export type Said = {
  readonly outcome: 'confirmed' | 'refused' | 'absent'
  /** The system's own number of what it did. */
  readonly reference?: string | undefined
  readonly facts?: Readonly<Record<string, unknown>> | undefined
}

/** A refusal by hand is one cause for all that are refused by hand: people gave their reasons one by one. */
const BY_HAND = 'by_hand'

/** As the step goes on with it; refused where that needs more than was said. */
export function findingOf(operation: string, { outcome, reference, facts }: Said, reason: string): Finding {
  if (outcome === 'absent') return { kind: 'absent' }
  if (outcome === 'refused') return { kind: 'refused', code: BY_HAND, message: reason }
  const shape = SHAPES.get(operation) ?? { never: 'an answer of its own' }
  if ('never' in shape) {
    throw new Refusal('effects.answer_not_by_hand', `${operation} answers ${shape.never}`, { operation })
  }
  const read = shape.schema.safeParse({ ...facts, ...(reference === undefined ? {} : { reference }) })
  if (read.success) return { kind: 'confirmed', answer: read.data }
  const issue = read.error.issues[0]!
  const field = issue.code === 'unrecognized_keys' ? issue.keys[0] : String(issue.path[0] ?? '')
  const pointer = field === 'reference' ? '/reference' : `/facts/${field}`
  throw new Refusal(
    'effects.answer_incomplete',
    `${operation}: ${field}: ${issue.message}`,
    { operation },
    pointer,
  )
}
