/** The frame every simulated system stands on: node:http, routing to operations, counting, faults and the admin door. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '#platform/clock.ts'
import { faultBoard, type Fault, type FaultBoard } from './faults.ts'
import type { Keep } from './kept.ts'
import { draw } from './random.ts'
import { receivedCounter, type Received } from './received.ts'

export type Call = {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** What follows the question mark, still encoded. */
  readonly query: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** No reply at all: the connection breaks, or stays open without a word. */
export type Silence = { readonly silent: 'reset' | 'hang'; readonly ms: number }

/** What a call asks for: its name for counters and faults, our keys in it, and the effect. */
export type Operation = { readonly name: string; readonly keys: readonly string[]; readonly run: () => Reply }

/** A system's own part: which operation a call is, and how its vendor words trouble. */
export type SystemDoor<Truth> = {
  readonly system: string
  operation(call: Call): Operation | undefined
  /** The vendor's answer for a fault of the given status. */
  trouble(status: number, detail: string): Reply
  truth(): Truth
  /** All it needs to go on after a restart, as data. */
  remember(): unknown
}

export type ServerOptions = {
  /** How it is called where there are several of its kind. */
  readonly name?: string
  /** What the system's `remember` answered before it was started again. */
  readonly memory?: unknown
  readonly clock: Clock
  readonly seed: string
  readonly host: string
  /** Undefined: it answers only who calls `answer`, as in a simulation. */
  readonly port: number | undefined
  readonly keep: Keep
  readonly visibilityLagMs: number
}

export type SystemHandle<Truth> = {
  readonly system: string
  readonly url: string
  readonly faults: FaultBoard
  readonly received: Received
  readonly visibilityLagMs: number
  /** What the system believes. */
  truth(): Truth
  remember(): unknown
  /** The system without its socket. */
  answer(call: Call): Promise<Reply | Silence>
  stop(): Promise<void>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const HANG_MS = 60_000
const HTML =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be right back</h1></body></html>'

export const json = (status: number, body: unknown, headers?: Readonly<Record<string, string>>): Reply => ({
  status,
  headers: headers ? { ...JSON_TYPE, ...headers } : JSON_TYPE,
  body: JSON.stringify(body),
})

export type Tools = { readonly faults: FaultBoard; readonly received: Received }

export const systemTools = (options: ServerOptions, system: string): Tools => ({
  faults: faultBoard(options.clock, options.seed, system),
  received: receivedCounter(options.keep),
})

export async function startSystem<Truth>(
  door: SystemDoor<Truth>,
  tools: Tools,
  options: ServerOptions,
): Promise<SystemHandle<Truth>> {
  const { faults, received } = tools
  const answer = async (call: Call): Promise<Reply | Silence> => {
    const reply = await answerCall(door, tools, options, call)
    const date = options.clock.now().toUTCString()
    return 'silent' in reply ? reply : { ...reply, headers: { date, ...reply.headers } }
  }
  const { url, stop } = await openSocket(answer, faults, options)
  return {
    system: door.system,
    url: url ?? `http://${door.system}.invalid`,
    faults,
    received,
    visibilityLagMs: options.visibilityLagMs,
    truth: () => door.truth(),
    remember: () => door.remember(),
    answer,
    stop,
  }
}

type Socket = { readonly url?: string; stop(): Promise<void> }

/** Closed while a fault of the board refuses connections. */
async function openSocket(
  answer: SystemHandle<unknown>['answer'],
  faults: FaultBoard,
  options: ServerOptions,
): Promise<Socket> {
  if (options.port === undefined) return { stop: async () => undefined }
  const server = http.createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
    void readBody(request)
      .then((body) => answer(callOf(request, body)))
      .then((reply) => send(reply, response, options.clock))
      .catch((error: unknown) => fail(error, response))
  })
  await listen(server, options.host, options.port)
  const { port } = server.address() as AddressInfo
  let stopped = false
  let switching = Promise.resolve()
  const followFaults = async (): Promise<void> => {
    const open = !stopped && !faults.refusing
    if (open && !server.listening) await listen(server, options.host, port)
    if (!open && server.listening) await close(server)
  }
  faults.watch(() => (switching = switching.then(followFaults)))
  return {
    url: `http://${options.host}:${port}`,
    async stop() {
      stopped = true
      await switching
      await followFaults()
    },
  }
}

function listen(server: http.Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () =>
      resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()),
    )
    request.on('error', reject)
  })
}

