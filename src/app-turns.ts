/** Jobs that one process does for all. */
import type { Database } from '#platform/database.ts'
import { endTurn, takeTurn } from '#platform/reading-turns.ts'
import type { Worker } from '#platform/worker.ts'

type TurnWires = { readonly database: Database; readonly worker: Worker }

/** By one process at a time, and when the next turn is due; one that failed is due at once. */
export function inTurn(
  { database, worker }: TurnWires,
  source: string,
  againMs: number,
  run: () => Promise<void>,
): () => Promise<void> {
  return async () => {
    const holder = worker.life?.epoch
    const turn = { company: '*', source, holder: holder ?? 0 }
    if (holder === undefined || !(await takeTurn(database, turn))) return
    let pauseMs = 0
    try {
      await run()
      pauseMs = againMs
    } finally {
      await endTurn(database, turn, pauseMs)
    }
  }
}
