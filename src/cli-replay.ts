/** `crossdock parking replay ID… --reason TEXT`: what was put aside is worked on again, and what becomes of it is said. */
import type { App } from './app.ts'
import type { Context } from './cli-context.ts'
import { openDatabase, type Opened } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { decisionOf, itemIds, refusedAs, tellEach, type Told, wouldReplay } from './cli-parking.ts'
import { systemClock } from './platform/clock.ts'
import { Refusal } from './platform/faults.ts'
import { somebodyWorks } from './platform/lease.ts'
import type { ParkedItem } from './platform/parking.ts'
import { type Fate, fatesOf, replayParked } from './platform/parking-replay.ts'

const POLL_MS = 200
const WAIT_MS = 60_000

/** Every id is answered by itself: one that cannot be replayed does not keep the others. */
export async function parkingReplay(context: Context): Promise<number> {
  if (context.options['dryRun'] === true) return wouldReplay(context)
  const ids = itemIds(context)
  const opened = await openDatabase(context)
  const answers = await replayParked(opened.database, ids, decisionOf(context))
  const fates = await followed(context, opened, answers)
  const told = [...answers].map(([id, answer]) =>
    answer instanceof Refusal ? refusedAs(id, answer) : ending(fates.get(id)!),
  )
  return tellEach(context, told)
}

type Ending = Told & {
  readonly order?: string
  readonly code?: string
  readonly message?: string
}

function ending({ id, kind, state, outcome, causeCode, causeMessage, doc, underWay }: Fate): Ending {
  if (state === 'parked') {
    const why = { code: causeCode, message: causeMessage }
    return { id, outcome: 'parked', ...why, isWell: false, said: `parked again: ${causeMessage}` }
  }
  if (underWay)
    return { id, outcome: 'replaying', isWell: false, said: 'is due, and nobody has ended it yet' }
  if (kind !== 'message') return { id, outcome: 'applied', isWell: true, said: 'worked on, and it went well' }
  const order = doc === null ? {} : { order: `O-${doc}` }
  const became = outcome ?? state
  return {
    id,
    outcome: became,
    ...order,
    isWell: true,
    said: doc === null ? became : `${became}, order O-${doc}`,
  }
}

/**
 * Waits for what becomes of them. The running programs work on them; where there is none, this command opens the doors
 * for messages itself. Documents and calls are then left to the next start, as they need lanes to other systems.
 */
async function followed(
  context: Context,
  opened: Opened,
  answers: ReadonlyMap<number, ParkedItem | Refusal>,
): Promise<ReadonlyMap<number, Fate>> {
  const { database } = opened
  const asked = [...answers].flatMap(([id, answer]) => (answer instanceof Refusal ? [] : [id]))
  let ownDoors: App | undefined
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const fates = asked.length > 0 ? await fatesOf(database, asked) : []
    const open = fates.filter(({ underWay }) => underWay)
    const isAlone = open.length > 0 && !(await somebodyWorks(database))
    const isOver = open.every(({ kind }) => kind !== 'message') && isAlone
    if (open.length === 0 || isOver || waitedMs >= WAIT_MS || context.signal.aborted)
      return new Map(fates.map((fate) => [fate.id, fate]))
    if (isAlone) {
      if (!ownDoors)
        context.terminal.note('no program is running; the doors of this command take the messages in')
      ownDoors ??= await openDoors(context, opened)
      await ownDoors.replayMessages()
    }
    await systemClock.sleep(POLL_MS, context.signal)
  }
}
