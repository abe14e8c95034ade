/** What the doors of open calls take and answer: a row of the list, one call, and what people say of it. */
import { z } from 'zod'
import { CALL_STATES } from '#platform/effects-views.ts'
import { Change } from './parking-contract.ts'

const Time = z.iso.datetime()
const Words = z.string().min(1).max(2_000)

export const EffectSummary = z.object({
  id: z.string().describe('Its key as addresses hold it'),
  key: z.string().describe('What its target sees, the same at every attempt'),
  document: z.string().meta({ example: 'O-1000017' }),
  company: z.string().optional(),
  system: z.string(),
  operation: z.string(),
  step: z.string(),
  subject: z.string().optional(),
  generation: z.int().describe('Above 1: what came before was refused'),
  businessKey: z.string().describe('What to search for at the target'),
  state: z
    .enum(CALL_STATES)
    .describe(
      'intended: written down, perhaps sent; retry: surely not done; unknown: in doubt; parked: waits for a person; resolved: he has said what became of it',
    ),
  underWay: z.boolean().describe('A process has its document in hands, and may be making the call'),
  attempts: z.int(),
  intendedAt: Time,
  dueAt: Time.optional(),
  detail: z.string().optional().describe('What the last try came to'),
})
export type EffectSummary = z.infer<typeof EffectSummary>

export const EffectView = EffectSummary.extend({
  absentAfter: Time.optional().describe('Until then it may still show up at its target'),
  next: z
    .enum(['send', 'look up', 'park', 'decide', 'take'])
    .optional()
    .describe(
      'What comes next; decide: by a person, take: what he said; absent where its system is not configured',
    ),
  parkedItem: z.int().optional().describe('Its parked work'),
  exceptions: z.array(z.object({ id: z.int(), title: z.string(), owner: z.string() })),
}).meta({ id: 'Effect' })
export type EffectView = z.infer<typeof EffectView>

export const EffectActed = EffectView.extend({
  dryRun: z.boolean().describe('Nothing was done'),
  changes: z.array(Change).describe('What the act changed of the call, field by field'),
}).meta({ id: 'EffectActed' })
export type EffectActed = z.infer<typeof EffectActed>

export const ResolveEffectRequest = z.strictObject({
  outcome: z
    .enum(['confirmed', 'refused', 'absent'])
    .describe(
      'confirmed: it was done; refused: the system says no, for good; absent: it has nothing of it, so that it is sent again',
    ),
  reference: z.string().min(1).max(80).optional().describe("The system's own number of what it did"),
  facts: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'What else its step goes on with: of a posted invoice netMinor, taxMinor, totalMinor and postedAt',
    ),
  reason: Words.describe('Who looked, and where; of a refusal what the system says'),
})
export const RetryEffectRequest = z.strictObject({ reason: Words.describe('Why now') })

const summary = {
  id: 'MTAwMDAxNy9wb3N0VG9FcnAvLzE',
  key: '1000017/postToErp//1',
  document: 'O-1000017',
  company: 'NWF',
  system: 'erp-foods',
  operation: 'erp.createSalesOrder',
  step: 'postToErp',
  generation: 1,
  businessKey: 'O-1000017',
  state: 'parked',
  underWay: false,
  attempts: 8,
  intendedAt: '2026-11-21T08:30:00.123Z',
  detail: 'timeout after 30000 ms',
} satisfies EffectSummary

const view = {
  ...summary,
  absentAfter: '2026-11-21T08:36:00.123Z',
  next: 'decide',
  parkedItem: 4711,
  exceptions: [
    { id: 812, title: 'erp.createSalesOrder at erp-foods needs a decision', owner: 'integration' },
  ],
} satisfies EffectView

export const examples = {
  summary,
  view,
  acted: {
    ...view,
    state: 'resolved',
    next: 'take',
    exceptions: [],
    dryRun: false,
    changes: [{ at: '/state', before: 'parked', after: 'resolved' }],
  } satisfies EffectActed,
}
