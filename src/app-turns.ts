/** Jobs that one process does for all. */
import type { Worker } from '#platform/worker.ts'

/** By one process at a time, and when the next turn is due, later where `run` answers so; one that failed is due at once. */
export function inTurn(
  { worker }: { readonly worker: Worker },
  source: string,
  againMs: number,
  run: () => Promise<number | void>,
): () => Promise<void> {
  const turn = { company: '*', source }
  return async () => {
    const turns = worker.life?.turns
    if (!(await turns?.take(turn))) return
    let pauseMs = 0
    try {
      pauseMs = Math.max(againMs, (await run()) || 0)
    } finally {
      await turns?.end(turn, pauseMs)
    }
  }
}
