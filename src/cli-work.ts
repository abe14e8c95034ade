/** `crossdock parking list` and `crossdock parking replay`: work that was put aside. */
import { type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { Refusal } from './platform/faults.ts'
import { replayParked } from './platform/parking-replay.ts'
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
    CAUSE: ({ cause }) => cause.message,
  })
  if (found.length === 0) context.terminal.note('Nothing is parked.')
  return EXIT.ok
}

/** Every id is answered by itself: one that cannot be replayed does not keep the others. */
export async function parkingReplay(context: Context): Promise<number> {
  const ids = context.args.map(Number)
  const wrong = context.args.find((_, place) => !Number.isInteger(ids[place]))
  if (wrong !== undefined)
    throw wrongUse(`"${wrong}" is not the id of parked work.`, 'See what is parked: crossdock parking list')
  const { database } = await openDatabase(context)
  const answers = await replayParked(database, ids, {
    actor: 'cli',
    reason: String(context.options['reason']),
  })
  let refused = 0
  for (const [id, answer] of answers) {
    const isRefused = answer instanceof Refusal
    if (isRefused) refused++
    const told = isRefused
      ? { id, outcome: 'refused', code: answer.code, message: answer.message }
      : { id, outcome: 'replaying' }
    context.terminal.data(told, () => (isRefused ? `${id}: ${answer.message}` : `${id}: is worked on again`))
  }
  if (refused === 0) return EXIT.ok
  return refused === ids.length ? EXIT.failed : EXIT.partial
}
