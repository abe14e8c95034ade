/** The outgoing HTTP port: one request to another system, and whether that system may have seen it. */
import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher, errors } from 'undici'
import type { Clock } from './clock.ts'
import { Outage } from './faults.ts'
import { type GuardedConnection, guardedConnector } from './http-address-guard.ts'

export type HttpRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** From this call to the last byte of the answer, time in the queue and connecting included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Larger answers are cut off and count as unanswered. */
  readonly maxResponseBytes?: number
  /** W3C trace context of the caller, sent on. */
  readonly traceparent?: string
  /** Asked right before the first byte is written, however long the request has queued; false keeps it at home. */
  readonly mayStillSend?: () => boolean
}

/** Any complete answer, whatever its status; redirects are answers too and are never followed. */
export interface HttpResponse {
  readonly status: number
  /** Names in lower case; a header that came several times is joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  text(): string
  /** The body as JSON. What is not JSON, or has an integer that a double would round, is `Unanswered`. */
  json(): unknown
}

export interface HttpClient {
  /** Resolves with a complete answer or throws `NotSent` or `Unanswered`. */
  request(request: HttpRequest): Promise<HttpResponse>
}

export interface OpenHttpClient extends HttpClient {
  /** Lets calls under way end and closes the connections. */
  close(): Promise<void>
}

/** What kept a request from its answer. */
export type HttpFailureReason =
  | 'connect' // refused, unreachable, unknown name, or a certificate that does not hold
  | 'timeout'
  | 'aborted'
  | 'withdrawn' // `mayStillSend` said no
  | 'reset' // the connection broke while the answer was due
  | 'too_large'
  | 'malformed' // not HTTP, or a body that is not what it claims to be

/** No byte was written: the other system surely did nothing, and the same request may simply be sent again. */
export class NotSent extends Outage {
  readonly reason: HttpFailureReason

  constructor(system: string, reason: HttpFailureReason, cause?: unknown) {
    super(system, `${system} was not asked: ${describe(reason, cause)}`, { cause })
    this.name = 'NotSent'
    this.reason = reason
  }
}

/** Writing may have begun: whether the other system acted is unknown until it is looked up. */
export class Unanswered extends Outage {
  readonly reason: HttpFailureReason

  constructor(system: string, reason: HttpFailureReason, cause?: unknown) {
    super(system, `${system} may have acted but gave no usable answer: ${describe(reason, cause)}`, { cause })
    this.name = 'Unanswered'
    this.reason = reason
  }
}

export type HttpClientOptions = {
  readonly clock: Clock
  /** Connections to one origin; more calls at once wait for one of them. */
  readonly connectionsPerOrigin?: number
  /** Certificate authorities to trust beside the usual ones, as PEM. Verification itself cannot be switched off. */
  readonly ca?: string
  /** For addresses that others name: keeps calls out of our own network. */
  readonly guard?: Pick<GuardedConnection, 'rules' | 'resolve'>
}

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024
const MAX_HEADER_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS_PER_ORIGIN = 64

export function openHttpClient(options: HttpClientOptions): OpenHttpClient {
  const authorities = options.ca ? { ca: [...rootCertificates, options.ca] } : {}
  const agent = new Agent({
    connections: options.connectionsPerOrigin ?? CONNECTIONS_PER_ORIGIN,
    // A request behind another on one connection could not tell whether it was written.
    pipelining: 1,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The one deadline of the call covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: options.guard
      ? guardedConnector({ ...options.guard, ...authorities, timeoutMs: CONNECT_TIMEOUT_MS })
      : { ...authorities, timeout: CONNECT_TIMEOUT_MS },
  })
  return {
    request: (request) =>
      new Promise((resolve, reject) =>
        new Exchange(request, options.clock, { resolve, reject }).start(agent),
      ),
    close: () => agent.close(),
  }
}

type Settle = { resolve(response: HttpResponse): void; reject(error: Error): void }
type Controller = Dispatcher.DispatchController
type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>

