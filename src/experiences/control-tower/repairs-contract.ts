/** What the doors of repairs take and answer: selections with their rehearsal, jobs with their progress, their items. */
import { z } from 'zod'
import { PACE } from '#platform/repair-jobs.ts'
import { Id } from './identifiers.ts'

const Time = z.iso.datetime()
const Words = z.string().regex(/\S/).min(1).max(2_000)
const Action = z.enum(['replay', 'discard'])
const Kind = z.enum(['message', 'document', 'effect'])
const Expected = z.enum(['change', 'nothing', 'rejection'])
const ItemState = z.enum(['waiting', 'replaying', 'done', 'failed'])
const Short = z.string().min(1).max(120)

export const RepairFilter = z
  .strictObject({
    kind: Kind.optional().describe('A message, a document whose work failed, or a call'),
    company: z.string().min(1).max(12).optional(),
    system: Short.optional().describe('The system that it came from or was meant for'),
    causeCode: Short.optional().describe('A code, or its beginning up to a dot'),
    step: Short.optional(),
    poison: z.boolean().optional().describe('Failed again after a replay or not'),
    failedAfter: Time.optional().describe('By the last failure, inclusive'),
    failedBefore: Time.optional().describe('By the last failure, exclusive'),
    order: z
      .string()
      .regex(/^O-\d{1,15}$/)
      .optional()
      .describe('Work on an order and on what came of it'),
    text: z.string().max(200).optional().describe('Part of the key'),
  })
  .describe('All that are given have to be met; at least one is')
export type RepairFilter = z.infer<typeof RepairFilter>

export const SelectRequest = z.union([
  z.strictObject({
    action: Action,
    ids: z
      .array(z.int().min(1))
      .max(10_000)
      .describe('Ids of parked work; what is parked no longer is left out'),
  }),
  z.strictObject({ action: Action, filter: RepairFilter }),
])
export type SelectRequest = z.infer<typeof SelectRequest>

export const SelectFailedRequest = z.strictObject({})

export const StartRequest = z.strictObject({
  selectionId: Id,
  name: Words.max(120).describe('By which the job is found; kept in the audit trail'),
  reason: Words.describe('Why it will go well now; kept in the audit trail'),
  count: z.int().min(1).describe('How many items the selection has, as whoever starts it has seen'),
  perSecond: z.int().min(1).max(PACE.most).default(PACE.usual).describe('How many items at most'),
})
export type StartRequest = z.output<typeof StartRequest>
export const ActRequest = z.strictObject({})
export const PaceRequest = z.strictObject({ perSecond: z.int().min(1).max(PACE.most) })

const Money = z.object({ amount: z.string(), currency: z.string() })
const Cause = z.object({ code: z.string(), message: z.string() })

const Selected = z.object({
  id: z.string(),
  action: Action,
  asked: z
    .record(z.string(), z.unknown())
    .describe('The ids, the filter, or the job whose failed items these are'),
  selectedBy: z.string(),
  selectedAt: Time.describe('As of when it is frozen'),
  count: z.int().describe('How many items it has'),
  atStake: z.array(Money).describe('What the orders behind its documents and calls are worth'),
})

