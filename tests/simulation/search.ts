/** Runs one seed and, when something is wrong, looks for the fewest faults and orders that still show it. */
import type { Lane } from './lane.ts'
import { type Outcome, type Plan, simulate } from './simulate.ts'

export type Job = Plan & { readonly shrink?: boolean }

export type Finding = Outcome & {
  readonly plan: Plan
  /** Of a failing run. */
  readonly shortest?: {
    readonly plan: Plan
    readonly violations: Outcome['violations']
    readonly runs: number
  }
}

const RUNS_MAX = 40

/** Ends early, with nothing found, when it is told to. */
export async function search(
  lane: Lane,
  { shrink = true, ...plan }: Job,
  end?: AbortSignal,
): Promise<Finding> {
  const outcome = await simulate(lane, plan, end)
  if (outcome.violations.length === 0 || !shrink) return { ...outcome, plan }
  return { ...outcome, plan, shortest: await shortestOf(lane, { plan, end }, outcome) }
}

type Shrinking = { readonly plan: Plan; readonly end: AbortSignal | undefined }

/** Halves first, then single faults, then orders. A shorter script counts when it breaks the same invariant. */
async function shortestOf(lane: Lane, { plan, end }: Shrinking, first: Outcome) {
  const broken = new Set(first.violations.map(({ invariant }) => invariant))
  let best: Plan = { ...plan, orders: first.orders, only: new Set(first.struck) }
  let violations = first.violations
  let runs = 0
  async function fails(candidate: Plan): Promise<boolean> {
    if (runs >= RUNS_MAX || end?.aborted) return false
    runs++
    const outcome = await simulate(lane, candidate, end)
    if (!outcome.violations.some(({ invariant }) => broken.has(invariant))) return false
    best = candidate
    violations = outcome.violations
    return true
  }
  const without = (dropped: readonly string[]): Plan => ({
    ...best,
    only: new Set([...best.only!].filter((name) => !dropped.includes(name))),
  })
  for (let size = Math.ceil(best.only!.size / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const names = [...best.only!]
    for (let from = 0; from < names.length; from += size) await fails(without(names.slice(from, from + size)))
  }
  while (best.orders! > 1 && (await fails({ ...best, orders: best.orders! - 1 })));
  return { plan: best, violations, runs }
}
