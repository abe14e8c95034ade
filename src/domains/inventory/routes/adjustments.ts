/** The HTTP doors of what people say of stock. What spans domains is handed in by app.ts. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import * as example from '../contract/adjustment-examples.ts'
import { AdjustmentAnswer, AdjustmentDecision, AdjustmentRequest } from '../contract/adjustments.ts'
import { adjustmentOf, listAdjustments } from '../operations/adjustments.ts'
import { locationsOf, type AvailabilityPorts } from '../routes.ts'
import { tellAdjustment } from '../views/adjustments.ts'

type By = { readonly actor: string; readonly traceId: string; readonly claim: Claim }

export type AdjustmentVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly numbers: {
    readonly adjustment: (id: number) => string
    /** Undefined when the text is no number of an adjustment. */
    readonly parse: (text: string, letter: 'A') => number | undefined
  }
  readonly adjust: (
    command: By & { request: AdjustmentRequest },
  ) => Promise<{ readonly status: 200 | 201 | 202; readonly body: AdjustmentAnswer } | Replay>
  readonly decide: (
    command: By & { id: number; verdict: 'approve' | 'reject'; reason: string },
  ) => Promise<{ readonly status: 200 | 201 | 202; readonly body: AdjustmentAnswer } | Replay>
}

const BASE = '/process/inventory/v1/adjustments'
const Id = z.object({
  id: z.string().min(1).max(40).describe('Our number of the adjustment').meta({ example: 'A-1000071' }),
})

export const adjustmentRoutes = (verbs: AdjustmentVerbs): Route[] => [
  adjust(verbs),
  list(verbs),
  read(verbs),
  decide(verbs, 'approve', 'Book an adjustment that another person entered'),
  decide(verbs, 'reject', 'Do not book an adjustment that another person entered'),
]

/** Stock is the distributor's own; a partner sees none of it. */
export function assertStaff({ partner }: { readonly partner?: string | undefined }, company: string): void {
  if (partner !== undefined)
    throw new Refusal('inventory.company_unknown', `there is no company ${company}`, {}, '/company')
}

const adjust = (verbs: AdjustmentVerbs): Route =>
  route({
    method: 'POST',
    path: BASE,
    operationId: 'adjustments.create',
    summary: 'Put stock right',
    description:
      'Counts, finds, losses, changes of status, returns and transfers, all lines at once. What is worth more than the ' +
      'company lets one person change waits until another approves it. With `dryRun` nothing is changed.',
    scope: 'process.adjustments:write',
    rateClass: 'commands',
    bodyLimitBytes: 256 * 1024,
    body: AdjustmentRequest,
    idempotent: true,
    answers: {
      200: { description: 'What would be booked', body: AdjustmentAnswer },
      201: { description: 'It is booked', body: AdjustmentAnswer },
      202: { description: 'It waits for another person', body: AdjustmentAnswer },
    },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'inventory.adjustment_contradicts',
      'inventory.owner_has_less',
      'inventory.lot_required',
      'inventory.serials_required',
      'inventory.serials_not_kept',
      'inventory.serial_repeated',
      'inventory.serial_not_there',
      'inventory.serial_has_place',
      'inventory.lot_unknown',
      'items.unit_unknown',
      'items.quantity_not_positive',
      'items.quantity_not_whole',
      'items.quantity_not_exact',
      'quantity.malformed',
    ],
    example: { body: example.request, answer: example.adjustment },
    handler({ body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, body.company)
      return verbs.adjust({ request: body, actor: principal.client, traceId, claim: idempotency })
    },
  })

const Listed = PageQuery.extend({
  company: z.string().min(1).max(12),
  state: z.enum(['pending', 'booked', 'rejected']).optional(),
})

const list = (verbs: AdjustmentVerbs): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'adjustments.list',
    summary: 'Adjustments, the newest first',
    scope: 'process.adjustments:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page', body: pageOf(AdjustmentAnswer) } },
    refusals: ['inventory.company_unknown', 'http.cursor_invalid'],
    example: { query: { company: 'NWF', limit: 50 }, answer: { items: [example.adjustment] } },
    async handler(request) {
      const { company, state, limit } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company })
      const after = verbs.pages.after(request)?.[0] as number | undefined
      const found = await listAdjustments(verbs.queries, { company, state }, after, limit + 1)
      const page = found.slice(0, limit)
      return verbs.pages.answer(
        request,
        page.map((one) => tellAdjustment(one, verbs.numbers.adjustment, false)),
        found.length > limit ? [page.at(-1)!.id] : undefined,
      )
    },
  })

function idOf({ numbers }: AdjustmentVerbs, text: string): number {
  const id = numbers.parse(text, 'A')
  if (id === undefined) throw unknown(text)
  return id
}

const unknown = (text: string): Refusal =>
  new Refusal('inventory.adjustment_unknown', `there is no adjustment ${text}`)

const read = (verbs: AdjustmentVerbs): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'adjustments.read',
    summary: 'One adjustment',
    scope: 'process.adjustments:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: Id,
    answers: { 200: { description: 'As it stands', body: AdjustmentAnswer } },
    refusals: ['inventory.adjustment_unknown'],
    example: { params: { id: 'A-1000071' }, answer: example.adjustment },
    async handler({ params, principal }) {
      const found = await adjustmentOf(verbs.queries, idOf(verbs, params.id))
      if (!found || principal.partner !== undefined) throw unknown(params.id)
      return { status: 200, body: tellAdjustment(found, verbs.numbers.adjustment, false) }
    },
  })

const decide = (verbs: AdjustmentVerbs, verdict: 'approve' | 'reject', summary: string): Route =>
  route({
    method: 'POST',
    path: `${BASE}/:id:${verdict}`,
    operationId: `adjustments.${verdict}`,
    summary,
    scope: 'process.adjustments:approve',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    params: Id,
    body: AdjustmentDecision,
    idempotent: true,
    answers: {
      200: { description: 'As it stands now', body: AdjustmentAnswer },
    },
    refusals: [
      'inventory.adjustment_unknown',
      'inventory.adjustment_decided',
      'inventory.second_person_needed',
      'inventory.owner_has_less',
      'inventory.serial_not_there',
    ],
    example: {
      params: { id: 'A-1000071' },
      body: { reason: 'Counted again with Ann' },
      answer: { ...example.adjustment, decidedBy: 'bob', decidedAt: '2026-11-21T09:30:00.000Z', version: 2 },
    },
    handler({ params, body, principal, trace: { traceId }, idempotency }) {
      if (principal.partner !== undefined) throw unknown(params.id)
      const by = { actor: principal.client, traceId, claim: idempotency }
      return verbs.decide({ ...by, id: idOf(verbs, params.id), verdict, reason: body.reason }) as Promise<
        { readonly status: 200; readonly body: AdjustmentAnswer } | Replay
      >
    },
  })
