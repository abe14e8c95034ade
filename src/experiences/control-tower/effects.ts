/** The doors to open calls to other systems: the list, one call, what a person says of it, and having it tried now. */
import { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import type { Recovery } from '#platform/connector.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { nextAttempt, parseEffectKey } from '#platform/effects.ts'
import { resolveCall, retryCall } from '#platform/effects-repair.ts'
import { CALL_STATES, type CallView, listCalls, showCall } from '#platform/effects-views.ts'
import { exceptionsOf } from '#platform/exceptions-views.ts'
import { Refusal } from '#platform/faults.ts'
import { type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import type { Decision } from '#platform/parking.ts'
import { callCause } from '#platform/parking-replay.ts'
import { payloadChanges } from '#platform/payload-changes.ts'
import { undone } from '#platform/rehearsal.ts'
import { findingOf } from '#processes/answers-by-hand.ts'
import { documentNamed, numberOfProcess } from '#processes/ports.ts'
import {
  EffectActed,
  EffectSummary,
  EffectView,
  examples,
  ResolveEffectRequest,
  RetryEffectRequest,
} from './effects-contract.ts'
import { DocumentNumber } from './identifiers.ts'

export type EffectPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
  /** How a doubt about a call is resolved; undefined where its system is not configured here. */
  readonly recoveryOf: (system: string, operation: string) => Recovery | undefined
}

const BASE = '/experience/control-tower/v1/effects'
const READ = 'experience.effects:read'
const WRITE = 'experience.effects:write'

export function effectRoutes(ports: EffectPorts): Route[] {
  return [
    listRoute(ports),
    readRoute(ports),
    actRoute(ports, {
      verb: 'resolve',
      summary: 'Say what became of a call in doubt',
      description:
        'What is said is its outcome, by the same way as an answer of the system. A confirmation says what its step goes on with; a call of which the system has nothing is sent again under its key.',
      body: ResolveEffectRequest,
      example: { outcome: 'confirmed', reference: 'SO-90125', reason: 'Seen in the order list of the ERP' },
      refusals: [
        'effects.not_in_doubt',
        'effects.may_still_show',
        'effects.answer_incomplete',
        'effects.answer_not_by_hand',
      ],
      act: (tx, key, body, said) =>
        resolveCall(tx, key, ({ operation }) => findingOf(operation, body, body.reason), said),
    }),
    actRoute(ports, {
      verb: 'retry',
      summary: 'Have a call that waits made now',
      description: 'One in doubt is looked up before it is sent, where its system can be asked.',
      body: RetryEffectRequest,
      example: { reason: 'The ERP is back before its time' },
      act: (tx, key, _, said) => retryCall(tx, key, said),
    }),
  ]
}

const ListQuery = PageQuery.extend({
  state: z.enum(CALL_STATES).optional(),
  system: z.string().min(1).max(40).optional(),
  operation: z.string().min(1).max(80).optional().meta({ example: 'erp.createSalesOrder' }),
  step: z.string().min(1).max(80).optional(),
  company: z.string().min(1).max(12).optional(),
  document: DocumentNumber.optional().describe('Its number, such as O-1000017'),
  intendedBefore: z.iso.datetime().optional().describe('Older than that'),
})

const listRoute = ({ queries, pages }: EffectPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'effects.list',
    summary: 'Calls to other systems that are not answered yet, by document',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListQuery,
    answers: { 200: { description: 'A page of calls', body: pageOf(EffectSummary) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { state: 'parked', limit: 50 }, answer: { items: [examples.summary] } },
    async handler(request) {
      const { document, intendedBefore, cursor: _, limit, ...filter } = request.query
      const [after] = pages.after(request) ?? []
      const rows = isStaff(request.principal)
        ? await listCalls(queries, {
            ...filter,
            doc: document === undefined ? undefined : documentNamed(document),
            before: intendedBefore === undefined ? undefined : new Date(intendedBefore),
            after: after === undefined ? undefined : parseEffectKey(String(after)),
            limit: limit + 1,
          })
        : []
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(request, page.map(summaryOf), last && [last.key])
    },
  })

const EffectId = z.object({
  id: z
    .string()
    .regex(/^[\w-]{1,400}$/)
    .meta({ example: examples.view.id }),
})

const readRoute = (ports: EffectPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'effects.read',
    summary: 'Read an open call: its key, its attempts, and what comes next',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: EffectId,
    answers: { 200: { description: 'The call as it stands', body: EffectView } },
    refusals: ['effects.not_found'],
    example: { params: { id: examples.view.id }, answer: examples.view },
    async handler({ params, principal }) {
      return { status: 200, body: await shownTo(ports, ports.queries, keyOf(params.id, principal)) }
    },
  })

