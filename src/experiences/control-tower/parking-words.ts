/** Parked work in the words of its doors; pure. */
import type { NamedException } from '#platform/exceptions-views.ts'
import type { ParkedItem } from '#platform/parking.ts'
import type { ListedItem, ShownItem } from '#platform/parking-views.ts'
import type { Reading } from '#processes/parked-work.ts'
import { numberOf } from '#processes/ports.ts'
import type { ParkedActed, ParkedSummary, ParkedView } from './parking-contract.ts'

export const summaryOf = (item: ListedItem): ParkedSummary => ({
  ...common(item),
  waiting: item.waiting,
  ...present({ sizeBytes: item.sizeBytes }),
})

type Seeing = { readonly withPayload: boolean }

export function viewOf(
  item: ShownItem,
  exceptions: readonly NamedException[],
  { withPayload }: Seeing,
): ParkedView {
  const { payload, waiting } = item
  return {
    ...common(item),
    waiting: waiting.length,
    ...present({
      sizeBytes: payload === null ? null : Buffer.byteLength(payload),
      payload: withPayload ? payload : null,
    }),
    context: { ...item.context },
    edits: item.edits.map(({ number, editedAt, editor, reason, changes }) => ({
      number,
      at: editedAt.toISOString(),
      by: editor,
      reason,
      changes: withPayload ? [...changes] : [],
    })),
    waitingMessages: waiting.map(({ messageId, stream, sequence, heldAt }) => ({
      messageId,
      stream,
      sequence,
      heldAt: heldAt.toISOString(),
    })),
    exceptions: exceptions.map(({ id, title, owner, assignee }) => ({
      id,
      title,
      owner,
      ...present({ assignee }),
    })),
  }
}

export const readingOf = ({ by, unreadable }: Reading): NonNullable<ParkedActed['reading']> => ({
  by,
  readable: unreadable === undefined,
  ...(unreadable ? { problem: unreadable.message } : {}),
})

function common(item: ParkedItem): Omit<ParkedSummary, 'waiting' | 'sizeBytes'> {
  const { id, version, kind, key, state, attempts, poison, edited, doc, context } = item
  const { kind: docKind, type } = context as { readonly kind?: string; readonly type?: string }
  return {
    id,
    version,
    kind,
    key,
    state,
    ...present({
      company: item.company,
      system: item.system,
      step: item.step,
      document: doc === null ? null : numberOf(docKind ?? '', doc),
      messageType: type,
    }),
    cause: { code: item.cause.code, message: item.cause.message, facts: { ...item.cause.facts } },
    attempts,
    poison,
    edited,
    firstFailedAt: item.firstFailedAt.toISOString(),
    lastFailedAt: item.lastFailedAt.toISOString(),
    ...present({
      replayedAt: item.replayedAt?.toISOString(),
      settledBy: item.settledBy,
      settledReason: item.settledReason,
      outcome: item.outcome,
    }),
  }
}

type Present<T> = { [Name in keyof T]?: NonNullable<T[Name]> }

/** Without the members that are not known. */
const present = <T extends object>(members: T): Present<T> =>
  Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as Present<T>
