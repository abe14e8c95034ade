/**
 * Clients that order at a fixed rate whatever becomes of their orders, repeat, cancel, give up, and write down each
 * word they say and hear; and those who order in shops or by EDI, which tell us until they are told that we have it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { draw, drawInteger } from '#landscape/random.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { toOrderRequest } from '../../src/demo.ts'
import type { Entry } from './history.ts'
import { keyOf, subjectOf } from './world.ts'

const ORDERS = '/process/order-to-cash/v1/orders'
/** Most clients wait for half a minute; one that leaves early and comes again makes a slow machine slower. */
const ANSWER_WITHIN_MS = 10_000
const AGAIN_FIRST_MS = 200
const AGAIN_MOST_MS = 8_000
const TWICE_AFTER_MS: [number, number] = [0, 2_500]
const CANCEL_AFTER_MS: [number, number] = [0, 4_000]
const TWICE_SHARE = 0.1
const CANCEL_SHARE = 0.08
/**
 * Who asks again waits for one of so many places. First calls never wait; but hundreds that come again and again would
 * let a slow machine answer nothing but calls that nobody waits for any more.
 */
const AGAIN_AT_ONCE = 16
/** Of those whose call failed, who never ask again. */
const GIVES_UP_SHARE = 0.25

export type Hear = (entry: Omit<Entry, 'atMs'>) => void

/** Shops, or partners: they take the orders of their customers and tell us of them. */
export type Teller = {
  place(nth: number): void
  /** What they tell us, and hear. */
  onTold(hear: Hear): void
}

export type ClientOptions = {
  readonly door: string
  readonly seed: string
  readonly orderAt: (nth: number) => WorldOrder
  readonly shops: Teller
  readonly partners: Teller
  readonly perSecond: number
  readonly forMs: number
}

export type Client = {
  readonly log: readonly Entry[]
  /** Resolves when the last order has left. */
  readonly sent: Promise<void>
  /** Resolves when every client knows, or has given up; those who wait longer are named. */
  settle(withinMs: number): Promise<string[]>
}

type Request = Pick<Entry, 'operation' | 'key' | 'subject'> & {
  readonly path: string
  readonly body: unknown
}

export function startClient(options: ClientOptions): Client {
  const { seed, forMs, perSecond } = options
  const log: Entry[] = []
  const open = new Map<Promise<void>, string>()
  const startedMs = performance.now()
  const attempt = attempts(options, log, startedMs)
  const places = new Places(AGAIN_AT_ONCE)

  /** The same key at every attempt. */
  async function untilAnswered(request: Request): Promise<Entry> {
    const isPatient = draw(seed, 'gives-up', request.key) >= GIVES_UP_SHARE
    let answer = await attempt(request)
    for (let nth = 0; answer.kind === 'info' && isPatient; nth++) {
      const bound = Math.min(AGAIN_MOST_MS, AGAIN_FIRST_MS * 2 ** nth)
      await sleep(AGAIN_FIRST_MS + draw(seed, `again/${request.key}`, nth) * bound)
      answer = await places.take(() => attempt(request))
    }
    return answer
  }

  function begin(key: string, work: () => Promise<void>): void {
    const done = work().finally(() => open.delete(done))
    open.set(done, key)
  }

  const taken = new Map<string, () => void>()
  for (const teller of [options.shops, options.partners])
    teller.onTold((entry) => {
      log.push({ atMs: Math.round(performance.now() - startedMs), ...entry })
      if (entry.kind !== 'invoke' && entry.kind !== 'info') taken.get(entry.key)?.()
    })

  /** Resolves when the shop or the partner was told that we have it, or tells no more. */
  async function placeAt(teller: Teller, order: WorldOrder): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    taken.set(keyOf(order), resolve)
    teller.place(order.nth)
    await promise
  }

  async function arrive(order: WorldOrder): Promise<void> {
    if (order.door === 'api') return submit(order)
    if (order.door === 'shop') return placeAt(options.shops, order)
    // A partner gives each purchase order a number of its own.
    if (order.repeats === undefined) return placeAt(options.partners, order)
  }

  async function submit(order: WorldOrder): Promise<void> {
    const key = keyOf(order)
    const body = toOrderRequest(order)
    const request: Request = { operation: 'submit', key, subject: subjectOf(order), path: ORDERS, body }
    if (draw(seed, 'twice', key) < TWICE_SHARE)
      begin(key, async () => {
        await sleep(drawInteger(seed, 'twice-after', key, TWICE_AFTER_MS))
        await untilAnswered(request)
      })
    const answer = await untilAnswered(request)
    if (answer.status === 201 && draw(seed, 'cancels', key) < CANCEL_SHARE) await cancel(answer.id!)
  }

  async function cancel(id: string): Promise<void> {
    await sleep(drawInteger(seed, 'cancel-after', id, CANCEL_AFTER_MS))
    const body = { reason: 'The customer changed its mind.' }
    const path = `${ORDERS}/${id}:cancel`
    await untilAnswered({ operation: 'cancel', key: `cancel-${id}`, subject: id, path, body })
  }

  async function send(): Promise<void> {
    for (let nth = 0; nth < (forMs / 1_000) * perSecond; nth++) {
      const waitMs = startedMs + (nth * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      const order = options.orderAt(nth)
      begin(keyOf(order), () => arrive(order))
    }
  }

  return {
    log,
    sent: send(),
    async settle(withinMs) {
      const untilMs = performance.now() + withinMs
      while (open.size > 0 && performance.now() < untilMs) {
        await Promise.race([...open.keys(), sleep(untilMs - performance.now(), undefined, { ref: false })])
      }
      return [...open.values()]
    },
  }
}

/** Lets so many work at once, in the order in which they come. */
class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((free) => this.#waiting.push(free))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

type Told = Pick<Entry, 'kind' | 'status' | 'id' | 'code'>

/** One call and its entries in the log. */
function attempts(
  { door }: ClientOptions,
  log: Entry[],
  startedMs: number,
): (request: Request) => Promise<Entry> {
  let calls = 0
  return async ({ path, body, ...about }) => {
    const call = calls++
    const write = (told: Told): Entry => {
      const entry = { atMs: Math.round(performance.now() - startedMs), call, ...about, ...told }
      log.push(entry)
      return entry
    }
    write({ kind: 'invoke' })
    try {
      const response = await fetch(`${door}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': about.key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      return write(meaningOf(response.status, await response.text()))
    } catch (error) {
      return write({ kind: 'info', code: causeOf(error) })
    }
  }
}

/** Only a complete answer that says what became of the request tells anything. */
function meaningOf(status: number, text: string): Told {
  const { id, code } = JSON.parse(text) as { id?: string; code?: string }
  if (status < 300) return { kind: 'ok', status, id }
  const isOpen = status >= 500 || status === 429 || (status === 409 && code?.includes('in_flight') === true)
  return { kind: isOpen ? 'info' : 'fail', status, code }
}

function causeOf(error: unknown): string {
  const { name, cause } = error as Error
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? name
}
