/** The words of sourcing: profiles in versions, what is asked of them, and what was decided of an order and why. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'

const Company = z.string().min(1).max(12).meta({ example: 'NWF' })
const Location = z.string().min(1).max(32).meta({ example: 'CHI-1' })
const Amount = z
  .string()
  .regex(/^\d{1,13}(\.\d{1,4})?$/)
  .describe("Decimal as text, in the company's currency")
const Decimal = z.string().describe("Decimal as text, in the item's base unit")
const Time = z.iso.datetime()
const ProfileName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/)
  .meta({ example: 'midwest' })
const Channel = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/)
const Region = z
  .string()
  .regex(/^[A-Z]{2}(-.{1,35})?$/)
  .describe('ISO 3166-1 country, with or without the region as addresses name it: US-IL, DE')
  .meta({ example: 'US-IL' })

export const STRATEGIES = [
  'single-location',
  'fewest-splits',
  'nearest',
  'lowest-cost',
  'oldest-lot',
] as const
export const Strategy = z
  .enum(STRATEGIES)
  .describe(
    'single-location: one location before several. fewest-splits: the fewer locations the better. nearest: by the list ' +
      'of the ship-to. lowest-cost: by the costs. oldest-lot: where the lot lies that came first',
  )
export type Strategy = z.infer<typeof Strategy>

export const TieBreaker = z
  .enum(['most-stock', 'least-stock'])
  .describe('Where the most or the least of the items is left; at last the order of the network decides')
export type TieBreaker = z.infer<typeof TieBreaker>

export const NETWORK_MAX = 20

export const SourcingRules = z
  .strictObject({
    network: z
      .array(Location)
      .min(1)
      .max(NETWORK_MAX)
      .describe('Where stock may be taken from, in order of preference'),
    strategies: z.array(Strategy).max(STRATEGIES.length).describe('What counts, the first before the rest'),
    tieBreakers: z.array(TieBreaker).max(1).default([]),
    maxSplits: z
      .int()
      .min(0)
      .max(5)
      .describe('How many locations an order may be served from beside the first'),
    minSplitOrder: Amount.default('0').describe('An order worth less is served from one location'),
    minSplitLine: Amount.default('0').describe('A line worth less is served from one location'),
    nearest: z
      .array(z.strictObject({ shipTo: Region, locations: z.array(Location).min(1).max(NETWORK_MAX) }))
      .max(500)
      .default([])
      .describe('The nearest location first; the more exact entry counts'),
    costs: z
      .array(
        z.strictObject({
          location: Location,
          shipTo: Region.optional().describe('Of all others when absent'),
          perShipment: Amount,
          perLine: Amount.default('0'),
        }),
      )
      .max(500)
      .default([])
      .describe('What is nowhere named costs more than anything that is'),
  })
  .meta({ id: 'SourcingRules' })
export type SourcingRules = z.infer<typeof SourcingRules>

export const SourcingProfileRequest = z
  .strictObject({
    company: Company,
    name: ProfileName,
    channel: Channel.optional().describe('Only for orders of this channel'),
    customerGroup: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('Only for customers with this price list, by which their ERP groups them'),
    effectiveFrom: Time.optional().describe('At once when absent; not in the past'),
    inUse: z.boolean().default(true).describe('false ends the profile from then on'),
    rules: SourcingRules,
    reason: z.string().min(3).max(500).describe('Kept with the version and in the audit trail'),
  })
  .meta({ id: 'SourcingProfileRequest' })
export type SourcingProfileRequest = z.infer<typeof SourcingProfileRequest>

export const SourcingProfile = z
  .object({
    id: z.int(),
    company: Company,
    name: ProfileName,
    version: z.int(),
    channel: Channel.optional(),
    customerGroup: z.string().optional(),
    effectiveFrom: Time,
    inUse: z.boolean(),
    rules: SourcingRules,
    reason: z.string(),
    madeBy: z.string(),
    madeAt: Time,
  })
  .meta({ id: 'SourcingProfile', description: 'A version of a profile; it never changes.' })
export type SourcingProfile = z.infer<typeof SourcingProfile>

const Candidate = z.object({
  locations: z.array(z.string()),
  verdict: z.enum(['chosen', 'beaten', 'refused']),
  why: z.string().describe('What it won by, lost by or was refused for'),
  linesWhole: z.int().describe('How many lines it serves whole'),
  value: z.string().describe("What it serves is worth so much, in the company's currency"),
  scores: z.record(z.string(), z.number()).describe('By strategy; the lower wins'),
})

export const SourcingDecision = z
  .object({
    cause: z
      .enum(['accepted', 'waited', 'short'])
      .describe('The order came; stock came for what waited; a pick found too little'),
    at: Time,
    profile: z
      .object({ id: z.int(), name: z.string(), version: z.int() })
      .optional()
      .describe("Absent where the company's own order of locations decided"),
    shipTo: z.string().optional(),
    lines: z.array(
      z.object({
        line: z.string(),
        sku: z.string(),
        wanted: Decimal,
        given: z.array(z.object({ location: z.string(), quantity: Decimal })),
        whole: Decimal.optional().describe('So much is one whole unit of what was ordered'),
        worth: z.string().optional().describe('What all that is wanted of it is worth'),
        free: z
          .array(z.object({ location: z.string(), quantity: Decimal, since: Time.optional() }))
          .optional()
          .describe('What was free of the item, and since when its oldest lot was there; nothing elsewhere'),
        avoided: z.array(z.string()).optional().describe('Where a pick had found too little'),
      }),
    ),
    orderWorth: z.string().optional(),
    used: z.array(z.string()).optional().describe('Where something of the order was kept already'),
    lotsRead: z.boolean().optional().describe('Whether the age of lots was looked at'),
    candidates: z.array(Candidate),
    looked: z.int().describe('How many candidates were looked at; the best and the refused are told'),
  })
  .meta({ id: 'SourcingDecision' })
export type SourcingDecision = z.infer<typeof SourcingDecision>
/** A decision as it is kept: who reads it knows cause, time and profile from beside it. */
export type KeptDecision = Omit<SourcingDecision, 'cause' | 'at' | 'profile' | 'shipTo'>
export type SourcingCause = SourcingDecision['cause']

