/** What a door is: the routes of the house, what their handlers receive, and what they may answer. */
import type { z } from 'zod'
import type { Principal } from './access.ts'
import type { Trace } from './telemetry.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Schema = z.ZodType

/** One server-sent event; `id` comes back as Last-Event-ID when the reader connects again. */
export type ServerEvent = { readonly id?: string; readonly event?: string; readonly data: unknown }

/** One kind of answer of a route: JSON of a schema, an event stream, or bytes of a content type. */
export type AnswerSpec =
  | { readonly description: string; readonly body: Schema; readonly contentType?: undefined }
  | { readonly description: string; readonly body?: undefined; readonly contentType?: string }
export type AnswerSpecs = Readonly<Record<number, AnswerSpec>>

/** One intent of a client, or of a partner that it speaks for: its Idempotency-Key, and a hash of what the request says. */
export type Claim = { readonly client: string; readonly key: string; readonly fingerprint: Buffer }

/** An answer given before; the server marks it with `Idempotency-Replayed: true`. */
export type Replay = { readonly replayed: { readonly status: number; readonly body: unknown } }

type Headers = Readonly<Record<string, string>>

/** What a handler hands back. `content` is sent as it is, `events` until the reader or the iterable ends. */
export type Answer = {
  readonly status: number
  readonly headers?: Headers
  readonly body?: unknown
  readonly content?: string | Uint8Array
  readonly events?: AsyncIterable<ServerEvent>
}

/** An answer is only read: handlers may hand out what they must not change. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

/** The answers that the declared statuses allow, body by body. */
export type AnswerOf<Specs extends AnswerSpecs> = {
  [Status in keyof Specs & number]: Specs[Status] extends { readonly body: infer Body extends Schema }
    ? { readonly status: Status; readonly headers?: Headers; readonly body: Frozen<z.input<Body>> }
    : Specs[Status] extends { readonly contentType: 'text/event-stream' }
      ? { readonly status: Status; readonly headers?: Headers; readonly events: AsyncIterable<ServerEvent> }
      : { readonly status: Status; readonly headers?: Headers; readonly content?: string | Uint8Array }
}[keyof Specs & number]

/** A request after every check: parsed, valid, and from a principal who has the scope. */
export interface Request<Params = unknown, Query = unknown, Body = unknown, Key = Claim | undefined> {
  readonly method: Method
  /** The address as sent, without the query. */
  readonly path: string
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The body as received, for signatures and for what is not JSON. */
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly principal: Principal
  readonly trace: Trace
  readonly requestId: string
  /** The business journey as the caller names it. */
  readonly correlationId: string | undefined
  /** Names this intent; claim and record it in the transaction that has the effect. */
  readonly idempotency: Key
  /** The If-Match header; `assertMatch` compares it. */
  readonly ifMatch: string | undefined
  /** The last server-sent event that the reader has seen. */
  readonly lastEventId: string | undefined
  /** Aborts when the client is gone, the time is up, or the server closes. */
  readonly signal: AbortSignal
}

/** The output of a schema, or an empty object where a route has none. */
type Parsed<S extends Schema | undefined> = S extends Schema ? z.output<S> : Readonly<Record<string, never>>

export interface RouteSpec<
  Params extends Schema | undefined = Schema | undefined,
  Query extends Schema | undefined = Schema | undefined,
  Body extends Schema | undefined = Schema | undefined,
  Specs extends AnswerSpecs = AnswerSpecs,
  Idempotent extends true | 'none' | undefined = true | 'none' | undefined,
  Given extends AnswerOf<Specs> | Replay = AnswerOf<Specs> | Replay,
> {
  readonly method: Method
  /** `/orders/:id`, and custom methods as `/orders/:id:cancel` or `/orders:import`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  /** The scope that a principal needs; `public` routes prove their caller themselves or need no proof. */
  readonly scope: string
  readonly rateClass: string
  readonly bodyLimitBytes: number
  readonly timeoutMs?: number
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** `bytes`: the body is not parsed and may have any content type. */
  readonly consumes?: 'json' | 'bytes'
  readonly answers: Specs
  /** Codes that this route's handler may refuse with; the server's own are known. */
  readonly refusals?: readonly string[]
  readonly example?: {
    readonly params?: unknown
    readonly query?: unknown
    readonly body?: unknown
    readonly answer?: unknown
  }
  /** Every POST and PATCH says whether it needs an Idempotency-Key (`true`) or repeats harmlessly (`none`). */
  readonly idempotent?: Idempotent
  /** The route changes a document only at the version that If-Match names. */
  readonly precondition?: 'if-match'
  /** Pages for people: not part of the published contract. */
  readonly page?: true
  handler(
    request: Request<
      Parsed<Params>,
      Parsed<Query>,
      Parsed<Body>,
      Idempotent extends true ? Claim : undefined
    >,
  ): Given | Promise<Given>
}

/** A route whose schemas have done their work for the compiler. */
export interface Route extends Omit<RouteSpec, 'handler'> {
  handler(request: Request): Answer | Replay | Promise<Answer | Replay>
}

/** Declares a route; its handler's request and answers are typed by the schemas. */
export function route<
  const Specs extends AnswerSpecs,
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
  Body extends Schema | undefined = undefined,
  const Idempotent extends true | 'none' | undefined = undefined,
  const Given extends AnswerOf<Specs> | Replay = AnswerOf<Specs> | Replay,
>(spec: RouteSpec<Params, Query, Body, Specs, Idempotent, Given>): Route {
  return spec
}
