/** Inbound messages: each is filed raw and once, and ends applied, duplicate, superseded, parked or quarantined. */
import { createHash } from 'node:crypto'
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import type { Facts } from './faults.ts'
import { park, type ParkedCause, type ParkedItem } from './parking.ts'

/** What names a message: the system instance it came from, and that system's own id for it. */
export type MessageName = { readonly source: string; readonly messageId: string }

export type IncomingMessage = MessageName & {
  readonly company?: string | undefined
  readonly type: string
  /** Of what the message says, so that a second delivery is told from other content under the same id. */
  readonly contentHash: string
  /** What the source keeps in order: one item, one shipment, or its whole feed. */
  readonly stream?: string | undefined
  readonly sequence?: number | undefined
  /** When the source says that its content was true. */
  readonly takenAt?: Date | undefined
  readonly doc?: number | undefined
  /** As it came. */
  readonly body: string
  readonly receivedTrace?: string | undefined
}

export type StoredMessage = MessageName & {
  readonly company: string | null
  readonly type: string
  readonly contentHash: string
  readonly state: MessageState
  readonly stream: string | null
  readonly sequence: number | null
  readonly takenAt: Date | null
  readonly doc: number | null
  readonly body: string
  readonly receivedTrace: string | null
  readonly receivedAt: Date
}

export type MessageState =
  | 'received'
  | 'applied'
  | 'duplicate'
  | 'superseded'
  | 'parked'
  | 'quarantined'
  | 'replayed'
  | 'discarded'

/** `conflict`: the id is known with other content. It is parked and must not be applied. */
export type Verdict = 'new' | 'duplicate' | 'conflict'

export type Settlement = MessageName & { readonly doc?: number | undefined; readonly detail?: Facts } & (
    | { readonly outcome: 'applied' | 'duplicate' | 'superseded' }
    | { readonly outcome: 'parked' | 'quarantined'; readonly cause: ParkedCause }
  )

export const MESSAGE_COLUMNS = `m.source, m.message_id as "messageId", m.company, m.type, m.content_hash as "contentHash",
  m.state, m.stream, m.sequence, m.taken_at as "takenAt", m.doc, m.body, m.received_trace as "receivedTrace",
  m.received_at as "receivedAt"`

const fileMessages = sql(
  'inbox.file',
  `insert into inbox.message (source, message_id, company, type, content_hash, stream, sequence, taken_at, doc, body,
     received_trace, state)
   select *, $12 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
     $8::timestamptz[], $9::bigint[], $10::text[], $11::text[])
   on conflict do nothing returning source, message_id as "messageId"`,
)
const hashesOf = sql(
  'inbox.hashes',
  `select source, message_id as "messageId", content_hash as "contentHash"
   from inbox.message join unnest($1::text[], $2::text[]) as k(source, message_id) using (source, message_id)`,
)
const countRepeats = sql(
  'inbox.count_repeats',
  `update inbox.message m set repeats = m.repeats + k.times from unnest($1::text[], $2::text[], $3::int[])
     as k(source, message_id, times) where m.source = k.source and m.message_id = k.message_id`,
)
// A row of this very transaction may still change its outcome; one that was committed is decided for good.
const settle = sql(
  'inbox.settle',
  `update inbox.message m set state = k.outcome, doc = coalesce(k.doc, m.doc), detail = coalesce(k.detail, m.detail)
   from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::jsonb[])
     as k(source, message_id, outcome, doc, detail)
   where m.source = k.source and m.message_id = k.message_id
     and (m.state = 'received' or m.xmin = pg_current_xact_id()::xid)
   returning m.source, m.message_id as "messageId", m.company, m.type, m.doc,
     case when m.state in ('parked', 'quarantined') then m.body end as body`,
)
// What a person corrected counts from now on; the hash stays that of what was sent.
const reopen = sql(
  'inbox.reopen',
  `with old as (
     select m.source, m.message_id, m.state, k.company, k.type, k.stream, k.sequence, k.taken_at, k.body
     from inbox.message m join unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
       $7::timestamptz[], $8::text[]) as k(source, message_id, company, type, stream, sequence, taken_at, body)
       on m.source = k.source and m.message_id = k.message_id
     where m.state in ('parked', 'quarantined') order by m.source, m.message_id for update of m)
   update inbox.message m set state = 'applied', detail = null, company = old.company, type = old.type,
     stream = old.stream, sequence = old.sequence, taken_at = old.taken_at, body = old.body
   from old where m.source = old.source and m.message_id = old.message_id
   returning m.source, m.message_id as "messageId", old.state as was`,
)
const markReplayed = sql(
  'inbox.mark_replayed',
  `update inbox.message m set state = 'replayed' from unnest($1::text[], $2::text[]) as k(source, message_id)
   where m.source = k.source and m.message_id = k.message_id and m.state = 'applied'`,
)
const closeParked = sql(
  'inbox.close_parked',
  `update inbox.message m set state = 'discarded' from unnest($1::text[], $2::text[]) as k(source, message_id)
   where m.source = k.source and m.message_id = k.message_id and m.state in ('parked', 'quarantined')`,
)
const oneMessage = sql(
  'inbox.show',
  `select ${MESSAGE_COLUMNS} from inbox.message m where m.source = $1 and m.message_id = $2`,
)

