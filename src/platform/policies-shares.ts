/** How processes divide what a system allows them together: pure rules over one system's shared row and its leases. */
import { type Breaker, type BreakerEvent, nextBreaker } from './breaker.ts'
import type { Policy } from './policies.ts'

/** Times are those of the database clock, so that workers whose clocks differ agree. */
export type SharedState = {
  readonly instance: string
  /** Raised whenever pause or breaker change: how a process sees that it knows the latest. */
  readonly revision: number
  readonly pausedUntilMs: number | null
  readonly pausedReason: string | null
  readonly breaker: Breaker
  /** Calls that the rate allows now; null before the first. */
  readonly tokens: number | null
  readonly tokensAtMs: number
}

/** What one process holds. It lapses by time, so what a dead process held comes back. */
export type Share = {
  readonly holder: number
  readonly slots: number
  readonly probes: number
  /** Has work for the system. */
  readonly active: boolean
  /** Since when it has had less than it could use. */
  readonly waitingSinceMs: number | null
}

/** What a process tells and asks at once. */
export type Wish = {
  readonly pause: { readonly forMs: number; readonly reason: string } | 'resume' | undefined
  /** Each with the revision at which it was seen; what others have overtaken is dropped. */
  readonly events: readonly { readonly event: BreakerEvent; readonly revision: number }[]
  readonly active: boolean
  readonly tokensBack: number
  readonly tokensWanted: number
  readonly slotsInUse: number
  readonly slotsWanted: number
  /** Under way, or granted before and still to be used. */
  readonly probesHeld: number
  readonly probesWanted: number
}

export type Grant = {
  readonly tokens: number
  readonly slots: number
  readonly probes: number
  /** When asking again for tokens makes sense. */
  readonly nextTokenInMs: number
}

export type Situation = {
  readonly state: SharedState
  readonly mine: Share
  /** Of the other living processes. */
  readonly others: readonly Share[]
  readonly wish: Wish
  readonly policy: Policy
  readonly nowMs: number
}

export type Division = {
  readonly state: SharedState
  readonly mine: Share
  readonly grant: Grant
  /** Others should look before their second is over. */
  readonly tellOthers: boolean
}

export function divide(situation: Situation): Division {
  const { wish, mine, others, nowMs } = situation
  const state = settle(situation)
  const slots = shareSlots(situation)
  const tokens = shareTokens(situation)
  const probes = shareProbes({ ...situation, state })
  const short = tokens.granted < wish.tokensWanted || slots < wish.slotsWanted
  const served = tokens.granted > 0 || slots > 0
  const heldSlots = Math.max(wish.slotsInUse, slots)
  const freed = heldSlots < mine.slots && others.some((other) => other.waitingSinceMs !== null)
  return {
    state: { ...state, tokens: tokens.left, tokensAtMs: tokens.atMs },
    mine: {
      holder: mine.holder,
      slots: heldSlots,
      probes: wish.probesHeld + probes,
      active: wish.active,
      waitingSinceMs: !short ? null : served ? nowMs : (mine.waitingSinceMs ?? nowMs),
    },
    grant: { tokens: tokens.granted, slots, probes, nextTokenInMs: tokens.nextInMs },
    tellOthers: state.revision !== situation.state.revision || freed,
  }
}

/** Applies what the process saw: a pause, a tripped breaker, probes that came back. */
function settle({ state, wish, policy, nowMs }: Situation): SharedState {
  let breaker = state.breaker
  for (const { event, revision } of wish.events) {
    if (revision === state.revision) breaker = nextBreaker(breaker, event, policy.breaker, nowMs)
  }
  if (wish.probesWanted > 0) breaker = nextBreaker(breaker, 'waited', policy.breaker, nowMs)
  const paused = pausedAfter(state, wish, nowMs)
  const changed = breaker.state !== state.breaker.state || paused.pausedUntilMs !== state.pausedUntilMs
  return { ...state, ...paused, breaker, revision: state.revision + (changed ? 1 : 0) }
}

function pausedAfter(
  { pausedUntilMs, pausedReason }: SharedState,
  { pause }: Wish,
  nowMs: number,
): Pick<SharedState, 'pausedUntilMs' | 'pausedReason'> {
  if (pause === 'resume') return { pausedUntilMs: null, pausedReason: null }
  if (!pause || nowMs + pause.forMs <= (pausedUntilMs ?? 0)) return { pausedUntilMs, pausedReason }
  return { pausedUntilMs: nowMs + pause.forMs, pausedReason: pause.reason }
}

