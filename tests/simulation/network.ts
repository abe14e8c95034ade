/** Everything that travels between programs, counterparts and clients, and what becomes of it on the way. */
import { draw } from '#landscape/random.ts'
import type { Call as OutgoingCall, Reply, Silence } from '#landscape/server.ts'
import type { Post } from '#landscape/webhooks.ts'
import {
  Answer,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  NotSent,
  Unanswered,
} from '#platform/http-client.ts'
import type { Call, Called } from '#platform/http-server.ts'
import type { CounterpartName, Counterparts } from './counterparts.ts'
import type { FaultScript } from './fault-script.ts'
import type { Actor, Scheduler } from './scheduler.ts'

export const SYSTEMS: readonly CounterpartName[] = [
  'legacyErp',
  'cloudErp',
  'wms',
  'eastWms',
  'shop',
  'tradeShop',
  'carrier',
  'tax',
]

/** A program of ours whose doors are open. */
export type Door = { readonly actor: Actor; call(call: Call): Promise<Called> }

/** One request of a program of ours, as that program sees it. */
export type Letter = {
  readonly from: string
  readonly headers: Readonly<Record<string, string>>
  /** When the program made up its mind to send it. */
  readonly begun: Moment
  isSent: boolean
  /** The answer that came to the program, and when. */
  heard?: Moment & { readonly answer: Pick<HttpResponse, 'status' | 'headers'> }
}

/** Steps tell the order also of what happens at the same time. */
export type Moment = { readonly step: number; readonly ms: number }

/** Whoever else is called by us, at an address of its own. */
export type Receiver = {
  readonly system: string
  /** Of all that was begun to be sent to it. */
  readonly letters: Letter[]
  answer(call: OutgoingCall): Promise<Reply | Silence>
}

export type NetworkParts = {
  readonly scheduler: Scheduler
  readonly faults: FaultScript
  readonly seed: string
  readonly landscape: () => Counterparts
  readonly doors: () => readonly Door[]
  /** Told of each call of a counterpart and its answer. */
  readonly heard: (line: string) => void
  readonly countMessage: () => void
}

/** Systems that know a repeated request by its key. */
const KEYED: ReadonlySet<string> = new Set([
  'erp-cloud.invalid',
  'wms.invalid',
  'wms-east.invalid',
  'tax.invalid',
  'carrier.invalid',
])
/** A shop is told levels, of which it keeps the later. */
const LEVELS = '/inventory_levels/set.json'
/** Within the time for which a call is in doubt. */
const LATE_MS = [200, 4_000] as const
const SLOW_MS = [400, 9_000] as const
const ANSWER_WITHIN_MS = 5_000

export class Network {
  readonly #parts: NetworkParts
  readonly #outside: Actor
  readonly #nth = new Map<string, number>()
  /** Paths of ours at which no webhook arrives. */
  readonly cutOff = new Set<string>()
  /** By origin. */
  readonly receivers = new Map<string, Receiver>()

  constructor(parts: NetworkParts, outside: Actor) {
    this.#parts = parts
    this.#outside = outside
  }

