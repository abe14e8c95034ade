/** Parked work, put to work again by a person: documents and calls on the desk, messages at the door they came by. */
import type { Database, Queries } from './database.ts'
import { sql, type Transaction } from './database.ts'
import { effectKey, type IntentKey, parseEffectKey, reviveEffects } from './effects.ts'
import { closeExceptions, type OpenException, openExceptionsOf } from './exceptions.ts'
import { type Facts, Refusal } from './faults.ts'
import {
  type Decision,
  park,
  PARKED_COLUMNS,
  type ParkedCause,
  type ParkedItem,
  type ParkedKind,
  type ParkedState,
  type ReplayOutcome,
  replay,
  settleParked,
} from './parking.ts'

const wakeParked = sql(
  'parking.wake',
  `update desk.document set version = version + 1, due_at = now(), failures = 0
   where doc = any(array(select doc from desk.document where doc = any($1::bigint[]) order by doc for update))`,
)

/**
 * Answers by id what is worked on again, or why not. Documents and calls are due at once; a message stays `replaying`
 * until a process with its door has taken it in.
 */
export async function replayWithin(
  tx: Transaction,
  ids: readonly number[],
  decision: Decision,
): Promise<ReadonlyMap<number, ParkedItem | Refusal>> {
  const answers = await replay(tx, ids, decision)
  const items = [...answers.values()].filter(
    (item): item is ParkedItem => !(item instanceof Refusal) && item.kind !== 'message',
  )
  const docs = [...new Set(items.flatMap(({ doc }) => doc ?? []))].toSorted((a, b) => a - b)
  tx.locking('desk row', docs)
  tx.send(wakeParked, [docs])
  reviveCalls(tx, items)
  await settleParked(tx, items)
  await closeItsExceptions(tx, items, `${decision.actor} had it worked on again: ${decision.reason}`)
  return answers
}

/** The same in a transaction of its own. */
export const replayParked = (
  database: Database,
  ids: readonly number[],
  decision: Decision,
): Promise<ReadonlyMap<number, ParkedItem | Refusal>> =>
  database.transaction((tx) => replayWithin(tx, ids, decision))

/** Parked calls among these are open again; whoever looks at their documents next makes them. */
export function reviveCalls(tx: Transaction, items: readonly ParkedItem[]): void {
  const keys = items.flatMap(({ kind, key }) => (kind === 'effect' ? [parseEffectKey(key)] : []))
  reviveEffects(
    tx,
    keys.filter((key) => key !== undefined),
  )
}

/** A person has seen to a parked call by other means than its replay. */
export async function settleCalls(
  tx: Transaction,
  calls: readonly IntentKey[],
  decision: Decision,
): Promise<void> {
  const named = calls.map((call) => ({ kind: 'effect' as const, key: effectKey(call) }))
  const items = await settleParked(tx, named, decision)
  await closeItsExceptions(tx, items, `${decision.actor} has seen to the call: ${decision.reason}`)
}

// A document that was woken and came to rest has no failures any more; a call that is settled is no intent.
const recovered = sql(
  'parking.recovered',
  `select ${PARKED_COLUMNS} from parking.item i
   where i.state = 'parked' and case i.kind
     when 'document' then not exists (
       select from desk.document d where d.doc = i.doc and (d.failures > 0 or d.owner is not null))
     when 'effect' then not exists (
       select from effects.intent e where e.doc = i.doc and e.state = 'parked'
         and e.doc || '/' || e.step || '/' || e.subject || '/' || e.generation = i.key)
     else false end
   order by i.id limit $1 for update of i skip locked`,
)
const PORTION = 100

/** Documents and calls that go on although nobody had them replayed: nobody has to look at them any more. */
export function endRecovered(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    const items = await tx.query<ParkedItem>(recovered, [PORTION])
    await settleParked(tx, items)
    await closeItsExceptions(tx, items, 'it went on by itself')
    return items.length
  })
}

/** What it was parked for is over for its document; it opens anew where the work fails again. */
async function closeItsExceptions(tx: Transaction, items: readonly ParkedItem[], how: string): Promise<void> {
  const docs = items.flatMap(({ doc }) => doc ?? [])
  if (docs.length === 0) return
  const [open, others] = await Promise.all([
    openExceptionsOf(tx, docs),
    tx.query<ParkedCall>(callsOf, [docs]),
  ])
  const gone = items.flatMap((item) =>
    (open.get(item.doc ?? 0) ?? [])
      .filter((exception) => tellsOf(exception, item))
      .filter(({ cause }) => !others.some((other) => other.doc === item.doc && causeOfCall(other) === cause))
      .map(({ company, cause }) => ({ company, cause, doc: item.doc! })),
  )
  await closeExceptions(tx, gone, how)
}

const callsOf = sql(
  'parking.calls_of',
  `select doc, system, context from parking.item where doc = any($1::bigint[]) and kind = 'effect' and state = 'parked'`,
)

