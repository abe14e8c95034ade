/** The doors to exceptions: the worklist, one with its history, and what people do with it. */
import { z } from 'zod'
import type { Principal } from '#platform/access.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { SEVERITIES } from '#platform/exception-ownership.ts'
import * as views from '#platform/exceptions-views.ts'
import {
  type ActAnswers,
  assignExceptions,
  commentExceptions,
  type Remark,
  resolveExceptions,
  startExceptions,
  versionForAct,
} from '#platform/exceptions-work.ts'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Request, type Route, route } from '#platform/http.ts'
import { pageOf, PageQuery, type Pages } from '#platform/http-cursor.ts'
import { oncePerKey } from '#platform/http-idempotency.ts'
import { assertVersion, contentTag } from '#platform/http-preconditions.ts'
import { formatAmount } from '#platform/money.ts'
import { numberOf } from '#processes/ports.ts'
import { tryAgain } from '#processes/refusals.ts'
import {
  AssignRequest,
  CommentRequest,
  examples,
  ExceptionRetried,
  ExceptionSummary,
  ExceptionView,
  ResolveRequest,
  RetryRequest,
  StartRequest,
} from './exceptions-contract.ts'
import { Id } from './identifiers.ts'

export type ExceptionPorts = {
  readonly queries: Queries
  readonly database: Database
  readonly pages: Pages
}

const BASE = '/experience/control-tower/v1/exceptions'
const READ = 'experience.exceptions:read'
const WRITE = 'experience.exceptions:write'
const IF_MATCH = 'If-Match is optional: with it the exception is changed only as the caller has seen it.'

export function exceptionRoutes(ports: ExceptionPorts): Route[] {
  return [
    listRoute(ports),
    readRoute(ports),
    actRoute(ports, {
      verb: 'assign',
      summary: 'Give an exception to a person or a queue',
      body: AssignRequest,
      example: { assignee: 'ann@example.com', text: 'Ann knows the customer' },
      act: (tx, id, { assignee, owner }, remark) =>
        unlessRefused(id, assignExceptions(tx, [id], { assignee, owner }, remark)),
    }),
    actRoute(ports, {
      verb: 'start',
      summary: 'Say that the caller works on an exception',
      body: StartRequest,
      example: { text: 'Calling the customer' },
      act: (tx, id, _, remark) => unlessRefused(id, startExceptions(tx, [id], remark)),
    }),
    actRoute(ports, {
      verb: 'comment',
      summary: 'Add to the history of an exception',
      body: CommentRequest,
      example: { text: 'Payment is promised for Monday' },
      act: (tx, id, _, remark) => unlessRefused(id, commentExceptions(tx, [id], remark)),
    }),
    actRoute(ports, {
      verb: 'retry',
      summary: 'Have what systems refused of its documents tried again',
      body: RetryRequest,
      description: 'Some hundreds of its documents; while some remain, ask again with `asOf` of the answer.',
      example: { reason: 'The posting period is open again' },
      refusals: ['exceptions.nothing_refused'],
      answer: ExceptionRetried,
      answers: { ...examples.view, retry: { done: 1, remaining: 0, asOf: '2026-11-21T08:41:10.000Z' } },
      async act(tx, id, { asOf }, remark) {
        const retry = await tryAgain(tx, id, remark, asOf === undefined ? undefined : new Date(asOf))
        if (retry instanceof Refusal) throw retry
        return { retry: { ...retry, asOf: retry.asOf.toISOString() } }
      },
    }),
    actRoute(ports, {
      verb: 'resolve',
      summary: "Close an exception: resolved, or won't fix",
      body: ResolveRequest,
      example: { reason: 'Paid this morning, see wire 4711' },
      act: (tx, id, { as }, remark) => unlessRefused(id, resolveExceptions(tx, [id], as, remark)),
    }),
  ]
}

const ListQuery = PageQuery.extend({
  state: z.enum(['open', 'closed']).default('open').describe('Closed: resolved, and those nobody will fix'),
  company: z.string().min(1).max(12).optional(),
  owner: z.string().min(1).max(40).optional().describe('The queue'),
  assignee: z.string().min(1).max(120).optional().describe('The person'),
  severity: z.enum(SEVERITIES).optional(),
  code: z.string().min(1).max(80).optional().describe('A code, or its beginning up to a dot'),
  overdue: z.enum(['true', 'false']).optional().describe('Past its due time or not'),
})

const listRoute = ({ queries, pages }: ExceptionPorts): Route =>
  route({
    method: 'GET',
    path: BASE,
    operationId: 'exceptions.list',
    summary: 'What waits for a person, the gravest first, then by due time',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: ListQuery,
    answers: { 200: { description: 'A page of exceptions', body: pageOf(ExceptionSummary) } },
    refusals: ['http.cursor_invalid'],
    example: { query: { owner: 'credit', limit: 50 }, answer: { items: [examples.summary] } },
    async handler(request) {
      const { state, overdue, cursor: _, limit, ...filter } = request.query
      const after = pages.after(request)
      const rows = isStaff(request.principal)
        ? await views.listExceptions(queries, {
            ...filter,
            closed: state === 'closed',
            overdue: overdue && overdue === 'true',
            after: after && {
              rank: Number(after[0]),
              dueAt: new Date(String(after[1])),
              id: Number(after[2]),
            },
            limit: limit + 1,
          })
        : []
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return pages.answer(
        request,
        page.map(summaryOf),
        last && [last.rank, last.dueAt.toISOString(), last.id],
      )
    },
  })

