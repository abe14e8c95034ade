/** The HTTP doors of lots: which to take first, hold and release, where they were shipped. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { parseQuantity } from '#platform/quantity.ts'
import { LotAnswer, LotDescription, LotRequest, LotShipment, LotView } from '../contract/lots.ts'
import { itemsOf, locationsOf, type AvailabilityPorts } from '../routes.ts'
import { lotsInOrder } from '../views/lots.ts'
import { assertStaff } from './adjustments.ts'

type By = { readonly actor: string; readonly traceId: string; readonly claim: Claim }
type Reached<Body> = Promise<{ readonly status: 200; readonly body: Body } | Replay>

/** Where a page of shipments ended. */
export type ShippedAfter = readonly [shipment: number, line: number]

export type LotVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly pages: Pages
  readonly today: (company: string) => string
  readonly move: (command: By & { verb: 'hold' | 'release'; request: LotRequest }) => Reached<LotAnswer>
  readonly describe: (command: By & { request: LotDescription }) => Reached<LotDescription>
  /** The newest first; `next` where there are more. */
  readonly shipments: (
    asked: { company: string; itemId: number; lot: string },
    after: ShippedAfter | undefined,
    limit: number,
  ) => Promise<{ readonly items: LotShipment[]; readonly next: ShippedAfter | undefined }>
}

const LOTS = '/process/inventory/v1/lots'
const UNKNOWN = ['inventory.company_unknown', 'inventory.item_unknown']

export const lotRoutes = (verbs: LotVerbs): Route[] => [
  list(verbs),
  act(verbs, 'hold', 'Put a lot on quality hold wherever it lies'),
  act(verbs, 'release', 'Let a lot that is on quality hold go'),
  describe(verbs),
  shipments(verbs),
]

const asked = { company: 'NWF', sku: '10012', lot: 'L2419' }

const ListedLots = z.object({
  company: z.string().min(1).max(12),
  sku: z.string().min(1).max(40),
  location: z.string().min(1).max(32).optional(),
  quantity: z.string().max(20).optional().describe('Decimal as text, in the base unit'),
})

const LotsThere = z.object({ items: z.array(LotView) })

const list = (verbs: LotVerbs): Route =>
  route({
    method: 'GET',
    path: LOTS,
    operationId: 'lots.list',
    summary: 'Lots of an item, what expires first before the rest',
    description:
      'With a quantity: how much of it comes out of each, first expired first out; nothing of what is held or has expired.',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListedLots,
    answers: {
      200: { description: 'Those of which something is there', body: LotsThere },
    },
    refusals: [...UNKNOWN, 'inventory.location_unknown', 'items.quantity_not_positive', 'quantity.malformed'],
    example: {
      query: { company: 'NWF', sku: '10012', quantity: '60' },
      answer: {
        items: [
          {
            lot: 'L2419',
            location: 'CHI-1',
            expiresOn: '2027-01-31',
            held: false,
            available: '48',
            qualityHold: '0',
            take: '48',
          },
        ],
      },
    },
    async handler({ query: { company, sku, location, quantity }, principal }) {
      assertStaff(principal, company)
      const locations = locationsOf(verbs, { company, location })
      const itemId = (await itemsOf(verbs, { company, sku: [sku] })).get(sku)!.id
      const wanted = quantity === undefined ? undefined : parseQuantity(quantity)
      if (wanted !== undefined && wanted <= 0)
        throw new Refusal(
          'items.quantity_not_positive',
          `${quantity} is nothing to take`,
          {},
          '/query/quantity',
        )
      const today = verbs.today(company)
      const items = await lotsInOrder(verbs.queries, { itemId, company, locations, wanted, today })
      return { status: 200, body: { items } }
    },
  })

function act(verbs: LotVerbs, verb: 'hold' | 'release', summary: string): Route {
  const held = verb === 'hold'
  return route({
    method: 'POST',
    path: `${LOTS}:${verb}`,
    operationId: `lots.${verb}`,
    summary,
    description:
      'At all locations of the company at once, and what comes later. Orders that lose their stock wait for other, ' +
      'and warehouses that were to ship of it are asked to stop; the answer names both. Whoever else loses stock is ' +
      'named by an exception that stays open until the lot is released.',
    scope: 'process.lots:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    body: LotRequest,
    idempotent: true,
    answers: { 200: { description: 'What moved, and whose claims lost their stock', body: LotAnswer } },
    refusals: UNKNOWN,
    example: {
      body: { ...asked, reason: 'recall 2026-8' },
      answer: {
        ...asked,
        held,
        moved: [{ location: 'CHI-1', quantity: '48' }],
        atRisk: [],
        waiting: held ? [{ order: 'O-1000017', line: '1', location: 'CHI-1', quantity: '12' }] : [],
        requests: held
          ? [
              {
                request: 'F-1000031',
                order: 'O-1000016',
                location: 'CHI-1',
                quantity: '6',
                stops: true,
              },
            ]
          : [],
        unit: 'EA',
      },
    },
    handler({ body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, body.company)
      return verbs.move({ verb, request: body, actor: principal.client, traceId, claim: idempotency })
    },
  })
}

const describe = (verbs: LotVerbs): Route =>
  route({
    method: 'POST',
    path: `${LOTS}:set`,
    operationId: 'lots.set',
    summary: 'Say when a lot expires',
    scope: 'process.lots:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    body: LotDescription,
    idempotent: true,
    answers: { 200: { description: 'As it is known now', body: LotDescription } },
    refusals: UNKNOWN,
    example: { body: { ...asked, expiresOn: '2027-01-31' }, answer: { ...asked, expiresOn: '2027-01-31' } },
    handler({ body, principal, trace: { traceId }, idempotency }) {
      assertStaff(principal, body.company)
      return verbs.describe({ request: body, actor: principal.client, traceId, claim: idempotency })
    },
  })

const ListedShipments = PageQuery.extend({
  company: z.string().min(1).max(12),
  sku: z.string().min(1).max(40),
})

const LotNumber = z.object({ lot: z.string().min(1).max(40).meta({ example: 'L2419' }) })

const shipments = (verbs: LotVerbs): Route =>
  route({
    method: 'GET',
    path: `${LOTS}/:lot/shipments`,
    operationId: 'lots.shipments',
    summary: 'Where a lot was shipped, the newest first',
    scope: 'process.inventory:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: LotNumber,
    query: ListedShipments,
    answers: { 200: { description: 'A page', body: pageOf(LotShipment) } },
    refusals: [...UNKNOWN, 'http.cursor_invalid'],
    example: {
      params: { lot: 'L2419' },
      query: { company: 'NWF', sku: '10012', limit: 50 },
      answer: {
        items: [
          {
            shipment: 'S-1000031',
            order: 'O-1000017',
            customer: '500001',
            customerOrder: 'PO-88123',
            location: 'CHI-1',
            shippedAt: '2026-11-20T16:10:00.000Z',
            carrier: 'SWIFT',
            number: 'SH-20418',
            quantity: '24',
            expiresOn: '2027-01-31',
          },
        ],
      },
    },
    async handler(request) {
      const { company, sku, limit } = request.query
      assertStaff(request.principal, company)
      locationsOf(verbs, { company })
      const itemId = (await itemsOf(verbs, { company, sku: [sku] })).get(sku)!.id
      const after = verbs.pages.after(request) as ShippedAfter | undefined
      const found = await verbs.shipments({ company, itemId, lot: request.params.lot }, after, limit)
      return verbs.pages.answer(request, found.items, found.next)
    },
  })
