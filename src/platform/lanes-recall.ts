/**
 * How a lane gets back what it sent away: in portions, when there is room and the system answers. However many wait, a
 * closed gate costs a few looks each time it might have opened, and an open one is fed as fast as it takes.
 */
import type { Clock } from './clock.ts'

/** How many come, and whether there may be more. */
export type CalledBack = { readonly count: number; readonly areMore: boolean }

export type RecallOptions = {
  readonly clock: Clock
  readonly random: () => number
  readonly openMax: number
  readonly callBack: (limit: number) => Promise<CalledBack>
  /** Effects waiting or under way. */
  readonly open: () => number
}

/** The lanes of all processes call back within this time after a gate may have opened. */
const SPREAD_MS = 2_000
/** While some are away it is seen so often whether there is room for them. */
const AGAIN_MS = 1_000
/** So many find out whether the system is there again. */
const SCOUTS = 10
/** Who was called back is in the lane by then, or has nothing to send any more. */
const ON_THE_WAY_MS = 5_000

export class Recall {
  readonly #options: RecallOptions
  /** Sent away and not written down yet: nobody finds them. */
  #unwritten = 0
  #mayFindSome = false
  #isAsking = false
  #answers = false
  #stopped = false
  /** Called back and not in the lane yet. */
  #onTheWay = 0
  #onTheWayUntilMs = 0
  #closedUntilMs = 0
  #timerAtMs = Infinity
  #cancelTimer: () => void = () => undefined

  constructor(options: RecallOptions) {
    this.#options = options
  }

  /** Documents were sent away, to come back as soon as there is room; they can be found once they are `written` down. */
  sentAway(written: Promise<unknown>): void {
    this.#unwritten++
    void written.then(() => this.#areWritten())
  }

  /** Others may have sent some away who are gone. */
  lookForAll(): void {
    const { clock, random } = this.#options
    this.#answers = false
    this.#lookFor(clock.monotonicMs() + random() * SPREAD_MS)
  }

  /** How many the lane holds with one that comes now: while others are away, newcomers do not fill it before them. */
  placesForNext(): number {
    const { openMax } = this.#options
    if (this.#expected() > 0) {
      this.#onTheWay--
      return openMax
    }
    return this.#areAway ? Math.max(1, openMax / 2) : openMax
  }

  /** Documents were sent away until then. */
  after(until: Date, written: Promise<unknown>): void {
    this.#answers = false
    const { clock, random } = this.#options
    const closedMs = Math.max(0, until.getTime() - clock.now().getTime())
    this.#closedUntilMs = clock.monotonicMs() + closedMs + random() * SPREAD_MS
    this.sentAway(written)
  }

  /** A call has ended. */
  answered(isGood: boolean): void {
    this.#answers = isGood
    if (!isGood) return
    this.#closedUntilMs = 0
    void this.#ask()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
  }

  get #areAway(): boolean {
    return this.#unwritten > 0 || this.#mayFindSome
  }

  #areWritten(): void {
    this.#unwritten--
    this.#lookFor(this.#closedUntilMs)
  }

  #lookFor(atMs: number): void {
    this.#mayFindSome = true
    this.#askAt(Math.max(atMs, this.#options.clock.monotonicMs()))
  }

  #expected(): number {
    if (this.#options.clock.monotonicMs() >= this.#onTheWayUntilMs) this.#onTheWay = 0
    return this.#onTheWay
  }

  /** What is called back and has nothing to send, or what cannot come now, must not be the last that was asked for. */
  async #askOn(): Promise<void> {
    const { clock } = this.#options
    if (clock.monotonicMs() >= this.#closedUntilMs) await this.#ask()
    if (this.#mayFindSome) this.#askAt(Math.max(this.#closedUntilMs, clock.monotonicMs() + AGAIN_MS))
  }

  async #ask(): Promise<void> {
    const { openMax, open, callBack, clock } = this.#options
    const there = open() + this.#expected()
    if (!this.#mayFindSome || this.#isAsking || this.#stopped || there > openMax / 2) return
    this.#isAsking = true
    // What is written down meanwhile says so again.
    this.#mayFindSome = false
    const limit = Math.ceil(openMax - there)
    const { count, areMore } = await callBack(this.#answers ? limit : Math.min(SCOUTS, limit))
    this.#isAsking = false
    const nowMs = clock.monotonicMs()
    this.#onTheWay += count
    this.#onTheWayUntilMs = nowMs + ON_THE_WAY_MS
    if (areMore) this.#lookFor(nowMs + AGAIN_MS)
  }

  /** Asks then, unless that is going to happen earlier. */
  #askAt(atMs: number): void {
    const { clock } = this.#options
    if (this.#stopped || this.#timerAtMs <= atMs) return
    this.#cancelTimer()
    this.#timerAtMs = atMs
    this.#cancelTimer = clock.after(Math.ceil(atMs - clock.monotonicMs()), () => {
      this.#timerAtMs = Infinity
      void this.#askOn()
    })
  }
}
