/** What a run of many seeds tells: progress while it goes, one object or a few lines at the end. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { systemClock } from '#platform/clock.ts'
import { CRASH_POINTS, crashPoints } from './crash-points.ts'
import type { Finding } from './search.ts'

const REGRESSIONS = new URL('regressions/', import.meta.url)
const PROGRESS_MS = 2_000

export type Report = {
  add(finding: Finding): void
  /** Prints the end; answers the exit code. */
  end(): number
}

export function createReport(json: boolean): Report {
  const startMs = systemClock.monotonicMs()
  const kinds = new Map<string, number>()
  const struckAt = crashPoints([])
  const failures: Finding[] = []
  let [seeds, messages, orders, steps, faults, toldMs, history] = [0, 0, 0, 0, 0, startMs, '']
  const seconds = (): number => (systemClock.monotonicMs() - startMs) / 1_000
  return {
    add(finding) {
      seeds++
      messages += finding.messages
      orders += finding.orders
      steps += finding.steps
      if (finding.seed === '0' || history === '') history = finding.history
      for (const [kind, times] of finding.faults) {
        kinds.set(kind, (kinds.get(kind) ?? 0) + times)
        faults += times
      }
      const struck = crashPoints(finding.struck)
      for (const point of CRASH_POINTS) struckAt[point] += struck[point]
      if (finding.violations.length > 0) {
        failures.push(finding)
        tellFailure(finding)
      }
      if (systemClock.monotonicMs() - toldMs < PROGRESS_MS) return
      toldMs = systemClock.monotonicMs()
      process.stderr.write(
        `${Math.round(seconds())} s  ${seeds} seeds  ${(seeds / seconds()).toFixed(1)}/s  ${orders} orders  ${faults} faults of ${kinds.size} kinds  ${failures.length} violations\n`,
      )
    },
    end() {
      const sorted = Object.fromEntries([...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      const result = {
        seeds,
        violations: failures.length,
        faultKinds: kinds.size,
        faults: sorted,
        crashPoints: struckAt,
        messages,
        orders,
        steps,
        seedsPerSecond: rounded(seeds / seconds()),
        messagesPerSecond: rounded(messages / seconds()),
        historyHash: history,
        failures: failures.map(({ seed, violations }) => ({ seed, violations })),
      }
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
      else {
        process.stdout.write(
          `${seeds} seeds, ${orders} orders, ${messages} messages, ${faults} faults of ${kinds.size} kinds in ${Math.round(seconds())} s (${result.seedsPerSecond} seeds/s): ${failures.length === 0 ? 'nothing wrong' : `${failures.length} seeds with violations`}\n`,
        )
      }
      return failures.length === 0 ? 0 : 1
    },
  }
}

const rounded = (rate: number): number => Math.round(10 * rate) / 10

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** A failing seed is kept, so that it is run again for as long as the product lives. */
function tellFailure({ seed, plan, violations, shortest }: Finding): void {
  const least = shortest?.plan ?? plan
  const file = new URL(`${plan.mode}-${seed.replaceAll(/[^\w-]/g, '_')}.json`, REGRESSIONS)
  const kept = {
    ...least,
    only: [...(least.only ?? [])],
    commit: commit(),
    violations: shortest?.violations ?? violations,
  }
  mkdirSync(REGRESSIONS, { recursive: true })
  writeFileSync(file, `${JSON.stringify(kept, undefined, 2)}\n`)
  const found = (shortest?.violations ?? violations).map(
    ({ invariant, found: what }) => `  ${invariant}: ${what.slice(0, 600)}`,
  )
  process.stderr.write(
    [
      `seed ${seed} (${plan.mode}) at ${kept.commit}, ${least.orders ?? '?'} orders, faults: ${kept.only.join(', ') || 'none'}`,
      ...found,
      `  kept as ${file.pathname}; again: npm run simulate -- --seed ${seed} --mode ${plan.mode}${plan.peaceAfterMs === undefined ? '' : ' --short'}`,
      '',
    ].join('\n'),
  )
}
