/** Orders of which their channel told nothing: where it keeps a list, what happened there is compared with what was heard. */
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import { streamProgress } from '#platform/inbox-progress.ts'
import { readingProgress, saveProgress } from '#platform/readings.ts'
import type { ChannelTold } from './channel-words.ts'

export type UntoldPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly hear: (told: ChannelTold) => Promise<unknown>
  /** What happened so lately may still be on its way. */
  readonly graceMs: number
}

/** Each look goes back behind the one before it by so much, for clocks that differ and orders that are listed late. */
const OVERLAP_MS = 600_000

/** The first look asks nothing and begins the time from which on orders are ours: what was there before is not. */
export async function takeUntoldOrders(
  { database, clock, hear, graceMs }: UntoldPorts,
  door: InboundDoor<ChannelMessage>,
): Promise<void> {
  const list = { company: '*', source: door.instance, resource: 'orders' }
  const { since } = await readingProgress(database, list)
  const begun = clock.now()
  const due = new Date(begun.getTime() - graceMs)
  for await (const page of (since && door.changedSince?.(since)) ?? []) {
    const happened = page.filter(({ takenAt }) => !takenAt || takenAt <= due)
    const untold = await unheard(database, door.instance, happened)
    await Promise.all(untold.map((inbound) => hear({ door, inbound })))
  }
  const next = since ? new Date(Math.max(since.getTime(), begun.getTime() - OVERLAP_MS)) : begun
  await saveProgress(database, list, { since: next, cursor: null, begunAsOf: null, complete: true })
}

/** What is later than all that was heard of its stream; where nothing can be read, its name tells it apart. */
async function unheard(
  database: Database,
  source: string,
  page: readonly InboundMessage<ChannelMessage>[],
): Promise<InboundMessage<ChannelMessage>[]> {
  const streams = page.flatMap(({ stream }) => stream ?? [])
  const heard = await streamProgress(database, source, streams)
  return page.filter(({ stream = '', takenAt }) => {
    const lastAt = heard.get(stream)?.lastTakenAt
    return !lastAt || !takenAt || lastAt < takenAt
  })
}
