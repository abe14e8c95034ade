/** What the doors of events and subscriptions take and answer. */
import { z } from 'zod'
import { SUBSCRIPTION_STATES } from '#platform/subscriptions.ts'
import type { EventFilter } from '#platform/subscription-filter.ts'

const Time = z.iso.datetime()
const Type = z.string().min(3).max(80).meta({ example: 'order.*' })
const Domain = z.string().min(1).max(40).meta({ example: 'orders' })
const CompanyCode = z.string().min(1).max(32)
const Listed = z.string().max(1_000)

/** The filter as a query says it: lists with commas. */
export const FilterQuery = z.object({
  types: Listed.optional().describe('Types such as "order.accepted" or "order.*", with commas between them'),
  domains: Listed.optional().describe('"orders", "shipments", "billing", with commas between them'),
  companies: Listed.optional().describe('Company codes, with commas between them'),
})

export function filterOf({ types, domains, companies }: z.output<typeof FilterQuery>): EventFilter {
  const listOf = (text = ''): string[] =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '')
  return { types: listOf(types), domains: listOf(domains), companies: listOf(companies) }
}

const CloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('The same however often the event is told: drop what you know'),
    source: z.string(),
    type: z.string(),
    subject: z.string().describe('The number of the document it happened to'),
    time: Time,
    datacontenttype: z.literal('application/json'),
    partitionkey: z.string().describe('Events of one partitionkey come in the order of their sequence'),
    sequence: z.string(),
    company: z.string(),
    correlationid: z.string().describe('The number at the root of the journey'),
    causationid: z.string().optional(),
    traceparent: z.string().optional(),
    dataversion: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'CloudEvent' })

export const EventPage = z
  .object({
    items: z.array(CloudEvent),
    nextCursor: z.string().describe('Where to go on'),
    more: z.boolean().describe('Whether there is more already'),
  })
  .meta({ id: 'EventPage' })

const settings = {
  name: z.string().min(1).max(80).meta({ example: 'Warehouse dashboard' }),
  url: z.string().min(1).max(2_000).meta({ example: 'https://dashboard.example.com/hooks/crossdock' }),
  owner: z.string().min(1).max(40).describe('The queue that sees to what the receiver does not take'),
  types: z.array(Type).max(50).describe('Types of events; empty for all'),
  domains: z.array(Domain).max(10).describe('Domains of events; empty for all'),
  companies: z.array(CompanyCode).max(50).describe('Company codes; empty for all'),
  payload: z
    .enum(['thin', 'full'])
    .describe('Thin names what changed; full carries the data where it fits into 20 kB'),
}

export const CreateRequest = z.strictObject({
  ...settings,
  owner: settings.owner.default('integration'),
  types: settings.types.default([]),
  domains: settings.domains.default([]),
  companies: settings.companies.default([]),
  payload: settings.payload.default('thin'),
  partner: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe("Only this partner's events; a partner's own clients need not say it"),
  after: z.string().max(60).optional().describe('The cursor from which on events are sent; now without it'),
})

export const ChangeRequest = z.strictObject(settings).partial()

export const PauseRequest = z.strictObject({ reason: z.string().min(1).max(500) })
export const RotateRequest = z.strictObject({
  keepPreviousHours: z
    .int()
    .min(0)
    .max(168)
    .default(24)
    .describe('How long messages are signed with the previous secret as well'),
})
export const ReplayRequest = z
  .union([
    z.strictObject({ after: z.string().min(1).max(60).describe('Everything behind this cursor') }),
    z.strictObject({ since: Time.describe('Everything from a minute or so before this time') }),
    z.strictObject({ deadLetters: z.literal(true).describe('What was given up') }),
  ])
  .meta({ id: 'ReplayRequest' })

export const SubscriptionView = z
  .object({
    id: z.string(),
    version: z.int(),
    ...settings,
    partner: z.string().optional(),
    client: z.string().describe('Who made it'),
    state: z.enum(SUBSCRIPTION_STATES).describe('Paused by a person, stopped by itself'),
    reason: z.string().optional().describe('Why it is not active'),
    cursor: z.string().describe('Up to here the log is read for it'),
    waiting: z.int().describe('Messages that were read and are not delivered yet'),
    deadLetters: z.int(),
    failures: z.int().describe('Attempts that failed in a row'),
    lastDeliveredAt: Time.optional(),
    createdAt: Time,
  })
  .meta({ id: 'Subscription' })
export type SubscriptionView = z.infer<typeof SubscriptionView>

export const NewSubscriptionView = SubscriptionView.extend({
  secret: z.string().optional().describe('Shown now and never again; a repeated request does not show it'),
}).meta({ id: 'NewSubscription' })

export const SecretView = z.object({
  id: z.string(),
  secret: z.string().optional().describe('Shown now and never again; a repeated request does not show it'),
  previousUntil: Time.describe('Until when messages are signed with the previous secret as well'),
})

export const ReplayView = z.object({
  id: z.string(),
  cursor: z.string().describe('Where it goes on from'),
  deadLetters: z.int().describe('Dead letters that are sent again, of those asked for'),
})

export const PingView = z.object({
  delivered: z.boolean(),
  status: z.int().optional(),
  cause: z.string().optional(),
  tookMs: z.int(),
})

export const AttemptView = z.object({
  event: z.string().describe('The id of the message'),
  type: z.string(),
  document: z.string(),
  attempt: z.int(),
  at: Time,
  outcome: z.enum(['delivered', 'failed']),
  status: z.int().optional(),
  cause: z.string().optional(),
  tookMs: z.int(),
})

export const DeadLetterView = z.object({
  event: z.string().describe('The id of the message'),
  type: z.string(),
  document: z.string(),
  attempts: z.int(),
  firstFailedAt: Time,
  lastFailedAt: Time,
  cause: z.string().optional(),
})

export const eventExample = {
  specversion: '1.0',
  id: 'evt_1000017_1',
  source: '/systems/crossdock/api',
  type: 'org.crossdock.orders.order.accepted.v1',
  subject: 'O-1000017',
  time: '2026-11-21T08:30:00.123Z',
  datacontenttype: 'application/json',
  partitionkey: 'O-1000017',
  sequence: '0000000001',
  company: 'NWF',
  correlationid: 'O-1000017',
  dataversion: '1',
  data: { customer: '100123', customerOrder: 'PO-4711', lines: 2 },
} satisfies z.input<typeof CloudEvent>

export const examples = {
  create: {
    name: 'Warehouse dashboard',
    url: 'https://dashboard.example.com/hooks/crossdock',
    types: ['fulfillment.*', 'shipment.confirmed'],
  },
  view: {
    id: 'sub_5b2f0c9de1a84f7702b6cd31',
    version: 1,
    name: 'Warehouse dashboard',
    url: 'https://dashboard.example.com/hooks/crossdock',
    owner: 'integration',
    types: ['fulfillment.*', 'shipment.confirmed'],
    domains: [],
    companies: [],
    payload: 'thin',
    client: 'dashboard',
    state: 'active',
    cursor: '1.7421.90213',
    waiting: 0,
    deadLetters: 0,
    failures: 0,
    createdAt: '2026-11-21T08:00:00.000Z',
  } satisfies SubscriptionView,
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
}
