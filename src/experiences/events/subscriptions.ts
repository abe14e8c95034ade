/** The doors to subscriptions: made, shown, changed and deleted; what people do with one stands in acts.ts. */
import { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import type { Chance } from '#platform/ids.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Clock } from '#platform/clock.ts'
import type { EventWords } from '#platform/cloud-events.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { type AddressRules, refusedAddress } from '#platform/http-address-guard.ts'
import type { HttpClient } from '#platform/http-client.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { assertMatch, etag } from '#platform/http-preconditions.ts'
import { type Claim, type Request, type Route, route } from '#platform/http.ts'
import { headOfLog } from '#platform/log.ts'
import { cursorText } from '#platform/log-batches.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { newWebhookSecret } from '#platform/standard-webhooks.ts'
import { type Undelivered, undeliveredOf } from '#platform/subscription-log.ts'
import { addSecret } from '#platform/subscription-secrets.ts'
import * as store from '#platform/subscriptions.ts'
import { causeOfDeadLetters, causeOfStop } from '#platform/webhook-turn.ts'
import { ChangeRequest, CreateRequest, examples, NewSubscriptionView, SubscriptionView } from './contract.ts'
import { withoutSecret } from './without-secret.ts'
import { cursorOf } from './reading.ts'
import { assertKnown } from './told.ts'

export type SubscriptionPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
  readonly clock: Clock
  readonly chance: Chance
  readonly words: EventWords
  readonly rules: AddressRules
  readonly http: HttpClient
  readonly box: SecretBox
}

export const BASE = '/experience/events/v1/subscriptions'
export const READ = 'experience.subscriptions:read'
export const WRITE = 'experience.subscriptions:write'
const SUBSCRIPTIONS_MAX = 25
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
        const { body, principal } = request
        assertFits(ports, body)
        const { client } = principal
        if ((await store.countSubscriptions(tx, client)) >= SUBSCRIPTIONS_MAX)
          throw new Refusal('subscriptions.too_many', `"${client}" has ${SUBSCRIPTIONS_MAX} subscriptions`)
        const id = `sub_${ports.chance.token(12)}`
        const secret = newWebhookSecret(ports.chance)
        const now = ports.clock.now()
        const { after, partner, ...settings } = body
        const cursor = after === undefined ? await headOfLog(tx) : cursorOf(after, '/after')
        const whose = { client, partner: principal.partner ?? partner }
        store.createSubscription(tx, { id, ...whose, ...settings, cursor }, now)
        addSecret(tx, ports.box, { subscription: id, secret, now })
        audit(tx, request, { id, action: 'created', after: settings })
        const view = await viewFor(tx, id, principal)
        return { status: 201 as const, body: { ...view, secret }, headers: { location: `${BASE}/${id}` } }
      },
      withoutSecret,
    ),
  })

/** The address may be called, and the filter lets something through. */
function assertFits({ rules, words }: SubscriptionPorts, settings: store.SubscriptionSettings): void {
  assertKnown(words, settings, '')
  const why = refusedAddress(rules, settings.url)
  if (why !== undefined)
    throw new Refusal('subscriptions.address_refused', `the address cannot be called: ${why}`, {}, '/url')
}

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

const causesOf = (id: string) => [causeOfStop(id), causeOfDeadLetters(id)]

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
      const { params, principal } = request
      await database.transaction(async (tx) => {
        const { name, url } = await lockedFor(tx, params.id, principal)
        store.deleteSubscription(tx, params.id)
        await closeExceptions(tx, causesOf(params.id), `${principal.client} deleted the subscription`)
        audit(tx, request, { id: params.id, action: 'deleted', before: { name, url } })
      })
      return { status: 204 }
    },
  })

// What every door of one subscription does -------------------------------------------------------------------------

const unknown = (id: string): Refusal =>
  new Refusal('subscriptions.not_found', `there is no subscription ${id}`, { id })

/** A partner sees its own only. */
const isOf = ({ partner }: Principal, known: store.Subscription): boolean =>
  partner === undefined || partner === known.partner

export async function lockedFor(
  tx: Transaction,
  id: string,
  principal: Principal,
): Promise<store.Subscription> {
  const known = await store.lockSubscription(tx, id)
  if (!known || !isOf(principal, known)) throw unknown(id)
  return known
}

export async function knownFor(
  queries: Queries,
  id: string,
  principal: Principal,
): Promise<store.Subscription> {
  const known = await store.findSubscription(queries, id)
  if (!known || !isOf(principal, known)) throw unknown(id)
  return known
}

export async function viewFor(queries: Queries, id: string, principal: Principal): Promise<SubscriptionView> {
  const known = await knownFor(queries, id, principal)
  return viewOf(known, (await undeliveredOf(queries, [id])).get(id))
}

function viewOf(row: store.Subscription, undelivered: Undelivered | undefined): SubscriptionView {
  const { id, version, name, url, owner, types, domains, companies, payload, client, state, failures } = row
  return {
    id,
    version,
    name,
    url,
    owner,
    types: [...types],
    domains: [...domains],
    companies: [...companies],
    payload,
    client,
    state,
    failures,
    ...(row.partner === null ? {} : { partner: row.partner }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    cursor: cursorText(row.cursor),
    waiting: undelivered?.waiting ?? 0,
    deadLetters: undelivered?.dead ?? 0,
    ...(row.succeededAt === null ? {} : { lastDeliveredAt: row.succeededAt.toISOString() }),
    createdAt: row.createdAt.toISOString(),
  }
}

type Act = {
  readonly id: string
  readonly action: string
  readonly reason?: string
  readonly before?: object
  readonly after?: object
}

export const audit = (
  tx: Transaction,
  { principal, trace }: Pick<Request, 'principal' | 'trace'>,
  { id, action, reason, before, after }: Act,
): void =>
  recordAudit(tx, [
    {
      actor: principal.client,
      action: `subscriptions.${action}`,
      kind: 'subscription',
      reason,
      before,
      after: { subscription: id, ...after },
      traceId: trace.traceId,
    },
  ])
