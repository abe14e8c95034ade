/** Webhooks as vendors send them: signed, retried with growing pauses, given up at last, and sometimes badly behaved. */
import http from 'node:http'
import type { Clock } from '#platform/clock.ts'
import type { FaultBoard } from './faults.ts'
import { draw } from './random.ts'

/** Sends one POST and answers its status; rejects when there was no answer. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<number>

export type Delivery = {
  readonly id: string
  readonly topic: string
  readonly body: string
  /** Signed anew for each attempt: a vendor's time stamp is that of the attempt. */
  readonly sign: (now: Date) => Record<string, string>
}

export type WebhookTruth = {
  queued: number
  delivered: number
  retried: number
  givenUp: number
  dropped: number
}

/** A delivery without its signature, which the sender knows how to make again. */
export type Undelivered = Pick<Delivery, 'id' | 'topic' | 'body'>

export interface Webhooks {
  /** Where to deliver; what was sent before waits for this. */
  deliverTo(url: string): void
  send(delivery: Delivery): void
  truth(): WebhookTruth
  /** What was sent and neither delivered nor given up. */
  undelivered(): Undelivered[]
  /** As somebody presses the vendor's button for it: what waits for its next attempt is tried now, which uses up none. */
  redeliver(): void
  stop(): void
}

const RETRY_AFTER_MS = [500, 2_000, 10_000, 30_000, 60_000, 300_000]
/** After so many a delivery is given up. */
export const ATTEMPTS_MAX = RETRY_AFTER_MS.length + 1
const RETRY_JITTER = 0.2
const REORDER_WINDOW = 10
const REORDER_WAIT_MS = 50

export type WebhookOptions = {
  clock: Clock
  seed: string
  faults: FaultBoard
  post: Post
  url?: string | undefined
}

type Outbox = {
  dispatch(delivery: Delivery): void
  deliverTo(url: string): void
  later(ms: number, task: () => void): void
  redeliver(): void
  counts: WebhookTruth
  open: ReadonlySet<Delivery>
  stop(): void
}

function timersOf(clock: Clock) {
  const running = new Set<() => void>()
  return {
    /** The answer cancels it. */
    later(ms: number, task: () => void): () => void {
      const cancel = clock.after(ms, () => {
        running.delete(cancel)
        task()
      })
      running.add(cancel)
      return cancel
    },
    cancel(): void {
      for (const cancel of running) cancel()
    },
  }
}

/** Sends and retries, well behaved. */
function outbox({ clock, seed, post, url }: WebhookOptions): Outbox {
  let target = url
  let stopped = false
  const waiting: Delivery[] = []
  const open = new Set<Delivery>()
  const timers = timersOf(clock)
  /** What waits for its next attempt, and how to make it now. */
  const retries = new Map<Delivery, () => void>()
  const counts: WebhookTruth = { queued: 0, delivered: 0, retried: 0, givenUp: 0, dropped: 0 }

  async function attempt(delivery: Delivery, nth: number): Promise<void> {
    if (stopped) return
    if (target === undefined) return void waiting.push(delivery)
    const headers = { 'content-type': 'application/json', ...delivery.sign(clock.now()) }
    const status = await post(target, headers, delivery.body).catch(() => 0)
    if (status >= 200 && status < 300) {
      open.delete(delivery)
      counts.delivered += 1
      counts.queued -= 1
    } else retry(delivery, nth)
  }

  function retry(delivery: Delivery, nth: number): void {
    const pauseMs = RETRY_AFTER_MS[nth]
    if (stopped) return
    if (pauseMs === undefined) {
      open.delete(delivery)
      counts.givenUp += 1
      counts.queued -= 1
      return
    }
    counts.retried += 1
    const jitter = 1 + RETRY_JITTER * (2 * draw(seed, `webhook-retry/${delivery.id}`, nth) - 1)
    let isMade = false
    const again = (next: number): void => {
      // Somebody presses the button as the pause ends.
      if (isMade) return
      isMade = true
      retries.delete(delivery)
      void attempt(delivery, next)
    }
    const cancel = timers.later(pauseMs * jitter, () => again(nth + 1))
    retries.set(delivery, () => {
      cancel()
      again(nth)
    })
  }

  return {
    dispatch(delivery) {
      counts.queued += 1
      open.add(delivery)
      void attempt(delivery, 0)
    },
    deliverTo(next) {
      target = next
      for (const delivery of waiting.splice(0)) void attempt(delivery, 0)
    },
    later: timers.later,
    redeliver: () => [...retries.values()].forEach((now) => now()),
    counts,
    open,
    stop() {
      stopped = true
      timers.cancel()
    },
  }
}

export function webhooks(options: WebhookOptions): Webhooks {
  const { seed, faults } = options
  const { dispatch, deliverTo, later, redeliver, counts, open, stop } = outbox(options)
  let reordering: { readonly id: string; readonly leave: () => void }[] = []

  /** Counted from now on as on its way. */
  function hold(delivery: Delivery): () => void {
    counts.queued += 1
    return () => {
      counts.queued -= 1
      dispatch(delivery)
    }
  }

  /** Collects a window of deliveries, then lets them leave in a drawn order. */
  function reorder(delivery: Delivery, window: number): void {
    reordering.push({ id: delivery.id, leave: hold(delivery) })
    if (reordering.length >= window) return shuffleOut()
    if (reordering.length === 1) later(REORDER_WAIT_MS, shuffleOut)
  }

  function shuffleOut(): void {
    const out = reordering
    reordering = []
    const rank = ({ id }: { readonly id: string }): number => draw(seed, 'webhook-reorder', id)
    for (const { leave } of out.toSorted((a, b) => rank(a) - rank(b))) leave()
  }

  function misbehave(delivery: Delivery): void {
    const { topic, id } = delivery
    if (faults.strike('webhook-drop', topic, id)) return void (counts.dropped += 1)
    const copies = faults.strike('webhook-duplicate', topic, id)
    for (let n = 0; copies && n < (copies.copies ?? 1); n++) dispatch(delivery)
    const stale = faults.strike('webhook-stale', topic, id)
    if (stale) later(stale.ms, () => dispatch(delivery))
    const delay = faults.strike('webhook-delay', topic, id)
    if (delay) {
      const jitterMs = draw(seed, 'webhook-delay', id) * (delay.jitterMs ?? 0)
      return later(delay.ms + jitterMs, hold(delivery))
    }
    const order = faults.strike('webhook-reorder', topic, id)
    if (order) reorder(delivery, order.window ?? REORDER_WINDOW)
    else dispatch(delivery)
  }

  return {
    deliverTo,
    send: (delivery) => (faults.quiet ? dispatch(delivery) : misbehave(delivery)),
    truth: () => ({ ...counts }),
    undelivered: () => [...open].map(({ id, topic, body }) => ({ id, topic, body })),
    redeliver,
    stop,
  }
}

const ANSWER_WITHIN_MS = 5_000
const SOCKETS = 16

/** Posts over kept-alive sockets of its own; `close` ends them. */
export function httpPost(): { post: Post; close: () => void } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS })
  const post: Post = (url, headers, body) =>
    new Promise((resolve, reject) => {
      const length = String(Buffer.byteLength(body))
      const options = {
        agent,
        method: 'POST',
        headers: { ...headers, 'content-length': length },
        timeout: ANSWER_WITHIN_MS,
      }
      const request = http.request(url, options, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
        response.on('error', reject)
      })
      request.on('timeout', () => request.destroy(new Error('no answer in time')))
      request.on('error', reject)
      request.end(body)
    })
  return { post, close: () => agent.destroy() }
}