const Change = z.object({
  at: z.string().describe('JSON pointer, from the number of the document on'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
})

const Sample = z.object({
  item: z.int(),
  key: z.string().optional(),
  expected: Expected,
  cause: Cause.optional(),
  changes: z.array(Change),
  events: z.array(z.string()).describe('What would be told of which document'),
  calls: z
    .array(z.object({ key: z.string(), system: z.string(), operation: z.string(), fate: z.string() }))
    .describe('What would be sent to other systems, and what would not since it is confirmed already'),
})

const Rehearsal = z.object({
  done: z.int().describe('How many items are rehearsed'),
  total: z.int(),
  wouldChange: z.int(),
  wouldDoNothing: z.int(),
  wouldBeRejected: z.int(),
  callsSent: z.int(),
  callsSuppressed: z.int(),
  reasons: z
    .array(z.object({ expected: Expected, code: z.string(), count: z.int() }))
    .describe('Why items would do nothing or be rejected'),
  samples: z.array(Sample).describe('Items that would change something, at most 20'),
})

export const SelectionView = Selected.extend({
  state: z.enum(['previewing', 'ready', 'started', 'expired']),
  expiresAt: Time.describe('It can be started until then'),
  rehearsal: Rehearsal,
}).meta({ id: 'RepairSelection' })
export type SelectionView = z.infer<typeof SelectionView>

export const JobSummary = Selected.extend({
  name: z.string(),
  reason: z.string(),
  startedBy: z.string(),
  startedAt: Time,
  state: z.enum(['running', 'paused', 'aborted', 'ended', 'ended_with_failures']),
  perSecond: z.int(),
  progress: z.object({
    done: z.int().describe('Items that came to an end, well or not'),
    total: z.int(),
    failed: z.int(),
    rate: z.number().describe('Items a second since it was started'),
    secondsLeft: z.int().optional().describe('At its rate limit, while it runs'),
  }),
  endedAt: Time.optional(),
})
export type JobSummary = z.infer<typeof JobSummary>

export const JobView = JobSummary.extend({
  underWay: z.int().describe('Handed over, and nobody can say yet what becomes of them'),
  outcomes: z
    .array(z.object({ outcome: z.string(), code: z.string().optional(), count: z.int() }))
    .describe('What became of its items so far'),
}).meta({ id: 'RepairJob' })
export type JobView = z.infer<typeof JobView>

export const ItemView = z.object({
  item: z.int().describe('The id of the parked work'),
  kind: Kind.optional(),
  system: z.string().optional(),
  key: z.string().optional(),
  expected: Expected.optional().describe('By its rehearsal'),
  expectedCause: Cause.optional(),
  state: ItemState,
  outcome: z.string().optional(),
  cause: Cause.optional().describe('Why it failed'),
  settledAt: Time.optional(),
})
export type ItemView = z.infer<typeof ItemView>
export const itemQuery = { state: ItemState.optional(), expected: Expected.optional() }

const selected = {
  id: '41',
  action: 'replay',
  asked: { filter: { system: 'shop', causeCode: 'customers.not_found' } },
  selectedBy: 'ann',
  selectedAt: '2026-11-21T08:30:00.000Z',
  count: 128,
  atStake: [{ amount: '18153.60', currency: 'USD' }],
} satisfies z.infer<typeof Selected>

const summary = {
  ...selected,
  name: 'Shop orders after the customer sync',
  reason: 'The customers are there since this morning',
  startedBy: 'ann',
  startedAt: '2026-11-21T08:41:10.000Z',
  state: 'running',
  perSecond: 20,
  progress: { done: 40, total: 128, failed: 1, rate: 19.8, secondsLeft: 5 },
} satisfies JobSummary

export const examples = {
  select: { action: 'replay', filter: { system: 'shop', causeCode: 'customers.not_found' } },
  start: {
    selectionId: '41',
    name: 'Shop orders after the customer sync',
    reason: 'The customers are there since this morning',
    count: 128,
    perSecond: 20,
  },
  selection: {
    ...selected,
    state: 'ready',
    expiresAt: '2026-11-22T08:30:00.000Z',
    rehearsal: {
      done: 128,
      total: 128,
      wouldChange: 120,
      wouldDoNothing: 6,
      wouldBeRejected: 2,
      callsSent: 120,
      callsSuppressed: 0,
      reasons: [
        { expected: 'nothing', code: 'duplicate', count: 6 },
        { expected: 'rejection', code: 'customers.not_found', count: 2 },
      ],
      samples: [
        {
          item: 4711,
          key: 'shop/9812',
          expected: 'change',
          changes: [{ at: '/new order/customerOrder', after: 'PO-4711' }],
          events: ['order.accepted new order'],
          calls: [
            { key: 'new/postToErp//1', system: 'erp-foods', operation: 'erp.createSalesOrder', fate: 'sent' },
          ],
        },
      ],
    },
  } satisfies SelectionView,
  summary,
  job: {
    ...summary,
    underWay: 3,
    outcomes: [
      { outcome: 'applied', count: 36 },
      { outcome: 'parked again', code: 'customers.not_found', count: 1 },
    ],
  } satisfies JobView,
  item: {
    item: 4711,
    kind: 'message',
    system: 'shop',
    key: 'shop/9812',
    expected: 'change',
    state: 'failed',
    outcome: 'parked again',
    cause: { code: 'customers.not_found', message: 'NWF has no customer 100123' },
    settledAt: '2026-11-21T08:41:12.000Z',
  } satisfies ItemView,
}
