/** How tests run: by six processes that take one file after the other, and what takes long begins first. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** The longest of all; begun late, one of these would run on alone. One that is renamed loses its place, no more. */
const LONGEST = [
  'flows/wholesale',
  'failure/killed-program',
  'cli/up',
  'simulation/simulation',
  'failure/outages',
  'failure/webhooks',
  'simulation/interrupted',
  'simulation/slow-system',
  'simulation/outage',
  'cli/repairs',
  'cli/parking',
  'platform/postgres-server',
]
/** Folders whose files start whole programs and wait for them. */
const WHOLE_PROGRAMS = /\/tests\/(cli|experiences|failure|flows|simulation)\//

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`))
  if (place >= 0) return place
  return WHOLE_PROGRAMS.test(moduleId) ? LONGEST.length : LONGEST.length + 1
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    setupFiles: ['tests/support/patience.ts'],
    pool: 'forks',
    // A worker loads the house once, not anew for each file; so no test may leave anything behind in a module.
    isolate: false,
    // Three for each of the two cores this is meant for: tests of whole programs spend more than half their time waiting.
    maxWorkers: 6,
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
})
