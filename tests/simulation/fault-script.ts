/**
 * Which faults strike in a run. Each opportunity has a name, so that dropping one fault leaves every other draw as it
 * was: that is what lets a failing script be shrunk.
 */
import { draw } from '#landscape/random.ts'
import type { Day } from './day.ts'

/** Of all opportunities of a kind, the share that strikes in a run that has this kind at all. */
export const RATES = {
  'request-refused': 0.06,
  'request-lost': 0.06,
  'request-late': 0.06,
  'answer-lost': 0.08,
  'answer-slow': 0.08,
  'request-twice': 0.05,
  'request-twice-unkeyed': 0.2,
  'webhook-lost': 0.08,
  'webhook-answer-lost': 0.08,
  'client-request-lost': 0.1,
  'client-answer-lost': 0.1,
  'client-repeats': 0.15,
  'subscriber-error': 0.2,
  'subscriber-busy': 0.1,
  'subscriber-hangs': 0.1,
  'subscriber-refuses': 0.1,
  'subscriber-gone': 0.04,
  'file-lost': 0.15,
  'file-late': 0.2,
  'file-twice': 0.15,
  'file-cut': 0.15,
  'line-bad': 0.15,
  crash: 0.004,
  stop: 0.001,
  'crash-stopping': 0.01,
  stall: 0.003,
  zombie: 0.0015,
  coma: 0.0002,
  'clock-skew': 0.3,
  'clock-jump': 0.002,
  'erp-behind': 0.2,
  'session-ended': 0.002,
  'database-restart': 0.0004,
  'acknowledgement-lost': 0.01,
  'serialization-failure': 0.004,
} as const

export type FaultKind = keyof typeof RATES

export type FaultScript = {
  /** Whether the fault strikes at this opportunity. */
  strikes(kind: FaultKind, site: string): boolean
  /** Names of what struck, in order. */
  readonly struck: readonly string[]
  /** Takes note of a fault that strikes by itself. */
  also(name: string): void
  /** Faults of this kind do not strike any more: the world is getting well. */
  end(): void
}

export type FaultOptions = Pick<Day, 'kinds' | 'without' | 'shares' | 'places'> & {
  readonly seed: string
  /** When given, only these strike. */
  readonly only?: ReadonlySet<string>
}

/** Half of the kinds in a run, so that rare combinations are not drowned by frequent ones. */
const KIND_SHARE = 0.5

/** Only a day that asks for it has it: nobody can do anything about it. */
const ASKED_FOR: FaultKind = 'request-twice-unkeyed'

/** By kind, of those that struck by name and of those that counterparts counted. */
export function faultCounts(
  struck: readonly string[],
  atCounterparts: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const own = struck.map((name) => name.split('/')[0]!).filter((kind) => kind !== 'board')
  return new Map([
    ...[...Map.groupBy(own, (kind) => kind)].map(([kind, all]) => [kind, all.length] as const),
    ...[...atCounterparts].map(([kind, times]) => [`counterpart: ${kind}`, times] as const),
  ])
}

export function faultScript(options: FaultOptions): FaultScript {
  const { seed, kinds, without = [], only, shares = {}, places = {} } = options
  const mayHave = (kind: FaultKind): boolean => kind !== ASKED_FOR && !without.includes(kind)
  const has = (kind: FaultKind): boolean =>
    kinds ? kinds.includes(kind) : mayHave(kind) && draw(seed, 'has', kind) < KIND_SHARE
  const present = new Set((Object.keys(RATES) as FaultKind[]).filter(has))
  const asked = new Map<string, number>()
  const struck: string[] = []
  let ended = false
  return {
    strikes(kind, site) {
      if (ended || !present.has(kind) || !site.includes(places[kind] ?? '')) return false
      const opportunity = `${kind}/${site}`
      const nth = asked.get(opportunity) ?? 0
      asked.set(opportunity, nth + 1)
      if (draw(seed, opportunity, nth) >= (shares[kind] ?? RATES[kind])) return false
      const name = `${opportunity}/${nth}`
      if (only && !only.has(name)) return false
      struck.push(name)
      return true
    },
    struck,
    also: (name) => void struck.push(name),
    end() {
      ended = true
    },
  }
}
