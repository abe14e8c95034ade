/** Before each test file: on a busy machine what a test awaits comes late, so no wait of a test gives up sooner than this. */
import { expect, vi } from 'vitest'

/** Less than the shortest time that a test of whole houses has. */
const PATIENCE_MS = 25_000

type Options = { readonly timeout?: number; readonly interval?: number }

const patient = (options: number | Options = {}): Options => {
  const given = typeof options === 'number' ? { timeout: options } : options
  return { ...given, timeout: Math.max(PATIENCE_MS, given.timeout ?? 0) }
}

// Workers run one file after the other with the same `vi` and `expect`.
if (!('patienceMs' in vi)) {
  const { waitFor, waitUntil } = vi
  const { poll } = expect
  Object.assign(vi, {
    patienceMs: PATIENCE_MS,
    waitFor: (look: Parameters<typeof waitFor>[0], options?: number | Options) =>
      waitFor(look, patient(options)),
    waitUntil: (look: Parameters<typeof waitUntil>[0], options?: number | Options) =>
      waitUntil(look, patient(options)),
  })
  Object.assign(expect, {
    poll: (look: Parameters<typeof poll>[0], options?: Options) => poll(look, patient(options)),
  })
}
