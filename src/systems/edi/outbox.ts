/** Our documents: numbered and kept before they are files, and left in the partner's folder whole or not at all. */
import { join } from 'node:path'
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import type { Files } from './files.ts'
import type { PartnerGuide } from './partner-guide.ts'
import {
  addOutbound,
  type Outbound,
  type OutboundFile,
  outboundFiles,
  lockFiles,
  lockUnwrittenFiles,
  recordWritten,
  takeControlNumbers,
} from './store.ts'
import { wallClock } from './wall-clock.ts'
import { type SegmentData, writeInterchange } from './x12-writer.ts'

/** X12 479. */
const FUNCTIONAL_IDS = { 855: 'PR', 856: 'SH', 810: 'IN', 846: 'IB', 940: 'OW', 997: 'FA' } as const
export type OutboundType = '855' | '856' | '810' | '846' | '940' | '997'

export type Draft = {
  /** The same document under the same key is numbered and written once. */
  readonly key: string
  readonly guide: PartnerGuide
  readonly type: OutboundType
  /** The message of the purchase order, or the request to a warehouse, that it is about. */
  readonly about?: string | undefined
  readonly segments: readonly SegmentData[]
}

export interface Outbox {
  /** Refuses what X12 or the partner's delimiters cannot carry. */
  check(draft: Draft): void
  /** With the transaction's commit the documents exist, each with its control number; `flush` makes them files. */
  post(tx: Transaction, drafts: readonly Draft[]): Promise<void>
  /** Writes those of the keys that are not written; answers the names of all. */
  write(keys: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Writes whatever has not been written for so long, since a crash may have come between commit and file. */
  flush(olderThanMs: number): Promise<void>
}

export type OutboxOptions = {
  readonly directory: string
  readonly files: Files
  readonly database: Database
  readonly clock: Clock
  /** Names this process among those that write to the same folders. */
  readonly writer: string
}

const FLUSH_BATCH = 100

export function createOutbox({ directory, files: folders, database, clock, writer }: OutboxOptions): Outbox {
  let writing: Promise<unknown> = Promise.resolve()

  /** One at a time, so that writing takes one connection at the most. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = writing.then(work)
    writing = done.catch(() => undefined)
    return done
  }

  /** What is written is recorded before anybody else may look. */
  const writeLocked = (lock: (tx: Transaction) => Promise<OutboundFile[]>): Promise<OutboundFile[]> =>
    inTurn(() =>
      database.transaction(async (tx) => {
        const files = await lock(tx)
        const missing = files.filter((file) => !file.written)
        for (const { partner, fileName, content } of missing)
          await folders.leave(join(directory, partner), fileName, content, writer)
        recordWritten(
          tx,
          missing.map(({ key }) => key),
        )
        return files
      }),
    )

  return {
    check: (draft) => void contentOf(draft, 1, clock.now()),
    post: (tx, drafts) => post(tx, drafts, clock.now()),
    async write(keys) {
      if (keys.length === 0) return new Map()
      const files = await writeLocked((tx) => lockFiles(tx, keys))
      return new Map(files.map((file) => [file.key, file.fileName]))
    },
    async flush(olderThanMs) {
      for (;;) {
        const files = await writeLocked((tx) => lockUnwrittenFiles(tx, olderThanMs, FLUSH_BATCH))
        if (files.length < FLUSH_BATCH) return
      }
    },
  }
}

async function post(tx: Transaction, drafts: readonly Draft[], now: Date): Promise<void> {
  if (drafts.length === 0) return
  const distinct = new Map(drafts.map((draft) => [draft.key, draft]))
  const known = await outboundFiles(tx, [...distinct.keys()])
  const fresh = [...distinct.values()].filter(({ key }) => !known.has(key))
  if (fresh.length === 0) return
  const byPartner = Map.groupBy(fresh, ({ guide }) => guide.partner)
  const last = await takeControlNumbers(
    tx,
    new Map([...byPartner].map(([partner, group]) => [partner, group.length])),
  )
  const rows = [...byPartner].flatMap(([partner, group]) => {
    const first = last.get(partner)! - group.length + 1
    return group.map((draft, place) => outboundOf(draft, first + place, now))
  })
  addOutbound(tx, rows)
}

function outboundOf(draft: Draft, controlNumber: number, now: Date): Outbound {
  const { key, guide, type, about, segments } = draft
  const answered = type !== '997'
  return {
    key,
    partner: guide.partner,
    company: guide.company,
    type,
    controlNumber,
    about: about ?? null,
    segments,
    content: contentOf(draft, controlNumber, now),
    fileName: `${type}_${String(controlNumber).padStart(9, '0')}.edi`,
    acknowledgment: answered ? 'waiting' : 'none',
    dueAt: answered ? new Date(now.getTime() + guide.acknowledgment.deadlineHours * 3_600_000) : null,
  }
}

/** One document an interchange, so that one number names the interchange, its group and what the 997 refers to. */
function contentOf({ guide, type, segments }: Draft, controlNumber: number, now: Date): string {
  const { ours, theirs } = guide
  const { date, time } = wallClock(now, guide)
  return writeInterchange(
    {
      sender: { qualifier: ours.qualifier, id: ours.id },
      receiver: { qualifier: theirs.qualifier, id: theirs.id },
      date,
      time,
      controlNumber,
      usage: guide.usage,
      acknowledgmentRequested: false,
      groups: [
        {
          functionalId: FUNCTIONAL_IDS[type],
          sender: ours.groupId,
          receiver: theirs.groupId,
          controlNumber,
          version: guide.version,
          sets: [{ type, controlNumber: '0001', segments }],
        },
      ],
    },
    guide.delimiters,
  )
}
