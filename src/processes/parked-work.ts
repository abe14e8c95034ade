/** Parked work as a person decides on it: what a door would make of a message, and how one is given up. */
import type { Transaction } from '#platform/database.ts'
import { type Cause, closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { discardMessages } from '#platform/inbox.ts'
import { type Decision, discard, editPayload, lockParked, type ParkedItem } from '#platform/parking.ts'
import { callCause, sharedCauses } from '#platform/parking-replay.ts'
import type { AnyDoors } from './any-door.ts'
import { causeOf, NO_COMPANY } from './message-trouble.ts'
import { filedAs } from './replays.ts'
import { documentCause } from './trouble.ts'

/** What the door of a parked message makes of a content; undefined where no door here can say. */
export type Reading = { readonly by: string; readonly unreadable?: Refusal | undefined }

export type ReadAs = (item: ParkedItem, payload: string) => Promise<Reading | undefined>

/** By reading alone: whether it is applied is decided on when it is replayed. */
export const readAs =
  (doors: AnyDoors): ReadAs =>
  async (item, payload) => {
    const by = item.system ?? ''
    const door = doors.get(by)
    if (!door || item.kind !== 'message' || isGap(item)) return undefined
    const { unreadable } = await door.restore(filedAs({ ...item, payload }))
    return { by, unreadable }
  }

/** Replaces the payload by one that the door of its message can read, where one can say so. */
export async function correctPayload(
  tx: Transaction,
  {
    id,
    payload,
    reading,
  }: { readonly id: number; readonly payload: string; readonly reading: Reading | undefined },
  decision: Decision,
): Promise<ParkedItem> {
  if (reading?.unreadable) {
    const { code, message } = reading.unreadable
    throw new Refusal(
      'parking.payload_unreadable',
      `${reading.by} cannot read it: ${message}`,
      { code },
      '/payload',
    )
  }
  return editPayload(tx, id, payload, decision)
}

/**
 * Gives messages up: their exceptions close, and what waited behind them goes on. Documents, calls and gaps are work
 * that is owed and are refused.
 */
export async function giveUp(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
): Promise<ReadonlyMap<number, ParkedItem | Refusal>> {
  const locked = await lockParked(tx, ids, decision)
  const owed = new Map(
    [...locked].flatMap(([id, item]) => (isOwed(item) ? [[id, owing(item)] as const] : [])),
  )
  const given = await discard(
    tx,
    ids.filter((id) => !owed.has(id)),
    decision,
  )
  const items = [...given.values()].filter((item): item is ParkedItem => !(item instanceof Refusal))
  discardMessages(tx, items)
  await closeExceptions(
    tx,
    await causesOf(tx, items),
    `${decision.actor} gave the message up: ${decision.reason}`,
  )
  return new Map(ids.map((id) => [id, owed.get(id) ?? given.get(id)!]))
}

/** What its exception is opened under; of a message it depends on what it was put aside as. */
export function causesOfParked(item: ParkedItem): Cause[] {
  const { kind, doc, key, system, context } = item
  const company = item.company ?? NO_COMPANY
  if (kind === 'effect') return [{ company, cause: callCause(system ?? '', String(context['operation'])) }]
  if (kind === 'document') return [{ company, cause: documentCause(doc ?? 0) }]
  if (isGap(item)) return [{ company, cause: key.slice((system ?? '').length + 1) }]
  return [causeOf(item), causeOf(item, 'parked'), causeOf(item, 'quarantined')]
}

const isGap = ({ context }: ParkedItem): boolean => context['gap'] !== undefined

const isOwed = (item: ParkedItem | Refusal): item is ParkedItem =>
  !(item instanceof Refusal) && (item.kind !== 'message' || isGap(item))

function owing(item: ParkedItem): Refusal {
  const { id, kind } = item
  const what = isGap(item) ? 'is what a stream misses' : `is a ${kind === 'effect' ? 'call' : kind}`
  return new Refusal('parking.not_discardable', `item ${id} ${what}`, { id, kind })
}

/** What was put aside as unreadable shares its exception with whatever else is so for the same reason. */
async function causesOf(tx: Transaction, items: readonly ParkedItem[]): Promise<Cause[]> {
  const shared = await sharedCauses(tx, items)
  return items.flatMap((item) => {
    if (item.context['conflict'] === true) return [causeOf(item)]
    return [causeOf(item, 'parked'), ...(shared.has(item) ? [] : [causeOf(item, 'quarantined')])]
  })
}