  /** The outgoing HTTP of one program. */
  client(actor: Actor): HttpClient {
    return { request: (request) => this.#request(actor, request) }
  }

  #request(actor: Actor, request: HttpRequest): Promise<HttpResponse> {
    const { scheduler, faults } = this.#parts
    const url = new URL(request.url)
    const site = `${request.method} ${url.host}${url.pathname.replaceAll(/\d+/g, 'N')}`
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
    const moment = (): Moment => ({ step: scheduler.steps, ms: scheduler.nowMs })
    const headers = lower(request.headers ?? {})
    const letter: Letter = { from: actor.name, headers, begun: moment(), isSent: false }
    this.receivers.get(url.origin)?.letters.push(letter)
    const dueMs = scheduler.nowMs + request.timeoutMs
    let over = false
    const finish = (end: () => void): void => {
      if (over) return
      over = true
      cancel()
      end()
    }
    const fail = (reason: 'connect' | 'timeout' | 'reset' | 'withdrawn' | 'aborted'): void =>
      finish(() => reject(new (letter.isSent ? Unanswered : NotSent)(url.host, reason)))
    const cancel = scheduler.after(request.timeoutMs, {
      actor,
      label: 'deadline',
      run: () => fail('timeout'),
    })
    request.signal?.addEventListener('abort', () => fail('aborted'))
    const receive = (reply: Reply | Silence): void => {
      if ('silent' in reply) {
        if (reply.silent === 'reset') this.#deliver(actor, `reset ${site}`, () => fail('reset'))
        return
      }
      if (faults.strikes('answer-lost', site))
        return this.#deliver(actor, `lost ${site}`, () => fail('reset'))
      const answer = new Answer(url.host, reply.status, lower(reply.headers ?? {}), Buffer.from(reply.body))
      const arrive = (): void =>
        finish(() => {
          letter.heard = { ...moment(), answer }
          resolve(answer)
        })
      if (faults.strikes('answer-slow', site)) {
        const ms = this.#between(site, SLOW_MS)
        return void scheduler.after(ms, { actor, label: `slow ${site}`, run: arrive })
      }
      this.#deliver(actor, `answer ${site}`, arrive)
    }
    scheduler.offer({
      actor,
      label: `call ${site}`,
      run: () => {
        // Whoever stood still finds first that his time is over.
        if (scheduler.nowMs >= dueMs) fail('timeout')
        if (over) return
        if (request.mayStillSend?.() === false) return fail('withdrawn')
        if (faults.strikes('request-refused', site)) return fail('connect')
        letter.isSent = true
        if (faults.strikes('request-lost', site)) return
        if (faults.strikes('request-late', site)) {
          // The connection breaks at once, and what is under way arrives all the same.
          scheduler.after(this.#between(site, LATE_MS), {
            actor: this.#outside,
            label: `late ${site}`,
            run: () => this.#ask(request, url, () => undefined),
          })
          return this.#deliver(actor, `reset ${site}`, () => fail('reset'))
        }
        this.#ask(request, url, receive)
        const isKnown = KEYED.has(url.host) || this.receivers.has(url.origin) || url.pathname.endsWith(LEVELS)
        const twice = isKnown ? 'request-twice' : 'request-twice-unkeyed'
        if (faults.strikes(twice, site)) this.#ask(request, url, () => undefined)
      },
    })
    return promise
  }

  /** The counterpart gets it at a moment of its own. */
  #ask(request: HttpRequest, url: URL, receive: (reply: Reply | Silence) => void): void {
    const { scheduler, landscape, heard, countMessage } = this.#parts
    const handle =
      this.receivers.get(url.origin) ??
      SYSTEMS.map((name) => landscape()[name]).find((system) => system.url === url.origin)
    if (!handle) throw new Error(`no simulated system answers at ${url.origin}`)
    const call = {
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: lower(request.headers ?? {}),
      body: request.body === undefined ? '' : Buffer.from(request.body).toString(),
    }
    scheduler.offer({
      actor: this.#outside,
      label: `${handle.system} ${request.method} ${url.pathname}`,
      run: () => {
        countMessage()
        const tell = (reply: Reply | Silence): void => {
          const answer = 'silent' in reply ? reply.silent : `${reply.status} ${reply.body}`
          heard(`${call.method} ${url.host}${call.path} ${call.body} -> ${answer}`)
          receive(reply)
        }
        void handle.answer(call).then(tell)
      },
    })
  }

  /** How the landscape's webhooks travel. */
  readonly post: Post = (url, headers, body) => {
    const { faults } = this.#parts
    const path = new URL(url).pathname
    const lost = this.cutOff.has(path) || faults.strikes('webhook-lost', path)
    return this.visit({ method: 'POST', url: path, headers, body }, `webhook ${path}`, {
      lost,
      answerLost: () => faults.strikes('webhook-answer-lost', path),
    }).then(({ status }) => status)
  }

  /** A call of somebody outside at one of our open doors; fails when there is none, or when no answer comes in time. */
  visit(
    call: Call,
    site: string,
    { lost, answerLost }: { readonly lost: boolean; readonly answerLost: () => boolean },
  ): Promise<Called> {
    const { scheduler, doors, countMessage } = this.#parts
    const outside = this.#outside
    const { promise, resolve, reject } = Promise.withResolvers<Called>()
    const gone = (): void => reject(new Error('no answer in time'))
    const cancel = scheduler.after(ANSWER_WITHIN_MS, { actor: outside, label: 'gave up', run: gone })
    const answer = (called: Called): void => {
      if (answerLost()) return
      const run = (): void => {
        cancel()
        resolve(called)
      }
      scheduler.offer({ actor: outside, label: `answered ${site}`, run })
    }
    const arrive = (): void => {
      const open = doors()
      const door = open[Math.floor(this.#draw(site) * open.length)]
      if (!door || lost) return
      countMessage()
      const run = (): void => void door.call(call).then(answer)
      scheduler.offer({ actor: door.actor, label: `door ${site}`, run })
    }
    scheduler.offer({ actor: outside, label: site, run: arrive })
    return promise
  }

  #deliver(actor: Actor, label: string, run: () => void): void {
    this.#parts.scheduler.offer({ actor, label, run })
  }

  #draw(site: string): number {
    const nth = this.#nth.get(site) ?? 0
    this.#nth.set(site, nth + 1)
    return draw(this.#parts.seed, `network/${site}`, nth)
  }

  #between(site: string, [low, high]: readonly [number, number]): number {
    return Math.floor(low + this.#draw(`slow ${site}`) * (high - low))
  }
}

const lower = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
