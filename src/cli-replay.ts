/** `crossdock parking replay ID… --reason TEXT`: what was put aside is worked on again, and what becomes of it is said. */
import { type Context, EXIT, wrongUse } from './cli-context.ts'
import { openDatabase, type Opened } from './cli-database.ts'
import { systemClock } from './platform/clock.ts'
import { Refusal } from './platform/faults.ts'
import { openHttpClient } from './platform/http-client.ts'
import { somebodyWorks } from './platform/lease.ts'
import type { Notices } from './platform/notices.ts'
import type { ParkedItem } from './platform/parking.ts'
import { type Fate, fatesOf, replayParked } from './platform/parking-replay.ts'
import { openConnections } from './platform/postgres-connections.ts'
import { createLog } from './platform/telemetry-log.ts'
import { createMetrics } from './platform/telemetry-metrics.ts'

const POLL_MS = 200
const WAIT_MS = 60_000
const POOL = 3

/** Every id is answered by itself: one that cannot be replayed does not keep the others. */
export async function parkingReplay(context: Context): Promise<number> {
  const ids = context.args.map(Number)
  const wrong = context.args.find((_, place) => !Number.isSafeInteger(ids[place]))
  if (wrong !== undefined)
    throw wrongUse(`"${wrong}" is not the id of parked work.`, 'See what is parked: crossdock parking list')
  const opened = await openDatabase(context)
  const answers = await replayParked(opened.database, ids, {
    actor: 'cli',
    reason: String(context.options['reason']),
  })
  const fates = await followed(context, opened, answers)
  let well = 0
  for (const [id, answer] of answers) {
    const told = answer instanceof Refusal ? refused(id, answer) : ending(fates.get(id)!)
    if (told.isWell) well++
    const { isWell: _, said, ...facts } = told
    context.terminal.data(facts, () => `${id}: ${said}`)
  }
  if (well === answers.size) return EXIT.ok
  return well === 0 ? EXIT.failed : EXIT.partial
}

type Ending = {
  readonly id: number
  readonly outcome: string
  readonly order?: string
  readonly code?: string
  readonly message?: string
  readonly isWell: boolean
  readonly said: string
}

const refused = (id: number, { code, message }: Refusal): Ending => ({
  id,
  outcome: 'refused',
  code,
  message,
  isWell: false,
  said: message,
})

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
  let ownDoors: (() => Promise<void>) | undefined
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const fates = asked.length > 0 ? await fatesOf(database, asked) : []
    const open = fates.filter(({ underWay }) => underWay)
    const isAlone = open.length > 0 && !(await somebodyWorks(database))
    const isOver = open.every(({ kind }) => kind !== 'message') && isAlone
    if (open.length === 0 || isOver || waitedMs >= WAIT_MS || context.signal.aborted)
      return new Map(fates.map((fate) => [fate.id, fate]))
    if (isAlone) await (ownDoors ??= await openDoors(context, opened))()
    await systemClock.sleep(POLL_MS, context.signal)
  }
}

/** Nobody hears a process that comes and goes with a command. */
const NO_NOTICES: Notices = { on: () => undefined, tell: () => undefined }

/** The house with nothing but its doors: what comes in is left due on the desk for the program. */
async function openDoors(context: Context, { config, url }: Opened): Promise<() => Promise<void>> {
  const { createApp } = await import('./app.ts')
  context.terminal.note('no program is running; the doors of this command take the messages in')
  const log = createLog({
    level: 'error',
    clock: systemClock,
    destination: { write: (line) => void process.stderr.write(line) },
  })
  const pool = (plans: 'hot' | 'screen') =>
    openConnections({ ...config.database, url, size: POOL, plans, onError: () => undefined })
  const [connections, screens] = [pool('hot'), pool('screen')]
  const http = openHttpClient({ clock: systemClock })
  const app = createApp(
    { ...config, role: 'api' },
    {
      connections,
      screens,
      notices: NO_NOTICES,
      clock: systemClock,
      http,
      log,
      metrics: createMetrics({ process: false }),
      openOnLoopback: false,
    },
  )
  context.atEnd(() => Promise.all([connections.end(), screens.end()]))
  context.atEnd(() => http.close())
  context.atEnd(() => app.stop())
  return () => app.replayMessages()
}
