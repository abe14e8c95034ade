/** All gates of one process, and the exchange by which processes tell each other what systems can bear. */
import type { Clock } from './clock.ts'
import type { Database } from './database.ts'
import { SystemGate } from './policies-gate.ts'
import type { Wish } from './policies-shares.ts'
import { declareInstances, exchangeWishes, type Known, readStates } from './policies-store.ts'
import type { Policy, PolicyView } from './policies.ts'

export type PoliciesOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly random: () => number
  /** Names this process among those that share: its epoch. */
  readonly holder: number
  /** How many processes work at this moment, this one among them: so many parts a retry budget has. */
  readonly workers: () => number
  /** By system instance. */
  readonly policies: Readonly<Record<string, Policy>>
  readonly onError: (error: unknown) => void
}

/**
 * How far the workers together can exceed a policy:
 * - Calls at once: not at all, as long as no call outlives its timeout. Slots are leased for 5 s and reserved for the
 *   timeout beyond that; a dead worker's come back after 5 s + timeout.
 * - Calls a second: in any W seconds at most burst + rate × (W + 2), since tokens taken are good for 2 s.
 * - Retries: each worker has an equal part of the budget; one that comes or goes is known to the others within a second of
 *   its first or last heartbeat.
 * - `Retry-After` and an open breaker: calls already under way, and those that other workers start until the
 *   notification reaches them: milliseconds, or where it is lost until they claim work again, 1 s at most. Without
 *   PostgreSQL each worker stops on its own.
 */
export interface Policies {
  gate(instance: string): SystemGate
  /** Tells and asks now. To be awaited once before the first call. */
  refresh(): Promise<void>
  /** To be called when work is claimed: refreshes soon, unless that was done a moment ago. */
  reread(): void
  /** Refreshes each second until aborted. */
  run(signal: AbortSignal): Promise<void>
  /** To be called at each word on the channel `policies`, and when that channel was down. */
  noticed(): void
  view(): PolicyView[]
  /** Gives back what this process holds, once its calls have ended; what is not given back lapses by time. */
  release(): Promise<void>
}

const REFRESH_EVERY_MS = 1_000
const REREAD_AFTER_MS = 100

export function openPolicies(options: PoliciesOptions): Policies {
  const { clock, onError } = options
  const gates = new Map(
    Object.entries(options.policies)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([instance, policy]) => [instance, new SystemGate({ ...options, instance, policy, ask })]),
  )
  const exchange = exchangeOf(options, gates)
  let asked = false
  let refreshedMs = -Infinity
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined

  function ask(): void {
    if (asked) return
    asked = true
    clock.soon(() => {
      asked = false
      refresh().catch(onError)
    })
  }

  /** One exchange at a time. Who asks during one waits for the next, which tells what this one could not. */
  function refresh(): Promise<void> {
    if (!running) {
      refreshedMs = clock.monotonicMs()
      return (running = exchange().finally(() => (running = undefined)))
    }
    return (following ??= running
      .catch(() => undefined)
      .then(() => {
        following = undefined
        return refresh()
      }))
  }

  function reread(): void {
    if (clock.monotonicMs() - refreshedMs >= REREAD_AFTER_MS) ask()
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await refresh().catch(onError)
      await clock.sleep(REFRESH_EVERY_MS, signal)
    }
  }

  async function release(): Promise<void> {
    // The first exchange still tells of the calls since the one before it; the second finds nothing in use.
    await refresh()
    await refresh()
  }

  function gate(instance: string): SystemGate {
    const known = gates.get(instance)
    if (!known) throw new Error(`no policy is configured for system ${instance}`)
    return known
  }

  return {
    gate,
    refresh,
    reread,
    run,
    noticed: ask,
    view: () => [...gates.values()].map((one) => one.view()),
    release,
  }
}

/** One exchange: every gate's wish out, what all processes know back in. */
function exchangeOf(
  { database, clock, holder }: PoliciesOptions,
  gates: ReadonlyMap<string, SystemGate>,
): () => Promise<void> {
  const instances = [...gates.keys()]
  let declared = false

  async function tellAndAsk(wishes: ReadonlyMap<SystemGate, Wish>): Promise<Known[]> {
    if (!declared) await declareInstances(database, instances)
    declared = true
    const silent = [...gates.values()].filter((gate) => !wishes.has(gate)).map((gate) => gate.instance)
    const asking = [...wishes].map(([{ instance, policy }, wish]) => ({ instance, policy, wish }))
    const known = await Promise.all([
      silent.length > 0 ? readStates(database, silent) : [],
      asking.length > 0 ? exchangeWishes(database, holder, asking) : [],
    ])
    return known.flat()
  }

  return async () => {
    if (instances.length === 0) return
    const askedAtMs = clock.monotonicMs()
    const wishes = new Map<SystemGate, Wish>()
    for (const gate of gates.values()) {
      const wish = gate.takeWish()
      if (wish) wishes.set(gate, wish)
    }
    try {
      for (const known of await tellAndAsk(wishes)) {
        const gate = gates.get(known.state.instance)
        gate?.adopt(known, wishes.get(gate), askedAtMs)
      }
    } catch (error) {
      for (const gate of wishes.keys()) gate.missed()
      throw error
    }
  }
}
