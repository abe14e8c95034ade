/** The simulation proves itself: each known bug is planted alone and has to be caught. */
import { systemClock } from '#platform/clock.ts'
import type { Bug } from './bug.ts'
import { BUGS } from './bugs.ts'
import type { LaneHandle, Search } from './lanes.ts'
import type { Job } from './search.ts'

const SEEDS_MAX = 60

type Caught = {
  readonly name: string
  readonly caught: boolean
  readonly seeds: number
  readonly seconds: number
  readonly invariant?: string | undefined
}

/** Of this name, or all of them. */
export const bugsCalled = (name: string | undefined): readonly Bug[] =>
  name === undefined ? BUGS : BUGS.filter((bug) => bug.name === name)

export function plantEach(bugs: readonly Bug[], json: boolean): Search {
  const queue = [...bugs]
  const results: Caught[] = []
  async function plantOn(lane: LaneHandle): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const result = await hunt(lane, next)
      results.push(result)
      process.stderr.write(
        `${result.caught ? 'caught' : 'MISSED'}  ${String(result.seeds).padStart(3)} seeds  ${result.seconds.toFixed(1).padStart(5)} s  ${next.name}${result.invariant ? `: ${result.invariant}` : ''}\n`,
      )
    }
  }
  return {
    run: (lanes) => Promise.all(lanes.map(plantOn)),
    end() {
      const caught = results.filter((result) => result.caught).length
      const report = { planted: results.length, caught, bugs: results }
      process.stdout.write(
        json ? `${JSON.stringify(report)}\n` : `${caught} of ${results.length} planted bugs caught\n`,
      )
      return caught === bugs.length ? 0 : 1
    },
  }
}

async function hunt(lane: LaneHandle, { name, world }: Bug): Promise<Caught> {
  const startMs = systemClock.monotonicMs()
  const planted = await lane.plant(name)
  const seconds = (): number => (systemClock.monotonicMs() - startMs) / 1_000
  try {
    for (let seeds = 1; seeds <= SEEDS_MAX; seeds++) {
      const job: Job = { ...world, seed: `${seeds}`, mode: 'liveness', shrink: false }
      const [first] = (await planted.run(job)).violations
      // What goes wrong without the bug as well is not the bug.
      if (first && (await lane.run(job)).violations.length === 0)
        return { name, caught: true, seeds, seconds: seconds(), invariant: first.invariant }
    }
    return { name, caught: false, seeds: SEEDS_MAX, seconds: seconds() }
  } finally {
    await planted.end()
  }
}
