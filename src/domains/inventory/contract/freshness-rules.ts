/** The words in which people say how fresh a source must be, in place of what the configuration says of it. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import { FLOWS, HeardState, RuleOrigin, RULES, RuleWords } from './freshness.ts'

/** As long as a configured rule may let a source be silent. */
const MINUTES_OF_A_WEEK = 10_080
const Source = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/)
  .describe('The system, the EDI partner that runs a location, or the feed of files')
  .meta({ example: 'wms-chicago' })
const Flow = z.enum(FLOWS).describe('What it tells by itself, or what is read of it')
const Time = z.iso.datetime()
const Figure = z.string().regex(/^\d{1,9}(\.\d{1,4})?$/)

const asked = {
  source: Source,
  flow: Flow,
  reason: z.string().min(3).max(500).describe('Kept with the version, its event and in the audit trail'),
  expectedVersion: z
    .int()
    .min(0)
    .optional()
    .describe('Only if this is the version now, as the list tells it; 0 where no person has set one'),
  dryRun: z.boolean().default(false).describe('Only answers what would be'),
}

export const FreshnessRuleRequest = z
  .strictObject({
    ...asked,
    minutes: z.number().gt(0).max(MINUTES_OF_A_WEEK).describe('How long it may be silent'),
    locations: z
      .array(z.string().min(1).max(32).meta({ example: 'CHI-1' }))
      .max(500)
      .default([])
      .describe('Where the rule holds; where the source tells of, or its companies sell from, when empty'),
    rule: z
      .enum(RULES)
      .describe(
        'buffer: less is promised, the longer the less. cap: no more than so many until it is heard. zero: nothing. ' +
          'ask: nothing without a person',
      ),
    least: Figure.optional().describe(
      'Of a buffer, which needs it: so much less at once; decimal as text, in base units',
    ),
    factor: z
      .number()
      .min(0)
      .max(1_000_000_000)
      .optional()
      .describe(
        'Of a buffer, which needs it: less by so many times what the hours of silence would have sold',
      ),
    most: Figure.optional().describe(
      'Of a cap, which needs it: so many in all of an item at a place; decimal as text, in base units',
    ),
  })
  .meta({ id: 'FreshnessRuleRequest' })
export type FreshnessRuleRequest = z.infer<typeof FreshnessRuleRequest>

export const FreshnessWithdrawal = z.strictObject(asked).meta({ id: 'FreshnessWithdrawal' })
export type FreshnessWithdrawal = z.infer<typeof FreshnessWithdrawal>

const Holding = z.object({
  locations: z.array(z.string()),
  budgetSeconds: z.int().describe('How long it may be silent'),
  ...RuleWords.shape,
})

export const FreshnessRuleView = z
  .object({
    source: z.string(),
    flow: z.enum(FLOWS),
    origin: RuleOrigin,
    version: z.int().describe('Of the last change by a person, also where it was a withdrawal; 0: none'),
    ...Holding.shape,
    setBy: z.string().optional().describe('Who set it'),
    reason: z.string().optional(),
    since: Time.optional().describe('When it was set'),
    configured: Holding.optional().describe('What it takes the place of, and what holds again without it'),
    state: HeardState,
    heardAt: Time.optional(),
    silentSince: Time.optional(),
  })
  .meta({ id: 'FreshnessRule', description: 'How fresh a source must be, and what holds otherwise.' })
export type FreshnessRuleView = z.infer<typeof FreshnessRuleView>

export const FreshnessRules = z
  .object({ items: z.array(FreshnessRuleView) })
  .meta({ id: 'FreshnessRules', description: 'The rule that is in force for each source and flow.' })
export type FreshnessRules = z.infer<typeof FreshnessRules>

export const FreshnessRuleChange = z
  .object({
    source: z.string(),
    flow: z.enum(FLOWS),
    version: z.int().describe('That was made, or would be'),
    dryRun: z.boolean(),
    before: FreshnessRuleView.optional().describe('Absent where there was no rule'),
    after: FreshnessRuleView.optional().describe(
      'state: whether the rule holds from now on. Absent where there is no rule any more',
    ),
  })
  .meta({ id: 'FreshnessRuleChange', description: 'By which rule a source was careful before and is after.' })
export type FreshnessRuleChange = z.infer<typeof FreshnessRuleChange>

export const FreshnessRuleVersion = z
  .object({
    version: z.int(),
    withdrawn: z.boolean().describe('true: since then the configuration holds'),
    ...Holding.partial().shape,
    reason: z.string(),
    setBy: z.string(),
    setAt: Time,
  })
  .meta({ id: 'FreshnessRuleVersion', description: 'What a person said of a source; it never changes.' })
export type FreshnessRuleVersion = z.infer<typeof FreshnessRuleVersion>

export const freshnessRefusals = {
  'inventory.freshness_source_unknown': {
    status: 422,
    title: 'There is no such source of stock',
    cause: 'It is no system and no feed and runs no location, or nothing is read of it.',
    fix: 'Name a source of the configuration, and the flow by which it is heard.',
  },
  'inventory.freshness_contradicts': {
    status: 422,
    title: 'A freshness rule contradicts itself',
    cause: 'A figure is missing that the rule needs, or one stands there that belongs to another rule.',
    fix: 'Send least and factor with a buffer, most with a cap, and none of them with zero and ask.',
  },
  'inventory.freshness_nowhere': {
    status: 422,
    title: 'A freshness rule would hold nowhere',
    cause: 'There is no such location, or none is named and the source tells of none.',
    fix: 'Name locations of the configuration.',
  },
  'inventory.freshness_rule_changed': {
    status: 409,
    title: 'The rule was changed meanwhile',
    cause: 'It is not at the version on which the change was decided.',
    fix: 'List the rules, decide anew and send the version that you have seen.',
  },
  'inventory.freshness_rule_not_set': {
    status: 409,
    title: 'No person has set such a rule',
    cause: 'The configuration holds for this source and flow, or there is no rule at all.',
    fix: 'List the rules: only those whose origin is "set" can be withdrawn.',
  },
} as const satisfies Record<string, RefusalCode>
