/** Applies a source's order to filed messages: what may be applied now, what is late, what waits for a missing one. */
import { recordAudit } from './audit.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'
import type { StreamName } from './inbox-gaps.ts'
import { gapBefore, inOrder, rule, untouched } from './inbox-order.ts'
import type { Discipline, Ruling, StreamPosition } from './inbox-order.ts'
import { MESSAGE_COLUMNS, messageKey, settleMessages } from './inbox.ts'
import type { IncomingMessage, MessageName, Settlement, StoredMessage } from './inbox.ts'

export type Arrangement<Message> = {
  /** What to do with each message. Late, waiting and unordered ones have their outcome in the inbox already. */
  readonly rulings: ReadonlyMap<Message, Ruling>
  /** Messages that waited and may now be applied, in order, after those of the list. */
  readonly released: readonly StoredMessage[]
}

const ensureStreams = sql(
  'inbox.ensure_streams',
  `insert into inbox.stream (source, stream) select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
)
const lockStreams = sql(
  'inbox.lock_streams',
  `select source, stream, last_sequence as "lastSequence", last_taken_at as "lastTakenAt",
     missing_from as "missingFrom", missing_to as "missingTo", stopped_by as "stoppedBy"
   from inbox.stream s join unnest($1::text[], $2::text[]) as k(source, stream) using (source, stream)
   order by source, stream for no key update of s`,
)
const moveStreams = sql(
  'inbox.move_streams',
  `update inbox.stream s set last_sequence = k.sequence, last_taken_at = k.taken_at, missing_from = k.missing_from,
     missing_to = k.missing_to,
     blocked_since = case when k.missing_from = s.missing_from then s.blocked_since
       when k.missing_from is not null then now() end
   from unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::bigint[])
     as k(source, stream, sequence, taken_at, missing_from, missing_to)
   where s.source = k.source and s.stream = k.stream`,
)
const hold = sql(
  'inbox.hold',
  `with held as (
     insert into inbox.held (source, stream, sequence, message_id)
     select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) on conflict do nothing
     returning source, message_id)
   update inbox.message m set state = 'parked', detail = '{"waits": "for an earlier message of its stream"}'
   from held where m.source = held.source and m.message_id = held.message_id
   returning m.source, m.message_id as "messageId"`,
)
const release = sql(
  'inbox.release',
  `with run as (
     select h.source, h.stream, h.sequence, k.last,
       h.sequence - row_number() over (partition by h.source, h.stream order by h.sequence) as base
     from inbox.held h join unnest($1::text[], $2::text[], $3::bigint[]) as k(source, stream, last)
       on h.source = k.source and h.stream = k.stream and h.sequence > k.last),
   gone as (
     delete from inbox.held h using run
     where run.base = run.last and h.source = run.source and h.stream = run.stream and h.sequence = run.sequence
     returning h.source, h.message_id),
   m as (
     update inbox.message m set state = 'applied', detail = null from gone
     where m.source = gone.source and m.message_id = gone.message_id returning m.*)
   select ${MESSAGE_COLUMNS} from m order by m.source, m.stream, m.sequence`,
)
const nextHeld = sql(
  'inbox.next_held',
  `select source, stream, min(sequence) as sequence
   from inbox.held join unnest($1::text[], $2::text[]) as k(source, stream) using (source, stream)
   group by source, stream`,
)
/** One stream while it is being decided: locked, moved in memory, written back at the end. */
type OpenStream<Message> = StreamName & {
  position: StreamPosition
  readonly before: StreamPosition
  readonly messages: Message[]
}

/**
 * Decides new messages in the order their source declares. Late ones are settled as superseded, ones that came too
 * early wait in the inbox, ones without the place they should name are quarantined.
 */
export async function arrangeMessages<Message extends IncomingMessage>(
  tx: Transaction,
  discipline: Discipline,
  messages: readonly Message[],
): Promise<Arrangement<Message>> {
  if (discipline.by === 'none' || messages.length === 0) {
    return { rulings: new Map(messages.map((message) => [message, 'apply'])), released: [] }
  }
  const streams = await openStreams(tx, messages)
  const rulings = new Map<Message, Ruling>()
  for (const stream of streams) {
    for (const message of inOrder(discipline, stream.messages)) {
      const ruled = rule(discipline, stream.position, message)
      rulings.set(message, ruled.ruling)
      stream.position = ruled.position
    }
  }
  await holdWaiting(tx, rulings)
  await settleMessages(tx, settlementsOf(rulings))
  const moved = streams.filter((stream) => stream.before.missing && advanced(stream))
  const released = discipline.by === 'item' ? await releaseHeld(tx, moved) : []
  writeStreams(tx, streams)
  return { rulings, released }
}

const streamOf = (message: IncomingMessage): string => message.stream ?? ''
const streamKey = (name: StreamName): string => `${name.source}/${name.stream}`
const columns = (streams: readonly StreamName[]): [string[], string[]] => [
  streams.map((stream) => stream.source),
  streams.map((stream) => stream.stream),
]
const advanced = (stream: OpenStream<unknown>): boolean =>
  stream.position.lastSequence !== stream.before.lastSequence

type StreamRow = StreamName & {
  lastSequence: number | null
  lastTakenAt: Date | null
  missingFrom: number | null
  missingTo: number | null
  stoppedBy: string | null
}

function positionOf(row: StreamRow): StreamPosition {
  const { lastSequence, lastTakenAt, missingFrom, missingTo, stoppedBy } = row
  const missing = missingFrom === null || missingTo === null ? null : { from: missingFrom, to: missingTo }
  return { lastSequence, lastTakenAt, missing, stoppedBy }
}

async function openStreams<Message extends IncomingMessage>(
  tx: Transaction,
  messages: readonly Message[],
): Promise<OpenStream<Message>[]> {
  const streams = new Map<string, OpenStream<Message>>()
  for (const message of messages) {
    const name = { source: message.source, stream: streamOf(message) }
    const open = streams.get(streamKey(name))
    if (open) open.messages.push(message)
    else
      streams.set(streamKey(name), { ...name, position: untouched, before: untouched, messages: [message] })
  }
  const keys = [...streams.keys()].sort()
  const sorted = keys.flatMap((key) => streams.get(key) ?? [])
  tx.send(ensureStreams, columns(sorted))
  const rows = await tx.query<StreamRow>(lockStreams, columns(sorted))
  const positions = new Map(rows.map((row) => [streamKey(row), positionOf(row)]))
  return sorted.map((stream) => {
    const position = positions.get(streamKey(stream)) ?? untouched
    return { ...stream, position, before: position }
  })
}

/** A second message under a sequence number that already waits can never have its turn: it is superseded. */
async function holdWaiting<Message extends IncomingMessage>(
  tx: Transaction,
  rulings: Map<Message, Ruling>,
): Promise<void> {
  const waiting = [...rulings].filter(([, ruling]) => ruling === 'wait').map(([message]) => message)
  if (waiting.length === 0) return
  const held = await holdMessages(tx, waiting)
  for (const message of waiting) if (!held.has(messageKey(message))) rulings.set(message, 'superseded')
}

/** Puts messages of this transaction on the bench of their streams; answers the keys of those that found a place. */
export async function holdMessages(
  tx: Transaction,
  messages: readonly IncomingMessage[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<MessageName>(hold, [
    messages.map((message) => message.source),
    messages.map(streamOf),
    messages.map((message) => message.sequence ?? null),
    messages.map((message) => message.messageId),
  ])
  return new Set(rows.map(messageKey))
}

function settlementsOf(rulings: ReadonlyMap<IncomingMessage, Ruling>): Settlement[] {
  const settlements: Settlement[] = []
  for (const [{ source, messageId, stream }, ruling] of rulings) {
    if (ruling === 'superseded') settlements.push({ source, messageId, outcome: 'superseded' })
    if (ruling === 'unordered') {
      const message = 'the message does not say where it stands in its stream'
      const cause = { code: 'inbox.place_missing', message, facts: { stream } }
      settlements.push({ source, messageId, outcome: 'quarantined', cause })
    }
  }
  return settlements
}

/** Lets go what waited and now follows without a gap, and says of each stream what it misses next. */
async function releaseHeld(
  tx: Transaction,
  streams: readonly OpenStream<unknown>[],
): Promise<StoredMessage[]> {
  if (streams.length === 0) return []
  const lasts = streams.map((stream) => stream.position.lastSequence)
  const [released, stillHeld] = await Promise.all([
    tx.query<StoredMessage>(release, [...columns(streams), lasts]),
    tx.query<StreamName & { sequence: number }>(nextHeld, columns(streams)),
  ])
  const nexts = new Map(stillHeld.map((row) => [streamKey(row), row.sequence]))
  const reached = new Map<string, number>()
  for (const { source, stream, sequence } of released) {
    reached.set(streamKey({ source, stream: stream ?? '' }), sequence ?? 0)
  }
  for (const stream of streams) {
    const lastSequence = reached.get(streamKey(stream)) ?? stream.position.lastSequence ?? 0
    const missing = gapBefore(lastSequence, nexts.get(streamKey(stream)))
    stream.position = { ...stream.position, lastSequence, missing }
  }
  return released
}

function writeStreams(tx: Transaction, streams: readonly OpenStream<unknown>[]): void {
  const changed = streams.filter((stream) => stream.position !== stream.before)
  if (changed.length === 0) return
  const positions = changed.map((stream) => stream.position)
  tx.send(moveStreams, [
    ...columns(changed),
    positions.map((position) => position.lastSequence),
    positions.map((position) => position.lastTakenAt),
    positions.map((position) => position.missing?.from ?? null),
    positions.map((position) => position.missing?.to ?? null),
  ])
}

/**
 * Takes a stream up at the place that `decide` answers for where it stands; undefined leaves it alone. Answers the
 * messages that waited and now follow, in order, to be applied in this transaction.
 */
export async function takeUp(
  tx: Transaction,
  name: StreamName,
  decide: (before: StreamPosition) => StreamPosition | undefined,
): Promise<StoredMessage[]> {
  const [row] = await tx.query<StreamRow>(lockStreams, [[name.source], [name.stream]])
  const before = row ? positionOf(row) : untouched
  const position = decide(before)
  if (!position) return []
  const stream = { ...name, before, position, messages: [] }
  const released = await releaseHeld(tx, [stream])
  writeStreams(tx, [stream])
  return released
}

/** Gives up on what a stream misses, from that number on: a person says that it will not come, or has seen to it. */
export function skipGap(
  tx: Transaction,
  { from, ...name }: StreamName & { readonly from: number },
  decision: { readonly actor: string; readonly reason: string },
): Promise<StoredMessage[]> {
  return takeUp(tx, name, (before) => {
    const { missing } = before
    if (missing?.from !== from) return undefined
    recordAudit(tx, [{ ...decision, action: 'inbox.gap_skipped', before: { ...name, missing } }])
    return { ...before, lastSequence: Math.max(before.lastSequence ?? 0, missing.to) }
  })
}
