/** One attempt at telling a receiver of one event, and what its answer means. */
import { type CloudEvent, type EventWords, type Payload, toCloudEvent } from './cloud-events.ts'
import type { Clock } from './clock.ts'
import { type HttpClient, type HttpFailureReason, NotSent, Unanswered } from './http-client.ts'
import { AddressRefused } from './http-address-guard.ts'
import type { RecordedEvent } from './log.ts'
import { retryAfterMs } from './retry.ts'
import { webhookHeaders } from './standard-webhooks.ts'

export const WEBHOOK_TIMEOUT_MS = 15_000
const BODY_MAX_BYTES = 20_000
const ANSWER_MAX_BYTES = 64_000

export type Receiver = { readonly url: string; readonly secrets: readonly string[] }

export type Sent = {
  readonly outcome: 'delivered' | 'failed' | 'gone' | 'interrupted'
  readonly status?: number
  /** In words that tell a subscriber nothing about our network. */
  readonly cause?: string
  /** The receiver as a whole is away or asks to be left alone; it is not about this message. */
  readonly isAway: boolean
  readonly retryAfterMs?: number | undefined
}

export type CallPorts = { readonly http: HttpClient; readonly clock: Clock }

export type Call = {
  readonly receiver: Receiver
  readonly event: CloudEvent
  readonly signal: AbortSignal
  readonly mayStillSend: () => boolean
}

/** The whole event where it was asked for and is small enough to be sent, else the thin one. */
export function messageOf(words: EventWords, event: RecordedEvent, payload: Payload): CloudEvent {
  const message = toCloudEvent(words, event, payload)
  const isTooLarge = payload === 'full' && Buffer.byteLength(JSON.stringify(message)) > BODY_MAX_BYTES
  return isTooLarge ? toCloudEvent(words, event, 'thin') : message
}

export async function callWebhook({ http, clock }: CallPorts, call: Call): Promise<Sent> {
  const { receiver, event, signal, mayStillSend } = call
  const body = JSON.stringify(event)
  try {
    const { status, headers } = await http.request({
      method: 'POST',
      url: receiver.url,
      headers: {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'user-agent': 'Crossdock-Webhooks/1.0',
        ...webhookHeaders({ id: event.id, at: clock.now(), body }, receiver.secrets),
      },
      body,
      timeoutMs: WEBHOOK_TIMEOUT_MS,
      maxResponseBytes: ANSWER_MAX_BYTES,
      signal,
      mayStillSend,
    })
    return answered(status, retryAfterMs(headers, clock.now()))
  } catch (error) {
    if (error instanceof NotSent || error instanceof Unanswered) return unanswered(error)
    throw error
  }
}

const THROTTLES = new Set([429, 502, 503, 504])

function answered(status: number, waitMs: number | undefined): Sent {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status, isAway: false }
  const cause = `HTTP ${status}`
  if (status === 410) return { outcome: 'gone', status, cause, isAway: false }
  const isAway = THROTTLES.has(status)
  return { outcome: 'failed', status, cause, isAway, ...(isAway ? { retryAfterMs: waitMs } : {}) }
}

const CAUSES: Readonly<Record<HttpFailureReason, string>> = {
  connect: 'no connection',
  timeout: `no answer within ${WEBHOOK_TIMEOUT_MS / 1_000} s`,
  aborted: 'interrupted',
  withdrawn: 'interrupted',
  reset: 'the connection broke',
  too_large: 'the answer is too large',
  malformed: 'the answer is not HTTP',
}

function unanswered({ reason, cause }: NotSent | Unanswered): Sent {
  if (reason === 'aborted' || reason === 'withdrawn') return { outcome: 'interrupted', isAway: true }
  const words =
    cause instanceof AddressRefused ? 'the name leads to an address that is not public' : CAUSES[reason]
  return { outcome: 'failed', cause: words, isAway: true }
}
