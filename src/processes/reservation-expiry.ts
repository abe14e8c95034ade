/** Soft reservations whose time has come give their stock back, once, and wake who waits for it. */
import type { Queries } from '#platform/database.ts'
import type { Runner } from '#platform/runner.ts'
import { expireReservations, openOf } from '#domains/inventory/operations/reservations.ts'
import { isAnyDue } from '#domains/inventory/views/reservations.ts'
import { wakesOfFreed } from './order-undo.ts'

const AT_ONCE = 200
const CAUSE = { source: 'reservations', actor: 'reservations' } as const

/** All that are due, a portion in each transaction; answers how many. None costs a look at an index. */
export async function endExpired(queries: Queries, runner: () => Runner): Promise<number> {
  let ended = 0
  if (!(await isAnyDue(queries))) return ended
  for (;;) {
    const count = await runner().transaction(CAUSE, async (tx, turn) => {
      const expired = await expireReservations(tx, AT_ONCE, CAUSE)
      const items = new Set(expired.flatMap(openOf).map(({ itemId }) => itemId))
      if (items.size > 0) turn.wakeAfterwards(await wakesOfFreed(tx, [...items]))
      return expired.length
    })
    ended += count
    if (count < AT_ONCE) return ended
  }
}