/**
 * Everyone gets what they want while nobody waits. When somebody does, all come down to equal parts as their calls
 * end; with fewer slots than processes they come back each second and go to those that wait longest.
 */
function shareSlots({ policy, mine, others, wish }: Situation): number {
  const total = policy.concurrency
  if (total === undefined || wish.slotsWanted === 0) return 0
  const free = Math.max(0, total - sum(others, (other) => other.slots))
  const waiting = others.filter((other) => other.waitingSinceMs !== null)
  if (waiting.length === 0) return Math.min(wish.slotsWanted, free)
  const holders = [mine.holder, ...others.filter((other) => other.active).map((other) => other.holder)]
  const equal = Math.floor(total / holders.length)
  if (equal === 0) return waiting.filter((other) => waitsLonger(other, mine)).length < free ? 1 : 0
  const rank = holders.toSorted((a, b) => a - b).indexOf(mine.holder)
  const part = equal + (rank < total % holders.length ? 1 : 0)
  return Math.min(wish.slotsWanted, part, free)
}

function shareTokens(situation: Situation): {
  granted: number
  left: number | null
  atMs: number
  nextInMs: number
} {
  const { policy, state, mine, others, wish, nowMs } = situation
  if (!policy.rate) return { granted: 0, left: null, atMs: nowMs, nextInMs: 0 }
  const { perSecond } = policy.rate
  const capacity = tokensMax(policy.rate)
  // A transaction that waited for the row comes with an older time; far older, the clock was set back.
  const atMs = state.tokensAtMs - nowMs > CLOCK_STEP_MS ? nowMs : Math.max(nowMs, state.tokensAtMs)
  const earned = (Math.max(0, nowMs - state.tokensAtMs) / 1_000) * perSecond
  const held = Math.min(capacity, (state.tokens ?? capacity) + earned + wish.tokensBack)
  const rivals = 1 + others.filter((other) => other.active).length
  // One token is left for each process that has waited longer, or the quickest to ask would take all.
  const ahead = others.filter((other) => waitsLonger(other, mine)).length
  const part = Math.max(Math.ceil(Math.floor(held) / rivals), earnedAlone(situation, rivals))
  const granted = Math.max(0, Math.min(wish.tokensWanted, part, Math.floor(held) - ahead))
  const left = held - granted
  const nextInMs = Math.ceil((Math.max(0, 1 + ahead - left) / perSecond) * 1_000)
  return { granted, left, atMs, nextInMs: Math.max(ASK_EVERY_MS, nextInMs) }
}

/** A process's part of the rate since it was last served, even when others have just emptied the row below it. */
function earnedAlone({ policy, mine, nowMs }: Situation, rivals: number): number {
  if (!policy.rate || mine.waitingSinceMs === null) return 0
  return Math.floor(((nowMs - mine.waitingSinceMs) / 1_000) * (policy.rate.perSecond / rivals))
}

/** A process that has used up its tokens asks again no sooner. */
const ASK_EVERY_MS = 100
/** Longer than any transaction waits for a lock. */
const CLOCK_STEP_MS = 30_000

function tokensMax({ perSecond, burst }: NonNullable<Policy['rate']>): number {
  const betweenAsks = Math.ceil((perSecond * ASK_EVERY_MS) / 1_000)
  return Math.max(1, betweenAsks, burst ?? Math.ceil(perSecond))
}

function shareProbes({ policy, state, others, wish }: Situation): number {
  if (state.breaker.state !== 'half_open') return 0
  const out = wish.probesHeld + sum(others, (other) => other.probes)
  return Math.max(0, Math.min(wish.probesWanted, policy.breaker.halfOpenProbes - state.breaker.proven - out))
}

function waitsLonger(other: Share, mine: Share): boolean {
  if (other.waitingSinceMs === null) return false
  if (mine.waitingSinceMs === null || other.waitingSinceMs < mine.waitingSinceMs) return true
  return other.waitingSinceMs === mine.waitingSinceMs && other.holder < mine.holder
}

const sum = (shares: readonly Share[], of: (share: Share) => number): number =>
  shares.reduce((total, share) => total + of(share), 0)
