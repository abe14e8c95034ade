/** The HTTP doors of what people enter for a warehouse whose system is away. What spans domains is handed in by app.ts. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { HandAnswer, HandRequest, HandSettling, HandView } from '../contract/by-hand.ts'
import { listByHand } from '../operations/by-hand.ts'
import { type AvailabilityPorts, locationsOf } from '../routes.ts'
import { type HandNumbers, tellByHand } from '../views/by-hand.ts'
import { assertStaff } from './adjustments.ts'
import type { NamedItem } from './ledger.ts'

type By = { readonly actor: string; readonly traceId: string; readonly claim: Claim }

export type HandVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly itemsById: (ids: readonly number[]) => Promise<ReadonlyMap<number, NamedItem>>
  readonly numbers: HandNumbers
  readonly enterByHand: (
    command: By & { request: HandRequest },
  ) => Promise<{ readonly status: 200 | 201; readonly body: HandAnswer } | Replay>
  readonly settleByHand: (
    command: By & { document: string; reason: string },
  ) => Promise<{ readonly status: 200; readonly body: { readonly settled: number } } | Replay>
}

const PATH = '/process/inventory/v1/by-hand'

export const handRoutes = (verbs: HandVerbs): Route[] => [enter(verbs), list(verbs), settle(verbs)]

const enter = (verbs: HandVerbs): Route =>
  route({
    method: 'POST',
    path: PATH,
    operationId: 'byHand.enter',
    summary: 'Enter what a warehouse picked or shipped while its system is away',
    description:
      "It acts as the warehouse's own word would: what left is billed. When its system tells of it, what equals the paper " +
      'is known, and what differs is booked once and becomes an exception. Counts are entered as adjustments with the ' +
      'reason `outage`.',
    scope: 'process.adjustments:write',
    rateClass: 'commands',
    bodyLimitBytes: 256 * 1024,
    body: HandRequest,
    idempotent: true,
    answers: {
      200: { description: 'What would be booked', body: HandAnswer },
      201: { description: 'It is booked', body: HandAnswer },
    },
    refusals: [
      'inventory.company_unknown',
      'inventory.request_unknown',
      'inventory.request_line_unknown',
      'inventory.more_than_requested',
      'inventory.paper_known',
      'inventory.time_ahead',
      'inventory.told_by_warehouse',
      'inventory.hand_line_contradicts',
      'inventory.sscc_invalid',
      'inventory.lot_required',
      'inventory.serials_required',
      'inventory.serials_not_kept',
      'inventory.serial_repeated',
      'inventory.serial_not_there',
      'items.unit_unknown',
      'items.quantity_not_positive',
      'items.quantity_not_whole',
      'items.quantity_not_exact',
      'quantity.malformed',
    ],
    example: {
      body: {
        company: 'NWF',
        kind: 'shipped',
        request: 'F-1000031',
        reference: 'delivery note 4711',
        at: '2026-11-20T16:10:00Z',
        carrier: 'SWIFT',
        final: true,
        lines: [{ line: 1, quantity: '24', lot: 'L2419' }],
      },
      answer: {
        document: 'S-1000032',
        request: 'F-1000031',
        order: 'O-1000017',
        lines: [{ line: 1, sku: '10012', quantity: '24', unit: 'EA', lot: 'L2419', short: false }],
        dryRun: false,
      },
    },
    handler({ body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, body.company)
      return verbs.enterByHand({ request: body, actor: principal.client, traceId, claim: idempotency })
    },
  })

const Listed = PageQuery.extend({
  company: z.string().min(1).max(12),
  state: z.enum(['open', 'all']).default('all').describe('open: of which the warehouse has not told all'),
})

const list = (verbs: HandVerbs): Route =>
  route({
    method: 'GET',
    path: PATH,
    operationId: 'byHand.list',
    summary: 'What people entered for warehouses, the newest first',
    scope: 'process.adjustments:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page', body: pageOf(HandView) } },
    refusals: ['inventory.company_unknown', 'http.cursor_invalid'],
    example: {
      query: { company: 'NWF', state: 'open', limit: 50 },
      answer: {
        items: [
          {
            kind: 'ship',
            document: 'S-1000032',
            request: 'F-1000031',
            line: 1,
            sku: '10012',
            location: 'CHI-1',
            lot: 'L2419',
            quantity: '24',
            open: '24',
            unit: 'EA',
            reference: 'delivery note 4711',
            actor: 'ann',
            at: '2026-11-20T16:10:00.000Z',
            enteredAt: '2026-11-20T17:02:00.000Z',
          },
        ],
      },
    },
    async handler(request) {
      const { company, state, limit } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company })
      const after = verbs.pages.after(request)?.[0] as number | undefined
      const found = await listByHand(verbs.queries, { company, open: state === 'open' }, after, limit + 1)
      const page = found.slice(0, limit)
      const items = await verbs.itemsById([...new Set(page.map(({ itemId }) => itemId))])
      return verbs.pages.answer(
        request,
        page.map((row) => tellByHand(row, verbs.numbers, items.get(row.itemId)!)),
        found.length > limit ? [page.at(-1)!.id] : undefined,
      )
    },
  })

const HandDocument = z.object({
  document: z.string().min(1).max(40).describe('As it is listed').meta({ example: 'S-1000032' }),
})

const Settled = z.object({ settled: z.int() })

const settle = (verbs: HandVerbs): Route =>
  route({
    method: 'POST',
    path: `${PATH}/:document:settle`,
    operationId: 'byHand.settle',
    summary: 'Say that a warehouse will tell no more of what was entered',
    description: 'It stands as the paper says, and what the warehouse tells from then on is new.',
    scope: 'process.adjustments:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    params: HandDocument,
    body: HandSettling,
    idempotent: true,
    answers: {
      200: { description: 'How many lines were open', body: Settled },
    },
    refusals: ['inventory.by_hand_unknown'],
    example: {
      params: { document: 'S-1000032' },
      body: { reason: 'the warehouse lost its day' },
      answer: { settled: 1 },
    },
    handler({ params, body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, 'of this document')
      const by = { actor: principal.client, traceId, claim: idempotency }
      return verbs.settleByHand({ ...by, document: params.document, reason: body.reason })
    },
  })
