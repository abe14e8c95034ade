/**
 * Programs outside that have events sent to an address: each subscribes through our doors, checks who signed, takes a
 * message, loses it or says that it cannot, and when faults end has us go on.
 */
import { createHmac } from 'node:crypto'
import { draw } from '#landscape/random.ts'
import type { Reply, Silence } from '#landscape/server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Receiver } from './network.ts'
import { timeAt } from './virtual-clock.ts'

/** What a subscriber asks for, as the door takes it. */
export type Wanted = {
  readonly types?: readonly string[]
  readonly domains?: readonly string[]
  readonly companies?: readonly string[]
}

export type HeardEvent = {
  readonly id: string
  readonly type: string
  readonly partitionkey: string
  readonly sequence: string
  readonly company: string
}

/** A message that was taken, in the order of coming. */
export type Taken = { readonly event: HeardEvent; readonly body: string }

export type Subscriber = {
  readonly name: string
  readonly wanted: Wanted
  /** Since it was made. */
  subscription?: { readonly id: string; readonly cursor: string }
  readonly taken: Taken[]
  /** Messages that nobody could believe. */
  readonly amiss: string[]
}

export type Subscribers = {
  readonly all: readonly Subscriber[]
  /** Everybody has subscribed. */
  isIdle(): boolean
  /** Faults have ended. */
  peace(): void
}

type Parts = CallerParts & {
  readonly seed: string
  readonly count: number
  /** Into the database, as an action of its own. */
  readonly look: Query
}

const SUBSCRIPTIONS = '/experience/events/v1/subscriptions'
const WANTED: readonly Wanted[] = [
  {},
  { types: ['order.*', 'invoice.posted'] },
  { domains: ['shipments'] },
  { companies: ['NWF'] },
  { domains: ['billing', 'orders'], companies: ['NWI'] },
]
const TOLERANCE_S = 300
const PRESS_MS = 10_000
/** Of a 429, in seconds. */
const RETRY_AFTER_S = 7

/** Sent later than at once: its subscriber has them come now. */
const PUT_OFF = `
  select w.id from subscription.webhook w where w.due_at > now() + interval '1 second' or exists (
    select from subscription.delivery d
    where d.subscription = w.id and d.state = 'waiting' and d.due_at > now() + interval '1 second')`

export function openSubscribers(parts: Parts): Subscribers {
  const { seed, scheduler, network, count } = parts
  const { post, sleep } = openCaller(parts)
  const secrets = new Map<Subscriber, string>()

  async function subscribe(subscriber: Subscriber, url: string): Promise<void> {
    const { name, wanted } = subscriber
    const payload = draw(seed, 'payload', name) < 0.5 ? 'thin' : 'full'
    const answer = await post(SUBSCRIPTIONS, name, { name, url, payload, ...wanted })
    const { id, cursor, secret } = JSON.parse(answer.body) as { id: string; cursor: string; secret?: string }
    subscriber.subscription = { id, cursor }
    secrets.set(subscriber, secret ?? (await newSecret(name, id)))
  }

  /** An answer that was lost is repeated without its secret. */
  async function newSecret(name: string, id: string): Promise<string> {
    for (let nth = 0; ; nth++) {
      const answer = await post(`${SUBSCRIPTIONS}/${id}:rotate-secret`, `${name}-secret-${nth}`, {})
      const { secret } = JSON.parse(answer.body) as { secret?: string }
      if (secret !== undefined) return secret
    }
  }

  async function pressOn(): Promise<void> {
    for (let nth = 0; ; nth++) {
      for (const { id } of await parts.look<{ id: string }>(PUT_OFF)) {
        await post(`${SUBSCRIPTIONS}/${id}:pause`, `${id}-pause-${nth}`, { reason: 'about to go on' })
        await post(`${SUBSCRIPTIONS}/${id}:resume`, `${id}-resume-${nth}`, {})
      }
      await sleep(PRESS_MS)
    }
  }

  const all = Array.from({ length: count }, (_, nth): Subscriber => {
    const name = `subscriber-${nth}`
    const wanted = WANTED[Math.floor(draw(seed, 'wanted', name) * WANTED.length)]!
    const subscriber: Subscriber = { name, wanted, taken: [], amiss: [] }
    const url = `https://${name}.invalid/hook`
    const secret = (): string | undefined => secrets.get(subscriber)
    network.receivers.set(new URL(url).origin, receiverOf(parts, subscriber, secret))
    scheduler.after(0, { actor: parts.outside, label: name, run: () => void subscribe(subscriber, url) })
    return subscriber
  })
  return { all, isIdle: () => secrets.size === count, peace: () => void pressOn() }
}

function receiverOf(
  { faults, scheduler }: Parts,
  { name, taken, amiss }: Subscriber,
  secretOf: () => string | undefined,
): Receiver {
  return {
    system: name,
    async answer({ headers, body }): Promise<Reply | Silence> {
      const secret = secretOf()
      // Who has not heard yet what signs cannot check it.
      if (secret === undefined) return { status: 503, body: '' }
      if (faults.strikes('subscriber-error', name)) return { status: 500, body: 'not today' }
      if (faults.strikes('subscriber-busy', name))
        return { status: 429, headers: { 'retry-after': String(RETRY_AFTER_S) }, body: '' }
      const nowS = timeAt(scheduler.nowMs).getTime() / 1_000
      if (!isOfNow({ headers, body }, nowS)) amiss.push(body)
      // A program that stood still since before the secret was changed knows the old one: it is told again.
      if (!isSigned({ headers, body }, secret)) return { status: 401, body: 'who are you?' }
      taken.push({ event: JSON.parse(body) as HeardEvent, body })
      return faults.strikes('subscriber-hangs', name) ? { silent: 'hang', ms: 0 } : { status: 204, body: '' }
    },
  }
}

type Message = Pick<Parameters<Receiver['answer']>[0], 'headers' | 'body'>

function isOfNow({ headers, body }: Message, nowS: number): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': at } = headers
  const isNamed = (JSON.parse(body) as HeardEvent).id === id
  return isNamed && Math.abs(nowS - Number(at)) <= TOLERANCE_S
}

/** As Standard Webhooks has receivers do it. */
function isSigned({ headers, body }: Message, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
  return String(signatures).split(' ').includes(`v1,${expected}`)
}
