/** The HTTP doors of what channels reserve. What spans domains is handed in by app.ts. */
import { z } from 'zod'
import { backlogRefusals } from '#platform/backlog.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { etag } from '#platform/http-preconditions.ts'
import * as example from '../contract/examples.ts'
import {
  CommitRequest,
  ExtendRequest,
  type Parts,
  ReleaseRequest,
  ReservationAnswer,
  ReservationRequest,
  SplitAnswer,
  SplitRequest,
  TransferRequest,
} from '../contract/reservations.ts'
import {
  channelReservations,
  isPartners,
  listChannelReservations,
  tellReservation,
} from '../views/reservations.ts'

/** What is asked of one reservation. */
export type AskedReservation = {
  readonly id: number
  readonly actor: string
  /** Acts on its own alone. */
  readonly partner: string | undefined
  readonly ifMatch: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

type Reached<Body> = Promise<{ readonly status: 200; readonly body: Body } | Replay>
type Verb<More, Body = ReservationAnswer> = (asked: AskedReservation & More) => Reached<Body>
type Renamed = { readonly channel?: string | undefined; readonly reference?: string | undefined }

export type ReservationVerbs = {
  readonly queries: Queries
  readonly pages: Pages
  readonly numbers: {
    readonly reservation: (id: number) => string
    /** Undefined when the text is no number of a reservation. */
    readonly parse: (text: string, letter: 'R') => number | undefined
  }
  readonly reserve: (arrival: {
    request: ReservationRequest
    client: string
    partner: string | undefined
    traceId: string
    claim: Claim
  }) => Promise<ReservationAnswer | Replay>
  readonly extend: Verb<{ readonly expiresAt: string }>
  readonly transfer: Verb<Renamed>
  readonly split: Verb<Renamed & { readonly lines: Parts }, SplitAnswer>
  readonly release: Verb<{ readonly lines?: Parts | undefined }>
  readonly commit: Verb<object>
}

const BASE = '/process/available-to-promise/v1/reservations'
const READ = 'process.reservations:read'
const WRITE = 'process.reservations:write'
const Id = z.object({
  id: z.string().min(1).max(40).describe('Our number of the reservation').meta({ example: 'R-1000060' }),
})
const FOUND = ['inventory.reservation_unknown', 'inventory.reservation_ended', 'http.precondition_failed']
const PARTS = [
  'inventory.line_unknown',
  'inventory.more_than_open',
  'items.quantity_not_positive',
  'items.quantity_not_whole',
  'quantity.malformed',
]

export const reservationRoutes = (verbs: ReservationVerbs): Route[] => [
  reserve(verbs),
  list(verbs),
  read(verbs),
  ...actRoutes(verbs),
]

const reserve = (verbs: ReservationVerbs): Route =>
  route({
    method: 'POST',
    path: BASE,
    operationId: 'reservations.create',
    summary: 'Reserve stock for a channel',
    description:
      'All lines at once, all or nothing or what is there, as the mode says; demand for one item is added up first. ' +
      'Nobody gets what an order waits for that came before.',
    scope: WRITE,
    rateClass: 'orders',
    bodyLimitBytes: 256 * 1024,
    body: ReservationRequest,
    idempotent: true,
    answers: { 201: { description: 'What is kept, and where', body: ReservationAnswer } },
    refusals: [
      ...Object.keys(backlogRefusals),
      'inventory.company_unknown',
      'inventory.location_unknown',
      'inventory.location_group_unknown',
      'inventory.places_contradict',
      'inventory.line_repeated',
      'inventory.expiry_not_ahead',
      'inventory.expiry_too_far',
      'inventory.firm_does_not_expire',
      'inventory.not_available',
      'items.unknown',
      'items.blocked',
      'items.unit_unknown',
      'items.quantity_not_positive',
      'items.quantity_not_whole',
      'items.quantity_not_exact',
      'quantity.malformed',
    ],
    example: { body: example.request, answer: example.reservation },
    async handler({ body, principal: { client, partner }, trace: { traceId }, idempotency }) {
      const arrival = { request: body, client, partner, traceId, claim: idempotency }
      const answer = await verbs.reserve(arrival)
      return 'replayed' in answer ? answer : { status: 201, body: answer }
    },
  })

const Listed = PageQuery.extend({
  company: z.string().min(1).max(12).optional(),
  channel: z.string().min(1).max(32).optional(),
  state: z.enum(['open', 'ended']).optional(),
  sku: z.string().min(1).max(40).optional().describe('Those with a line of this item'),
})

const list = ({ queries, pages, numbers }: ReservationVerbs): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'reservations.list',
    summary: 'Reservations, the newest first',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: Listed,
    answers: { 200: { description: 'A page', body: pageOf(ReservationAnswer) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { channel: 'portal', state: 'open' }, answer: { items: [example.reservation] } },
    async handler(request) {
      const { company, channel, state, sku, limit } = request.query
      const filter = { company, channel, state, sku, partner: request.principal.partner }
      const after = pages.after(request)?.[0]
      const found = await listChannelReservations(
        queries,
        filter,
        after === undefined ? undefined : Number(after),
        limit + 1,
      )
      const shown = found.slice(0, limit)
      const next = found.length > limit ? [shown.at(-1)!.id] : undefined
      return pages.answer(
        request,
        shown.map((one) => tellReservation(one, numbers.reservation)),
        next,
      )
    },
  })

