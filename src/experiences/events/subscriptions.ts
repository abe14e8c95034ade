/** The doors to subscriptions: made, shown, changed and deleted; what people do with one stands in acts.ts. */
import { z } from 'zod'
import { pageOf, PageQuery } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { assertMatch, etag } from '#platform/http-preconditions.ts'
import { type Claim, type Request, type Route, route } from '#platform/http.ts'
import { undeliveredOf } from '#platform/subscription-log.ts'
import * as store from '#platform/subscriptions.ts'
import { ChangeRequest, CreateRequest, examples, NewSubscriptionView, SubscriptionView } from './contract.ts'
import { withoutSecret } from './without-secret.ts'
import {
  assertFits,
  create,
  lockedFor,
  remove,
  type SubscriptionPorts,
  viewFor,
  viewOf,
  audit,
} from './steering.ts'

export const BASE = '/experience/events/v1/subscriptions'
export const READ = 'experience.subscriptions:read'
export const WRITE = 'experience.subscriptions:write'
const BODY_BYTES = 16 * 1024

export const subscriptionRoutes = (ports: SubscriptionPorts): Route[] => [
  createRoute(ports),
  listRoute(ports),
  readRoute(ports),
  changeRoute(ports),
  deleteRoute(ports),
]

type Named = { readonly id: string }
type Asking<Params, Body extends z.ZodType> = Request<Params, unknown, z.output<Body>, Claim>

const createRoute = (ports: SubscriptionPorts): Route =>
  route({
    method: 'POST',
    path: BASE,
    operationId: 'subscriptions.create',
    summary: 'Have events sent to an address',
    description:
      'Standard Webhooks 1.0.0. Messages are signed with the secret of the answer, which is shown once; events of one document come in their order, each at least once.',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: BODY_BYTES,
    body: CreateRequest,
    idempotent: true,
    answers: { 201: { description: 'It sends from now on', body: NewSubscriptionView } },
    refusals: [
      'subscriptions.address_refused',
      'subscriptions.type_unknown',
      'subscriptions.too_many',
      'subscriptions.cursor_malformed',
    ],
    example: { body: examples.create, answer: { ...examples.view, secret: examples.secret } },
    handler: oncePerKey(
      ports.database,
      async (tx, request: Asking<unknown, typeof CreateRequest>) => {
        const body = await create(tx, ports, request, request.body)
        return { status: 201 as const, body, headers: { location: `${BASE}/${body.id}` } }
      },
      withoutSecret,
    ),
  })

const ListQuery = PageQuery

const listRoute = ({ queries, pages }: SubscriptionPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'subscriptions.list',
    summary: 'The subscriptions, each with what it has not delivered',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListQuery,
    answers: { 200: { description: 'A page of subscriptions', body: pageOf(SubscriptionView) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { limit: 50 }, answer: { items: [examples.view] } },
    async handler(request) {
      const { limit } = request.query
      const [after] = pages.after(request) ?? []
      const { partner } = request.principal
      const rows = await store.listSubscriptions(queries, {
        partner,
        after: after === undefined ? undefined : String(after),
        limit: limit + 1,
      })
      const page = rows.slice(0, limit)
      const undelivered = await undeliveredOf(
        queries,
        page.map(({ id }) => id),
      )
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(
        request,
        page.map((row) => viewOf(row, undelivered.get(row.id))),
        last && [last.id],
      )
    },
  })

export const SubscriptionId = z.object({
  id: z
    .string()
    .regex(/^sub_[0-9a-f]{24}$/)
    .meta({ example: examples.view.id }),
})

const readRoute = ({ queries }: SubscriptionPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'subscriptions.read',
    summary: 'Read one subscription',
    description: 'The ETag is what to send as If-Match.',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: SubscriptionId,
    answers: {
      200: { description: 'As it stands', body: SubscriptionView },
      304: { description: 'Not changed since' },
    },
    refusals: ['subscriptions.not_found'],
    example: { params: { id: examples.view.id }, answer: examples.view },
    async handler({ params, principal }) {
      const body = await viewFor(queries, params.id, principal)
      return { status: 200, body, headers: { etag: etag(body.version) } }
    },
  })

const changeRoute = (ports: SubscriptionPorts): Route =>
  route({
    method: 'PATCH',
    path: `${BASE}/:id`,
    operationId: 'subscriptions.change',
    summary: 'Change what a subscription is told, and where',
    description:
      'What is left out stays as it is. Messages that were tried before go to the new address too.',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: BODY_BYTES,
    params: SubscriptionId,
    body: ChangeRequest,
    idempotent: true,
    precondition: 'if-match',
    answers: { 200: { description: 'As it is now', body: SubscriptionView } },
    refusals: [
      'subscriptions.not_found',
      'subscriptions.address_refused',
      'subscriptions.type_unknown',
      'http.precondition_failed',
    ],
    example: {
      params: { id: examples.view.id },
      body: { types: ['shipment.confirmed'] },
      answer: { ...examples.view, version: 2, types: ['shipment.confirmed'] },
    },
    handler: oncePerKey(ports.database, async (tx, request: Asking<Named, typeof ChangeRequest>) => {
      const { params, body, principal, ifMatch } = request
      const known = await lockedFor(tx, params.id, principal)
      assertMatch(ifMatch, known.version)
      const settings = { ...known, ...withoutGaps(body) }
      assertFits(ports, settings)
      store.changeSubscription(tx, params.id, settings)
      audit(tx, request, { id: params.id, action: 'changed', after: body })
      return { status: 200 as const, body: await viewFor(tx, params.id, principal) }
    }),
  })

const withoutGaps = (body: z.output<typeof ChangeRequest>): Partial<store.SubscriptionSettings> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))

const deleteRoute = ({ database }: SubscriptionPorts): Route =>
  route({
    method: 'DELETE',
    path: `${BASE}/:id`,
    operationId: 'subscriptions.delete',
    summary: 'Delete a subscription with its log and its dead letters',
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 0,
    params: SubscriptionId,
    answers: { 204: { description: 'It is gone' } },
    refusals: ['subscriptions.not_found'],
    example: { params: { id: examples.view.id } },
    async handler(request) {
      await database.transaction((tx) => remove(tx, request, request.params.id))
      return { status: 204 }
    },
  })