/** `wms-north/4711`: also the key under which the message is parked. */
export const messageKey = (message: MessageName): string => `${message.source}/${message.messageId}`

/** SHA-256 of a body as it came; a connector that must ignore fields hashes what it keeps. */
export const contentHash = (body: string): string => createHash('sha256').update(body).digest('base64url')

const compareNames = (a: MessageName, b: MessageName): number =>
  compare(a.source, b.source) || compare(a.messageId, b.messageId)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const names = (messages: readonly MessageName[]): [sources: string[], ids: string[]] => [
  messages.map((message) => message.source),
  messages.map((message) => message.messageId),
]

/**
 * Files messages and says which are new, each for itself: of two equal ones in the list the second is the duplicate.
 * `applied` is for a door that decides in this transaction and settles only what turns out otherwise; `received` for
 * work that is decided later. A conflict is parked here, and the row of the first content is left as it is.
 */
export async function receiveMessages<Message extends IncomingMessage>(
  tx: Transaction,
  messages: readonly Message[],
  filedAs: 'applied' | 'received',
): Promise<Map<Message, Verdict>> {
  const firsts = new Map<string, Message>()
  for (const message of messages) {
    if (!firsts.has(messageKey(message))) firsts.set(messageKey(message), message)
  }
  const filed = await file(tx, [...firsts.values()].sort(compareNames), filedAs)
  const repeats = new Set(
    messages.filter(
      (message) => !filed.has(messageKey(message)) || firsts.get(messageKey(message)) !== message,
    ),
  )
  const hashes = repeats.size > 0 ? await storedHashes(tx, [...repeats]) : new Map<string, string>()
  const verdicts = new Map<Message, Verdict>()
  for (const message of messages) {
    const same = hashes.get(messageKey(message)) === message.contentHash
    verdicts.set(message, repeats.has(message) ? (same ? 'duplicate' : 'conflict') : 'new')
  }
  if (repeats.size > 0) await reportRepeats(tx, [...repeats], verdicts, hashes)
  return verdicts
}

async function file(tx: Transaction, messages: IncomingMessage[], filedAs: string): Promise<Set<string>> {
  if (messages.length === 0) return new Set()
  const rows = await tx.query<MessageName>(fileMessages, [
    ...names(messages),
    messages.map((message) => message.company ?? null),
    messages.map((message) => message.type),
    messages.map((message) => message.contentHash),
    messages.map((message) => message.stream ?? null),
    messages.map((message) => message.sequence ?? null),
    messages.map((message) => message.takenAt ?? null),
    messages.map((message) => message.doc ?? null),
    messages.map((message) => message.body),
    messages.map((message) => message.receivedTrace ?? null),
    filedAs,
  ])
  return new Set(rows.map(messageKey))
}

async function storedHashes(
  tx: Transaction,
  messages: readonly IncomingMessage[],
): Promise<Map<string, string>> {
  const distinct = new Map(messages.map((message) => [messageKey(message), message]))
  const rows = await tx.query<MessageName & { contentHash: string }>(hashesOf, names([...distinct.values()]))
  if (rows.length < distinct.size)
    throw new Error('a message known to the inbox was purged while it came in again')
  return new Map(rows.map((row) => [messageKey(row), row.contentHash]))
}

async function reportRepeats<Message extends IncomingMessage>(
  tx: Transaction,
  repeats: readonly Message[],
  verdicts: ReadonlyMap<Message, Verdict>,
  hashes: ReadonlyMap<string, string>,
): Promise<void> {
  const times = new Map<string, { message: Message; count: number }>()
  for (const message of repeats.filter((repeat) => verdicts.get(repeat) === 'duplicate').sort(compareNames)) {
    const seen = times.get(messageKey(message))
    if (seen) seen.count++
    else times.set(messageKey(message), { message, count: 1 })
  }
  const counted = [...times.values()]
  const counts = counted.map(({ count }) => count)
  if (counted.length > 0) tx.send(countRepeats, [...names(counted.map(({ message }) => message)), counts])
  const conflicts = repeats.filter((repeat) => verdicts.get(repeat) === 'conflict')
  await park(
    tx,
    conflicts.map((message) => conflictOf(message, hashes.get(messageKey(message)) ?? '')),
  )
}

