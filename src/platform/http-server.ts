/** The web server: routes in, problems out. What is said here once holds for every door. */
import fastify from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requireScope } from './access.ts'
import type { Access, Principal } from './access.ts'
import type { Clock } from './clock.ts'
import { Refusal } from './faults.ts'
import type { Answer, Replay, Request, Route } from './http.ts'
import { sendAnswer, sendEvents, sendProblem } from './http-answer.ts'
import type { Catalogue } from './http-catalogue.ts'
import { prepareDoors } from './http-doors.ts'
import type { Door } from './http-doors.ts'
import { Exchange, checkHeaders, expire, pathOf, readRequest } from './http-exchange.ts'
import { openapi } from './http-openapi.ts'
import type { ApiInfo, OpenApi } from './http-openapi.ts'
import { Interruption, isBug, isUnavailable, problemOf } from './http-problem.ts'
import { createRateLimits } from './http-rate.ts'
import type { Rates } from './http-rate.ts'
import { referenceRoutes } from './http-reference.ts'
import type { Ids } from './ids.ts'
import { Misconfiguration } from './misconfiguration.ts'
import type { Log } from './telemetry-log.ts'
import { FAST_SECONDS } from './telemetry-metrics.ts'
import type { Metrics } from './telemetry-metrics.ts'

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange
  }
}

export type ServerPorts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  readonly access: Access
}

export type ServerOptions = {
  readonly info: ApiInfo
  readonly catalogue: Catalogue
  /** Must hold the classes of all routes, `page` and `probe` among them. */
  readonly rates: Rates
  /** Holds every answer to its declared status, schema and codes; for tests. */
  readonly checkAnswers?: boolean
  readonly timeoutMs?: number
  /** Whether the contract and its pages are served as well; they are unless said otherwise. */
  readonly reference?: boolean
  /** How long a closing server waits for the requests it has begun. */
  readonly drainMs?: number
  readonly maxStreams?: number
}

export type Call = {
  readonly method: Request['method'] | 'HEAD' | 'OPTIONS'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}
export type Called = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Server {
  /** The contract it serves. */
  readonly openapi: OpenApi
  /** Opens the port; a taken one is an error that names the way out. */
  listen(at: { host: string; port: number }): Promise<{ url: string; port: number }>
  /** Runs one request through everything but the network. */
  call(call: Call): Promise<Called>
  /** Takes nothing new, ends event streams, waits for what has begun, then cuts. */
  close(): Promise<void>
}

type Context = {
  readonly ports: ServerPorts
  readonly options: ServerOptions
  readonly doors: readonly Door[]
  readonly closing: AbortController
  readonly streams: { open: number }
  readonly takeToken: (client: string, rateClass: string) => Record<string, string>
}

const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_DRAIN_MS = 10_000
const DEFAULT_MAX_STREAMS = 500

/**
 * Fails when a route is incomplete, ambiguous or refuses with an undeclared code; and before it listens, where the
 * contract cannot be written. What nobody asks for is not made.
 */
export function createServer(routes: readonly Route[], ports: ServerPorts, options: ServerOptions): Server {
  let written: OpenApi | undefined
  const document = (): OpenApi => (written ??= openapi(routes, options.info, options.catalogue))
  const rules = {
    catalogue: options.catalogue,
    rates: options.rates,
    checkAnswers: options.checkAnswers ?? false,
  }
  const reference = options.reference === false ? [] : referenceRoutes(document, options.catalogue)
  const doors = prepareDoors([...routes, ...reference], rules)
  const takeToken = createRateLimits(options.rates, ports.clock).take
  const context = { ports, options, doors, closing: new AbortController(), streams: { open: 0 }, takeToken }
  let app: FastifyInstance | undefined
  const framework = (): FastifyInstance => (app ??= frameworkFor(context))
  return {
    get openapi() {
      return document()
    },
    async listen(at) {
      document()
      return listen(framework(), at)
    },
    async call({ method, url, headers = {}, body }) {
      const answer = await framework().inject({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { payload: body }),
      })
      return {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
        body: answer.payload,
      }
    },
    async close() {
      context.closing.abort()
      if (!app) return
      const { server } = app
      const closed = app.close()
      const drainMs = options.drainMs ?? DEFAULT_DRAIN_MS
      const cancel = ports.clock.after(drainMs, () => server.closeAllConnections())
      await closed
      cancel()
    },
  }
}

