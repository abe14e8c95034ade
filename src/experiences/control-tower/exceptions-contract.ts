/** What the doors of exceptions take and answer: a row of the worklist, one with its history, and what people do with it. */
import { z } from 'zod'
import { SEVERITIES } from '#platform/exception-ownership.ts'
import { EXCEPTION_STATES } from '#platform/exceptions.ts'
import { ACTS } from '#platform/exceptions-views.ts'

const Time = z.iso.datetime()
const Queue = z.string().min(1).max(40).describe('A queue of the business').meta({ example: 'credit' })
const Person = z.string().min(1).max(120).meta({ example: 'ann@example.com' })
const Words = z.string().min(1).max(2_000)

export const ExceptionSummary = z.object({
  id: z.int(),
  version: z.int().describe('Raised by each act of a person and by its end'),
  company: z.string().describe('"*" where it is nobody\'s alone'),
  code: z.string().describe('What kind of exception it is'),
  cause: z.string().describe('The same cause at the same company is the same exception'),
  title: z.string(),
  state: z.enum(EXCEPTION_STATES),
  owner: Queue,
  assignee: Person.optional(),
  severity: z.enum(SEVERITIES),
  suggestedAction: z.string(),
  openedAt: Time,
  dueAt: Time,
  overdue: z.boolean(),
  affected: z.int().describe('Documents that it stops now'),
  atStake: z.array(z.object({ amount: z.string(), currency: z.string() })).describe('What they are worth'),
  closedAt: Time.optional(),
  closedBy: z.string().optional(),
  resolution: z.string().optional(),
})
export type ExceptionSummary = z.infer<typeof ExceptionSummary>

const AffectedDocument = z.object({
  id: z.string().meta({ example: 'O-1000017' }),
  kind: z.string().meta({ example: 'order' }),
  amount: z.string().optional(),
  currency: z.string().optional(),
  affectedAt: Time,
  clearedAt: Time.optional().describe('It is stopped no longer'),
  clearedHow: z.string().optional(),
})

export const ExceptionView = ExceptionSummary.extend({
  facts: z.record(z.string(), z.unknown()).describe('What was known when it opened'),
  documents: z.array(AffectedDocument).describe('Those still stopped first, at most 500'),
  history: z
    .array(
      z.object({
        at: Time,
        by: z.string(),
        act: z.enum(ACTS),
        text: z.string(),
      }),
    )
    .describe('What people did and said, oldest first'),
}).meta({ id: 'Exception' })
export type ExceptionView = z.infer<typeof ExceptionView>

export const AssignRequest = z.strictObject({
  assignee: Person.optional().describe('Whose it is; left out, it is open to the whole queue'),
  owner: Queue.optional().describe('The queue whose it is from now on'),
  text: Words.optional().describe('Kept in the history'),
})
export const StartRequest = z.strictObject({ text: Words.optional().describe('Kept in the history') })
export const CommentRequest = z.strictObject({ text: Words })
export const RetryRequest = z.strictObject({
  reason: Words.describe('Why it will go well now'),
  asOf: z.iso
    .datetime()
    .optional()
    .describe('Of the answer before, where documents remained: goes on with them, and with no others'),
})
export const ResolveRequest = z.strictObject({
  reason: Words.describe('What was done about it, or why nothing will be'),
  as: z
    .enum(['resolved', 'wont_fix'])
    .default('resolved')
    .describe("Resolved opens anew when the cause is seen again; won't fix does not, for the same documents"),
})

/** The exception, and how far its documents are tried again. */
export const ExceptionRetried = ExceptionView.extend({
  retry: z.object({
    done: z.int().min(0).describe('Documents that are tried again by this request'),
    remaining: z.int().min(0).describe('Ask again with `asOf` and a new key until none remain'),
    asOf: z.iso.datetime(),
  }),
}).meta({ id: 'ExceptionRetried' })
export type ExceptionRetried = z.infer<typeof ExceptionRetried>

const summary = {
  id: 812,
  version: 2,
  company: 'NWF',
  code: 'orders.hold.credit',
  cause: 'credit:100123',
  title: 'Customer 100123 has no credit left',
  state: 'assigned',
  owner: 'credit',
  assignee: 'ann@example.com',
  severity: 'high',
  suggestedAction:
    'Check the open invoices and the limit; release the hold, ask for payment, or cancel the order.',
  openedAt: '2026-11-21T08:30:00.123Z',
  dueAt: '2026-11-21T12:30:00.123Z',
  overdue: false,
  affected: 1,
  atStake: [{ amount: '153.60', currency: 'USD' }],
} satisfies ExceptionSummary

export const examples = {
  summary,
  view: {
    ...summary,
    facts: { order: 'O-1000017', reason: 'over the credit limit by 412.00 USD' },
    documents: [
      {
        id: 'O-1000017',
        kind: 'order',
        amount: '153.60',
        currency: 'USD',
        affectedAt: '2026-11-21T08:30:00.123Z',
      },
    ],
    history: [
      {
        at: '2026-11-21T08:41:10.000Z',
        by: 'credit-desk',
        act: 'assigned',
        text: 'Ann knows the customer',
      },
    ],
  } satisfies ExceptionView,
}
