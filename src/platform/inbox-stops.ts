/** Streams that stand still behind a message which was put aside at its turn, until a person has settled it. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import type { StreamName } from './inbox-gaps.ts'
import { holdMessages, takeUp } from './inbox-streams.ts'
import type { IncomingMessage, MessageName, StoredMessage } from './inbox.ts'

export type StoppedStream = StreamName & {
  /** The id of the message that was put aside. */
  readonly stoppedBy: string
}

// What a stream misses is counted anew when it goes on; until then it waits for a person and not for its sender.
const stop = sql(
  'inbox.stop_streams',
  `update inbox.stream s set stopped_by = k.message_id, last_sequence = k.sequence, missing_from = null,
     missing_to = null, blocked_since = null
   from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as k(source, stream, message_id, sequence)
   where s.source = k.source and s.stream = k.stream`,
)
const lift = sql(
  'inbox.lift_stop',
  `update inbox.stream set stopped_by = null where source = $1 and stream = $2`,
)
const settled = sql(
  'inbox.settled_stops',
  `select s.source, s.stream, s.stopped_by as "stoppedBy" from inbox.stream s
   where s.stopped_by is not null and not exists (
     select from inbox.message m
     where m.source = s.source and m.message_id = s.stopped_by and m.state in ('parked', 'quarantined'))
   order by s.source, s.stopped_by limit $1`,
)
const waiting = sql(
  'inbox.waiting',
  `select h.message_id as "messageId", h.stream, h.sequence, h.held_at as "heldAt", s.stopped_by as "waitsFor"
   from inbox.stream s join inbox.held h using (source, stream)
   where s.source = $1 and s.stopped_by = $2 order by h.stream, h.sequence limit $3`,
)

const PORTION = 100

/**
 * Stops item streams at messages that are put aside in this transaction, which has arranged them. `behind` are those
 * of it that had come after them: they wait.
 */
export async function stopStreams(
  tx: Transaction,
  stops: readonly IncomingMessage[],
  behind: readonly IncomingMessage[],
): Promise<void> {
  if (stops.length === 0) return
  tx.send(stop, [
    stops.map(({ source }) => source),
    stops.map(({ stream }) => stream ?? ''),
    stops.map(({ messageId }) => messageId),
    stops.map(({ sequence }) => sequence ?? null),
  ])
  if (behind.length > 0) await holdMessages(tx, behind)
}

/** Streams whose message was replayed or given up, and that still stand. */
export const settledStops = (queries: Queries): Promise<StoppedStream[]> =>
  queries.query<StoppedStream>(settled, [PORTION])

/** Lets a stream go on; answers what waited, in order, to be applied in this transaction. One that went on is let be. */
export function liftStop(tx: Transaction, { stoppedBy, ...name }: StoppedStream): Promise<StoredMessage[]> {
  return takeUp(tx, name, (before) => {
    if (before.stoppedBy !== stoppedBy) return undefined
    tx.send(lift, [name.source, name.stream])
    return { ...before, stoppedBy: null }
  })
}

export type WaitingMessage = {
  readonly messageId: string
  readonly stream: string
  readonly sequence: number
  readonly heldAt: Date
  /** The id of the message that was put aside. */
  readonly waitsFor: string
}

/** What waits for a message that was put aside, in order. */
export const waitingBehind = (
  queries: Queries,
  { source, messageId }: MessageName,
): Promise<WaitingMessage[]> => queries.query<WaitingMessage>(waiting, [source, messageId, PORTION])
