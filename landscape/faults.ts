/** Bad days on demand: switches per system and operation, struck by named draws so that a seed repeats them. */
import type { Clock } from '#platform/clock.ts'
import { draw } from './random.ts'

type Scope = {
  /** Operation or webhook topic; "*" is every one. */
  readonly operation?: string
  /** How much of the traffic it strikes, 0 to 1. */
  readonly share?: number
  /** How often it strikes at most. */
  readonly times?: number
  readonly afterMs?: number
  readonly forMs?: number
}

export type Fault = Scope &
  (
    | { readonly kind: 'latency'; readonly ms: number; readonly jitterMs?: number }
    | {
        readonly kind: 'rate-limit'
        readonly perSecond: number
        readonly burst?: number
        readonly retryAfterSeconds: number
        readonly retryAfterAs?: 'seconds' | 'date'
      }
    | { readonly kind: 'server-error'; readonly status?: number; readonly retryAfterSeconds?: number }
    | { readonly kind: 'outage'; readonly mode: 'refused' | 'reset' | 'unavailable' }
    | { readonly kind: 'no-answer'; readonly mode?: 'reset' | 'hang'; readonly hangMs?: number }
    | { readonly kind: 'wrong-body'; readonly body: 'html' | 'empty' | 'truncated' }
    | { readonly kind: 'item-failure'; readonly code?: string }
    | { readonly kind: 'webhook-duplicate'; readonly copies?: number }
    | { readonly kind: 'webhook-reorder'; readonly window?: number }
    | { readonly kind: 'webhook-delay'; readonly ms: number; readonly jitterMs?: number }
    | { readonly kind: 'webhook-stale'; readonly ms: number }
    | { readonly kind: 'webhook-drop' }
    | { readonly kind: 'short-pick'; readonly adjust?: boolean }
    | { readonly kind: 'split-shipment' }
  )

export type FaultKind = Fault['kind']
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>

const KINDS: ReadonlySet<string> = new Set<FaultKind>([
  'latency',
  'rate-limit',
  'server-error',
  'outage',
  'no-answer',
  'wrong-body',
  'item-failure',
  'webhook-duplicate',
  'webhook-reorder',
  'webhook-delay',
  'webhook-stale',
  'webhook-drop',
  'short-pick',
  'split-shipment',
])

export type SetFault = { readonly id: string; readonly fault: Fault; readonly struck: number }

export interface FaultBoard {
  /** Switches on; answers the ids that switch them off again. Refuses a kind it does not know. */
  set(faults: Fault | readonly Fault[]): string[]
  /** Switches one off, or all. */
  clear(id?: string): void
  list(): SetFault[]
  /** True when nothing is on: the fast path. */
  readonly quiet: boolean
  /** True while the port must be closed. */
  readonly refusing: boolean
  /** The switch of that kind that strikes this operation now, if any. `key` names the draw. */
  strike<K extends FaultKind>(kind: K, operation: string, key?: string): FaultOf<K> | undefined
  /** Calls `watcher` whenever a switch is set, cleared, begins or ends. */
  watch(watcher: () => void): void
}

type Switch = {
  readonly id: string
  readonly fault: Fault
  readonly fromMs: number
  readonly untilMs: number
  struck: number
  asked: Map<string, number>
  tokens: number
  tokensAtMs: number
}

/** A draw's name remembers how often it was asked; beyond so many names the memory starts over. */
const NAMES_REMEMBERED = 100_000

export function faultBoard(clock: Clock, seed: string, system: string): FaultBoard {
  let switches: Switch[] = []
  let count = 0
  const watchers: (() => void)[] = []
  const tellWatchers = (): void => watchers.forEach((watcher) => watcher())

  function add(fault: Fault): string {
    if (!KINDS.has(fault.kind)) throw new TypeError(`there is no fault "${fault.kind}"`)
    const fromMs = clock.monotonicMs() + (fault.afterMs ?? 0)
    const untilMs = fault.forMs === undefined ? Infinity : fromMs + fault.forMs
    const id = `${fault.kind}-${++count}`
    const tokens = fault.kind === 'rate-limit' ? (fault.burst ?? fault.perSecond) : 0
    switches.push({ id, fault, fromMs, untilMs, struck: 0, asked: new Map(), tokens, tokensAtMs: fromMs })
    if (fault.afterMs) clock.after(fault.afterMs, tellWatchers)
    if (untilMs !== Infinity) clock.after((fault.afterMs ?? 0) + (fault.forMs ?? 0) + 1, tellWatchers)
    return id
  }

  function strikes(one: Switch, operation: string, key: string): boolean {
    const { fault } = one
    const nowMs = clock.monotonicMs()
    if (fault.operation !== undefined && fault.operation !== '*' && fault.operation !== operation)
      return false
    if (nowMs < one.fromMs || nowMs >= one.untilMs) return false
    if (fault.times !== undefined && one.struck >= fault.times) return false
    if (fault.share !== undefined && fault.share < 1) {
      const site = `${system}/${fault.kind}/${operation}/${key}`
      if (one.asked.size > NAMES_REMEMBERED) one.asked.clear()
      const nth = one.asked.get(site) ?? 0
      one.asked.set(site, nth + 1)
      if (draw(seed, site, nth) >= fault.share) return false
    }
    return fault.kind !== 'rate-limit' || isOverRate(one, fault, nowMs)
  }

  return {
    set(faults) {
      const ids = (Array.isArray(faults) ? faults : [faults]).map((fault: Fault) => add(fault))
      tellWatchers()
      return ids
    },
    clear(id) {
      switches = id === undefined ? [] : switches.filter((one) => one.id !== id)
      tellWatchers()
    },
    list: () => switches.map(({ id, fault, struck }) => ({ id, fault, struck })),
    get quiet() {
      return switches.length === 0
    },
    get refusing() {
      const nowMs = clock.monotonicMs()
      return switches.some(
        ({ fault, fromMs, untilMs }) =>
          fault.kind === 'outage' && fault.mode === 'refused' && nowMs >= fromMs && nowMs < untilMs,
      )
    },
    strike<K extends FaultKind>(kind: K, operation: string, key = ''): FaultOf<K> | undefined {
      for (const one of switches) {
        if (one.fault.kind !== kind || !strikes(one, operation, key)) continue
        one.struck += 1
        return one.fault as FaultOf<K>
      }
      return undefined
    },
    watch: (watcher) => void watchers.push(watcher),
  }
}

/** A token bucket; a refused call costs nothing. */
function isOverRate(one: Switch, fault: FaultOf<'rate-limit'>, nowMs: number): boolean {
  const refill = ((nowMs - one.tokensAtMs) / 1_000) * fault.perSecond
  one.tokens = Math.min(fault.burst ?? fault.perSecond, one.tokens + refill)
  one.tokensAtMs = nowMs
  if (one.tokens < 1) return true
  one.tokens -= 1
  return false
}
