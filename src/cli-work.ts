/** `crossdock parking list`: work that was put aside. */
import { type Context, EXIT, printList } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { listParked } from './platform/parking-views.ts'

export const minute = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ')

export async function parkingList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { company } = context.options as { company?: string }
  const { database } = await openDatabase(context)
  const found = await listParked(database, { limit, ...(company ? { company } : {}) })
  printList(context.terminal, found, {
    ID: ({ id }) => String(id),
    STATE: ({ state, poison }) => state + (poison ? ' again' : ''),
    KIND: ({ kind }) => kind,
    SYSTEM: ({ system }) => system ?? '–',
    KEY: ({ key }) => key,
    ATTEMPTS: ({ attempts }) => String(attempts),
    'LAST FAILED': ({ lastFailedAt }) => minute(lastFailedAt),
    WAITING: ({ waiting }) => (waiting > 0 ? String(waiting) : '–'),
    CAUSE: ({ cause }) => cause.message,
  })
  if (found.length === 0) context.terminal.note('Nothing is parked.')
  return EXIT.ok
}
