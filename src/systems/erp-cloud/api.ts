/** The cloud ERP's API: a token that all calls share, single requests and `$batch`, and what an answer means. */
import { clockThere } from '#platform/clock-there.ts'
import {
  type CallContext,
  jsonOrNothing,
  legible,
  type Outcome,
  outcomeOfStatus,
  readable,
  refused,
  retry,
  retryAt,
  throttled,
  unknown,
} from '#platform/connector-binding.ts'
import type { ConnectorOptions } from '#platform/connector.ts'
import { type Grant, signedIn, SignInFailed } from '#platform/connector-sign-in.ts'
import { Outage } from '#platform/faults.ts'
import { fieldsOf, filledText, integer, Unexpected } from '#platform/fields.ts'
import type { HttpRequest, HttpResponse } from '#platform/http-client.ts'
import type { CloudErpSettings } from './settings.ts'
import { batchAnswers, type CloudAnswer, entityPage, errorOf } from './wire.ts'

/** A document to be made, under its idempotency key. */
export type Creation = { readonly key: string; readonly entity: string; readonly body: object }

export interface CloudApi {
  /** Makes each, in one call where there are several, and answers by key. */
  create<Answer>(
    creations: readonly Creation[],
    context: CallContext,
    read: ReadAnswer<Answer>,
  ): Promise<ReadonlyMap<string, Outcome<Answer>>>
  /** A single call with the headers it needs. */
  call(request: CloudRequest, context?: CallContext): Promise<HttpResponse>
  /** What a status means; undefined where the body is what was asked for. */
  outcomeOf(response: HttpResponse): Outcome<never> | undefined
  /** A page of entities; what is not answered is an `Outage`. */
  page(path: string): Promise<{ rows: readonly unknown[]; next: string | undefined }>
  /** What the ERP's clock showed at a moment of ours. */
  timeThere(ours: Date): Date
}

export type CloudRequest = Pick<HttpRequest, 'method'> & {
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type ReadAnswer<Answer> = (body: unknown, key: string) => Answer

type Options = ConnectorOptions<CloudErpSettings>

const ROOT = '/api/v2.0'
/** A token is renewed before its end, so that no call under way outlives it. */
const EARLY_MS = 60_000
const SECOND_MS = 1_000

export function openCloudApi(options: Options): CloudApi {
  const { instance, settings, http, clock } = options
  const { baseUrl, timeoutMs } = settings
  const company = `companies(${settings.options.company})`
  const there = clockThere(clock)
  const access = signedIn(clock, instance, () => signIn(options))

  const call: CloudApi['call'] = ({ method, path, body, headers }, context) =>
    access.call(
      (token) =>
        http.request({
          method,
          url: path.startsWith('/') ? `${baseUrl}${path}` : `${baseUrl}${ROOT}/${path}`,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          timeoutMs,
          ...context,
        }),
      ({ status }) => status === 401,
    )

  const outcomeOf: CloudApi['outcomeOf'] = (response) => {
    const failed = outcomeOfStatus(
      response,
      clock.now(),
      (busy) => errorOf(jsonOrNothing(busy))?.code === BUSY,
    )
    if (failed || response.status < 400) return failed
    return outcomeOfError(response.status, jsonOrNothing(response))
  }

  return {
    call,
    outcomeOf,
    timeThere: (ours) => there.at(ours),
    create: (creations, context, read) => create({ company, call, outcomeOf }, creations, { context, read }),
    async page(path) {
      const response = await call({ method: 'GET', path: path.startsWith('/') ? path : `${company}/${path}` })
      there.heard(response)
      if (response.status !== 200) {
        const at = retryAt(response, clock.now())
        const said = `${path} was answered with ${response.status}`
        throw new Outage(instance, said, at && { retryAt: at })
      }
      const answer: unknown = response.json()
      return readable(instance, () => entityPage(answer))
    },
  }
}

async function signIn({ instance, settings, http, clock }: Options): Promise<Grant> {
  const { clientId, clientSecret } = settings.credentials
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: '.default',
  })
  const startedMs = clock.monotonicMs()
  const response = await http.request({
    method: 'POST',
    url: `${settings.baseUrl}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    timeoutMs: settings.timeoutMs,
  })
  if (response.status !== 200) {
    throw new SignInFailed(instance, new Error(`status ${response.status}`), retryAt(response, clock.now()))
  }
  const fields = fieldsOf(response.json())
  const lifeMs = integer(fields, 'expires_in') * SECOND_MS
  return {
    token: filledText(fields, 'access_token'),
    untilMs: startedMs + Math.max(lifeMs / 2, lifeMs - EARLY_MS),
  }
}

type Caller = Pick<CloudApi, 'call' | 'outcomeOf'> & { readonly company: string }
type Asking<Answer> = { readonly context: CallContext; readonly read: ReadAnswer<Answer> }

async function create<Answer>(
  caller: Caller,
  creations: readonly Creation[],
  asking: Asking<Answer>,
): Promise<ReadonlyMap<string, Outcome<Answer>>> {
  const [first] = creations
  if (creations.length === 1 && first) return new Map([[first.key, await createOne(caller, first, asking)]])
  const requests = creations.map(({ key, entity, body }, at) => ({
    id: String(at),
    method: 'POST',
    url: `${caller.company}/${entity}`,
    headers: { 'Idempotency-Key': key },
    body,
  }))
  const response = await caller.call({ method: 'POST', path: '$batch', body: { requests } }, asking.context)
  const failed = caller.outcomeOf(response)
  if (failed) return new Map(creations.map(({ key }) => [key, failed]))
  const answers = legibleAnswers(response.json())
  return new Map(
    creations.map(({ key }, at) => {
      const answer = answers.get(String(at))
      if (!answer) return [key, unknown('the answer leaves this out')]
      return [key, legible(() => outcomeOfAnswer(answer, key, asking.read))]
    }),
  )
}

async function createOne<Answer>(
  caller: Caller,
  { key, entity, body }: Creation,
  { context, read }: Asking<Answer>,
): Promise<Outcome<Answer>> {
  const path = `${caller.company}/${entity}`
  const response = await caller.call(
    { method: 'POST', path, body, headers: { 'idempotency-key': key } },
    context,
  )
  const failed = caller.outcomeOf(response)
  if (failed) return failed
  const answer = { status: response.status, body: response.json() }
  return legible(() => outcomeOfAnswer(answer, key, read))
}

const BUSY = 'Application_Busy'
/** The key was used for another content, which was done: only a person can say what that means. */
const KEY_CONFLICT = 'Request_IdempotencyConflict'

/** An answer that makes no sense leaves out everything. */
function legibleAnswers(body: unknown): ReadonlyMap<string, CloudAnswer> {
  try {
    return batchAnswers(body)
  } catch (error) {
    if (error instanceof Unexpected) return new Map()
    throw error
  }
}

function outcomeOfAnswer<Answer>(
  { status, body }: CloudAnswer,
  key: string,
  read: ReadAnswer<Answer>,
): Outcome<Answer> {
  if (status >= 200 && status < 300) return { kind: 'confirmed', answer: read(body, key) }
  return outcomeOfError(status, body)
}

function outcomeOfError(status: number, body: unknown): Outcome<never> {
  const error = errorOf(body)
  if (!error || error.code === KEY_CONFLICT) return unknown(error?.message ?? `status ${status}`)
  if (status === 429) return throttled(error.message)
  if (error.code === BUSY || status === 401) return retry(error.message)
  return status < 500 ? refused(error.code, error.message) : unknown(error.message)
}
