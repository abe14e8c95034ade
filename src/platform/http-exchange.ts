/** One request on its way through a door: who sent it, what it says, and the object its handler sees. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ANONYMOUS } from './access.ts'
import type { Principal } from './access.ts'
import { Refusal } from './faults.ts'
import type { Claim, Method, Request } from './http.ts'
import type { Door } from './http-doors.ts'
import { canonical, fingerprintOf, parseKey } from './http-idempotency.ts'
import { parseStrictJson } from './http-json.ts'
import type { FieldError } from './http-problem.ts'
import type { Ids } from './ids.ts'
import { continueTrace, parseTrace, startTrace } from './telemetry.ts'
import type { Trace } from './telemetry.ts'

const JSON_TYPE = /^application\/json(?:; ?charset="?utf-8"?)?$/i
const REQUEST_ID = /^[\w.:-]{1,128}$/

/** What is known of a request before and beside its handler. */
export class Exchange {
  principal: Principal = ANONYMOUS
  /** Headers that every answer to this request carries. */
  readonly headers: Record<string, string> = {}
  readonly startedMs: number
  readonly #request: FastifyRequest
  readonly #ids: Ids
  #trace: Trace | undefined
  #requestId: string | undefined

  constructor(request: FastifyRequest, ids: Ids, startedMs: number) {
    this.#request = request
    this.#ids = ids
    this.startedMs = startedMs
  }

  /** The caller's trace goes on for those we know; for others a new one starts and theirs is kept as a link. */
  get trace(): Trace {
    if (this.#trace) return this.#trace
    const theirs = this.header('traceparent')
    const parent = parseTrace(theirs)
    const continues = parent && this.principal !== ANONYMOUS
    this.#trace = continues ? continueTrace(this.#ids, parent) : startTrace(this.#ids, parent && theirs)
    return this.#trace
  }

  get requestId(): string {
    if (this.#requestId === undefined) {
      const theirs = this.header('x-request-id')
      this.#requestId = theirs !== undefined && REQUEST_ID.test(theirs) ? theirs : this.trace.traceId
    }
    return this.#requestId
  }

  header(name: string): string | undefined {
    const value = this.#request.raw.headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }
}

/** Refuses by headers alone, before a byte of the body is read. */
export function checkHeaders(door: Door, exchange: Exchange): void {
  const { route } = door
  if (route.body) {
    const type = exchange.header('content-type')
    if (type === undefined || !JSON_TYPE.test(type)) {
      throw new Refusal(
        'http.media_type_unsupported',
        `Send "Content-Type: application/json", not ${type === undefined ? 'none' : `"${type.slice(0, 100)}"`}.`,
      )
    }
  }
  if (route.idempotent === true) parseKey(exchange.header('idempotency-key'))
  if (route.precondition === 'if-match' && exchange.header('if-match') === undefined) {
    throw new Refusal('http.precondition_missing', 'Send the ETag of the document as If-Match.')
  }
}

/** Parses and checks path, query and body; refuses with everything that is wrong at once. */
export function readRequest(door: Door, request: FastifyRequest, reply: FastifyReply): Request {
  const { route, checks } = door
  const { exchange } = request
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const body = route.body ? parseStrictJson(bytes) : {}
  const path = pathOf(request.url)
  // Before the check fills in defaults: the fingerprint is of what was sent.
  const claim = route.idempotent === true ? claimOf(exchange, route.method, path, body) : undefined
  const errors: FieldError[] = checks.query(request.query)
  if (checks.params) errors.push(...checks.params(request.params))
  if (checks.body) errors.push(...checks.body(body))
  if (errors.length > 0) throw invalid(errors)
  return new ServedRequest({ request, reply, body, bytes, path, claim })
}

function claimOf(exchange: Exchange, method: Method, path: string, body: unknown): Claim {
  const key = parseKey(exchange.header('idempotency-key'))
  return { client: ownerOf(exchange.principal), key, fingerprint: fingerprintOf(method, path, body) }
}

/** A client that speaks for several partners has keys for each: none is told what another was answered. */
const ownerOf = ({ client, partner }: Principal): string =>
  partner === undefined ? client : canonical([client, partner])

function invalid(errors: readonly FieldError[]): Refusal {
  const more = errors.length > 1 ? ` And ${errors.length - 1} more, listed in errors.` : ''
  return new Refusal('http.invalid', `${errors[0]!.message}.${more}`, { errors })
}

export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

type Parts = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly body: unknown
  readonly bytes: Buffer
  readonly path: string
  readonly claim: Claim | undefined
}

/** The handler's view. What few handlers ask for is made when it is asked for: the hot door pays for none of it. */
class ServedRequest implements Request {
  readonly #parts: Parts
  #abort: AbortController | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get method(): Method {
    return this.#parts.request.method as Method
  }
  get path(): string {
    return this.#parts.path
  }
  get params(): unknown {
    return this.#parts.request.params
  }
  get query(): unknown {
    return this.#parts.request.query
  }
  get body(): unknown {
    return this.#parts.body
  }
  get bytes(): Buffer {
    return this.#parts.bytes
  }
  get headers(): Readonly<Record<string, string | undefined>> {
    return this.#parts.request.headers as Record<string, string | undefined>
  }
  get principal(): Principal {
    return this.#parts.request.exchange.principal
  }
  get trace(): Trace {
    return this.#parts.request.exchange.trace
  }
  get requestId(): string {
    return this.#parts.request.exchange.requestId
  }
  get correlationId(): string | undefined {
    const theirs = this.#parts.request.exchange.header('x-correlation-id')
    return theirs !== undefined && REQUEST_ID.test(theirs) ? theirs : undefined
  }
  get idempotency(): Claim | undefined {
    return this.#parts.claim
  }
  get ifMatch(): string | undefined {
    return this.#parts.request.exchange.header('if-match')
  }
  get lastEventId(): string | undefined {
    return this.#parts.request.exchange.header('last-event-id')
  }
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController()
      const { raw } = this.#parts.reply
      if (raw.destroyed) abort.abort()
      raw.once('close', () => abort.abort())
      this.#abort = abort
    }
    return this.#abort.signal
  }
  /** Called by the server when the time is up. */
  expire(): void {
    this.#abort?.abort()
  }
}

export function expire(request: Request): void {
  if (request instanceof ServedRequest) request.expire()
}
