/** What people do with one subscription: pause, resume, replay, exchange its secret, try it, and see what became of it. */
import { z } from 'zod'
import { type Claim, type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { cursorText } from '#platform/log-batches.ts'
import { eventId } from '#platform/cloud-events.ts'
import { attemptsOf, deadLettersOf } from '#platform/subscription-log.ts'
import {
  AttemptView,
  DeadLetterView,
  examples,
  PauseRequest,
  PingView,
  ReplayRequest,
  ReplayView,
  RotateRequest,
  SecretView,
  SubscriptionView,
} from './contract.ts'
import { withoutSecret } from './without-secret.ts'
import { BASE, READ, SubscriptionId, WRITE } from './subscriptions.ts'
import {
  knownFor,
  lockedFor,
  pause,
  ping,
  replay,
  resume,
  rotate,
  type SubscriptionPorts,
  audit,
} from './steering.ts'

export const subscriptionActRoutes = (ports: SubscriptionPorts): Route[] => [
  pauseRoute(ports),
  resumeRoute(ports),
  replayRoute(ports),
  rotateRoute(ports),
  pingRoute(ports),
  deliveriesRoute(ports),
  deadLettersRoute(ports),
]

const params = SubscriptionId
const common = { scope: WRITE, rateClass: 'commands', bodyLimitBytes: 4 * 1024, params } as const
const idExample = { id: examples.view.id }

type Asking<Body> = Request<{ readonly id: string }, unknown, Body, Claim>

const pauseRoute = ({ database, clock }: SubscriptionPorts): Route =>
  route({
    ...common,
    method: 'POST',
    path: `${BASE}/:id:pause`,
    operationId: 'subscriptions.pause',
    summary: 'Send nothing until it is resumed',
    body: PauseRequest,
    idempotent: true,
    answers: { 200: { description: 'It is paused', body: SubscriptionView } },
    refusals: ['subscriptions.not_found'],
    example: {
      params: idExample,
      body: { reason: 'The receiver is being moved' },
      answer: { ...examples.view, version: 2, state: 'paused', reason: 'The receiver is being moved' },
    },
    handler: oncePerKey(database, async (tx, request: Asking<z.output<typeof PauseRequest>>) => {
      const { id } = request.params
      return { status: 200 as const, body: await pause(tx, request, { id, ...request.body }, clock.now()) }
    }),
  })

const resumeRoute = ({ database, clock }: SubscriptionPorts): Route =>
  route({
    ...common,
    method: 'POST',
    path: `${BASE}/:id:resume`,
    operationId: 'subscriptions.resume',
    summary: 'Go on exactly where it stood',
    description:
      'For one that was paused and for one that stopped by itself. What waits is tried at once, from its first attempt on.',
    idempotent: true,
    answers: { 200: { description: 'It is active', body: SubscriptionView } },
    refusals: ['subscriptions.not_found', 'subscriptions.not_stopped'],
    example: { params: idExample, answer: { ...examples.view, version: 3 } },
    handler: oncePerKey(database, async (tx, request: Asking<unknown>) => {
      return { status: 200 as const, body: await resume(tx, request, request.params.id, clock.now()) }
    }),
  })

const replayRoute = ({ database, clock }: SubscriptionPorts): Route =>
  route({
    ...common,
    method: 'POST',
    path: `${BASE}/:id:replay`,
    operationId: 'subscriptions.replay',
    summary: 'Send again what lies behind a position or a time, or the dead letters',
    description:
      'The messages have the ids that they had before. Dead letters behind the position are among them.',
    body: ReplayRequest,
    idempotent: true,
    answers: { 200: { description: 'It goes on from there', body: ReplayView } },
    refusals: ['subscriptions.not_found', 'subscriptions.position_ahead', 'subscriptions.cursor_malformed'],
    example: {
      params: idExample,
      body: { since: '2026-11-20T06:00:00.000Z' },
      answer: { ...idExample, cursor: '1.7120.88041', deadLetters: 0 },
    },
    handler: oncePerKey(database, async (tx, request: Asking<z.output<typeof ReplayRequest>>) => {
      const { body, principal } = request
      const known = await lockedFor(tx, request.params.id, principal)
      const { id } = known
      const answer = await replay(tx, known, body, clock.now())
      audit(tx, request, {
        id,
        action: 'replayed',
        before: { cursor: cursorText(known.cursor) },
        after: body,
      })
      return { status: 200 as const, body: { id, ...answer } }
    }),
  })

const rotateRoute = (ports: SubscriptionPorts): Route =>
  route({
    ...common,
    method: 'POST',
    path: `${BASE}/:id:rotate-secret`,
    operationId: 'subscriptions.rotateSecret',
    summary: 'Make a new secret, which signs beside the previous one for a while',
    body: RotateRequest,
    idempotent: true,
    answers: { 200: { description: 'The new secret', body: SecretView } },
    refusals: ['subscriptions.not_found'],
    example: {
      params: idExample,
      body: { keepPreviousHours: 24 },
      answer: { ...idExample, secret: examples.secret, previousUntil: '2026-11-22T08:30:00.000Z' },
    },
    handler: oncePerKey(
      ports.database,
      async (tx, request: Asking<z.output<typeof RotateRequest>>) => {
        const { id } = request.params
        return { status: 200 as const, body: await rotate(tx, ports, request, { id, ...request.body }) }
      },
      withoutSecret,
    ),
  })

const pingRoute = (ports: SubscriptionPorts): Route =>
  route({
    ...common,
    method: 'POST',
    path: `${BASE}/:id:ping`,
    operationId: 'subscriptions.ping',
    summary: 'Send a signed message that means nothing, and say how it went',
    description: 'Also where it is paused or stopped. It is no event and is not in the delivery log.',
    idempotent: 'none',
    answers: { 200: { description: 'How it went', body: PingView } },
    refusals: ['subscriptions.not_found'],
    example: { params: idExample, answer: { delivered: true, status: 204, tookMs: 41 } },
    async handler({ params: { id }, principal, signal }) {
      return { status: 200, body: await ping(ports, await knownFor(ports.queries, id, principal), signal) }
    },
  })

const DeliveriesQuery = PageQuery.extend({
  outcome: z.enum(['delivered', 'failed']).optional(),
})

const objectOf = (type: string): string => type.slice(0, type.indexOf('.'))

const deliveriesRoute = ({ queries, pages, words }: SubscriptionPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id/deliveries`,
    operationId: 'subscriptions.deliveries',
    summary: 'Every attempt to deliver a message, the newest first',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params,
    query: DeliveriesQuery,
    answers: { 200: { description: 'A page of attempts', body: pageOf(AttemptView) } },
    refusals: ['subscriptions.not_found', 'http.cursor_invalid'],
    example: {
      params: idExample,
      query: { outcome: 'failed' },
      answer: {
        items: [
          {
            event: 'evt_1000017_1',
            type: 'order.accepted',
            document: 'O-1000017',
            attempt: 1,
            at: '2026-11-21T08:30:01.000Z',
            outcome: 'failed',
            status: 500,
            cause: 'HTTP 500',
            tookMs: 41,
          },
        ],
      },
    },
    async handler(request) {
      const { limit, outcome } = request.query
      const { id } = await knownFor(queries, request.params.id, request.principal)
      const [before] = pages.after(request) ?? []
      const rows = await attemptsOf(queries, id, {
        outcome,
        before: before === undefined ? undefined : Number(before),
        limit: limit + 1,
      })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const items = page.map(
        ({ key, keyVersion, type, number, at, tookMs, outcome: how, status, cause }) => ({
          event: eventId({ key, keyVersion }),
          type,
          document: words.numberOf(objectOf(type), key),
          attempt: number,
          at: at.toISOString(),
          outcome: how,
          tookMs,
          ...(typeof status === 'number' ? { status } : {}),
          ...(typeof cause === 'string' ? { cause } : {}),
        }),
      )
      return pages.answer(request, items, last && [last.id])
    },
  })

const deadLettersRoute = ({ queries, pages, words }: SubscriptionPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id/dead-letters`,
    operationId: 'subscriptions.deadLetters',
    summary: 'Messages that were given up after ten attempts',
    description:
      'They stay until they are replayed. The exception of the subscription names who sees to them.',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params,
    query: PageQuery,
    answers: { 200: { description: 'A page of dead letters', body: pageOf(DeadLetterView) } },
    refusals: ['subscriptions.not_found', 'http.cursor_invalid'],
    example: {
      params: idExample,
      answer: {
        items: [
          {
            event: 'evt_1000017_1',
            type: 'order.accepted',
            document: 'O-1000017',
            attempts: 10,
            firstFailedAt: '2026-11-18T05:00:00.000Z',
            lastFailedAt: '2026-11-21T08:35:05.000Z',
            cause: 'HTTP 500',
          },
        ],
      },
    },
    async handler(request) {
      const { limit } = request.query
      const { id } = await knownFor(queries, request.params.id, request.principal)
      const [key, keyVersion] = (pages.after(request) ?? []).map(Number)
      const after = key === undefined || keyVersion === undefined ? undefined : { key, keyVersion }
      const rows = await deadLettersOf(queries, id, { after, limit: limit + 1 })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const items = page.map(({ type, attempts, firstFailedAt, lastFailedAt, cause, ...name }) => ({
        event: eventId(name),
        type,
        document: words.numberOf(objectOf(type), name.key),
        attempts,
        firstFailedAt: firstFailedAt.toISOString(),
        lastFailedAt: lastFailedAt.toISOString(),
        ...(cause === null ? {} : { cause }),
      }))
      return pages.answer(request, items, last && [last.key, last.keyVersion])
    },
  })
