/** Parked work (dead letters): what ended neither well nor refused is kept with its cause, fixed, replayed or discarded. */
import { createHash } from 'node:crypto'
import { recordAudit, type AuditRow } from './audit.ts'
import type { Transaction } from './database.ts'
import { sql } from './database.ts'
import { Refusal, type Facts, type RefusalCode } from './faults.ts'
import { payloadChanges } from './payload-changes.ts'

export const parkingRefusals = {
  'parking.not_found': {
    status: 404,
    title: 'No such parked work',
    cause: 'The id names nothing that was ever parked.',
    fix: 'List parked work and use an id from there.',
  },
  'parking.not_parked': {
    status: 409,
    title: 'The work is not parked any more',
    cause: 'Somebody replays it at this moment, or it was replayed or discarded before.',
    fix: 'Show the item again; when its replay fails it comes back as parked.',
  },
  'parking.nothing_to_edit': {
    status: 422,
    title: 'Parked work without a payload cannot be edited',
    cause: 'A document or a call is worked from the facts of its document, which stand elsewhere.',
    fix: 'Correct the document or the master data, then replay.',
  },
  'parking.not_discardable': {
    status: 409,
    title: 'This parked work cannot be discarded',
    cause:
      'A document, its call and a stream that misses a message owe something: given up here, they would stand still with nobody to see it.',
    fix: 'Of a call, say what became of it; cancel the order of a document, or mend and replay it; replay a gap, and its stream goes on without what is missing.',
  },
  'parking.payload_unreadable': {
    status: 422,
    title: 'The door of the message cannot read this payload',
    cause: 'As it was edited, the message says nothing that its door understands.',
    fix: 'Correct the field that the detail names; compare the payload with the samples of its connector.',
  },
  'parking.reason_missing': {
    status: 422,
    title: 'A reason is needed',
    cause: 'What people decide on parked work and calls is audited with their reason.',
    fix: 'Say in a few words why.',
  },
} as const satisfies Record<string, RefusalCode>

export type ParkedKind = 'message' | 'document' | 'effect'
export type ParkedState = 'parked' | 'replaying' | 'replayed' | 'discarded'
export type ParkedCause = { readonly code: string; readonly message: string; readonly facts?: Facts }

export type ParkedName = { readonly kind: ParkedKind; readonly key: string }

/** What could not be worked, as it is parked: once for its key, however often it fails. */
export type Parkable = ParkedName & {
  readonly company?: string | null | undefined
  /** The system instance that it came from or was meant for. */
  readonly system?: string | undefined
  readonly step?: string | undefined
  readonly doc?: number | null | undefined
  readonly payload?: string | null | undefined
  readonly cause: ParkedCause
  /** What the one that replays needs beside the payload. */
  readonly context?: Facts
}

export type ParkedItem = ParkedName & {
  readonly id: number
  /** Raised by whatever changes it. */
  readonly version: number
  readonly company: string | null
  readonly system: string | null
  readonly step: string | null
  readonly doc: number | null
  readonly payload: string | null
  readonly edited: boolean
  readonly cause: Required<ParkedCause>
  readonly context: Facts
  readonly state: ParkedState
  readonly attempts: number
  /** Failed again after a replay: replaying as it is will not help. */
  readonly poison: boolean
  readonly firstFailedAt: Date
  readonly lastFailedAt: Date
  readonly replayedAt: Date | null
  /** Who decided on it last, and why. */
  readonly settledBy: string | null
  readonly settledReason: string | null
  /** What its door said when it took it in again. */
  readonly outcome: ReplayOutcome | null
}

/** `waiting`: for an earlier message of its stream. */
export type ReplayOutcome = 'applied' | 'duplicate' | 'superseded' | 'waiting'

/** Who decides, and why. */
export type Decision = { readonly actor: string; readonly reason: string }

