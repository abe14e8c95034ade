/** How tests run: by four processes that take one file after the other, and what takes long begins first. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** Folders whose files start whole programs and wait for them; begun late, one of these would run on alone. */
const WHOLE_PROGRAMS = /\/tests\/(cli|experiences|failure|flows)\//

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const [long, short] = [true, false].map((isLong) =>
      sorted.filter(({ moduleId }) => WHOLE_PROGRAMS.test(moduleId) === isLong),
    )
    return [...long!, ...short!]
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    // A worker loads the house once, not anew for each file; so no test may leave anything behind in a module.
    isolate: false,
    // Twice the two cores this is meant for: tests of whole programs spend much of their time waiting.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
})
