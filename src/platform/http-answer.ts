/** Writes answers and problems: status, headers, body, in one place for all doors. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from './clock.ts'
import type { Answer, Replay, Request } from './http.ts'
import { frames } from './http-events.ts'
import { isUnchanged } from './http-preconditions.ts'
import { problemHeaders } from './http-problem.ts'
import type { Problem } from './http-problem.ts'

const JSON_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}
/** Pages load their own style sheets and scripts only, and nobody may frame them. */
const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer | Replay,
): FastifyReply {
  const { exchange } = request
  reply.headers(JSON_HEADERS)
  reply.headers(exchange.headers)
  reply.header('x-request-id', exchange.requestId)
  if ('replayed' in answer) {
    const { status, body } = answer.replayed
    reply.header('idempotency-replayed', 'true')
    if (status >= 400) reply.header('content-type', 'application/problem+json; charset=utf-8')
    return reply.code(status).send(JSON.stringify(body))
  }
  reply.code(answer.status)
  const { headers, body, content } = answer
  if (content !== undefined) reply.header('content-security-policy', PAGE_POLICY)
  if (headers) reply.headers(headers)
  if (isReading(request) && isUnchanged(exchange.header('if-none-match'), headers?.['etag'])) {
    return reply.code(304).send()
  }
  if (content !== undefined)
    return sendBody(request, reply, typeof content === 'string' ? content : Buffer.from(content))
  if (body === undefined) {
    reply.removeHeader('content-type')
    return reply.send()
  }
  return sendBody(request, reply, JSON.stringify(body))
}

const isReading = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

/** To HEAD everything but the body. */
const sendBody = (request: FastifyRequest, reply: FastifyReply, body: string | Buffer): FastifyReply =>
  request.method === 'HEAD'
    ? reply.header('content-length', Buffer.byteLength(body)).send()
    : reply.send(body)

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { exchange } = request
  reply.code(problem.status)
  reply.headers(JSON_HEADERS)
  reply.headers(exchange.headers)
  reply.header('x-request-id', exchange.requestId)
  reply.headers(problemHeaders(problem))
  return sendBody(request, reply, JSON.stringify(problem))
}

/** Sends events until the iterable ends, the reader leaves or `closing` aborts; `done` runs once after that. */
export function sendEvents(
  exchange: { request: FastifyRequest; reply: FastifyReply; served: Request },
  answer: Required<Pick<Answer, 'events'>> & Answer,
  line: { clock: Clock; closing: AbortSignal; done: () => void },
): FastifyReply {
  const { request, reply, served } = exchange
  const signal = AbortSignal.any([served.signal, line.closing])
  const stream = Readable.from(frames(answer.events, line.clock, signal), {
    objectMode: false,
    highWaterMark: 65_536,
  })
  stream.once('close', line.done)
  reply.code(answer.status)
  reply.headers(JSON_HEADERS)
  reply.headers(request.exchange.headers)
  reply.headers({
    'x-request-id': request.exchange.requestId,
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
    ...answer.headers,
  })
  return reply.send(stream)
}