function conflictOf(message: IncomingMessage, knownHash: string) {
  const { source, messageId, type, contentHash: hash, stream, sequence, takenAt } = message
  return {
    kind: 'message' as const,
    key: `${messageKey(message)}#${hash}`,
    company: message.company,
    system: source,
    doc: message.doc,
    payload: message.body,
    context: { source, messageId, type, contentHash: hash, stream, sequence, takenAt, conflict: true },
    cause: {
      code: 'inbox.content_conflict',
      message: `message ${messageId} of ${source} is known with other content`,
      facts: { knownHash, contentHash: hash },
    },
  }
}

type SettledRow = MessageName & {
  company: string | null
  type: string
  doc: number | null
  body: string | null
}

/**
 * Gives messages their outcome, once: those filed as `received`, and those filed as `applied` in this transaction that
 * turned out otherwise. Parked and quarantined ones get their place in parked work with them.
 */
export async function settleMessages(tx: Transaction, settlements: readonly Settlement[]): Promise<void> {
  if (settlements.length === 0) return
  const sorted = [...settlements].sort(compareNames)
  const rows = await tx.query<SettledRow>(settle, [
    ...names(sorted),
    sorted.map((settlement) => settlement.outcome),
    sorted.map((settlement) => settlement.doc ?? null),
    sorted.map((settlement) => (settlement.detail ? JSON.stringify(settlement.detail) : null)),
  ])
  const settled = new Map(rows.map((row) => [messageKey(row), row]))
  const items = []
  for (const settlement of settlements) {
    const row = settled.get(messageKey(settlement))
    if (!row) throw new Error(`message ${messageKey(settlement)} is not in the inbox or was decided before`)
    if ('cause' in settlement) items.push(parkedMessage(row, settlement.cause))
  }
  await park(tx, items)
}

function parkedMessage(row: SettledRow, cause: ParkedCause) {
  const { source, messageId, company, type, doc, body } = row
  const context = { source, messageId, type }
  return {
    kind: 'message' as const,
    key: messageKey(row),
    company,
    system: source,
    doc,
    payload: body,
    context,
    cause,
  }
}

/**
 * Takes parked and quarantined messages up again, as if they had just been filed as `applied`: in this transaction they
 * are settled like any other. Answers what each was; one that was not put aside is left out.
 */
export async function reopenMessages<Message extends IncomingMessage>(
  tx: Transaction,
  messages: readonly Message[],
): Promise<Map<Message, 'parked' | 'quarantined'>> {
  if (messages.length === 0) return new Map()
  const sorted = messages.toSorted(compareNames)
  const rows = await tx.query<MessageName & { was: 'parked' | 'quarantined' }>(reopen, [
    ...names(sorted),
    sorted.map((message) => message.company ?? null),
    sorted.map((message) => message.type),
    sorted.map((message) => message.stream ?? null),
    sorted.map((message) => message.sequence ?? null),
    sorted.map((message) => message.takenAt ?? null),
    sorted.map((message) => message.body),
  ])
  const was = new Map(rows.map((row) => [messageKey(row), row.was]))
  return new Map(
    sorted.flatMap((message): [Message, 'parked' | 'quarantined'][] => {
      const state = was.get(messageKey(message))
      return state ? [[message, state]] : []
    }),
  )
}

/** Says of messages that were applied in this transaction that a person had them replayed. */
export function endReplays(tx: Transaction, messages: readonly MessageName[]): void {
  if (messages.length > 0) tx.send(markReplayed, names(messages.toSorted(compareNames)))
}

/** Carries it over to the messages that parked work is given up; other kinds and conflicts are passed by. */
export function discardMessages(
  tx: Transaction,
  items: readonly Pick<ParkedItem, 'kind' | 'context'>[],
): void {
  const closed = items
    .filter((item) => item.kind === 'message' && item.context['conflict'] !== true)
    .map((item) => item.context as MessageName)
    .sort(compareNames)
  if (closed.length > 0) tx.send(closeParked, names(closed))
}

export async function showMessage(queries: Queries, name: MessageName): Promise<StoredMessage | undefined> {
  return (await queries.query<StoredMessage>(oneMessage, [name.source, name.messageId]))[0]
}
