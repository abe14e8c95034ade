/** The legacy ERP's gateway: a session that all calls share, and what its return codes mean for a call. */
import { clockThere } from '#platform/clock-there.ts'
import {
  type CallContext,
  jsonOrNothing,
  type Outcome,
  outcomeOfStatus,
  refused,
  retry,
  retryAt,
  unknown,
} from '#platform/connector-binding.ts'
import type { ConnectorOptions } from '#platform/connector.ts'
import { signedIn, SignInFailed } from '#platform/connector-sign-in.ts'
import { Outage } from '#platform/faults.ts'
import { type Fields, filledText, Unexpected } from '#platform/fields.ts'
import type { HttpResponse } from '#platform/http-client.ts'
import type { LegacyErpSettings } from './settings.ts'
import { answerOf, messageOf } from './wire.ts'

const DONE = '000'
const SESSION_UNKNOWN = '011'
const BUSY = '900'
const SHORT_DUMP = '999'

/** `failed` where the call as a whole has an outcome; else what it answered. */
export type Called =
  | { readonly failed: Outcome<never>; readonly fields?: undefined }
  | { readonly failed?: undefined; readonly fields: Fields }

export interface Gateway {
  call(path: string, body: unknown, context: CallContext): Promise<Called>
  /** As `call`, for reading: what is not answered is an `Outage`. */
  read(path: string, body: unknown): Promise<Fields>
  /** What the ERP's clock showed at a moment of ours. */
  timeThere(ours: Date): Date
}

export function openGateway({
  instance,
  settings,
  http,
  clock,
}: ConnectorOptions<LegacyErpSettings>): Gateway {
  const { baseUrl, timeoutMs, credentials, options } = settings
  const there = clockThere(clock)

  const post = (path: string, body: unknown, headers: Record<string, string>, context?: CallContext) =>
    http.request({
      method: 'POST',
      url: `${baseUrl}${path}`,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      timeoutMs,
      ...context,
    })

  const session = signedIn(clock, instance, async () => {
    const { user, password } = credentials
    const response = await post('/logon', { MANDT: options.client, BNAME: user, BCODE: password }, {})
    if (response.status !== 200) {
      throw new SignInFailed(instance, new Error(`status ${response.status}`), retryAt(response, clock.now()))
    }
    const { rc, fields } = answerOf(response.json())
    if (rc !== DONE) throw new SignInFailed(instance, new Error(`${rc} ${messageOf(fields)}`))
    // A session ends half an hour after its last call; a call that finds it ended is told so and has done nothing.
    return { token: filledText(fields, 'SID') }
  })

  async function call(path: string, body: unknown, context?: CallContext): Promise<Called> {
    const response = await session.call(
      (sid) => post(path, body, { 'x-sid': sid }, context),
      (answer) =>
        answer.status === 200 && answer.body.length < SHORT_ANSWER && rcOf(answer) === SESSION_UNKNOWN,
    )
    there.heard(response)
    const failed = outcomeOfStatus(response, clock.now(), (busy) => rcOf(busy) === BUSY)
    if (failed) return { failed }
    const answer: unknown = response.json()
    try {
      const { rc, fields } = answerOf(answer)
      return rc === DONE ? { fields } : { failed: outcomeOfCode(rc, fields) }
    } catch (error) {
      if (error instanceof Unexpected)
        return { failed: unknown(`the answer makes no sense: ${error.message}`) }
      throw error
    }
  }

  return {
    call,
    timeThere: (ours) => there.at(ours),
    async read(path, body) {
      const { failed, fields } = await call(path, body)
      if (fields) return fields
      const reason =
        failed.kind === 'refused' ? failed.message : failed.kind === 'confirmed' ? '' : failed.reason
      const at = failed.kind === 'retry' ? failed.at : undefined
      throw new Outage(instance, `${path} was not answered: ${reason}`, at && { retryAt: at })
    },
  }
}

/** A lost session is told in a few words; longer answers are not parsed twice. */
const SHORT_ANSWER = 1_000

function rcOf(response: HttpResponse): unknown {
  const body = jsonOrNothing(response)
  return typeof body === 'object' && body !== null ? (body as Fields)['RC'] : undefined
}

function outcomeOfCode(rc: string, fields: Fields): Outcome<never> {
  if (rc === BUSY || rc === SESSION_UNKNOWN) return retry(`${rc} ${messageOf(fields)}`)
  if (rc === SHORT_DUMP) return unknown(`${rc} ${messageOf(fields)}`)
  return refused(rc, messageOf(fields))
}