function frameworkFor(context: Context): FastifyInstance {
  const { ports, closing, doors } = context
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    genReqId: () => '',
    return503OnClosing: false,
    // A route that is read answers HEAD itself: one more for each would take as long again to make.
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    // Longer than the idle time of the usual load balancers, so that they close first and never race us.
    keepAliveTimeout: 75_000,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => {
      request.exchange ??= new Exchange(request, ports.ids, ports.clock.monotonicMs())
      fail(context, request, reply, error)
    },
    clientErrorHandler(_error, socket) {
      if (socket.writable)
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    },
  })
  const durations = ports.metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer',
    labels: ['method', 'route', 'status'],
    buckets: FAST_SECONDS,
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, _reply, done) => {
    request.exchange = new Exchange(request, ports.ids, ports.clock.monotonicMs())
    if (closing.signal.aborted) throw new Interruption('http.closing')
    if (request.url.includes('%00')) throw new Refusal('http.url_malformed', 'The address encodes a NUL.')
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const seconds = (ports.clock.monotonicMs() - request.exchange.startedMs) / 1_000
    const route = request.routeOptions.url ?? 'none'
    durations.observe({ method: request.method, route, status: String(reply.statusCode) }, seconds)
    // A connection that falls idle while the server closes would hold it open until the keep-alive time is over.
    if (closing.signal.aborted) ports.clock.soon(() => app.server.closeIdleConnections())
    done()
  })
  app.setErrorHandler((error, request, reply) => fail(context, request, reply, error))
  app.setNotFoundHandler((request, reply) => fail(context, request, reply, notFound(doors, request)))
  for (const door of doors) open(door, app, context)
  return app
}

/** Registers one door. All that headers can tell is checked before the body is read. */
function open(door: Door, app: FastifyInstance, context: Context): void {
  const { route, pattern } = door
  const streams = Object.values(route.answers).some(({ contentType }) => contentType === 'text/event-stream')
  app.route({
    method: route.method === 'GET' && !streams ? ['GET', 'HEAD'] : route.method,
    url: pattern,
    bodyLimit: Math.max(1, route.bodyLimitBytes),
    onRequest(request, _reply, done) {
      const principal = route.scope === 'public' ? undefined : authenticate(context, request)
      if (principal instanceof Promise) {
        principal.then((known) => admit(door, context, request, known)).then(() => done(), done)
      } else {
        admit(door, context, request, principal)
        done()
      }
    },
    async handler(request, reply) {
      const served = readRequest(door, request, reply)
      const answer = await answerInTime(door, context, served)
      if (context.options.checkAnswers) assertDeclared(door, answer)
      return send(context, { request, reply, served }, answer)
    },
  })
}

function authenticate(context: Context, request: FastifyRequest): Principal | Promise<Principal> {
  const { exchange } = request
  return context.ports.access.authenticate({
    authorization: exchange.header('authorization'),
    apiKey: exchange.header('x-api-key'),
    host: exchange.header('host'),
    remoteAddress: request.raw.socket.remoteAddress ?? '',
    forwarded: exchange.header('x-forwarded-for') !== undefined || exchange.header('forwarded') !== undefined,
  })
}

function admit(
  door: Door,
  context: Context,
  request: FastifyRequest,
  principal: Principal | undefined,
): void {
  const { exchange } = request
  if (principal) {
    exchange.principal = principal
    requireScope(principal, door.route.scope)
  }
  const client = principal ? principal.client : `address ${request.raw.socket.remoteAddress}`
  Object.assign(exchange.headers, context.takeToken(client, door.route.rateClass))
  checkHeaders(door, exchange)
}

/** An async function, so that what a handler throws at once is a rejection too. */
async function handle(door: Door, served: Request): Promise<Answer | Replay> {
  return door.route.handler(served)
}

function answerInTime(door: Door, context: Context, served: Request): Promise<Answer | Replay> {
  const timeoutMs = door.route.timeoutMs ?? context.options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return new Promise((resolve, reject) => {
    const cancel = context.ports.clock.after(timeoutMs, () => {
      reject(new Interruption('http.timeout'))
      expire(served)
    })
    void handle(door, served).then(resolve, reject).finally(cancel)
  })
}

