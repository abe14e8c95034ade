/** The HTTP doors of sourcing: profiles and their versions, what would be decided now, what was decided of an order. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import {
  SourcingDecision,
  SourcingPreview,
  SourcingProfile,
  SourcingProfileRequest,
  SourcingQuestion,
} from '../contract/sourcing.ts'
import { SourcingComparison, SourcingComparisonQuestion } from '../contract/sourcing-comparison.ts'
import * as example from '../contract/sourcing-examples.ts'
import { decisionsOf, listProfiles, profileOf } from '../views/sourcing.ts'

const BASE = '/process/inventory/v1'

export type SourcingPorts = {
  readonly queries: Queries
  readonly pages: Pages
  readonly companies: () => readonly string[]
  /** The document behind the number of an order that there is. */
  readonly orderOf: (number: string) => Promise<number | undefined>
  readonly preview: (question: SourcingQuestion) => Promise<SourcingPreview>
  readonly compare: (question: SourcingComparisonQuestion) => Promise<SourcingComparison>
  readonly addVersion: (command: {
    request: SourcingProfileRequest
    actor: string
    traceId: string
    claim: Claim
  }) => Promise<{ readonly status: 201; readonly body: SourcingProfile } | Replay>
}

export const sourcingRoutes = (ports: SourcingPorts): Route[] => [
  preview(ports),
  compare(ports),
  addVersion(ports),
  listVersions(ports),
  readVersion(ports),
  readDecisions(ports),
]

const QUANTITIES = ['items.quantity_not_positive', 'items.quantity_not_whole', 'quantity.malformed']

const preview = (ports: SourcingPorts): Route =>
  route({
    method: 'POST',
    path: '/process/available-to-promise/v1/sourcing:preview',
    operationId: 'sourcing.preview',
    summary: 'From where an order would be served now',
    description:
      'By the profile in force for such an order, or by rules that are to be tried. It reserves nothing: an order is ' +
      'decided anew when it comes.',
    scope: 'process.availability:read',
    rateClass: 'reads',
    bodyLimitBytes: 256 * 1024,
    body: SourcingQuestion,
    idempotent: 'none',
    answers: {
      200: { description: 'What each line would be given, and why from there', body: SourcingPreview },
    },
    refusals: [
      'inventory.company_unknown',
      'inventory.location_unknown',
      'inventory.sourcing_contradicts',
      'inventory.item_unknown',
      'orders.customer_unknown',
      'orders.line_repeated',
      'items.blocked',
      'items.unit_unknown',
      'items.quantity_not_exact',
      'money.malformed',
      ...QUANTITIES,
    ],
    example: { body: example.question, answer: example.preview },
    handler: async ({ body }) => ({ status: 200, body: await ports.preview(body) }),
  })

const compare = (ports: SourcingPorts): Route =>
  route({
    method: 'POST',
    path: '/process/available-to-promise/v1/sourcing:compare',
    operationId: 'sourcing.compare',
    summary: 'What rules would have decided of past orders',
    description:
      'Each decision that a profile made in the period is taken again by other rules, on what was free then: how many ' +
      'would differ, and by how many splits, what distance and what cost. It changes nothing.',
    scope: 'process.sourcing:read',
    rateClass: 'reads',
    bodyLimitBytes: 256 * 1024,
    body: SourcingComparisonQuestion,
    idempotent: 'none',
    answers: { 200: { description: 'Both sides, and decisions that change', body: SourcingComparison } },
    refusals: [
      'inventory.company_unknown',
      'inventory.location_unknown',
      'inventory.sourcing_contradicts',
      'inventory.sourcing_profile_unknown',
      'inventory.comparison_unclear',
      'inventory.period_empty',
      'inventory.order_unknown',
      'money.malformed',
    ],
    example: { body: example.comparisonQuestion, answer: example.comparison },
    handler: async ({ body }) => ({ status: 200, body: await ports.compare(body) }),
  })