type ActRoute<Body extends z.ZodType> = {
  readonly verb: 'resolve' | 'retry'
  readonly summary: string
  readonly description: string
  readonly body: Body
  readonly example: z.input<Body>
  readonly refusals?: readonly string[]
  act(
    tx: Transaction,
    key: string,
    body: z.output<Body>,
    said: Decision & { readonly traceId: string },
  ): Promise<void>
}

type Acting<Body> = Pick<
  Request<{ readonly id: string }, unknown, Body>,
  'params' | 'body' | 'principal' | 'trace'
>

const DryRun = z.object({ dryRun: z.enum(['true', 'false']).optional() })

/** What a person does about one call: once per key, with his reason in the audit trail. */
function actRoute<Body extends z.ZodType<{ readonly reason: string }>>(
  ports: EffectPorts,
  { verb, summary, description, body, example, refusals = [], act }: ActRoute<Body>,
): Route {
  const { database } = ports

  async function work(tx: Transaction, { params, body: asked, principal, trace }: Acting<z.output<Body>>) {
    const key = keyOf(params.id, principal)
    const before = await shownTo(ports, tx, key)
    await act(tx, key, asked, { actor: principal.client, reason: asked.reason, traceId: trace.traceId })
    const after = await shownTo(ports, tx, key)
    return { ...after, changes: payloadChanges(JSON.stringify(before), JSON.stringify(after)) }
  }

  return route({
    method: 'POST',
    path: `${BASE}/:id:${verb}`,
    operationId: `effects.${verb}`,
    summary,
    description: `${description} A dry run answers the same and does nothing.`,
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    params: EffectId,
    query: DryRun,
    body,
    idempotent: true,
    answers: { 200: { description: 'The call as it is now', body: EffectActed } },
    refusals: [
      'effects.not_found',
      'effects.under_way',
      'effects.resolved',
      'parking.reason_missing',
      ...refusals,
    ],
    example: { params: { id: examples.view.id }, body: example, answer: examples.acted },
    async handler(request) {
      const asking: Acting<z.output<Body>> = request as never
      if (request.query.dryRun === 'true') {
        const seen = await undone(database, (tx) => work(tx, asking))
        return { status: 200, body: { ...seen, dryRun: true } }
      }
      const decide = async (tx: Transaction) => {
        return { status: 200 as const, body: { ...(await work(tx, asking)), dryRun: false } }
      }
      return oncePerKey(database, decide)(request as never)
    },
  })
}

/** Calls are the distributor's own; a partner sees none. */
const isStaff = ({ partner }: Principal): boolean => partner === undefined

const idOf = (key: string): string => Buffer.from(key).toString('base64url')

function keyOf(id: string, principal: Principal): string {
  const key = Buffer.from(id, 'base64url').toString()
  if (!isStaff(principal)) throw unknown(key)
  return key
}

const unknown = (key: string): Refusal =>
  new Refusal('effects.not_found', `no call is open under ${key}`, { key })

async function shownTo(ports: EffectPorts, queries: Queries, key: string): Promise<EffectView> {
  const call = await showCall(queries, key)
  if (!call) throw unknown(key)
  const { system, operation, company, parked, absentAfter } = call
  const causes = company === null ? [] : [{ company, cause: callCause(system, operation) }]
  const exceptions = parked === null ? [] : await exceptionsOf(queries, causes)
  const next = nextOf(call, ports.recoveryOf(system, operation))
  return {
    ...summaryOf(call),
    ...(absentAfter === null ? {} : { absentAfter: absentAfter.toISOString() }),
    ...(next === undefined ? {} : { next }),
    ...(parked === null ? {} : { parkedItem: parked }),
    exceptions: exceptions.map(({ id, title, owner }) => ({ id, title, owner })),
  }
}

function nextOf({ state }: CallView, recovery: Recovery | undefined): EffectView['next'] {
  if (state === 'parked') return 'decide'
  if (state === 'resolved') return 'take'
  return recovery && nextAttempt(state, recovery)
}

function summaryOf(call: CallView): EffectSummary {
  const { key, doc, process, company, subject, dueAt, detail } = call
  const { system, operation, step, generation, businessKey, state, underWay, attempts } = call
  return {
    id: idOf(key),
    key,
    document: numberOfProcess(process ?? '', doc),
    ...(company === null ? {} : { company }),
    system,
    operation,
    step,
    ...(subject === '' ? {} : { subject }),
    generation,
    businessKey,
    state,
    underWay,
    attempts,
    intendedAt: call.intendedAt.toISOString(),
    ...(dueAt === null ? {} : { dueAt: dueAt.toISOString() }),
    ...(detail === null ? {} : { detail }),
  }
}
