/** A message at a door as it is filed in the inbox: new, or put aside before and now replayed by a person. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import {
  contentHash,
  endReplays as markReplayed,
  receiveMessages,
  reopenMessages,
  type Verdict,
} from '#platform/inbox.ts'
import { type ParkedItem, type ReplayOutcome, settleParked } from '#platform/parking.ts'
import { fatesOf, lockReplays, sharedCauses } from '#platform/parking-replay.ts'
import { causeOf } from './message-trouble.ts'

/** A message with where it came from. */
export type Telling<Door, Inbound> = {
  readonly door: Door
  readonly inbound: Inbound
  readonly traceId?: string | undefined
  /** What a person had replayed; absent for what the system tells now. */
  readonly parked?: ParkedItem | undefined
}

/** What became of a message at its door. */
export type Heard = 'applied' | 'duplicate' | 'conflict' | 'superseded' | 'waiting' | 'parked' | 'quarantined'

export type AnyTelling = Telling<{ readonly instance: string }, InboundMessage<unknown>>
export type Filed<T extends AnyTelling> = ReturnType<typeof fileOf<T>>

export function fileOf<T extends AnyTelling>(told: T) {
  const { door, inbound, traceId } = told
  const { messageId, type, company, stream, sequence, takenAt, body } = inbound
  return {
    source: door.instance,
    messageId,
    type,
    company,
    contentHash: contentHash(body),
    stream,
    sequence,
    takenAt,
    body,
    receivedTrace: traceId,
    told,
    message: inbound.message as T['inbound']['message'],
  }
}

export type TakenIn<T extends AnyTelling> = {
  /** What is this transaction's to replay. */
  readonly replays: readonly Filed<T>[]
  readonly verdicts: ReadonlyMap<Filed<T>, Verdict>
  /** What replayed messages were put aside as; a parked one has had its place among the messages of its stream. */
  readonly reopened: ReadonlyMap<Filed<T>, 'parked' | 'quarantined'>
}

/** Files what is new and takes up again what is replayed; of two processes that replay the same only one does. */
export async function takeIn<T extends AnyTelling>(
  tx: Transaction,
  filed: readonly Filed<T>[],
): Promise<TakenIn<T>> {
  const asked = filed.filter(({ told }) => told.parked)
  const mine = await lockReplays(
    tx,
    asked.map(({ told }) => told.parked!),
  )
  const replays = firstOfEach(asked.filter(({ told }) => mine.has(told.parked!.id)))
  const reopened = await reopenMessages(tx, replays)
  // A conflict is replayed as the message of its own that it claims to be, and filed now.
  const arrived = filed.filter(
    (message) => !message.told.parked || (replays.includes(message) && !reopened.has(message)),
  )
  const received = await receiveMessages(tx, arrived, 'applied')
  const verdicts = new Map(
    filed.map((message): [Filed<T>, Verdict] => {
      const verdict = received.get(message) ?? (reopened.has(message) ? 'new' : 'duplicate')
      return [message, verdict]
    }),
  )
  return { verdicts, replays, reopened }
}

/** Two looks of one process may bring the same replay. */
const firstOfEach = <T extends AnyTelling>(replays: readonly Filed<T>[]): Filed<T>[] => [
  ...new Map(replays.toReversed().map((message) => [message.told.parked!.id, message])).values(),
]

/** What a replay came to; undefined for what was put aside again. A new conflict is parked work of its own. */
function endOf(heard: Heard | undefined): ReplayOutcome | undefined {
  if (heard === 'parked' || heard === 'quarantined') return undefined
  return heard === 'conflict' ? 'superseded' : heard
}

/** In the transaction that took them in: what went well leaves parked work, and its trouble is over. */
export async function endReplays<T extends AnyTelling>(
  tx: Transaction,
  { replays, reopened }: TakenIn<T>,
  answers: ReadonlyMap<T, Heard>,
): Promise<void> {
  if (replays.length === 0) return
  const ended = replays.map(({ told }) => ({ ...told.parked!, outcome: endOf(answers.get(told)) }))
  markReplayed(tx, replays)
  await settleParked(
    tx,
    ended.flatMap(({ outcome, ...item }) => (outcome ? [{ ...item, outcome }] : [])),
  )
  const [shared, stopped] = await Promise.all([
    sharedCauses(
      tx,
      replays.map(({ told }) => told.parked!),
    ),
    fatesOf(
      tx,
      ended.flatMap(({ id, outcome }) => (outcome ? [] : [id])),
    ),
  ])
  const codes = new Map(stopped.map(({ id, causeCode }) => [id, causeCode]))
  const gone = replays.filter((message) => {
    const item = message.told.parked!
    const isShared = reopened.get(message) === 'quarantined' && shared.has(item)
    return codes.get(item.id) !== item.cause.code && !isShared
  })
  await closeExceptions(
    tx,
    gone.map((message) => causeOf(message.told.parked!, reopened.get(message))),
    'the message was replayed',
  )
}
