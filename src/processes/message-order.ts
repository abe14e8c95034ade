/** What may be applied now, in the order its source declares; what came too early waits, what came too late is over. */
import type { Transaction } from '#platform/database.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import type { Discipline } from '#platform/inbox-order.ts'
import { liftStop, stopStreams } from '#platform/inbox-stops.ts'
import { arrangeMessages, skipGap } from '#platform/inbox-streams.ts'
import type { StoredMessage } from '#platform/inbox.ts'
import { type ParkedItem, settleParked } from '#platform/parking.ts'
import { lockReplays } from '#platform/parking-replay.ts'
import { type Filed, fileOf, type Heard, type TakenIn, type Telling } from './message-filing.ts'

type Orderly = Telling<Pick<InboundDoor<unknown>, 'instance' | 'order' | 'restore'>, InboundMessage<unknown>>

export type Placed<T extends Orderly> = {
  /** Those of the list whose turn it is. */
  readonly due: readonly Filed<T>[]
  /** Messages that waited for one of them, in order; read anew, which may fail under other rules than before. */
  readonly released: readonly Filed<T>[]
  /** The others, each with its outcome in the inbox. */
  readonly passed: ReadonlyMap<T, Heard>
}

const HEARD = { superseded: 'superseded', wait: 'waiting', unordered: 'quarantined' } as const

const disciplineOf = ({ told, type }: Filed<Orderly>): Discipline => told.door.order[type] ?? { by: 'none' }

/** Takes messages that are understood. */
export async function inTheirOrder<T extends Orderly>(
  tx: Transaction,
  messages: readonly Filed<T>[],
  { reopened }: Pick<TakenIn<T>, 'reopened'>,
): Promise<Placed<T>> {
  // A parked message was not waited for when it had its turn, so its number is behind its stream by now.
  const hadItsTurn = (message: Filed<T>): boolean =>
    reopened.get(message) === 'parked' && disciplineOf(message).by !== 'taken'
  const due = messages.filter(hadItsTurn)
  const released: Filed<T>[] = []
  const passed = new Map<T, Heard>()
  const groups = Map.groupBy(
    messages.filter((message) => !hadItsTurn(message)),
    (message) => JSON.stringify(disciplineOf(message)),
  )
  for (const group of groups.values()) {
    const arranged = await arrangeMessages(tx, disciplineOf(group[0]!), group)
    for (const [message, ruling] of arranged.rulings) {
      if (ruling === 'apply') due.push(message)
      else passed.set(message.told, HEARD[ruling])
    }
    const doors = new Map(group.map(({ told }) => [told.door.instance, told.door]))
    for (const stored of arranged.released)
      released.push(await readAgain<T>(doors.get(stored.source)!, stored))
  }
  return { due, released, passed }
}

async function readAgain<T extends Orderly>(door: T['door'], stored: StoredMessage): Promise<Filed<T>> {
  const told = { door, inbound: await door.restore(stored), traceId: stored.receivedTrace ?? undefined }
  return { ...fileOf(told as T), company: stored.company ?? undefined }
}

/** What a stream misses from that number on will not come, or was seen to: parked work that a person had replayed. */
export type Skip<Door> = {
  readonly door: Door
  readonly stream: string
  readonly from: number
  readonly parked: ParkedItem
}

/** Answers what waited for it, read anew. A gap that closed meanwhile is let be. */
export async function goOnWithout<T extends Orderly>(
  tx: Transaction,
  { door, stream, from, parked }: Skip<T['door']>,
): Promise<Filed<T>[]> {
  if (!(await lockReplays(tx, [parked])).has(parked.id)) return []
  const decision = { actor: parked.settledBy ?? 'crossdock', reason: parked.settledReason ?? '' }
  const stored = await skipGap(tx, { source: door.instance, stream, from }, decision)
  await settleParked(tx, [{ ...parked, outcome: stored.length > 0 ? 'applied' : 'superseded' }])
  return readAll<T>(door, stored)
}

/** A stream stands behind a message that was put aside, which a person has settled. */
export type Lift<Door> = { readonly door: Door; readonly stream: string; readonly stoppedBy: string }

/** Answers what waited for that message, read anew. */
export async function goOnBehind<T extends Orderly>(
  tx: Transaction,
  { door, ...stop }: Lift<T['door']>,
): Promise<Filed<T>[]> {
  return readAll<T>(door, await liftStop(tx, { source: door.instance, ...stop }))
}

async function readAll<T extends Orderly>(
  door: T['door'],
  stored: readonly StoredMessage[],
): Promise<Filed<T>[]> {
  const read: Filed<T>[] = []
  for (const message of stored) read.push(await readAgain<T>(door, message))
  return read
}

/** The stream in which others wait for this message, should it be put aside; a replayed one has had its turn there. */
export function streamBehind<T extends Orderly>(
  message: Filed<T>,
  { reopened }: Pick<TakenIn<T>, 'reopened'>,
): string | undefined {
  if (disciplineOf(message).by !== 'item' || reopened.get(message) === 'parked') return undefined
  return `${message.source}/${message.stream}`
}

/** What was put aside at its turn stops its stream; what came after it in the same list waits for it. */
export async function stopBehind<T extends Orderly>(
  tx: Transaction,
  aside: readonly Filed<T>[],
  { behind, taken }: { readonly behind: readonly Filed<T>[]; readonly taken: Pick<TakenIn<T>, 'reopened'> },
): Promise<void> {
  const stops = aside.filter((message) => streamBehind(message, taken) !== undefined)
  await stopStreams(tx, stops, behind)
}
