/** The HTTP doors of backorder runs. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { BackorderChange, BackorderRun, BackorderRunRequest } from '../contract/backorder-runs.ts'
import { backorderRunOf, changesOfRun, listBackorderRuns } from '../views/backorder-runs.ts'

const BASE = '/process/inventory/v1/backorder-runs'

export type BackorderRunPorts = {
  readonly queries: Queries
  readonly pages: Pages
  readonly companies: () => readonly string[]
  readonly orderNumber: (doc: number) => string
  readonly command: (command: {
    request: BackorderRunRequest
    actor: string
    traceId: string
    claim: Claim
  }) => Promise<{ readonly status: 201 | 202; readonly body: BackorderRun } | Replay>
}

export const backorderRunRoutes = (ports: BackorderRunPorts): Route[] => [
  commandRun(ports),
  listRuns(ports),
  readRun(ports),
]

const commandRun = (ports: BackorderRunPorts): Route =>
  route({
    method: 'POST',
    path: BASE,
    operationId: 'backorderRuns.command',
    summary: 'Plan who wins and who loses, or do what was planned',
    description:
      'With dryRun true it plans and changes nothing. With dryRun false the changes of a run are made, item by item: ' +
      'each exactly as it was shown, or none of the item, and the run says what has changed meanwhile. What a warehouse ' +
      'was asked for is never touched.',
    scope: 'process.backorders:write',
    rateClass: 'commands',
    bodyLimitBytes: 1024 * 1024,
    body: BackorderRunRequest,
    idempotent: true,
    answers: {
      201: { description: 'The planned run', body: BackorderRun },
      202: { description: 'The run, which goes on by itself', body: BackorderRun },
    },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'inventory.backorder_run_incomplete',
      'inventory.backorder_run_too_large',
      'inventory.backorder_run_unknown',
      'inventory.backorder_run_started',
    ],
    example: { body: ASKED, answer: EXAMPLE },
    handler: ({ body, principal: { client }, trace: { traceId }, idempotency }) =>
      ports.command({ request: body, actor: client, traceId, claim: idempotency }),
  })

const Listed = PageQuery.extend({ company: z.string().min(1).max(12) })

const listRuns = (ports: BackorderRunPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'backorderRuns.list',
    summary: 'Backorder runs, the newest first',
    scope: 'process.backorders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page of runs', body: pageOf(BackorderRun) } },
    refusals: ['http.cursor_invalid', 'inventory.company_unknown'],
    example: { query: { company: 'NWF', limit: 50 }, answer: { items: [EXAMPLE] } },
    async handler(request) {
      const { company, limit } = request.query
      if (!ports.companies().includes(company)) {
        const message = `there is no company ${company}; there are ${ports.companies().join(', ')}`
        throw new Refusal('inventory.company_unknown', message, {}, '/query/company')
      }
      const [before] = ports.pages.after(request) ?? []
      const from = before === undefined ? undefined : Number(before)
      const rows = await listBackorderRuns(ports.queries, company, { before: from, limit: limit + 1 })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return ports.pages.answer(request, page, last && [last.id])
    },
  })

const RunId = z.object({ id: z.int().min(1) })

const ChangesOfRun = pageOf(BackorderChange).extend({ run: BackorderRun })

const readRun = (ports: BackorderRunPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'backorderRuns.read',
    summary: 'A backorder run, how far it is, and a page of its changes',
    scope: 'process.backorders:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: RunId,
    query: PageQuery,
    answers: {
      200: {
        description: 'The run and its changes, item by item',
        body: ChangesOfRun,
      },
    },
    refusals: ['http.cursor_invalid', 'inventory.backorder_run_unknown'],
    example: { params: { id: 12 }, query: { limit: 50 }, answer: { run: EXAMPLE, items: [CHANGE] } },
    async handler(request) {
      const { id } = request.params
      const run = await backorderRunOf(ports.queries, id)
      if (!run) throw new Refusal('inventory.backorder_run_unknown', `no run has the number ${id}`)
      const { limit } = request.query
      const [after = 0] = ports.pages.after(request) ?? []
      const { orderNumber } = ports
      const rows = await changesOfRun(ports.queries, id, {
        after: Number(after),
        limit: limit + 1,
        orderNumber,
      })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const answer = ports.pages.answer(
        request,
        page.map(({ change }) => change),
        last && [last.n],
      )
      return { ...answer, body: { run, ...answer.body } }
    },
  })

const RULES = {
  segments: [
    { class: 'win', when: { customers: ['C-1007'] }, sortBy: ['requested-date'] },
    { class: 'lose', when: { customerGroups: ['OUTLET'] }, sortBy: [] },
  ],
  otherwise: 'fill',
} satisfies z.infer<typeof BackorderRun>['rules']

const ASKED = { dryRun: true, company: 'NWF', items: ['10012'], rules: RULES } satisfies z.input<
  typeof BackorderRunRequest
>

const EXAMPLE = {
  id: 12,
  company: 'NWF',
  state: 'planned',
  items: ['10012'],
  rules: RULES,
  plannedBy: 'planner',
  plannedAt: '2026-11-21T08:30:00.000Z',
  changes: { planned: 2, applied: 0, changed: 0, withheld: 0 },
} satisfies z.input<typeof BackorderRun>

const CHANGE = {
  order: 'O-1000017',
  line: 1,
  sku: '10012',
  class: 'win',
  location: 'CHI-1',
  quantity: '48',
  reserved: '0',
  backordered: '48',
  expectedBefore: '2026-12-04',
  expectedAfter: '2026-11-21',
  state: 'planned',
} satisfies z.input<typeof BackorderChange>
