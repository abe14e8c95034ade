/** What the doors of parked work take and answer: a row of the list, one item whole, and what people decide on it. */
import { z } from 'zod'

const Time = z.iso.datetime()
const Words = z.string().min(1).max(2_000)

export const PARKED_KINDS = ['message', 'document', 'effect'] as const
export const PARKED_STATES = ['parked', 'replaying', 'replayed', 'discarded'] as const

const Cause = z.object({
  code: z.string(),
  message: z.string(),
  facts: z.record(z.string(), z.unknown()).optional(),
})

export const Change = z.object({
  at: z.string().describe('A JSON pointer, or a line of what is no JSON'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
})

export const ParkedSummary = z.object({
  id: z.int(),
  version: z.int().describe('Raised by each failure and each act of a person'),
  kind: z.enum(PARKED_KINDS).describe('What an inbound message said, what a document owes, or a call'),
  key: z.string().describe("The sender's name of a message, a document, or the key of a call"),
  state: z.enum(PARKED_STATES),
  company: z.string().optional(),
  system: z.string().optional().describe('Where it came from or was meant for'),
  step: z.string().optional(),
  document: z.string().optional().describe('The document that waits').meta({ example: 'O-1000017' }),
  messageType: z.string().optional(),
  cause: Cause,
  attempts: z.int(),
  poison: z.boolean().describe('Failed again after a replay'),
  edited: z.boolean(),
  sizeBytes: z.int().optional(),
  waiting: z.int().describe('Later messages of its stream that wait for it'),
  firstFailedAt: Time,
  lastFailedAt: Time,
  replayedAt: Time.optional(),
  settledBy: z.string().optional().describe('Who decided on it last'),
  settledReason: z.string().optional(),
  outcome: z.string().optional().describe('What its door said when it took it in again'),
})
export type ParkedSummary = z.infer<typeof ParkedSummary>

export const ParkedView = ParkedSummary.extend({
  payload: z.string().optional().describe('Only for who may see payloads'),
  context: z.record(z.string(), z.unknown()).describe('What was known of it when it failed'),
  edits: z
    .array(
      z.object({
        number: z.int(),
        at: Time,
        by: z.string(),
        reason: z.string(),
        changes: z.array(Change).describe('Field by field; only for who may see payloads'),
      }),
    )
    .describe('Oldest first'),
  waitingMessages: z
    .array(z.object({ messageId: z.string(), stream: z.string(), sequence: z.int(), heldAt: Time }))
    .describe('What waits behind it, in order, at most 100'),
  exceptions: z
    .array(z.object({ id: z.int(), title: z.string(), owner: z.string(), assignee: z.string().optional() }))
    .describe('Open ones that tell of it'),
}).meta({ id: 'ParkedItem' })
export type ParkedView = z.infer<typeof ParkedView>

/** What would become of it, found out and undone. */
export const Expectation = z.object({
  expected: z.enum(['change', 'nothing', 'rejection']),
  cause: Cause.optional().describe('Why nothing, or why it would be put aside again'),
  changes: z.array(Change).describe('What would change of orders and stock, field by field'),
  events: z.array(z.string()).describe('What would be told of which document, in order'),
  calls: z
    .array(z.object({ key: z.string(), system: z.string(), operation: z.string(), fate: z.string() }))
    .describe('Which calls would be made, looked up first, or suppressed'),
})

export const ParkedActed = ParkedView.extend({
  dryRun: z.boolean().describe('Nothing was done'),
  payloadChanges: z.array(Change).optional().describe('What the edit changes, field by field'),
  reading: z
    .object({ by: z.string(), readable: z.boolean(), problem: z.string().optional() })
    .optional()
    .describe('Whether its door can read the payload; absent where no door of this process can say'),
  expectation: Expectation.optional().describe('Of a dry run; absent where this process cannot tell'),
}).meta({ id: 'ParkedItemActed' })
export type ParkedActed = z.infer<typeof ParkedActed>

export const EditRequest = z.strictObject({
  payload: z.string().min(1).max(1_048_576).describe('The whole message, in the words of its sender'),
  reason: Words.describe('Why it is right like this'),
})
export const DecisionRequest = z.strictObject({ reason: Words.describe('Why; kept in the audit trail') })

const summary = {
  id: 4711,
  version: 2,
  kind: 'message',
  key: 'shop/evt-90125',
  state: 'parked',
  company: 'NWF',
  system: 'shop',
  messageType: 'order-placed',
  cause: { code: 'orders.item_unknown', message: 'item SKU-9 is not known', facts: { sku: 'SKU-9' } },
  attempts: 2,
  poison: true,
  edited: false,
  sizeBytes: 812,
  waiting: 0,
  firstFailedAt: '2026-11-21T08:30:00.123Z',
  lastFailedAt: '2026-11-21T08:41:10.000Z',
} satisfies ParkedSummary

const view = {
  ...summary,
  payload: '{"order":"1001","lines":[{"sku":"SKU-9","quantity":2}]}',
  context: { source: 'shop', messageId: 'evt-90125', type: 'order-placed' },
  edits: [],
  waitingMessages: [],
  exceptions: [{ id: 812, title: 'shop: item SKU-9 is not known', owner: 'integration' }],
} satisfies ParkedView

export const examples = {
  summary,
  view,
  acted: { ...view, state: 'replaying', version: 3, dryRun: false } satisfies ParkedActed,
}
