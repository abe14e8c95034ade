/** The breaker as one process sees it: it counts its own calls, and opens, probes and closes together with the others. */
import { type Breaker, type BreakerEvent, CallWindow, CLOSED, nextBreaker } from './breaker.ts'
import type { NotNow, Policy } from './policies.ts'
import type { Wish } from './policies-shares.ts'

const ANSWER_MS = 5
/** Another process probes: its result is known by then, or its probes are ours. */
const ASK_AGAIN_MS = 1_000

/** `undecided`: the call says nothing about health, such as one that was told to come later. */
export type CallHealth = 'good' | 'bad' | 'undecided'

type BreakerWish = Pick<Wish, 'events' | 'probesHeld' | 'probesWanted'>
type Answered = { readonly wish: BreakerWish; readonly probes: number }

export class SharedBreaker {
  readonly #policy: Policy['breaker']
  readonly #ask: () => void
  readonly #window: CallWindow
  /** Its times are monotonic. */
  #breaker: Breaker = CLOSED
  #revision = 0
  /** Calls that started earlier belong to an earlier state and decide nothing. */
  #sinceMs = 0
  /** Granted and not yet used: ours until `#probesUntilMs`, whatever is exchanged meanwhile. */
  #probes = 0
  #probesUntilMs = 0
  #probesInUse = 0
  #probesWanted = false
  /** The shared row still says that we hold some. */
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
    if (state === 'closed' || this.#unused(nowMs) > 0) return undefined
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

  takeWish(nowMs: number): BreakerWish | undefined {
    if (this.#events.length === 0 && !this.#probesWanted && !this.#probesKnown) return undefined
    const wish: BreakerWish = {
      events: [...this.#events],
      probesHeld: this.#probesInUse + this.#unused(nowMs),
      probesWanted: this.#probesWanted ? this.#policy.halfOpenProbes : 0,
    }
    this.#told = this.#events.length
    this.#probesWanted = false
    return wish
  }

  /** What the shared row says; `breaker` in monotonic time. `answered` is undefined when nothing was told or asked. */
  adopt(breaker: Breaker, revision: number, answered: Answered | undefined, nowMs: number): void {
    if (revision !== this.#revision) this.#enter(breaker, revision, nowMs)
    if (!answered) return
    const { wish, probes } = answered
    this.#events.splice(0, this.#told)
    this.#told = 0
    this.#probesKnown = wish.probesHeld + probes > 0
    if (wish.probesWanted === 0) return
    this.#probes = this.#unused(nowMs) + probes
    this.#probesUntilMs = nowMs + ASK_AGAIN_MS
    this.#askAtMs = nowMs + ASK_AGAIN_MS
  }

  missed(nowMs: number): void {
    this.#told = 0
    this.#probesKnown = true
    this.#askAtMs = nowMs + ASK_AGAIN_MS
  }

  #enter(breaker: Breaker, revision: number, nowMs: number): void {
    this.#revision = revision
    this.#breaker = breaker
    this.#sinceMs = nowMs
    this.#window.clear()
    this.#probes = 0
    this.#probesInUse = 0
    this.#askAtMs = 0
  }

  /** What lapses goes back with the next exchange, so that others may probe where we have no call. */
  #unused(nowMs: number): number {
    if (nowMs >= this.#probesUntilMs) this.#probes = 0
    return this.#probes
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
