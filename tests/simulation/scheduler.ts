/**
 * One thing at a time: what any process wants to do is an action on one list, and the seed picks the next. Time is
 * virtual; when nothing can be done it jumps to the next timer.
 */
import { draw } from '#landscape/random.ts'

/** Whatever runs: a program of ours, the landscape, the clients. */
export type Actor = {
  readonly name: string
  /** A dead one does nothing any more; what waits for it is never answered. */
  alive: boolean
  /** Until then it stands still, as in a long garbage collection or under SIGSTOP. */
  stalledUntilMs: number
}

export type Action = {
  readonly actor: Actor
  /** What it is, as faults and crash points name it. */
  readonly label: string
  readonly run: () => Promise<void> | void
}

type Waiting = Action & { readonly priority: number }
type Timer = { readonly atMs: number; readonly nth: number; readonly action: Action; cancelled: boolean }

export type SchedulerOptions = {
  readonly seed: string
  /** Sticky lets one actor run on for a while; uniform mixes all of them. */
  readonly mode: 'sticky' | 'uniform'
  /** Told of each action before it runs. */
  readonly before?: (action: Action) => Promise<void> | void
}

const STICK = 24

export class Scheduler {
  nowMs = 0
  steps = 0
  readonly #options: SchedulerOptions
  #ready: Waiting[] = []
  #timers: Timer[] = []
  readonly #nth = new Map<string, number>()
  #timerNth = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Puts an action on the list. */
  offer(action: Action): void {
    if (action.actor.alive) this.#ready.push({ ...action, priority: this.#priority(action) })
  }

  /** Offers the action after `ms`; the answer cancels it. */
  after(ms: number, action: Action): () => void {
    const timer = {
      atMs: this.nowMs + Math.max(Math.ceil(ms), 0),
      nth: this.#timerNth++,
      action,
      cancelled: false,
    }
    const place = this.#timers.findLastIndex((other) => other.atMs <= timer.atMs)
    this.#timers.splice(place + 1, 0, timer)
    return () => {
      timer.cancelled = true
    }
  }

  /** Drops what a dead actor had in mind. */
  drop(actor: Actor): void {
    this.#ready = this.#ready.filter((action) => action.actor !== actor)
    this.#timers = this.#timers.filter(({ action }) => action.actor !== actor)
  }

  /** Runs until `done` says so, looked at after each action, or until nothing is left to do. */
  async run(done: () => boolean): Promise<'done' | 'nothing left'> {
    for (;;) {
      await settle()
      if (done()) return 'done'
      this.#ripen()
      const action = this.#pick()
      if (action) await this.#perform(action)
      else if (!this.#jump()) return 'nothing left'
    }
  }

  async #perform(action: Waiting): Promise<void> {
    this.#ready.splice(this.#ready.indexOf(action), 1)
    this.steps++
    this.nowMs++
    await this.#options.before?.(action)
    if (!action.actor.alive) return
    // Whoever stands still from here on does this when he goes on.
    if (action.actor.stalledUntilMs > this.nowMs) return void this.#ready.push(action)
    await action.run()
  }

  #pick(): Waiting | undefined {
    let best: Waiting | undefined
    for (const action of this.#ready) {
      if (action.actor.stalledUntilMs > this.nowMs) continue
      if (!best || action.priority < best.priority) best = action
    }
    return best
  }

  #ripen(): void {
    let due = 0
    while (due < this.#timers.length && this.#timers[due]!.atMs <= this.nowMs) due++
    for (const { action, cancelled } of this.#timers.splice(0, due)) if (!cancelled) this.offer(action)
  }

  /** To the next timer, or to the end of the first stall. */
  #jump(): boolean {
    const stalls = this.#ready.map(({ actor }) => actor.stalledUntilMs)
    const next = Math.min(this.#timers.find(({ cancelled }) => !cancelled)?.atMs ?? Infinity, ...stalls)
    if (next === Infinity) return false
    this.nowMs = Math.max(this.nowMs, next)
    return true
  }

  #priority({ actor, label }: Action): number {
    const { seed, mode } = this.#options
    const site = `${actor.name}/${label}`
    const nth = this.#nth.get(site) ?? 0
    this.#nth.set(site, nth + 1)
    const own = draw(seed, `turn/${site}`, nth)
    if (mode === 'uniform') return own
    const turns = this.#nth.get(actor.name) ?? 0
    this.#nth.set(actor.name, turns + 1)
    return Math.floor(1_000 * draw(seed, `stick/${actor.name}`, Math.floor(turns / STICK))) + own
  }
}

/** One turn of the event loop drains what the last answer set off: nothing in a simulation does real input or output. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