const ExceptionId = z.object({
  id: Id.meta({ example: '812' }),
})

const readRoute = ({ queries }: ExceptionPorts): Route =>
  route({
    method: 'GET',
    path: `${BASE}/:id`,
    operationId: 'exceptions.read',
    summary: 'Read an exception with its documents and history',
    description: 'The ETag is what to send as If-Match.',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    params: ExceptionId,
    answers: {
      200: { description: 'The exception as it stands', body: ExceptionView },
      304: { description: 'Not changed since' },
    },
    refusals: ['exceptions.not_found'],
    example: { params: { id: '812' }, answer: examples.view },
    async handler({ params, principal }) {
      const body = await storyFor(queries, Number(params.id), principal)
      return { status: 200, body, headers: { etag: contentTag(body) } }
    },
  })

type ActRoute<Body extends z.ZodType> = {
  readonly verb: 'assign' | 'start' | 'comment' | 'retry' | 'resolve'
  readonly summary: string
  readonly body: Body
  readonly example: z.input<Body>
  readonly description?: string
  readonly refusals?: readonly string[]
  /** Where more is answered than the exception: its shape, and an example. */
  readonly answer?: z.ZodType
  readonly answers?: ExceptionView | ExceptionRetried
  /** Answers what is told beside the exception; a refusal is thrown. */
  act(tx: Transaction, id: number, body: z.output<Body>, remark: Remark): Promise<object>
}

async function unlessRefused(id: number, answers: Promise<ActAnswers>): Promise<object> {
  const refusal = (await answers).get(id)
  if (refusal) throw refusal
  return {}
}

/** What a person does with one exception: once per key, at the version he has seen, as a note and an audit row. */
function actRoute<Body extends z.ZodType<{ text?: string | undefined; reason?: string | undefined }>>(
  { database }: ExceptionPorts,
  { verb, summary, body, example, act, refusals = [], ...about }: ActRoute<Body>,
): Route {
  const { description, answer = ExceptionView, answers = examples.view } = about
  type Asking = Request<{ readonly id: string }, unknown, z.output<Body>, Claim>

  async function work(tx: Transaction, { params, body: said, principal, ifMatch, trace }: Asking) {
    const id = Number(params.id)
    const version = await versionForAct(tx, id)
    if (version === undefined || !isStaff(principal)) throw unknown(id)
    assertVersion(ifMatch, version)
    const remark = { actor: principal.client, text: said.text ?? said.reason, traceId: trace.traceId }
    const also = await act(tx, id, said, remark)
    return { status: 200 as const, body: { ...(await storyFor(tx, id, principal)), ...also } }
  }

  return route({
    method: 'POST',
    path: `${BASE}/:id:${verb}`,
    operationId: `exceptions.${verb}`,
    summary,
    description: [IF_MATCH, description].filter(Boolean).join(' '),
    scope: WRITE,
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    params: ExceptionId,
    body,
    idempotent: true,
    answers: { 200: { description: 'The exception as it is now', body: answer } },
    refusals: [
      'exceptions.not_found',
      'exceptions.closed',
      'exceptions.text_missing',
      'http.precondition_failed',
      ...refusals,
    ],
    example: { params: { id: '812' }, body: example, answer: answers },
    handler: oncePerKey(database, work),
  })
}

/** Exceptions are the distributor's own; a partner sees none. */
const isStaff = ({ partner }: Principal): boolean => partner === undefined

async function storyFor(queries: Queries, id: number, principal: Principal): Promise<ExceptionView> {
  const story = isStaff(principal) ? await views.showException(queries, id) : undefined
  if (!story) throw unknown(id)
  return viewOf(story)
}

const unknown = (id: number): Refusal =>
  new Refusal('exceptions.not_found', `there is no exception ${id}`, { id })

function summaryOf(row: views.ExceptionView): ExceptionSummary {
  const { id, version, company, code, cause, title, state, owner, severity, suggestedAction, overdue } = row
  return {
    id,
    version,
    company,
    code,
    cause,
    title,
    state,
    owner,
    severity,
    suggestedAction,
    overdue,
    affected: row.affected,
    openedAt: row.openedAt.toISOString(),
    dueAt: row.dueAt.toISOString(),
    atStake: row.stake.map(({ amountMinor, currency }) => ({
      amount: formatAmount(amountMinor, currency),
      currency,
    })),
    ...(row.assignee === null ? {} : { assignee: row.assignee }),
    ...(row.closedAt === null ? {} : { closedAt: row.closedAt.toISOString() }),
    ...(row.closedBy === null ? {} : { closedBy: row.closedBy }),
    ...(row.resolution === null ? {} : { resolution: row.resolution }),
  }
}

const viewOf = (story: views.ExceptionStory): ExceptionView => ({
  ...summaryOf(story),
  facts: { ...story.facts },
  documents: story.documents.map((row) => ({
    id: numberOf(row.kind, row.doc),
    kind: row.kind,
    ...(row.currency === null
      ? {}
      : { amount: formatAmount(row.amountMinor, row.currency), currency: row.currency }),
    affectedAt: row.affectedAt.toISOString(),
    ...(row.clearedAt === null ? {} : { clearedAt: row.clearedAt.toISOString() }),
    ...(row.clearedHow === null ? {} : { clearedHow: row.clearedHow }),
  })),
  history: story.notes.map(({ notedAt, author, act, text }) => ({
    at: notedAt.toISOString(),
    by: author,
    act,
    text,
  })),
})