function send(
  context: Context,
  exchange: { request: FastifyRequest; reply: FastifyReply; served: Request },
  answer: Answer | Replay,
): FastifyReply {
  if (!('events' in answer) || !answer.events) return sendAnswer(exchange.request, exchange.reply, answer)
  const { streams, options, ports, closing } = context
  if (streams.open >= (options.maxStreams ?? DEFAULT_MAX_STREAMS)) {
    throw new Refusal('http.streams_exhausted', 'Too many event streams are open.', { retryAfterMs: 30_000 })
  }
  streams.open++
  const done = () => void streams.open--
  const { events } = answer
  return sendEvents(exchange, { ...answer, events }, { clock: ports.clock, closing: closing.signal, done })
}

/** In tests: an answer that the contract does not promise is a bug of ours. */
function assertDeclared(door: Door, answer: Answer | Replay): void {
  const { route, answerChecks } = door
  if ('replayed' in answer) return
  const title = `${route.method} ${route.path} answered ${answer.status}`
  if (!route.answers[answer.status]) throw new Error(`${title}, which it does not declare`)
  const errors = answerChecks.get(answer.status)?.(answer.body) ?? []
  if (errors.length > 0)
    throw new Error(`${title} against its schema: ${errors.map((e) => e.message).join('; ')}`)
}

function fail(context: Context, request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
  const { ports, options, doors } = context
  const met = faultOf(thrown, request)
  const fault = options.checkAnswers ? held(met, doors, request) : met
  const { exchange } = request
  const facts = {
    traceId: exchange.trace.traceId,
    method: request.method,
    path: pathOf(request.url),
    error: fault,
  }
  if (isBug(fault, options.catalogue)) ports.log.error('a request met a defect', facts)
  else if (isUnavailable(fault)) ports.log.warn('a request met an outage', facts)
  const problem = problemOf(fault, {
    catalogue: options.catalogue,
    traceId: exchange.trace.traceId,
    instance: pathOf(request.url),
    now: ports.clock.now(),
  })
  if (fault instanceof Interruption && fault.code === 'http.closing') exchange.headers['connection'] = 'close'
  sendProblem(request, reply, problem)
}

/** In tests: a refusal that the route does not declare is a bug of ours. The server's own need no declaration. */
function held(fault: unknown, doors: readonly Door[], request: FastifyRequest): unknown {
  if (!(fault instanceof Refusal) || /^(?:http|access)\./.test(fault.code)) return fault
  const door = doors.find(
    (one) => one.pattern === request.routeOptions.url && one.route.method === request.method,
  )
  if (!door || door.route.refusals?.includes(fault.code)) return fault
  return new Error(`${door.route.method} ${door.route.path} does not declare ${fault.code}`, { cause: fault })
}

/** What the web framework throws, in our words. */
function faultOf(thrown: unknown, request: FastifyRequest): unknown {
  const code = (thrown as Partial<FastifyError> | null)?.code
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limitBytes = request.routeOptions.bodyLimit
    return new Refusal('http.body_too_large', `The body may have ${limitBytes} bytes at most.`, {
      limitBytes,
    })
  }
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return new Refusal('http.body_malformed', 'The body is shorter or longer than Content-Length says.')
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new Refusal('http.media_type_unsupported', 'The Content-Type header cannot be read.')
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new Refusal('http.url_malformed', 'The address cannot be read.')
  }
  return thrown
}

function notFound(doors: readonly Door[], request: FastifyRequest): Refusal {
  const path = pathOf(request.url)
  const methods = doors.filter((door) => door.matches.test(path)).map((door) => door.route.method)
  // The framework reads an encoded slash as one; then the method fits and the path does not.
  if (methods.length === 0 || methods.includes(request.method as Request['method']))
    return new Refusal('http.not_found', `There is no ${path.slice(0, 200)} here.`)
  const allow = [
    ...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))),
  ].join(', ')
  return new Refusal('http.method_not_allowed', `${path.slice(0, 200)} takes ${allow}.`, { allow })
}

async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }) {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const cure = 'stop the program that holds it, or choose another with --port N or CROSSDOCK__HTTP__PORT=N'
    throw new Misconfiguration({ problem: `port ${port} on ${host} is taken`, cure }, cause)
  }
  const address = app.server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound }
}
