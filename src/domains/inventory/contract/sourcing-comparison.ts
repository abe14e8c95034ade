/** The words of trying rules of sourcing against past orders. */
import { z } from 'zod'
import { SourcingDecision, SourcingRules } from './sourcing.ts'

const Company = z.string().min(1).max(12).meta({ example: 'NWF' })
const ProfileName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
const Time = z.iso.datetime()
const Amount = z.string().describe("Decimal as text, in the company's currency")

const COMPARED_MAX = 2_000
const SAMPLE_MAX = 50

export const SourcingComparisonQuestion = z
  .strictObject({
    company: Company,
    rules: SourcingRules.optional().describe('Rules that nobody has made yet; or name a version'),
    profile: z.int().min(1).optional().describe('The number of a version of a profile; or send rules'),
    decidedBy: ProfileName.optional().describe('Only decisions of versions of this profile; all when absent'),
    from: Time.describe('Orders accepted from then on'),
    until: Time.describe('and before this moment'),
    after: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('Goes on behind this order, as `next` of the answer before says')
      .meta({ example: 'O-1000017' }),
    orders: z.int().min(1).max(COMPARED_MAX).default(500).describe('So many orders are read at most'),
    sample: z.int().min(0).max(SAMPLE_MAX).default(10).describe('So many changed decisions are told'),
  })
  .meta({ id: 'SourcingComparisonQuestion' })
export type SourcingComparisonQuestion = z.infer<typeof SourcingComparisonQuestion>

const Served = z.object({
  given: SourcingDecision.shape.lines.element.shape.given.describe('Of all lines together'),
  splits: z.int().describe('Locations beside the first'),
  worth: Amount.describe('What is served is worth so much'),
  distance: z.int().optional().describe('Places in the list of the ship-to, added up; by the rules tried'),
  cost: Amount.optional().describe('By the rules tried; absent where a location has no cost in them'),
})
export type Served = z.infer<typeof Served>

const ChangedDecision = z.object({
  order: z.string(),
  cause: SourcingDecision.shape.cause,
  at: Time,
  decidedBy: SourcingDecision.shape.profile,
  shipTo: z.string().optional(),
  before: Served,
  after: Served,
  why: z.string().describe('By what the locations that would be taken win'),
  whyNotBefore: z
    .string()
    .optional()
    .describe('Why not from where it was served; absent where part of it is'),
})
export type ChangedDecision = z.infer<typeof ChangedDecision>

const Sums = z.object({
  splits: z.int(),
  worth: Amount,
  distance: z.int().optional(),
  cost: Amount.optional().describe('Of those decisions of which both costs are known'),
})

export const SourcingComparison = z
  .object({
    company: Company,
    orders: z.int().describe('How many orders were read'),
    decisions: z.object({
      compared: z.int(),
      same: z.int(),
      changed: z.int(),
      notComparable: z
        .int()
        .describe(
          'Their records do not say what was free then, or nothing of the lots that the rules ask for',
        ),
    }),
    before: Sums,
    after: Sums,
    costed: z.int().describe('Of so many decisions both costs are known'),
    sample: z.array(ChangedDecision).describe('The first that change'),
    next: z.string().optional().describe('There may be more orders behind this one: send it as `after`'),
  })
  .meta({
    id: 'SourcingComparison',
    description:
      'What would have been decided. Each decision by itself, on what was free then; it changes nothing.',
  })
export type SourcingComparison = z.infer<typeof SourcingComparison>
