/**
 * Programs outside that have events sent to an address: each subscribes through our doors, checks who signed, takes a
 * message, loses it, says that it cannot or will not, asks to be left alone, or is gone until somebody mends it.
 */
import { createHmac } from 'node:crypto'
import { draw, drawInteger } from '#landscape/random.ts'
import type { Reply, Silence } from '#landscape/server.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type CallerParts, openCaller } from './caller.ts'
import type { Receiver } from './network.ts'
import { type HeardEvent, type Subscriber, SUBSCRIPTIONS, type Wanted } from './subscriber.ts'
import { openSubscriberPeople, type SubscriberPeople } from './subscriber-people.ts'
import { timeAt } from './virtual-clock.ts'

export type Subscribers = {
  readonly all: readonly Subscriber[]
  readonly people: SubscriberPeople
  /** Everybody has subscribed, and nobody sees to one. */
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

const WANTED: readonly Wanted[] = [
  {},
  { types: ['order.*', 'invoice.posted'] },
  { domains: ['shipments'] },
  { companies: ['NWF'] },
  { domains: ['billing', 'orders'], companies: ['NWI'] },
]
const TOLERANCE_S = 300
/** Longer than we would wait by ourselves. */
const RETRY_AFTER_S: [number, number] = [8, 16]

export function openSubscribers(parts: Parts): Subscribers {
  const { seed, scheduler, network, count } = parts
  const { post } = openCaller(parts)
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

  const all = Array.from({ length: count }, (_, nth): Subscriber => {
    const name = `subscriber-${nth}`
    const wanted = WANTED[Math.floor(draw(seed, 'wanted', name) * WANTED.length)]!
    const told = { taken: [], amiss: [], letters: [], refused: new Set<string>(), isGone: false }
    const subscriber: Subscriber = { name, wanted, ...told }
    const url = `https://${name}.invalid/hook`
    const secret = (): string | undefined => secrets.get(subscriber)
    network.receivers.set(new URL(url).origin, receiverOf(parts, subscriber, secret))
    scheduler.after(0, { actor: parts.outside, label: name, run: () => void subscribe(subscriber, url) })
    return subscriber
  })
  const people = openSubscriberPeople({ ...parts, all })
  return { all, people, isIdle: () => secrets.size === count && people.open() === 0, peace: people.pressOn }
}

function receiverOf(
  { seed, faults, scheduler }: Parts,
  subscriber: Subscriber,
  secretOf: () => string | undefined,
): Receiver {
  const { name, taken, amiss, letters, refused } = subscriber
  let busy = 0
  return {
    system: name,
    letters,
    async answer({ headers, body }): Promise<Reply | Silence> {
      const secret = secretOf()
      // Who has not heard yet what signs cannot check it.
      if (secret === undefined) return { status: 503, body: '' }
      subscriber.isGone ||= faults.strikes('subscriber-gone', name)
      if (subscriber.isGone) return { status: 410, body: 'nobody lives here' }
      if (faults.strikes('subscriber-error', name)) return { status: 500, body: 'not today' }
      if (faults.strikes('subscriber-busy', name))
        return askingToWait(seed, `${name} ${busy++}`, scheduler.nowMs)
      const nowS = timeAt(scheduler.nowMs).getTime() / 1_000
      if (!isOfNow({ headers, body }, nowS)) amiss.push(body)
      // A program that stood still since before the secret was changed knows the old one: it is told again.
      if (!isSigned({ headers, body }, secret)) return { status: 401, body: 'who are you?' }
      const event = JSON.parse(body) as HeardEvent
      if (faults.strikes('subscriber-refuses', name)) refused.add(event.id)
      if (refused.has(event.id)) return { status: 422, body: 'this one I do not understand' }
      const tries = letters.filter((letter) => letter.headers['webhook-id'] === event.id).length
      taken.push({ event, body, tries })
      return faults.strikes('subscriber-hangs', name) ? { silent: 'hang', ms: 0 } : { status: 204, body: '' }
    },
  }
}

/** For so many seconds, or until a date. */
function askingToWait(seed: string, which: string, nowMs: number): Reply {
  const seconds = drawInteger(seed, 'asks for', which, RETRY_AFTER_S)
  const until = timeAt(nowMs + seconds * 1_000)
  return {
    status: draw(seed, 'asks as', which) < 0.5 ? 429 : 503,
    headers: {
      date: timeAt(nowMs).toUTCString(),
      'retry-after': draw(seed, 'asks by', which) < 0.5 ? String(seconds) : until.toUTCString(),
    },
    body: '',
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
