/**
 * Documents whose call could not be made because the system's gate was closed or its lane full. They sleep, and the lane
 * calls them back in portions, by priority and age: however many they are, none of them asks again and again.
 */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import type { Claimed } from './desk.ts'

/** Whom nobody calls back, since the process that sent it away is gone, comes back so long after it might have. */
export const FORGOTTEN_MS = 30 * 60_000

/** A document with a call that was put off. */
export type Waits = {
  readonly doc: number
  readonly system: string
  readonly priority: number
  /** It was not tried, and its lane calls the document back; what was tried has a time of its own. */
  readonly isHeld: boolean
}

const hold = sql(
  'effects.hold',
  `insert into effects.held (doc, system, priority)
   select doc, system, priority from unnest($1::bigint[], $2::text[], $3::smallint[]) as h(doc, system, priority)
   on conflict (doc) do update set system = excluded.system, priority = excluded.priority, n = default`,
)
const forget = sql('effects.forget_held', `delete from effects.held where doc = any($1::bigint[])`)

/** Puts those that are held at the end of their priority, and calls the others back no more. */
export function holdDocuments(tx: Transaction, waits: readonly Waits[]): void {
  const held = new Map(waits.flatMap((row) => (row.isHeld ? [[row.doc, row]] : [])))
  const others = new Set(waits.flatMap(({ doc }) => (held.has(doc) ? [] : [doc])))
  if (others.size > 0) tx.send(forget, [[...others]])
  if (held.size === 0) return
  const rows = [...held.values()].toSorted((a, b) => a.doc - b.doc)
  tx.send(hold, [
    rows.map(({ doc }) => doc),
    rows.map(({ system }) => system),
    rows.map(({ priority }) => priority),
  ])
}

// Whoever works on a document has its row on the desk; what left the desk is forgotten on the way.
const callBack = sql(
  'effects.call_back',
  `with candidate as (
     select h.doc from effects.held h left join desk.document d on d.doc = h.doc
     where h.system = $2 and d.owner is null
     order by h.priority, h.n limit $3 for update of h skip locked
   ), chosen as (
     select d.doc from desk.document d where d.doc = any(array(select doc from candidate)) and d.owner is null
     order by d.doc for update
   ), called as (
     delete from effects.held h where h.doc = any(array(select doc from candidate))
       and (h.doc = any(array(select doc from chosen))
         or not exists (select from desk.document d where d.doc = h.doc))
   )
   update desk.document d set owner = $1 where d.doc = any(array(select doc from chosen))
   returning d.doc, d.process, d.company, d.priority, d.share, d.version, d.failures`,
)

const awaited = sql(
  'effects.awaited_systems',
  `select s.system from unnest($1::text[]) as s(system)
   cross join lateral (select from effects.held h where h.system = s.system limit 1) h`,
)

/** Those of these systems for which documents wait. */
export async function awaitedSystems(queries: Queries, systems: readonly string[]): Promise<string[]> {
  const rows = await queries.query<{ system: string }>(awaited, [systems])
  return rows.map(({ system }) => system)
}

/** Takes up to `limit` documents that wait for this system and that nobody owns, the most urgent and oldest first. */
export async function callBackDocuments(
  tx: Transaction,
  epoch: number,
  { system, limit }: { system: string; limit: number },
): Promise<Claimed[]> {
  return tx.query<Claimed>(callBack, [epoch, system, limit])
}