type ParkedCall = Pick<ParkedItem, 'doc' | 'system' | 'context'>

/** The cause of the exception for what an operation of a system cannot be trusted with. */
export const callCause = (system: string, operation: string): string =>
  `work.effect_parked:${system}:${operation}`

/** Undefined where nobody wrote down which operation it was. */
function causeOfCall({ system, context: { operation } }: ParkedCall): string | undefined {
  return system !== null && typeof operation === 'string' ? callCause(system, operation) : undefined
}

/** A document may have several calls parked, each with an exception of its own. */
function tellsOf({ code, cause }: OpenException, item: ParkedItem): boolean {
  const own = item.kind === 'effect' ? causeOfCall(item) : undefined
  return own === undefined ? code === item.cause.code : cause === own
}

// Messages: marked by a person, taken in by whichever process has their door ------------------------------------------------

const replaying = sql(
  'parking.replaying_messages',
  `select ${PARKED_COLUMNS} from parking.item i where i.state = 'replaying' and i.kind = 'message'
   order by i.id limit $1`,
)
const lockReplaying = sql(
  'parking.lock_replaying',
  `select i.id from parking.item i where i.id = any($1::bigint[]) and i.state = 'replaying' order by i.id for update`,
)
const alike = sql(
  'parking.alike',
  `select k.number::int as number from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality
     as k(company, system, code, about, number)
   where exists (
     select 1 from parking.item i
     where i.state in ('parked', 'replaying') and i.kind = 'message' and coalesce(i.company, '') = k.company
       and i.system = k.system and i.cause_code = k.code and coalesce(i.cause_facts->>'about', '') = k.about)`,
)

/** Messages that somebody wants replayed, in the order in which they were parked. */
export const replayingMessages = (queries: Queries, limit = 100): Promise<ParkedItem[]> =>
  queries.query<ParkedItem>(replaying, [limit])

/** Which of them are this transaction's to take in; the others have had their replay. */
export async function lockReplays(
  tx: Transaction,
  items: readonly ParkedItem[],
): Promise<ReadonlySet<number>> {
  if (items.length === 0) return new Set()
  const rows = await tx.query<{ id: number }>(lockReplaying, [items.map(({ id }) => id)])
  return new Set(rows.map(({ id }) => id))
}

/** Its replay came to nothing; false when another process has settled it meanwhile. */
export async function parkAgain(tx: Transaction, item: ParkedItem, cause: ParkedCause): Promise<boolean> {
  if (!(await lockReplays(tx, [item])).has(item.id)) return false
  await park(tx, [{ ...item, system: item.system ?? undefined, step: item.step ?? undefined, cause }])
  return true
}

/** Of settled items those whose cause still keeps another message aside: same system, code and subject. */
export async function sharedCauses(
  tx: Transaction,
  items: readonly ParkedItem[],
): Promise<ReadonlySet<ParkedItem>> {
  if (items.length === 0) return new Set()
  const rows = await tx.query<{ number: number }>(alike, [
    items.map(({ company }) => company ?? ''),
    items.map(({ system }) => system ?? ''),
    items.map(({ cause }) => cause.code),
    items.map(({ cause }) => aboutOf(cause.facts)),
  ])
  return new Set(rows.map(({ number }) => items[number - 1]!))
}

const aboutOf = ({ about }: Facts): string => (typeof about === 'string' ? about : '')

const fates = sql(
  'parking.fates',
  `select i.id, i.kind, i.state, i.outcome, i.cause_code as "causeCode", i.cause_message as "causeMessage",
     coalesce(m.doc, i.doc) as doc,
     case i.kind
       when 'message' then i.state = 'replaying'
       when 'effect' then exists (
         select from effects.intent e where e.doc = i.doc and e.state <> 'parked'
           and e.doc || '/' || e.step || '/' || e.subject || '/' || e.generation = i.key)
       else exists (
         select from desk.document d
         where d.doc = i.doc and (d.owner is not null or d.due_at <= now() or d.failures > 0))
     end as "underWay"
   from parking.item i left join inbox.message m
     on i.kind = 'message' and m.source = i.system and m.message_id = substr(i.key, length(i.system) + 2)
   where i.id = any($1::bigint[])`,
)

/** How far parked work has come, for whoever waits for it. */
export type Fate = {
  readonly id: number
  readonly kind: ParkedKind
  readonly state: ParkedState
  readonly outcome: ReplayOutcome | null
  readonly causeCode: string
  readonly causeMessage: string
  /** The document it stands for, or became. */
  readonly doc: number | null
  /** Nobody can say yet what becomes of it. */
  readonly underWay: boolean
}

export const fatesOf = (queries: Queries, ids: readonly number[]): Promise<Fate[]> =>
  queries.query<Fate>(fates, [ids])
