/** When which fault strikes whom, drawn from the seed before the run begins. */
import { draw, drawInteger, drawOne } from '#landscape/random.ts'
import type { ProxyFault } from './fault-proxy.ts'

export type Strike = { readonly atMs: number } & (
  | { readonly kind: 'kill'; readonly member: number; readonly whileStarting: boolean }
  /** Told to stop in order, and killed so much later if it is still stopping. */
  | { readonly kind: 'restart'; readonly member: number; readonly killAfterMs?: number }
  | { readonly kind: 'freeze'; readonly member: number; readonly forMs: number }
  | { readonly kind: 'terminate'; readonly sessions: number; readonly first: number }
  | { readonly kind: 'stop-database' }
  | { readonly kind: 'network'; readonly proxy: string; readonly fault: ProxyFault; readonly forMs: number }
)

/** A program is killed once so many files are applied to the empty database. */
export type MigrationKill = {
  readonly kind: 'kill-migrating'
  readonly member: number
  readonly afterFiles: number
}

/** One strike of a kind falls somewhere into each stretch of this length; a short run has one of each. */
const EVERY_MS = {
  kill: 5_000,
  restart: 6_000,
  freeze: 11_000,
  terminate: 7_000,
  'stop-database': 40_000,
  network: 1_500,
} as const satisfies Record<Strike['kind'], number>

/** Others take over from a process that is silent for ten seconds: longer makes it a zombie. */
const ZOMBIE_MS: [number, number] = [11_000, 14_000]
const ZOMBIE_SHARE = 0.34
/** Of the killed, those that may be on their way to readiness; were it all, a slow machine would never get there. */
const STARTING_SHARE = 0.25
/** Of those that are told to stop in order. */
const KILLED_STOPPING_SHARE = 0.4
const STOPPING_MS: [number, number] = [0, 400]
const PAUSE_MS: [number, number] = [100, 4_000]
const SESSIONS: [number, number] = [1, 6]
/** Of silent connections, those that nobody ever resets. */
const FORGOTTEN_SHARE = 0.5
const NETWORK_MS: [number, number] = [500, 4_000]

export type PlanOptions = {
  readonly seed: string
  readonly forMs: number
  readonly members: number
  readonly proxies: readonly string[]
}

export function planOf(options: PlanOptions): Strike[] {
  const { seed, forMs } = options
  const kinds = Object.keys(EVERY_MS) as Strike['kind'][]
  const strikes = kinds.flatMap((kind) => {
    const count = Math.max(1, Math.floor(forMs / EVERY_MS[kind]))
    return Array.from({ length: count }, (_, nth) => {
      const atMs = Math.floor(((nth + draw(seed, kind, nth)) * forMs) / count)
      return { atMs, ...strikeOf(kind, nth, options) }
    })
  })
  return strikes.toSorted((a, b) => a.atMs - b.atMs)
}

const MIGRATION_KILLS = 3

/** All programs start at once on an empty database; one is killed somewhere in each third of its migrations. */
export function firstStartOf({
  seed,
  members,
  files,
}: {
  seed: string
  members: number
  files: number
}): MigrationKill[] {
  return Array.from({ length: MIGRATION_KILLS }, (_, nth) => ({
    kind: 'kill-migrating',
    member: drawInteger(seed, 'kill-migrating', nth, [0, members - 1]),
    afterFiles: Math.floor(((nth + draw(seed, 'after-files', nth)) * files) / MIGRATION_KILLS),
  }))
}

type Unplaced = Strike extends infer One ? (One extends Strike ? Omit<One, 'atMs'> : never) : never

function strikeOf(kind: Strike['kind'], nth: number, { seed, members, proxies }: PlanOptions): Unplaced {
  const among = (site: string, range: [number, number]): number =>
    drawInteger(seed, `${kind}/${site}`, nth, range)
  const member = among('member', [0, members - 1])
  switch (kind) {
    case 'kill':
      return { kind, member, whileStarting: draw(seed, 'while-starting', nth) < STARTING_SHARE }
    case 'restart':
      return draw(seed, 'while-stopping', nth) < KILLED_STOPPING_SHARE
        ? { kind, member, killAfterMs: among('kill-after', STOPPING_MS) }
        : { kind, member }
    case 'freeze': {
      const isZombie = draw(seed, 'zombie', nth) < ZOMBIE_SHARE
      return { kind, member, forMs: among('for', isZombie ? ZOMBIE_MS : PAUSE_MS) }
    }
    case 'terminate':
      return { kind, sessions: among('sessions', SESSIONS), first: among('first', [0, 100]) }
    case 'stop-database':
      return { kind }
    case 'network':
      return {
        kind,
        proxy: drawOne(seed, 'proxy', nth, proxies),
        fault: faultOf(seed, nth),
        forMs: among('for', NETWORK_MS),
      }
  }
}

/** Every kind in turn, so that none is missed by chance. */
function faultOf(seed: string, nth: number): ProxyFault {
  const number = (site: string, range: [number, number]): number =>
    drawInteger(seed, `fault/${site}`, nth, range)
  const forgotten = draw(seed, 'forgotten', nth) < FORGOTTEN_SHARE
  const faults: readonly ProxyFault[] = [
    { kind: 'cut-after-request', times: number('times', [1, 6]) },
    { kind: 'latency', ms: number('latency', [5, 150]), jitterMs: number('jitter', [0, 300]) },
    { kind: 'reset-at-byte', atByte: number('byte', [0, 600]), times: number('times', [1, 6]) },
    { kind: 'black-hole', way: drawOne(seed, 'way', nth, ['there', 'back']), forgotten },
    { kind: 'half-open', forgotten },
    { kind: 'reset' },
  ]
  return faults[nth % faults.length]!
}
