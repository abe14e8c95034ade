/** The breaker as one process sees it: it counts its own calls, and opens, probes and closes together with the others. */
import { type Breaker, type BreakerEvent, CallWindow, CLOSED, nextBreaker } from './breaker.ts'
import type { NotNow, Policy } from './policies.ts'
import type { Wish } from './policies-shares.ts'

const ANSWER_MS = 5
/** Another process probes: its result is known by then, or its probes are ours. */
const ASK_AGAIN_MS = 1_000

/** `undecided`: the call says nothing about health, such as one that was told to come later. */
export type CallHealth = 'good' | 'bad' | 'undecided'

type BreakerWish = Pick<Wish, 'events' | 'probesInUse' | 'probesWanted'>

export class SharedBreaker {
  readonly #policy: Policy['breaker']
  readonly #ask: () => void
  readonly #window: CallWindow
  /** Its times are monotonic. */
  #breaker: Breaker = CLOSED
  #revision = 0
  /** Calls that started earlier belong to an earlier state and decide nothing. */
  #sinceMs = 0
  #probes = 0
  #probesInUse = 0
  #probesWanted = false
  #probesKnown = false
  #askAtMs = 0
  #events: { event: BreakerEvent; revision: number }[] = []
  #told = 0

  constructor(policy: Policy['breaker'], ask: () => void) {
    this.#policy = policy
    this.#ask = ask
    this.#window = new CallWindow(policy)
  }

  get state(): Breaker['state'] {
    return this.#breaker.state
  }

  refusal(nowMs: number): NotNow | undefined {
    const { state, untilMs } = this.#breaker
    if (state === 'closed' || this.#probes > 0) return undefined
    if (state === 'open' && nowMs < untilMs) return notNow('the system fails', untilMs)
    return notNow('a few calls probe the system first', Math.max(this.#askAtMs, nowMs + ANSWER_MS))
  }

  /** Somebody has a call and was refused: asks for probes when it is time to; answers whether it is. */
  wanted(nowMs: number): boolean {
    if (nowMs < Math.max(this.#breaker.untilMs, this.#askAtMs)) return false
    this.#probesWanted = true
    this.#askAtMs = nowMs + ANSWER_MS
    this.#ask()
    return true
  }

  entered(): void {
    if (this.#breaker.state !== 'half_open') return
    this.#probes -= 1
    this.#probesInUse += 1
  }

  left(health: CallHealth, startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#sinceMs) return
    if (this.#breaker.state === 'half_open') return this.#probed(health)
    if (this.#breaker.state === 'open' || health === 'undecided') return
    if (!this.#window.record(health === 'bad', nowMs)) return
    // Here at once, everywhere with the next exchange.
    this.#breaker = nextBreaker(this.#breaker, 'tripped', this.#policy, nowMs)
    this.#sinceMs = nowMs
    this.#tell('tripped')
  }

  takeWish(): BreakerWish | undefined {
    if (this.#events.length === 0 && !this.#probesWanted && !this.#probesKnown) return undefined
    const wish: BreakerWish = {
      events: [...this.#events],
      probesInUse: this.#probesInUse,
      probesWanted: this.#probesWanted ? this.#policy.halfOpenProbes : 0,
    }
    this.#told = this.#events.length
    this.#probes = 0
    this.#probesWanted = false
    return wish
  }

  /** What the shared row says; `breaker` in monotonic time. `probes` is undefined when we did not ask. */
  adopt(breaker: Breaker, revision: number, probes: number | undefined, nowMs: number): void {
    if (revision !== this.#revision) {
      this.#revision = revision
      this.#breaker = breaker
      this.#sinceMs = nowMs
      this.#window.clear()
      this.#probes = 0
      this.#probesInUse = 0
    }
    if (probes === undefined) return
    this.#events.splice(0, this.#told)
    this.#told = 0
    this.#probes = this.#breaker.state === 'half_open' ? probes : 0
    this.#probesKnown = this.#probes + this.#probesInUse > 0
    this.#askAtMs = nowMs + ASK_AGAIN_MS
  }

  missed(nowMs: number): void {
    this.#told = 0
    this.#probesKnown = true
    this.#askAtMs = nowMs + ASK_AGAIN_MS
  }

  #probed(health: CallHealth): void {
    if (this.#probesInUse === 0) return
    this.#probesInUse -= 1
    if (health !== 'undecided') this.#tell(health === 'good' ? 'probe_succeeded' : 'probe_failed')
  }

  #tell(event: BreakerEvent): void {
    this.#events.push({ event, revision: this.#revision })
    this.#ask()
  }
}

const notNow = (detail: string, untilMs: number): NotNow => ({ reason: 'breaker_open', detail, untilMs })
