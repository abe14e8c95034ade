/** The HTTP doors of what can be promised to channels, and of what is kept back for them. */
import { z } from 'zod'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { Allocations, AllocationsRequest } from '../contract/allocations.ts'
import { AvailabilityAnswer, AvailabilityQuestion } from '../contract/availability.ts'
import * as example from '../contract/availability-examples.ts'
import { Sources } from '../contract/freshness.ts'
import { itemsOf, locationsOf, type AvailabilityPorts } from '../routes.ts'
import { allocationsOf } from '../views/allocations.ts'

export type PromiseVerbs = AvailabilityPorts & {
  readonly queries: Queries
  readonly answer: (question: AvailabilityQuestion) => Promise<AvailabilityAnswer>
  readonly sources: () => Promise<Sources>
  readonly setAllocations: (command: {
    request: AllocationsRequest
    actor: string
    traceId: string
    claim: Claim
  }) => Promise<{ readonly status: 200; readonly body: Allocations } | Replay>
}

const QUANTITIES = ['items.quantity_not_positive', 'items.quantity_not_whole', 'quantity.malformed']

export const promiseRoutes = (verbs: PromiseVerbs): Route[] => [
  queryAvailability(verbs),
  setAllocations(verbs),
  listAllocations(verbs),
  listSources(verbs),
]

const queryAvailability = (verbs: PromiseVerbs): Route =>
  route({
    method: 'POST',
    path: '/process/available-to-promise/v1/availability:query',
    operationId: 'availability.query',
    summary: 'What can be promised to a channel, now or on a day ahead',
    description:
      'For up to 500 items at once, by item and place, with the arithmetic when it is asked for. It promises nothing: ' +
      'reservations and orders do, by the same formula.',
    scope: 'process.availability:read',
    rateClass: 'availability',
    bodyLimitBytes: 1024 * 1024,
    body: AvailabilityQuestion,
    idempotent: 'none',
    answers: { 200: { description: 'In the order of the question', body: AvailabilityAnswer } },
    refusals: [
      'inventory.company_unknown',
      'orders.customer_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'inventory.location_group_unknown',
      'inventory.places_contradict',
      'inventory.too_many_items',
      'inventory.date_past',
      'items.blocked',
      'items.unit_unknown',
      'items.quantity_not_exact',
      ...QUANTITIES,
    ],
    example: { body: example.question, answer: example.answer },
    async handler({ body, principal: { partner } }) {
      if (partner !== undefined && body.customer !== undefined && body.customer !== partner)
        throw new Refusal('orders.customer_unknown', 'You can ask for yourself only.', {}, '/customer')
      return { status: 200, body: await verbs.answer(body) }
    },
  })

const setAllocations = (verbs: PromiseVerbs): Route =>
  route({
    method: 'POST',
    path: '/process/inventory/v1/allocations:set',
    operationId: 'allocations.set',
    summary: 'Say what is kept back of items at places',
    description:
      'Safety stock, and what is for channels. It takes the place of whatever was kept there, and what is taken of it ' +
      'counts from nothing again.',
    scope: 'process.allocations:write',
    rateClass: 'commands',
    bodyLimitBytes: 1024 * 1024,
    body: AllocationsRequest,
    idempotent: true,
    answers: { 200: { description: 'All that is kept back of these items', body: Allocations } },
    refusals: [
      'inventory.company_unknown',
      'inventory.item_unknown',
      'inventory.location_unknown',
      'inventory.allocation_contradicts',
      ...QUANTITIES,
    ],
    example: { body: example.allocate, answer: example.allocated },
    handler: ({ body, principal: { client }, trace: { traceId }, idempotency }) =>
      verbs.setAllocations({ request: body, actor: client, traceId, claim: idempotency }),
  })

const Asked = z.object({
  company: z.string().min(1).max(12),
  sku: z.array(z.string().min(1).max(40)).min(1).max(50).describe('Repeat the parameter, up to 50'),
})

const listAllocations = (verbs: PromiseVerbs): Route =>
  route({
    method: 'GET',
    path: '/process/inventory/v1/allocations',
    operationId: 'allocations.list',
    summary: 'What is kept back of items',
    scope: 'process.allocations:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Asked,
    answers: { 200: { description: 'By item and location', body: Allocations } },
    refusals: ['inventory.company_unknown', 'inventory.item_unknown'],
    example: { query: { company: 'NWF', sku: ['10012'] }, answer: example.allocated },
    async handler({ query }) {
      locationsOf(verbs, query)
      const items = await itemsOf(verbs, query)
      const skus = new Map([...items].map(([sku, { id }]) => [id, sku]))
      return {
        status: 200,
        body: { company: query.company, items: await allocationsOf(verbs.queries, skus) },
      }
    },
  })

const listSources = (verbs: PromiseVerbs): Route =>
  route({
    method: 'GET',
    path: '/process/inventory/v1/sources',
    operationId: 'sources.list',
    summary: 'How fresh sources of stock are',
    description:
      'The rule in force for each, when its source was last heard, and whether the rule holds since it is silent.',
    scope: 'process.availability:read',
    rateClass: 'reads',
    bodyLimitBytes: 0,
    answers: { 200: { description: 'In the order of the configuration, others after', body: Sources } },
    refusals: [],
    example: { answer: example.sources },
    handler: async () => ({ status: 200, body: await verbs.sources() }),
  })