const read = ({ queries, numbers }: ReservationVerbs): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'reservations.read',
    summary: 'One reservation',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: Id,
    answers: { 200: { description: 'As it stands', body: ReservationAnswer } },
    refusals: ['inventory.reservation_unknown'],
    example: { params: { id: 'R-1000060' }, answer: example.reservation },
    async handler({ params, principal }) {
      const id = idOf(numbers, params.id)
      const found = (await channelReservations(queries, [id])).get(id)
      if (!found || !isPartners(found, principal.partner)) throw unknown(params.id)
      const headers = { etag: etag(found.version) }
      return { status: 200, headers, body: tellReservation(found, numbers.reservation) }
    },
  })

const unknown = (id: string): Refusal =>
  new Refusal('inventory.reservation_unknown', `there is no reservation ${id}`)

function idOf({ parse }: ReservationVerbs['numbers'], text: string): number {
  const id = parse(text, 'R')
  if (id === undefined) throw unknown(text)
  return id
}

function asked(
  { numbers }: ReservationVerbs,
  { params, principal, ifMatch, trace, idempotency }: Request<{ id: string }, unknown, unknown, Claim>,
): AskedReservation {
  return {
    id: idOf(numbers, params.id),
    actor: principal.client,
    partner: principal.partner,
    ifMatch,
    traceId: trace.traceId,
    claim: idempotency,
  }
}

const common = {
  method: 'POST',
  scope: WRITE,
  rateClass: 'commands',
  bodyLimitBytes: 64 * 1024,
  params: Id,
  idempotent: true,
} as const

const asItIs = { 200: { description: 'The reservation as it now is', body: ReservationAnswer } } as const
const params = { id: 'R-1000060' }

const actRoutes = (verbs: ReservationVerbs): Route[] => [
  route({
    ...common,
    path: `${BASE}/:id:extend`,
    operationId: 'reservations.extend',
    summary: 'Let a soft reservation end at another time',
    body: ExtendRequest,
    answers: asItIs,
    refusals: [
      ...FOUND,
      'inventory.firm_does_not_expire',
      'inventory.expiry_not_ahead',
      'inventory.expiry_too_far',
    ],
    example: { params, body: { expiresAt: '2026-11-21T09:00:00Z' }, answer: example.reservation },
    handler: (request) => verbs.extend({ ...asked(verbs, request), ...request.body }),
  }),
  route({
    ...common,
    path: `${BASE}/:id:transfer`,
    operationId: 'reservations.transfer',
    summary: 'Keep it for another channel or reference',
    body: TransferRequest,
    answers: asItIs,
    refusals: FOUND,
    example: { params, body: { reference: 'quote-17' }, answer: example.reservation },
    handler: (request) => verbs.transfer({ ...asked(verbs, request), ...request.body }),
  }),
  route({
    ...common,
    path: `${BASE}/:id:split`,
    operationId: 'reservations.split',
    summary: 'Move a part into a reservation of its own',
    description:
      'The stock stays where it is kept; the new one is of the same kind and ends at the same time.',
    body: SplitRequest,
    answers: { 200: { description: 'Both, as they now are', body: SplitAnswer } },
    refusals: [...FOUND, ...PARTS],
    example: { params, body: example.splitRequest, answer: example.split },
    handler: (request) => verbs.split({ ...asked(verbs, request), ...request.body }),
  }),
  route({
    ...common,
    path: `${BASE}/:id:release`,
    operationId: 'reservations.release',
    summary: 'Give all or a part back',
    description: 'What is given back is for who waits for it first.',
    body: ReleaseRequest,
    answers: asItIs,
    refusals: [...FOUND, ...PARTS],
    example: { params, body: {}, answer: example.reservation },
    handler: (request) => verbs.release({ ...asked(verbs, request), lines: request.body.lines }),
  }),
  route({
    ...common,
    path: `${BASE}/:id:commit`,
    operationId: 'reservations.commit',
    summary: 'Make a soft reservation firm',
    description:
      'It then lasts until it is released or an order takes it over: one that names it as its reservationId.',
    body: CommitRequest,
    answers: asItIs,
    refusals: FOUND,
    example: { params, body: {}, answer: example.reservation },
    handler: (request) => verbs.commit(asked(verbs, request)),
  }),
]