function callOf(request: http.IncomingMessage, body: string): Call {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  return { method: request.method ?? 'GET', path, query, headers: request.headers, body }
}

function send(reply: Reply | Silence, response: http.ServerResponse, clock: Clock): void {
  if ('silent' in reply) {
    if (reply.silent === 'reset') response.destroy()
    else {
      const forget = clock.after(reply.ms, () => response.destroy())
      response.once('close', forget)
    }
    return
  }
  const length = String(Buffer.byteLength(reply.body))
  response.writeHead(reply.status, { ...reply.headers, 'content-length': length })
  response.end(reply.body)
}

function fail(error: unknown, response: http.ServerResponse): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const message = error instanceof Error ? error.message : String(error)
  response.writeHead(500, JSON_TYPE)
  response.end(JSON.stringify({ error: message }))
}

async function answerCall<Truth>(
  door: SystemDoor<Truth>,
  { faults, received }: Tools,
  options: ServerOptions,
  call: Call,
): Promise<Reply | Silence> {
  if (call.path.startsWith('/_')) return answerAdmin(door, faults, received, call)
  const operation = door.operation(call)
  if (!operation) return door.trouble(404, `${call.method} ${call.path}`)
  received.count(operation.name, operation.keys)
  if (faults.quiet) return operation.run()
  const key = operation.keys[0] ?? ''
  const refused = strikeBefore(door, faults, operation.name, { key, clock: options.clock })
  if (refused) return refused
  const latency = faults.strike('latency', operation.name, key)
  if (latency) {
    const jitter = draw(
      options.seed,
      `${door.system}/jitter/${operation.name}/${key}`,
      received.requests(operation.name),
    )
    await options.clock.sleep(latency.ms + jitter * (latency.jitterMs ?? 0))
  }
  const reply = operation.run()
  return strikeAfter(faults, operation.name, key, reply)
}

/** Faults that strike before the effect. */
function strikeBefore<Truth>(
  door: SystemDoor<Truth>,
  faults: FaultBoard,
  operation: string,
  { key, clock }: { key: string; clock: Clock },
): Reply | Silence | undefined {
  const outage = faults.strike('outage', operation, key)
  if (outage) return outage.mode === 'unavailable' ? door.trouble(503, 'outage') : { silent: 'reset', ms: 0 }
  const limit = faults.strike('rate-limit', operation, key)
  if (limit) {
    const at = new Date(clock.now().getTime() + limit.retryAfterSeconds * 1_000)
    const value = limit.retryAfterAs === 'date' ? at.toUTCString() : String(limit.retryAfterSeconds)
    return withRetryAfter(door.trouble(429, 'rate limit'), value)
  }
  const error = faults.strike('server-error', operation, key)
  if (!error) return undefined
  const reply = door.trouble(error.status ?? 503, 'fault')
  return error.retryAfterSeconds === undefined
    ? reply
    : withRetryAfter(reply, String(error.retryAfterSeconds))
}

const withRetryAfter = (reply: Reply, value: string): Reply => ({
  ...reply,
  headers: { ...reply.headers, 'retry-after': value },
})

/** Faults that strike after the effect is done. */
function strikeAfter(faults: FaultBoard, operation: string, key: string, reply: Reply): Reply | Silence {
  const silence = faults.strike('no-answer', operation, key)
  if (silence) return { silent: silence.mode ?? 'reset', ms: silence.hangMs ?? HANG_MS }
  const wrong = faults.strike('wrong-body', operation, key)
  if (!wrong) return reply
  if (wrong.body === 'html') return { status: 200, headers: { 'content-type': 'text/html' }, body: HTML }
  const body = wrong.body === 'empty' ? '' : reply.body.slice(0, Math.floor(reply.body.length / 2))
  return { status: 200, headers: JSON_TYPE, body }
}

function answerAdmin<Truth>(
  door: SystemDoor<Truth>,
  faults: FaultBoard,
  received: Received,
  call: Call,
): Reply {
  const [, room, id] = call.path.split('/')
  if (call.method === 'GET' && room === '_truth') return json(200, door.truth())
  if (call.method === 'GET' && room === '_received') return json(200, received.report())
  if (room !== '_faults') return json(404, { error: 'no such admin route' })
  if (call.method === 'GET') return json(200, faults.list())
  if (call.method === 'DELETE') {
    faults.clear(id)
    return json(200, faults.list())
  }
  try {
    return json(200, { ids: faults.set(JSON.parse(call.body) as Fault | Fault[]) })
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : 'malformed' })
  }
}