const addVersion = (ports: SourcingPorts): Route =>
  route({
    method: 'POST',
    path: `${BASE}/sourcing-profiles`,
    operationId: 'sourcing.addVersion',
    summary: 'Make the next version of a sourcing profile',
    description:
      'The first version makes the profile. None is ever changed: an order is served by the version that was in force ' +
      'when it came, also what of it waits.',
    scope: 'process.sourcing:write',
    rateClass: 'commands',
    bodyLimitBytes: 256 * 1024,
    body: SourcingProfileRequest,
    idempotent: true,
    answers: { 201: { description: 'The version', body: SourcingProfile } },
    refusals: [
      'inventory.company_unknown',
      'inventory.location_unknown',
      'inventory.sourcing_contradicts',
      'inventory.effective_in_past',
      'money.malformed',
    ],
    example: { body: example.newProfile, answer: example.profile },
    handler: ({ body, principal: { client }, trace: { traceId }, idempotency }) =>
      ports.addVersion({ request: body, actor: client, traceId, claim: idempotency }),
  })

const VersionsQuery = PageQuery.extend({
  company: z.string().min(1).max(12),
  name: z.string().min(1).max(40).optional(),
})

const listVersions = (ports: SourcingPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/sourcing-profiles`,
    operationId: 'sourcing.listVersions',
    summary: 'Sourcing profiles with all their versions',
    scope: 'process.sourcing:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: VersionsQuery,
    answers: { 200: { description: 'A page, by name and version', body: pageOf(SourcingProfile) } },
    refusals: ['http.cursor_invalid', 'inventory.company_unknown'],
    example: { query: { company: 'NWF', limit: 50 }, answer: { items: [example.profile] } },
    async handler(request) {
      const { company, name, limit } = request.query
      if (!ports.companies().includes(company)) {
        const message = `there is no company ${company}; there are ${ports.companies().join(', ')}`
        throw new Refusal('inventory.company_unknown', message, {}, '/query/company')
      }
      const [lastName, lastVersion] = ports.pages.after(request) ?? []
      const after =
        lastName === undefined ? undefined : { name: String(lastName), version: Number(lastVersion) }
      const rows = await listProfiles(ports.queries, { company, name }, { after, limit: limit + 1 })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return ports.pages.answer(request, page, last && [last.name, last.version])
    },
  })

const VersionId = z.object({ id: z.int().min(1) })

const readVersion = (ports: SourcingPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/sourcing-profiles/:id`,
    operationId: 'sourcing.readVersion',
    summary: 'A version of a sourcing profile',
    scope: 'process.sourcing:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: VersionId,
    answers: { 200: { description: 'The version', body: SourcingProfile } },
    refusals: ['inventory.sourcing_profile_unknown'],
    example: { params: { id: 7 }, answer: example.profile },
    async handler({ params: { id } }) {
      const found = await profileOf(ports.queries, id)
      if (!found) throw new Refusal('inventory.sourcing_profile_unknown', `no version has the number ${id}`)
      return { status: 200, body: found }
    },
  })

const DecisionsQuery = z.object({
  order: z.string().min(1).max(40).describe('Its number, such as O-1000017'),
})

const SourcingDecisions = z
  .object({ order: z.string(), decisions: z.array(SourcingDecision) })
  .meta({ id: 'SourcingDecisions' })

const readDecisions = (ports: SourcingPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/sourcing-decisions`,
    operationId: 'sourcing.readDecisions',
    summary: 'What was decided of an order, and why',
    description:
      'Kept where a profile decided, and where a pick was short. Where neither was, the order of locations decided.',
    scope: 'process.sourcing:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: DecisionsQuery,
    answers: {
      200: {
        description: 'Oldest first',
        body: SourcingDecisions,
      },
    },
    refusals: ['inventory.order_unknown'],
    example: { query: { order: 'O-1000017' }, answer: example.decisions },
    async handler({ query: { order } }) {
      const doc = await ports.orderOf(order)
      if (doc === undefined)
        throw new Refusal('inventory.order_unknown', `no order has the number ${order}`, {}, '/query/order')
      return { status: 200, body: { order, decisions: await decisionsOf(ports.queries, doc) } }
    },
  })
