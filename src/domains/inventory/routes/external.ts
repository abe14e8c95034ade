/** The HTTP door of what other systems have sold of our stock. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { ExternalReservationView } from '../contract/external.ts'
import { type AvailabilityPorts, locationsOf } from '../routes.ts'
import { listExternal } from '../views/external.ts'
import { assertStaff } from './adjustments.ts'

export type ExternalVerbs = AvailabilityPorts & { readonly queries: Queries; readonly pages: Pages }

const Listed = PageQuery.extend({
  company: z.string().min(1).max(12),
  source: z.string().min(1).max(32).optional().describe('Only what this system sold'),
  sku: z.string().min(1).max(40).optional(),
})

export const externalRoutes = (verbs: ExternalVerbs): Route[] => [
  route({
    method: 'GET',
    path: '/process/inventory/v1/external-reservations',
    operationId: 'externalReservations.list',
    summary: 'What other systems have sold of our stock',
    description:
      'Lines that are open at their source and no orders of ours. What is claimed of them lowers what can be promised; ' +
      'where that is less than is wanted, more was sold than there is, and an exception names who claims it.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'By source, order and line', body: pageOf(ExternalReservationView) } },
    refusals: ['http.cursor_invalid', 'inventory.company_unknown'],
    example: { query: { company: 'NWF', sku: '10012', limit: 50 }, answer: { items: [EXAMPLE] } },
    async handler(request) {
      const { limit, company, source, sku } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company })
      const after = (verbs.pages.after(request) ?? []).map(String)
      const found = await listExternal(verbs.queries, { company, source, sku }, { after, limit: limit + 1 })
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const next = last && found.length > limit ? [last.source, last.document, last.line] : undefined
      return verbs.pages.answer(request, page, next)
    },
  }),
]

const EXAMPLE = {
  company: 'NWF',
  source: 'erp-legacy',
  document: '0000451240',
  line: '000010',
  kind: 'order',
  owner: '100123',
  reference: 'phone, Mrs Adams',
  sku: '10012',
  location: 'DC1',
  wanted: '24',
  claimed: '24',
  since: '2026-11-20T10:05:00.000Z',
  changedAt: '2026-11-20T10:02:11.000Z',
  asOf: '2026-11-21T08:00:00.000Z',
} satisfies z.input<typeof ExternalReservationView>
