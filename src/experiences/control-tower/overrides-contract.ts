/** What the door of overrides takes and answers: a decision on one step, and what becomes of it. */
import { z } from 'zod'

const Name = z.string().min(1).max(80)

export const OverrideRequest = z.strictObject({
  act: z
    .enum(['complete', 'skip', 'restart', 'cancel'])
    .describe(
      'Complete it with what the system would have said; leave it out; have it tried again; take the order back',
    ),
  step: Name.optional()
    .describe('Its name; left out only where the order is cancelled')
    .meta({ example: 'postToErp' }),
  document: Name.optional().describe('Where several documents of the order have the step open'),
  subject: Name.optional().describe('Where several lines or turns have it open'),
  reference: Name.optional()
    .describe('To complete: the number that the system gave, or how it was done')
    .meta({ example: 'SO-10442' }),
  facts: z
    .record(z.string().max(40), z.string().max(80))
    .optional()
    .describe('To complete: what is asked for besides, by name; a dry run without it says what'),
  reason: z.string().trim().min(3).max(500).describe('Why, for the story and the audit trail'),
  dryRun: z.boolean().default(false).describe('Only answers what would be'),
})

export const OverrideAnswer = z
  .object({
    order: z.string().meta({ example: 'O-1000017' }),
    document: z.string().describe('The document whose step it is'),
    step: z.string(),
    subject: z.string(),
    act: z.enum(['complete', 'skip', 'restart', 'cancel']),
    was: z
      .enum(['parked', 'in doubt', 'waiting', 'under way', 'refused', 'held', 'skipped', 'open'])
      .describe('What it was stuck by'),
    known: z.boolean().describe('It was decided so before, and nothing changed'),
    entered: z.record(z.string(), z.string()).describe('What is kept as if the system had said so'),
    call: z
      .object({ key: z.string(), system: z.string(), state: z.string() })
      .optional()
      .describe('The call that is not settled: nobody waits for it any more, or it is made now'),
    releases: z.array(z.string()).describe('Holds that the refusal had raised; they are released with it'),
    follows: z.array(z.string()).describe('What happens next'),
    dryRun: z.boolean().describe('Nothing was changed'),
  })
  .meta({ id: 'Override' })

export const overrideExample = {
  request: {
    act: 'complete',
    step: 'postToErp',
    reference: 'SO-10442',
    reason: 'Keyed by Ann while the interface was down',
    dryRun: false,
  },
  answer: {
    order: 'O-1000017',
    document: 'O-1000017',
    step: 'postToErp',
    subject: '',
    act: 'complete',
    was: 'parked',
    known: false,
    entered: { number: 'SO-10442' },
    call: { key: '1000017/postToErp//1', system: 'erp-nwf', state: 'parked' },
    releases: [],
    follows: ['The order goes on as if the system had said so.'],
    dryRun: false,
  },
} as const
