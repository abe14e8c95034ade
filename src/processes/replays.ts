/** Messages that a person wants replayed: read again and brought through the door they came by. */
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { FiledMessage } from '#platform/inbound.ts'
import { settledStops } from '#platform/inbox-stops.ts'
import { isBusy, isOutage } from '#platform/outage.ts'
import type { ParkedCause, ParkedItem } from '#platform/parking.ts'
import { parkAgain, replayingMessages } from '#platform/parking-replay.ts'
import type { AnyDoor, AnyDoors, StreamSkip } from './any-door.ts'
import { NO_COMPANY, troubleOf } from './message-trouble.ts'
import type { ProcessPorts } from './ports.ts'

export type ReplayPorts = Pick<ProcessPorts, 'openExceptions'> & {
  readonly database: Database
  readonly clock: Clock
  readonly doors: AnyDoors
  /** How long a message without a door here is left to a process that may have it. */
  readonly patienceMs: number
}

/** One look for replays that were asked for. An outage leaves them to the next. */
export async function takeReplays(ports: ReplayPorts): Promise<void> {
  const items = await replayingMessages(ports.database)
  await Promise.all(items.map((item) => takeReplay(ports, item)))
}

/** Lets streams go on whose message was replayed or given up; what fails is left to the next look. */
export async function goOnWhereSettled({
  database,
  doors,
}: Pick<ReplayPorts, 'database' | 'doors'>): Promise<void> {
  const stops = await settledStops(database)
  const gone = await Promise.allSettled(
    stops.map(async ({ source, ...stop }) => doors.get(source)?.goOnBehind?.(stop)),
  )
  const failed = gone.find((one) => one.status === 'rejected' && !isOutage(one.reason))
  if (failed?.status === 'rejected') throw failed.reason
}

async function takeReplay(ports: ReplayPorts, item: ParkedItem): Promise<void> {
  const door = ports.doors.get(item.system ?? '')
  try {
    if (door) await takeBy(door, item)
    else if (waitedMs(ports, item) >= ports.patienceMs) await giveUp(ports, item, noDoor(item))
  } catch (error) {
    if (!isOutage(error) && !isBusy(error)) await giveUp(ports, item, causeOf(error))
  }
}

async function takeBy(door: AnyDoor, item: ParkedItem): Promise<unknown> {
  const { gap } = item.context as { readonly gap?: StreamSkip }
  if (gap) return door.goOn?.(gap, item)
  return door.hear(await door.restore(filedAs(item)), item)
}

const waitedMs = ({ clock }: ReplayPorts, { replayedAt }: ParkedItem): number =>
  clock.now().getTime() - (replayedAt?.getTime() ?? 0)

/** Under the name it was filed by; a conflict has one of its own. */
export function filedAs({ key, system, company, payload, context }: ParkedItem): FiledMessage {
  const { type = 'unreadable' } = context as { type?: string }
  const messageId = key.slice((system?.length ?? 0) + 1)
  return { messageId, type, company: company === NO_COMPANY ? undefined : company, body: payload ?? '' }
}

export const noDoor = ({ system }: ParkedItem): ParkedCause => ({
  code: 'work.door_missing',
  message: `no program has a door for ${system}: it is not configured`,
})

export function causeOf(error: unknown): ParkedCause {
  if (error instanceof Refusal) return error
  return { code: 'work.message_parked', message: error instanceof Error ? error.message : String(error) }
}

async function giveUp({ database, openExceptions }: ReplayPorts, item: ParkedItem, cause: ParkedCause) {
  const { key, system, company } = item
  const source = system ?? ''
  const { code, message, facts } = cause
  const messageId = key.slice(source.length + 1)
  await database.transaction(async (tx) => {
    if (!(await parkAgain(tx, item, { code, message, ...(facts ? { facts } : {}) }))) return
    await openExceptions(tx, [
      {
        company: company ?? NO_COMPANY,
        cause: troubleOf({ source, messageId }, 'parked', cause),
        code,
        title: `A message of ${source} cannot be worked on`,
        suggestedAction: 'Read the cause, mend it, then replay the parked message.',
        facts: { message, messageId },
      },
    ])
  })
}