/** One request and its answer. `undici` calls `onRequestStart` right before it writes the first byte. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #origin: string
  readonly #path: string
  readonly #clock: Clock
  readonly #settle: Settle
  readonly #maxBytes: number
  #controller: Controller | undefined
  #failure: Error | undefined
  #settled = false
  #cancelDeadline: (() => void) | undefined
  #status = 0
  #headers: Record<string, string> = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(request: HttpRequest, clock: Clock, settle: Settle) {
    const url = new URL(request.url)
    this.#request = request
    this.#origin = url.origin
    this.#path = url.pathname + url.search
    this.#clock = clock
    this.#settle = settle
    this.#maxBytes = request.maxResponseBytes ?? MAX_RESPONSE_BYTES
  }

  start(agent: Agent): void {
    const { method, headers, body, signal, timeoutMs, traceparent } = this.#request
    if (signal?.aborted) return this.#end('aborted', signal.reason)
    this.#cancelDeadline = this.#clock.after(timeoutMs, () => this.#end('timeout'))
    signal?.addEventListener('abort', this.#onAbort)
    try {
      agent.dispatch(
        {
          origin: this.#origin,
          path: this.#path,
          method,
          headers: traceparent ? { ...headers, traceparent } : (headers ?? {}),
          body: body ?? null,
        },
        this,
      )
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  onRequestStart(controller: Controller): void {
    if (this.#settled) throw this.#failure ?? new Error('the request is over')
    if (this.#request.mayStillSend?.() === false) {
      this.#end('withdrawn')
      throw new Error('withdrawn before the first byte')
    }
    this.#controller = controller
  }

  onResponseStart(_controller: Controller, status: number, headers: ReceivedHeaders): void {
    // 1xx answers announce the real one.
    if (status < 200) return
    this.#status = status
    this.#headers = joined(headers)
    const declared = Number(this.#headers['content-length'] ?? 0)
    if (declared > this.#maxBytes && this.#request.method !== 'HEAD') this.#end('too_large')
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.#end('too_large')
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#settled) return
    this.#finish()
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#settle.resolve(new Answer(this.#origin, this.#status, this.#headers, body))
  }

  onResponseError(_controller: Controller, error: Error): void {
    // A request that cannot be written down, such as a header with a line break, is our bug and nobody's outage.
    if (error instanceof errors.InvalidArgumentError) this.#fail(error)
    else if (!this.#controller) this.#end('connect', error)
    else this.#end(error instanceof errors.HTTPParserError ? 'malformed' : 'reset', error)
  }

  readonly #onAbort = (): void => this.#end('aborted', this.#request.signal?.reason)

  #end(reason: HttpFailureReason, cause?: unknown): void {
    if (this.#settled) return
    const Failure = this.#controller ? Unanswered : NotSent
    this.#fail(new Failure(this.#origin, reason, cause))
  }

  #fail(failure: Error): void {
    if (this.#settled) return
    this.#failure = failure
    this.#finish()
    this.#controller?.abort(failure)
    this.#settle.reject(failure)
  }

  #finish(): void {
    this.#settled = true
    this.#cancelDeadline?.()
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

/** A complete answer of the system at `origin`. */
export class Answer implements HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly #origin: string

  constructor(origin: string, status: number, headers: Readonly<Record<string, string>>, body: Buffer) {
    this.#origin = origin
    this.status = status
    this.headers = headers
    this.body = body
  }

  text(): string {
    return this.body.toString('utf8')
  }

  json(): unknown {
    try {
      return parseJson(this.text())
    } catch (error) {
      throw new Unanswered(this.#origin, 'malformed', error)
    }
  }
}

/** Numbers long enough to be rounded are rare, so only texts that hold one pay for the careful reading. */
function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new SyntaxError('a number is too large to be read exactly')
    }
    return value
  })
}

function joined(headers: ReceivedHeaders): Record<string, string> {
  const result: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) result[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return result
}

function describe(reason: HttpFailureReason, cause: unknown): string {
  return cause instanceof Error ? `${reason} (${cause.message})` : reason
}
