/** The HTTP doors of agreement: ask for a reconciliation, read what it found, page by page. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import {
  ReconciliationDifference,
  ReconciliationRequest,
  ReconciliationView,
} from '../contract/reconciliations.ts'
import { type AvailabilityPorts, locationsOf } from '../routes.ts'
import { differencesOf, listReconciliations, reconciliationOf } from '../views/reconciliations.ts'
import { assertStaff } from './adjustments.ts'

export type ReconciliationVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly ask: (command: {
    readonly request: ReconciliationRequest
    readonly actor: string
    readonly traceId: string
    readonly claim: Claim
  }) => Promise<{ readonly status: 202; readonly body: ReconciliationView } | Replay>
}

const BASE = '/process/inventory/v1/reconciliations'
const Id = z.object({ id: z.coerce.number().int().min(1).describe('Its number').meta({ example: 17 }) })

export const reconciliationRoutes = (verbs: ReconciliationVerbs): Route[] => [
  ask(verbs),
  list(verbs),
  read(verbs),
  readDifferences(verbs),
]

const ask = (verbs: ReconciliationVerbs): Route =>
  route({
    method: 'POST',
    path: BASE,
    operationId: 'reconciliations.create',
    summary: 'Hold our books of a location against what its source counts',
    description:
      'A worker asks the source within seconds; read it by its number. What was never told is asked for before anything ' +
      'is corrected; then differences within the tolerance of the source are taken, and owners are told of the others, ' +
      'once for each cause. With `dryRun` the same is shown, and nothing is changed.',
    scope: 'process.reconciliations:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    body: ReconciliationRequest,
    idempotent: true,
    answers: { 202: { description: 'It is asked for', body: ReconciliationView } },
    refusals: ['inventory.company_unknown', 'inventory.location_unknown', 'inventory.nobody_counts'],
    example: { body: { company: 'NWF', location: 'DC1', dryRun: true }, answer: ASKED },
    handler({ body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, body.company)
      locationsOf(verbs, body)
      return verbs.ask({ request: body, actor: principal.client, traceId, claim: idempotency })
    },
  })

const Listed = PageQuery.extend({
  company: z.string().min(1).max(12),
  location: z.string().min(1).max(20).optional(),
  day: z.iso.date().optional().describe("By the company's clock"),
})

const list = (verbs: ReconciliationVerbs): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'reconciliations.list',
    summary: 'Reconciliations, the newest first: the proof of agreement of each day',
    scope: 'process.reconciliations:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page', body: pageOf(ReconciliationView) } },
    refusals: ['inventory.company_unknown', 'inventory.location_unknown', 'http.cursor_invalid'],
    example: { query: { company: 'NWF', limit: 50 }, answer: { items: [DONE] } },
    async handler(request) {
      const { limit, ...filter } = request.query
      assertStaff(request.principal, filter.company)
      locationsOf(verbs, filter)
      const before = (verbs.pages.after(request)?.[0] as number | undefined) ?? Number.MAX_SAFE_INTEGER
      const found = await listReconciliations(verbs.queries, filter, { before, limit: limit + 1 })
      const page = found.slice(0, limit)
      return verbs.pages.answer(request, page, found.length > limit ? [page.at(-1)!.id] : undefined)
    },
  })

async function found(
  { queries }: ReconciliationVerbs,
  {
    params,
    principal,
  }: { readonly params: z.infer<typeof Id>; readonly principal: { partner?: string | undefined } },
): Promise<ReconciliationView> {
  const view = principal.partner === undefined ? await reconciliationOf(queries, params.id) : undefined
  if (view) return view
  throw new Refusal('inventory.reconciliation_unknown', `there is no reconciliation ${params.id}`)
}

const read = (verbs: ReconciliationVerbs): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'reconciliations.read',
    summary: 'One reconciliation',
    scope: 'process.reconciliations:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: Id,
    answers: { 200: { description: 'How far it is and what it found', body: ReconciliationView } },
    refusals: ['inventory.reconciliation_unknown'],
    example: { params: { id: 17 }, answer: DONE },
    handler: async (request) => ({ status: 200, body: await found(verbs, request) }),
  })

const readDifferences = (verbs: ReconciliationVerbs): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id/differences`,
    operationId: 'reconciliations.differences',
    summary: 'What differed, item by item',
    scope: 'process.reconciliations:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: Id,
    query: PageQuery,
    answers: { 200: { description: 'A page', body: pageOf(ReconciliationDifference) } },
    refusals: ['inventory.reconciliation_unknown', 'http.cursor_invalid'],
    example: { params: { id: 17 }, query: { limit: 50 }, answer: { items: [DIFFERENCE] } },
    async handler(request) {
      const { id } = await found(verbs, request)
      const { limit } = request.query
      const after = (verbs.pages.after(request)?.[0] as number | undefined) ?? 0
      const rows = await differencesOf(verbs.queries, id, { after, limit: limit + 1 })
      const page = rows.slice(0, limit)
      return verbs.pages.answer(
        request,
        page.map(({ itemId: _, ...difference }) => difference),
        rows.length > limit ? [page.at(-1)!.itemId] : undefined,
      )
    },
  })

const ASKED = {
  id: 17,
  company: 'NWF',
  location: 'DC1',
  source: 'wms',
  day: '2026-11-21',
  dryRun: true,
  state: 'asked',
  askedBy: 'anna',
  askedAt: '2026-11-21T08:30:00.000Z',
  whole: true,
  matched: 0,
  differing: 0,
  missingHere: 0,
  missingThere: 0,
  recovered: 0,
  adjusted: 0,
  told: 0,
  notSaid: 0,
  unread: 0,
  value: '0.00',
  currency: 'USD',
} satisfies z.input<typeof ReconciliationView>

const DONE = {
  ...ASKED,
  dryRun: false,
  state: 'done',
  finishedAt: '2026-11-21T08:30:02.410Z',
  takenAt: '2026-11-21T08:30:01.200Z',
  mark: 48_112,
  matched: 412,
  differing: 2,
  adjusted: 1,
  told: 1,
  value: '118.40',
} satisfies z.input<typeof ReconciliationView>

const DIFFERENCE = {
  sku: '10012',
  kind: 'differing',
  ours: { available: '480', qualityHold: '0', damaged: '0' },
  theirs: { available: '468', qualityHold: '0', damaged: '0' },
  value: '86.40',
  outcome: 'told',
} satisfies z.input<typeof ReconciliationDifference>
