/** The words of backorder runs: whom what there is goes to, in which order, and what that changes. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import { FLOWS, RULES } from './freshness.ts'

export const CLASSES = ['win', 'gain', 'improve', 'redistribute', 'fill', 'lose'] as const
export const DemandClass = z
  .enum(CLASSES)
  .describe(
    'win: has what it wants before all others. gain: keeps what it has and has more. improve: the same, but gives to win ' +
      'and gain. redistribute: has more or less by its rank. fill: keeps what others do not need. lose: gives first',
  )
export type DemandClass = z.infer<typeof DemandClass>

const Codes = z.array(z.string().min(1).max(40)).min(1).max(500)

const Segment = z.strictObject({
  class: DemandClass,
  when: z
    .strictObject({
      customers: Codes.optional(),
      customerGroups: Codes.optional().describe('Price lists'),
      channels: Codes.optional(),
      shippingRules: Codes.optional(),
      requestedUntil: z.iso.date().optional().describe('Wanted on that day or before'),
    })
    .default({})
    .describe('All of it must hold'),
  sortBy: z
    .array(z.enum(['requested-date', 'value', 'waiting-since', 'order']))
    .max(4)
    .default([])
    .describe('Who comes first inside the class; value: what is worth more. At last the older order'),
})

export const BackorderRules = z
  .strictObject({
    segments: z.array(Segment).max(50).describe('A line belongs to the first that it fits'),
    otherwise: DemandClass.default('fill'),
  })
  .meta({ id: 'BackorderRules' })
export type BackorderRules = z.infer<typeof BackorderRules>

export const BackorderRunRequest = z
  .strictObject({
    dryRun: z.boolean().describe('true plans and shows; false does what a run has shown'),
    company: z.string().min(1).max(12).optional().describe('To plan').meta({ example: 'NWF' }),
    items: z
      .array(z.string().min(1).max(40))
      .min(1)
      .max(500)
      .optional()
      .describe('All that somebody waits for when absent'),
    locations: z.array(z.string().min(1).max(32)).min(1).max(50).optional(),
    rules: BackorderRules.optional().describe('To plan'),
    run: z.int().min(1).optional().describe('To do what this run has shown'),
    reason: z
      .string()
      .min(3)
      .max(500)
      .optional()
      .describe('To do it; kept with the run, its events and in the audit trail'),
  })
  .meta({ id: 'BackorderRunRequest' })
export type BackorderRunRequest = z.infer<typeof BackorderRunRequest>

const Decimal = z.string().describe("Decimal as text, in the item's base unit")

export const BackorderChange = z.object({
  order: z.string(),
  line: z.int(),
  sku: z.string(),
  class: DemandClass,
  location: z.string(),
  quantity: Decimal.describe(
    'Gained, or with a minus lost; of what is withheld, how much more would be gained',
  ),
  reserved: Decimal.describe('What the line had when this was planned'),
  backordered: Decimal,
  expectedBefore: z.iso
    .date()
    .optional()
    .describe('When all of the line was expected to be there; absent: nobody knows'),
  expectedAfter: z.iso.date().optional(),
  state: z.enum(['planned', 'applied', 'changed', 'withheld']),
  changed: z
    .string()
    .optional()
    .describe('What is otherwise than it was shown: nothing of the item was moved'),
  withheld: z
    .string()
    .optional()
    .describe(
      'Whose silence keeps this from the line, and by which rule: it goes on waiting, and nothing of this is done',
    ),
})
export type BackorderChange = z.infer<typeof BackorderChange>

export const CarefulRun = z.object({
  source: z.string(),
  flow: z.enum(FLOWS),
  rule: z.enum(RULES),
  since: z.iso.datetime(),
  locations: z.array(z.string()),
  items: z.array(z.string()).describe('Of which the rule leaves less than the books have'),
})
export type CarefulRun = z.infer<typeof CarefulRun>

export const BackorderRun = z
  .object({
    id: z.int(),
    company: z.string(),
    state: z.enum(['planned', 'running', 'ended']),
    items: z.array(z.string()).optional(),
    locations: z.array(z.string()).optional(),
    rules: BackorderRules,
    plannedBy: z.string(),
    plannedAt: z.iso.datetime(),
    careful: z
      .array(CarefulRun)
      .optional()
      .describe(
        'Who was silent about stock of these places when it was planned: no more is gained there than the rule leaves to ' +
          'new orders, and what is gained is marked and checked when that is heard again. Absent where all were heard',
      ),
    reason: z.string().optional(),
    startedBy: z.string().optional(),
    startedAt: z.iso.datetime().optional(),
    endedAt: z.iso.datetime().optional(),
    changes: z
      .object({ planned: z.int(), applied: z.int(), changed: z.int(), withheld: z.int() })
      .describe('How far it is; withheld: of how many lines a silence keeps something'),
  })
  .meta({ id: 'BackorderRun' })
export type BackorderRun = z.infer<typeof BackorderRun>

export const backorderRunRefusals = {
  'inventory.backorder_run_unknown': {
    status: 404,
    title: 'There is no such backorder run',
    cause: 'No run has this number.',
    fix: 'List the runs of the company.',
  },
  'inventory.backorder_run_started': {
    status: 409,
    title: 'The backorder run was started before',
    cause: 'A run does what it has shown once.',
    fix: 'Read the run; plan another one for what it could not move.',
  },
  'inventory.backorder_run_incomplete': {
    status: 422,
    title: 'A backorder run lacks what it needs',
    cause:
      'To plan needs a company and rules and nothing of a run; to do it needs a run and a reason and nothing else.',
    fix: 'Send dryRun true with company and rules, or dryRun false with run and reason.',
  },
  'inventory.backorder_run_too_large': {
    status: 422,
    title: 'A backorder run has too much to look at',
    cause: 'One run looks at 20,000 lines at most.',
    fix: 'Name items, and plan a run for the others after it.',
  },
} as const satisfies Record<string, RefusalCode>
