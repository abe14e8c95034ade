/** Programs start on an empty database and migrate it side by side, whoever of them dies meanwhile. */
import type { Violation } from './checkers.ts'
import type { Fleet } from './fleet.ts'
import { giveControllerKey, type Lane } from './lane.ts'
import type { Scheduler } from './scheduler.ts'
import { schemaOf } from './schema.ts'
import { WITNESS } from './witness.ts'

/** Longer than everybody takes who waits for each file, and stands still now and then. */
const MIGRATED_WITHIN_MS = 60_000

/** What is wrong with the database when the first program has nothing left to apply; then people may begin. */
export async function migrateTogether(scheduler: Scheduler, fleet: Fleet, lane: Lane): Promise<Violation[]> {
  await scheduler.run(() => fleet.isMigrated || scheduler.nowMs > MIGRATED_WITHIN_MS)
  const { side } = lane.cluster
  const made = await schemaOf(side)
  const amiss = [
    ...lane.schema.filter((line) => !made.includes(line)).map((line) => `lacks ${line}`),
    ...made.filter((line) => !lane.schema.includes(line)).map((line) => `has ${line}`),
  ]
  if (!fleet.isMigrated) amiss.push(`not migrated after ${scheduler.nowMs} ms`)
  if (amiss.length > 0)
    return [{ invariant: 'each migration is applied once, whole', found: amiss.join('\n') }]
  await side.query(WITNESS)
  await giveControllerKey(lane.cluster)
  return []
}