export const PARKED_COLUMNS = `i.id, i.version, i.kind, i.key, i.company, i.system, i.step, i.doc, i.payload, i.edited, i.context,
  jsonb_build_object('code', i.cause_code, 'message', i.cause_message, 'facts', i.cause_facts) as cause, i.state,
  i.attempts, i.poison, i.first_failed_at as "firstFailedAt", i.last_failed_at as "lastFailedAt",
  i.replayed_at as "replayedAt", i.settled_by as "settledBy",
  i.settled_reason as "settledReason", i.outcome`

// A payload that a person corrected is not overwritten by another failure.
const parkItems = sql(
  'parking.park',
  `insert into parking.item as i (kind, key, company, system, step, doc, payload, cause_code, cause_message,
     cause_facts, context)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
     $9::text[], $10::jsonb[], $11::jsonb[])
   on conflict (kind, key) do update set
     version = i.version + 1, state = 'parked', attempts = i.attempts + 1, poison = i.poison or i.state in ('replaying', 'replayed'),
     payload = case when i.edited then i.payload else coalesce(excluded.payload, i.payload) end,
     cause_code = excluded.cause_code, cause_message = excluded.cause_message, cause_facts = excluded.cause_facts,
     context = excluded.context, step = excluded.step, last_failed_at = now(), settled_by = null, settled_reason = null, outcome = null`,
)
const lockItems = sql(
  'parking.lock',
  `select ${PARKED_COLUMNS} from parking.item i where i.id = any($1::bigint[]) order by i.id for update`,
)
const setState = sql(
  'parking.set_state',
  `update parking.item set version = version + 1, state = $2, settled_by = $3, settled_reason = $4,
     replayed_at = case when $2 = 'replaying' then now() else replayed_at end
   where id = any($1::bigint[])`,
)
const settleReplayed = sql(
  'parking.settle_replayed',
  `update parking.item i set version = i.version + 1, state = 'replayed', outcome = k.outcome,
     settled_by = coalesce($4, i.settled_by), settled_reason = coalesce($5, i.settled_reason)
   from unnest($1::text[], $2::text[], $3::text[]) as k(kind, key, outcome)
   where i.kind = k.kind and i.key = k.key and i.state in ('parked', 'replaying')
   returning ${PARKED_COLUMNS}`,
)
const storeEdit = sql(
  'parking.edit',
  `with edited as (update parking.item set version = version + 1, payload = $2, edited = true where id = $1)
   insert into parking.edit (item, number, editor, reason, payload_before, changes)
   select $1, coalesce(max(number), 0) + 1, $3, $4, $5, $6::jsonb from parking.edit where item = $1`,
)

/** The last of each name: a list may carry one twice, a statement must not. */
function distinct(items: readonly Parkable[]): Parkable[] {
  const byName = new Map(items.map((item) => [`${item.kind}/${item.key}`, item]))
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
}

/** Parks each item once for its kind and key; parked before, it counts another attempt and the newest cause stands. */
export async function park(tx: Transaction, parkables: readonly Parkable[]): Promise<void> {
  if (parkables.length === 0) return
  const items = distinct(parkables)
  await tx.query(parkItems, [
    items.map((item) => item.kind),
    items.map((item) => item.key),
    items.map((item) => item.company ?? null),
    items.map((item) => item.system ?? null),
    items.map((item) => item.step ?? null),
    items.map((item) => item.doc ?? null),
    items.map((item) => item.payload ?? null),
    items.map((item) => item.cause.code),
    items.map((item) => item.cause.message),
    items.map((item) => JSON.stringify(item.cause.facts ?? {})),
    items.map((item) => JSON.stringify(item.context ?? {})),
  ])
}

/**
 * Marks items as replaying and answers, by id, what is to be driven again, or why not. Every replay is safe: messages,
 * effects and documents carry their own keys.
 */
export function replay(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
): Promise<Map<number, ParkedItem | Refusal>> {
  return decide(tx, ids, decision, 'replaying')
}

