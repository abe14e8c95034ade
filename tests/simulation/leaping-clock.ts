/**
 * Virtual time for whole hours: it stands still while anything is under way, and leaps to the next timer when nothing
 * is. Statements run as fast as the server answers, side by side; so hours cost what is done in them.
 */
import type { Clock } from '#platform/clock.ts'
import type { Connections } from '#platform/database.ts'
import { BEGIN } from './virtual-clock.ts'

export interface LeapingClock extends Clock {
  /** Lets time pass until `done`, which is asked whenever nothing is under way; fails after `limitMs` of it. */
  run(done: () => boolean, limitMs: number): Promise<void>
  /** Real input and output that time waits for. */
  during<T>(work: () => Promise<T>): Promise<T>
}

type Timer = { readonly atMs: number; readonly task: () => void; cancelled: boolean }

/** Turns of the event loop without work after which nothing is under way. */
const QUIET_TURNS = 2
const LONG_MS = 1_000

/** `drowsy`: how many times longer than asked sleeps of `longMs` take, which saves much upkeep that nobody needs. */
export function leapingClock(drowsy = 1, longMs = LONG_MS): LeapingClock {
  const timers = timerQueue()
  let nowMs = 0
  let soonPending = 0
  let open = 0
  let noticeAnswer: () => void = () => undefined

  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      if (open > 0) {
        quiet = 0
        await new Promise<void>((resolve) => (noticeAnswer = resolve))
      }
      await new Promise((resolve) => setImmediate(resolve))
      if (soonPending > 0 || open > 0) quiet = -1
    }
  }

  /** All timers of the next moment, in the order in which they were set. */
  function leap(): boolean {
    const next = timers.first()
    if (!next) return false
    nowMs = Math.max(nowMs, next.atMs)
    for (let due = timers.first(); due && due.atMs <= nowMs; due = timers.first()) {
      timers.drop()
      due.task()
    }
    return true
  }

  function after(ms: number, task: () => void): () => void {
    return timers.add(nowMs + Math.max(Math.ceil(ms), 0), task)
  }

  return {
    now: () => new Date(BEGIN.getTime() + nowMs),
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const end = (): void => {
          cancel()
          signal?.removeEventListener('abort', end)
          resolve()
        }
        const cancel = after(ms < longMs ? ms : ms * drowsy, end)
        signal?.addEventListener('abort', end)
      }),
    after,
    soon(task) {
      soonPending++
      setImmediate(() => {
        soonPending--
        task()
      })
    },
    async during(work) {
      open++
      try {
        return await work()
      } finally {
        open--
        noticeAnswer()
      }
    },
    async run(done, limitMs) {
      const endMs = nowMs + limitMs
      for (;;) {
        await settle()
        if (done()) return
        if (nowMs > endMs) throw new Error(`no end within ${limitMs} ms of virtual time`)
        if (!leap()) throw new Error('nothing is left to happen')
      }
    },
  }
}

/** By time, then by coming: sorted, since most timers are set for later than all others. */
function timerQueue() {
  const queue: Timer[] = []
  let head = 0

  function placeFor(atMs: number): number {
    let [low, high] = [head, queue.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (queue[middle]!.atMs <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add(atMs: number, task: () => void): () => void {
      const timer = { atMs, task, cancelled: false }
      queue.splice(placeFor(atMs), 0, timer)
      return () => void (timer.cancelled = true)
    },
    first(): Timer | undefined {
      while (queue[head]?.cancelled) head++
      if (head > 1_000) {
        queue.splice(0, head)
        head = 0
      }
      return queue[head]
    },
    drop: () => void head++,
  }
}

const SET_NOW = { name: 'simulation.now', text: `select set_config('sim.now', $1, false)` }

/** Sessions that time waits for, and on which it is as late as here. */
export function leapingConnections(inner: Connections, clock: LeapingClock): Connections {
  return {
    async acquire() {
      const session = await clock.during(() => inner.acquire())
      let saidMs = -1
      let said: Promise<unknown> = Promise.resolve()
      return {
        execute(statement, values) {
          if (saidMs !== clock.monotonicMs()) {
            saidMs = clock.monotonicMs()
            said = session.execute(SET_NOW, [clock.now().toISOString()]).catch(() => undefined)
          }
          // By itself, since no transaction may begin in one that has read already.
          const answer = said.then(() => session.execute(statement, values))
          return clock.during(() => answer)
        },
        release: (broken) => session.release(broken),
      }
    },
  }
}
