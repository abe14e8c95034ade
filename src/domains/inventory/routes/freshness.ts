/** The HTTP doors of how fresh sources must be: the rules in force, what people set in their place, all they ever said. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { FLOWS } from '../contract/freshness.ts'
import {
  FreshnessRuleChange,
  FreshnessRuleRequest,
  FreshnessRules,
  FreshnessRuleVersion,
  FreshnessWithdrawal,
} from '../contract/freshness-rules.ts'
import { ruleVersions } from '../views/freshness-rules.ts'

const BASE = '/process/inventory/v1/freshness-rules'

type Given<Request> = { request: Request; actor: string; traceId: string; claim: Claim }
type Changed = Promise<{ readonly status: 200; readonly body: FreshnessRuleChange } | Replay>

export type FreshnessPorts = {
  readonly queries: Queries
  readonly pages: Pages
  readonly rules: () => Promise<FreshnessRules>
  readonly setFreshnessRule: (command: Given<FreshnessRuleRequest>) => Changed
  readonly withdrawFreshnessRule: (command: Given<FreshnessWithdrawal>) => Changed
}

export const freshnessRoutes = (ports: FreshnessPorts): Route[] => [
  listRules(ports),
  listVersions(ports),
  setRule(ports),
  withdrawRule(ports),
]

const listRules = (ports: FreshnessPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'freshnessRules.list',
    summary: 'How fresh sources of stock must be',
    description:
      'The rule in force for each source and flow: whether it is configured or was set by a person, by whom, why and ' +
      'since when, and whether it holds now.',
    scope: 'process.freshness:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    answers: {
      200: { description: 'In the order of the configuration, others after', body: FreshnessRules },
    },
    refusals: [],
    example: { answer: { items: [AFTER] } },
    handler: async () => ({ status: 200, body: await ports.rules() }),
  })

const Versions = PageQuery.extend({ source: z.string().min(1).max(32), flow: z.enum(FLOWS) })

const listVersions = (ports: FreshnessPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/versions`,
    operationId: 'freshnessRules.listVersions',
    summary: 'What people said of how fresh a source must be',
    scope: 'process.freshness:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Versions,
    answers: { 200: { description: 'A page, the newest first', body: pageOf(FreshnessRuleVersion) } },
    refusals: ['http.cursor_invalid'],
    example: {
      query: { source: 'wms-chicago', flow: 'messages', limit: 50 },
      answer: { items: [VERSION] },
    },
    async handler(request) {
      const { limit, ...of } = request.query
      const [last] = ports.pages.after(request) ?? []
      const before = last === undefined ? undefined : Number(last)
      const rows = await ruleVersions(ports.queries, of, { before, limit: limit + 1 })
      const page = rows.slice(0, limit)
      const end = rows.length > limit ? page.at(-1) : undefined
      return ports.pages.answer(request, page, end && [end.version])
    },
  })

const setRule = (ports: FreshnessPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}:set`,
    operationId: 'freshnessRules.set',
    summary: 'Say how fresh a source must be, and what holds otherwise',
    description:
      'It takes the place of the configured rule of this source and flow, in every process within a second, until it is ' +
      'set anew or withdrawn. Each time makes a version that never changes. A dry run answers the same and does nothing.',
    scope: 'process.freshness:write',
    rateClass: 'commands',
    bodyLimitBytes: 64 * 1024,
    body: FreshnessRuleRequest,
    idempotent: true,
    answers: { 200: { description: 'What held before and what holds now', body: FreshnessRuleChange } },
    refusals: [
      'inventory.freshness_source_unknown',
      'inventory.freshness_contradicts',
      'inventory.freshness_nowhere',
      'inventory.freshness_rule_changed',
    ],
    example: { body: ASKED, answer: CHANGE },
    handler: ({ body, principal: { client }, trace: { traceId }, idempotency }) =>
      ports.setFreshnessRule({ request: body, actor: client, traceId, claim: idempotency }),
  })

const withdrawRule = (ports: FreshnessPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}:withdraw`,
    operationId: 'freshnessRules.withdraw',
    summary: 'Withdraw what a person said of how fresh a source must be',
    description:
      'What is configured holds again, if anything is. A dry run answers the same and does nothing.',
    scope: 'process.freshness:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    body: FreshnessWithdrawal,
    idempotent: true,
    answers: { 200: { description: 'What held before and what holds now', body: FreshnessRuleChange } },
    refusals: ['inventory.freshness_rule_changed', 'inventory.freshness_rule_not_set'],
    example: {
      body: { source: 'wms-chicago', flow: 'messages', reason: 'The line to Chicago is mended' },
      answer: { ...CHANGE, version: 4, before: AFTER, after: { ...BEFORE, version: 4 } },
    },
    handler: ({ body, principal: { client }, trace: { traceId }, idempotency }) =>
      ports.withdrawFreshnessRule({ request: body, actor: client, traceId, claim: idempotency }),
  })

const ASKED = {
  source: 'wms-chicago',
  flow: 'messages',
  minutes: 10,
  rule: 'cap',
  most: '24',
  reason: 'The line to Chicago fails again and again',
  expectedVersion: 2,
} satisfies z.input<typeof FreshnessRuleRequest>

const CONFIGURED = {
  locations: ['CHI-1'],
  budgetSeconds: 1_800,
  rule: 'buffer',
  least: '12',
  factor: 1,
} as const
const HEARD = { heardAt: '2026-11-21T08:15:00.000Z' }

const BEFORE = {
  source: 'wms-chicago',
  flow: 'messages',
  origin: 'configured',
  version: 2,
  ...CONFIGURED,
  locations: ['CHI-1'],
  state: 'heard',
  ...HEARD,
} satisfies z.input<typeof FreshnessRuleChange>['before']

const SET = { locations: ['CHI-1'], budgetSeconds: 600, rule: 'cap', most: '24' } as const

const AFTER = {
  source: 'wms-chicago',
  flow: 'messages',
  origin: 'set',
  version: 3,
  ...SET,
  locations: ['CHI-1'],
  setBy: 'planner',
  reason: ASKED.reason,
  since: '2026-11-21T08:30:00.000Z',
  configured: { ...CONFIGURED, locations: ['CHI-1'] },
  state: 'silent',
  ...HEARD,
  silentSince: '2026-11-21T08:30:00.000Z',
} satisfies z.input<typeof FreshnessRuleChange>['after']

const CHANGE = {
  source: 'wms-chicago',
  flow: 'messages',
  version: 3,
  dryRun: false,
  before: BEFORE,
  after: AFTER,
} satisfies z.input<typeof FreshnessRuleChange>

const VERSION = {
  version: 3,
  withdrawn: false,
  ...SET,
  locations: ['CHI-1'],
  reason: ASKED.reason,
  setBy: 'planner',
  setAt: '2026-11-21T08:30:00.000Z',
} satisfies z.input<typeof FreshnessRuleVersion>