export const SourcingQuestion = z
  .strictObject({
    company: Company,
    channel: Channel.default('api'),
    customer: z.string().min(1).max(35).optional().describe('Its group and default address count'),
    shipTo: Region.optional().describe('In place of the default address of the customer'),
    lines: z
      .array(
        z.strictObject({
          line: z.string().min(1).max(20),
          sku: z.string().min(1).max(40).meta({ example: '10012' }),
          quantity: z
            .string()
            .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
            .describe('Decimal as text, in the unit beside it'),
          unit: z
            .string()
            .regex(/^[A-Z0-9]{2,3}$/)
            .optional()
            .describe('The base unit when absent'),
          value: Amount.optional().describe('What the line is worth, where splits depend on it'),
        }),
      )
      .min(1)
      .max(200),
    rules: SourcingRules.optional().describe('In place of those in force, to try them'),
  })
  .meta({ id: 'SourcingQuestion' })
export type SourcingQuestion = z.infer<typeof SourcingQuestion>

export const SourcingPreview = SourcingDecision.omit({ cause: true }).meta({
  id: 'SourcingPreview',
  description: 'What would be decided now; nothing is reserved.',
})
export type SourcingPreview = z.infer<typeof SourcingPreview>

export const sourcingRefusals = {
  'inventory.sourcing_profile_unknown': {
    status: 404,
    title: 'There is no such version of a sourcing profile',
    cause: 'No version has this number.',
    fix: 'List the profiles of the company.',
  },
  'inventory.sourcing_contradicts': {
    status: 422,
    title: 'A sourcing profile contradicts itself',
    cause:
      'A location, a strategy or an entry stands twice, or distances or costs name a location outside the network.',
    fix: 'Correct what the message names; the network lists each location once.',
  },
  'inventory.effective_in_past': {
    status: 422,
    title: 'A version cannot begin in the past',
    cause: 'What was decided by the versions before would not be what the profile says.',
    fix: 'Send a time that lies ahead, or leave it out: the version begins at once.',
  },
  'inventory.order_unknown': {
    status: 404,
    title: 'There is no such order',
    cause: 'No order has this number.',
    fix: 'Send the number of an order, such as O-1000017.',
  },
  'inventory.comparison_unclear': {
    status: 422,
    title: 'It is not clear which rules are to be tried',
    cause: 'Both rules and a version were sent, or neither.',
    fix: 'Send rules that nobody has made yet, or the number of a version as profile.',
  },
  'inventory.period_empty': {
    status: 422,
    title: 'There is no time in the period',
    cause: 'It ends before it begins, or at the same moment.',
    fix: 'Send an end that comes after the beginning.',
  },
} as const satisfies Record<string, RefusalCode>