/** Gives work up for good, with the reason. Answers the items: whoever knows what they stand for settles that as well. */
export function discard(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
): Promise<Map<number, ParkedItem | Refusal>> {
  return decide(tx, ids, decision, 'discarded')
}

async function decide(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
  state: 'replaying' | 'discarded',
): Promise<Map<number, ParkedItem | Refusal>> {
  const answers = new Map<number, ParkedItem | Refusal>()
  const items = await lockParked(tx, ids, decision)
  for (const [id, item] of items)
    answers.set(id, item instanceof Refusal ? item : { ...item, state, version: item.version + 1 })
  const taken = [...items.values()].filter((item): item is ParkedItem => !(item instanceof Refusal))
  if (taken.length === 0) return answers
  tx.send(setState, [taken.map((item) => item.id), state, decision.actor, decision.reason])
  const action = state === 'replaying' ? 'parking.replayed' : 'parking.discarded'
  recordAudit(
    tx,
    taken.map((item) => ({
      ...auditOf(item, decision),
      action,
      before: { ...nameOf(item), state: item.state },
    })),
  )
  return answers
}

/** Replaces the payload; what it was and what changed is kept with the editor and the reason. */
export async function editPayload(
  tx: Transaction,
  id: number,
  payload: string,
  decision: Decision,
): Promise<ParkedItem> {
  const item = (await lockParked(tx, [id], decision)).get(id)
  if (item instanceof Refusal) throw item
  if (!item || item.payload === null) {
    throw new Refusal('parking.nothing_to_edit', `parked item ${id} has no payload`, { id })
  }
  const changes = JSON.stringify(payloadChanges(item.payload, payload))
  tx.send(storeEdit, [id, payload, decision.actor, decision.reason, item.payload, changes])
  const before = { ...nameOf(item), payloadHash: sha256(item.payload) }
  const after = { payloadHash: sha256(payload) }
  recordAudit(tx, [{ ...auditOf(item, decision), action: 'parking.edited', before, after }])
  return { ...item, version: item.version + 1, payload, edited: true }
}

/** What was parked has now gone well, by a replay, by a person's word or by itself. Answers those that were waiting. */
export async function settleParked(
  tx: Transaction,
  settled: readonly (ParkedName & { readonly outcome?: ReplayOutcome | null })[],
  decision?: Decision,
): Promise<ParkedItem[]> {
  if (settled.length === 0) return []
  return tx.query<ParkedItem>(settleReplayed, [
    settled.map((item) => item.kind),
    settled.map((item) => item.key),
    settled.map((item) => item.outcome ?? null),
    decision?.actor ?? null,
    decision?.reason ?? null,
  ])
}

/** The items as they are until the transaction ends, or why nobody can decide on them. */
export async function lockParked(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
): Promise<Map<number, ParkedItem | Refusal>> {
  assertReason(decision.reason)
  const rows = await tx.query<ParkedItem>(lockItems, [ids])
  const found = new Map(rows.map((row) => [row.id, row]))
  return new Map(ids.map((id) => [id, parkedOr(id, found.get(id))]))
}

export function assertReason(reason: string): void {
  if (reason.trim() === '') throw new Refusal('parking.reason_missing', 'a reason is needed', {}, '/reason')
}

function parkedOr(id: number, item: ParkedItem | undefined): ParkedItem | Refusal {
  if (!item) return new Refusal('parking.not_found', `nothing is parked as ${id}`, { id })
  if (item.state === 'parked') return item
  return new Refusal('parking.not_parked', `item ${id} is ${item.state}`, { id, state: item.state })
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const nameOf = (item: ParkedItem): object => ({ id: item.id, kind: item.kind, key: item.key })

function auditOf(item: ParkedItem, decision: Decision): Omit<AuditRow, 'action'> {
  return { ...decision, company: item.company, doc: item.doc, kind: item.kind }
}
