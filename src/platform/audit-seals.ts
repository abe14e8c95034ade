/** Seals over the audit trail: each hashes the entries after the one before it, so that no change stays unseen. */
import { createHash } from 'node:crypto'
import type { Database, Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

export type Place = { readonly generation: number; readonly xid: string; readonly position: number }
export type Seal = Place & {
  readonly number: number
  readonly entries: number
  readonly hash: string
  readonly previousHash: string
}

/** Every column but the transaction id as text, nulls kept apart from empty: what is hashed. */
type SealedEntry = Place & { readonly content: readonly (string | null)[] }

const ENTRIES_MAX = 5_000
const GENESIS: Seal = {
  number: 0,
  generation: 0,
  xid: '0',
  position: 0,
  entries: 0,
  hash: createHash('sha256').update('crossdock audit').digest('hex'),
  previousHash: '',
}

// jsonb and integers have one text each; the time is written in microseconds, whatever the session's time zone.
const CONTENT = `array[position::text, generation::text, (extract(epoch from recorded_at) * 1000000)::bigint::text, actor,
  action, company, kind, doc::text, reason, before::text, after::text, trace_id]::text[] as content`

const onlyOneSealer = sql(
  'audit.lock_sealer',
  `select pg_try_advisory_xact_lock(hashtext('audit.sealer')) as mine`,
)
const SEAL_COLUMNS = `number, generation, xid::text as xid, position, entries, encode(hash, 'hex') as hash,
  encode(previous_hash, 'hex') as "previousHash"`
const newest = sql('audit.newest_seal', `select ${SEAL_COLUMNS} from audit.seal order by number desc limit 1`)
const sealsFrom = sql(
  'audit.seals_from',
  `select ${SEAL_COLUMNS} from audit.seal where number > $1 order by number limit $2`,
)
const sealsNumbered = sql(
  'audit.seals_numbered',
  `select ${SEAL_COLUMNS} from audit.seal where number = any($1::bigint[]) order by number`,
)
const anyUnsealed = sql(
  'audit.any_unsealed',
  `with last as (select generation, xid, position from audit.seal order by number desc limit 1)
   select exists (
     select from audit.entry e where (e.generation, e.xid, e.position) > (
       coalesce((select generation from last), 0::smallint), coalesce((select xid from last), '0'::xid8),
       coalesce((select position from last), 0::bigint))) as has`,
)
// Below xmin nothing can commit any more. Transaction ids of an older generation belong to another cluster.
const unsealed = sql(
  'audit.unsealed',
  `select generation, xid::text as xid, position, ${CONTENT} from audit.entry e
   where (e.generation, e.xid, e.position) > ($1::smallint, $2::xid8, $3::bigint)
     and (e.generation < (select max(generation) from log.generation)
       or e.xid < pg_snapshot_xmin(pg_current_snapshot()))
   order by e.generation, e.xid, e.position limit $4`,
)
const sealedBetween = sql(
  'audit.sealed_between',
  `select generation, xid::text as xid, position, ${CONTENT} from audit.entry e
   where (e.generation, e.xid, e.position) > ($1::smallint, $2::xid8, $3::bigint)
     and (e.generation, e.xid, e.position) <= ($4::smallint, $5::xid8, $6::bigint)
   order by e.generation, e.xid, e.position limit $7`,
)
const insertSeal = sql(
  'audit.seal',
  `insert into audit.seal (number, generation, xid, position, entries, hash, previous_hash)
   values ($1, $2, $3::xid8, $4, $5, decode($6, 'hex'), decode($7, 'hex'))`,
)

/** The previous hash, the seal's number and each entry as a JSON array on a line of its own: no two trails read alike. */
function hashOf(previousHash: string, number: number, entries: readonly SealedEntry[]): string {
  const hash = createHash('sha256').update(`${previousHash}\n${number}\n`)
  for (const entry of entries) hash.update(`${JSON.stringify(entry.content)}\n`)
  return hash.digest('hex')
}

export async function newestSeal(queries: Queries): Promise<Seal | undefined> {
  return (await queries.query<Seal>(newest))[0]
}

/** Seals all that can be sealed now. Where nothing is new, a look at an index says so, and no transaction begins. */
export async function sealAll(database: Database): Promise<void> {
  while (await hasUnsealed(database)) if ((await sealEntries(database)) < ENTRIES_MAX) return
}

async function hasUnsealed(queries: Queries): Promise<boolean> {
  const [row] = await queries.query<{ has: boolean }>(anyUnsealed)
  return row!.has
}

/** Seals what has been committed since the last seal; answers how many entries. None while another process seals. */
export function sealEntries(database: Database): Promise<number> {
  return database.transaction(async (tx: Transaction) => {
    const [lock] = await tx.query<{ mine: boolean }>(onlyOneSealer)
    if (!lock?.mine) return 0
    const last = (await newestSeal(tx)) ?? GENESIS
    const entries = await tx.query<SealedEntry>(unsealed, [
      last.generation,
      last.xid,
      last.position,
      ENTRIES_MAX,
    ])
    const end = entries.at(-1)
    if (!end) return 0
    const number = last.number + 1
    const hash = hashOf(last.hash, number, entries)
    const { generation, xid, position } = end
    tx.send(insertSeal, [number, generation, xid, position, entries.length, hash, last.hash])
    return entries.length
  })
}

export type BrokenSeal = { readonly number: number; readonly reason: string }
export type Verification =
  | {
      readonly intact: true
      readonly seals: number
      /** The seal after which all were recomputed; 0 where that was the whole trail. */
      readonly after: number
      /** Recomputed. */
      readonly entries: number
    }
  | { readonly intact: false; readonly broken: BrokenSeal }

/** A head that was signed and kept outside the database; whoever rewrites the whole chain cannot rewrite these. */
export type Head = { readonly number: number; readonly hash: string }

/**
 * Recomputes seals from their entries, all of them or those after the newest head, and compares what was signed; answers
 * the first that is broken. What stands before the newest head is taken as it was when that was signed.
 */
export async function verifySeals(
  queries: Queries,
  heads: readonly Head[] = [],
  range: 'whole' | 'since the newest head' = 'whole',
): Promise<Verification> {
  const signed = new Map(heads.map((head) => [head.number, head.hash]))
  const known = range === 'whole' ? { start: GENESIS } : await signedSeals(queries, signed)
  if ('broken' in known) return { intact: false, broken: known.broken }
  let last = known.start
  let entries = 0
  for (;;) {
    const seals = await queries.query<Seal>(sealsFrom, [last.number, 100])
    for (const seal of seals) {
      const reason =
        linkFault(last, seal, signed.get(seal.number)) ?? (await contentFault(queries, last, seal))
      if (reason) return { intact: false, broken: { number: last.number + 1, reason } }
      entries += seal.entries
      last = seal
    }
    if (seals.length === 0) break
  }
  const lost = heads.find((head) => head.number > last.number)
  if (lost) return { intact: false, broken: { number: last.number + 1, reason: goneFault(lost.number) } }
  return { intact: true, seals: last.number, after: known.start.number, entries }
}

const goneFault = (number: number): string => `seal ${number} was signed and is gone`

/** The seal of the newest head, with all signed ones as they were signed. */
async function signedSeals(
  queries: Queries,
  signed: ReadonlyMap<number, string>,
): Promise<{ readonly start: Seal } | { readonly broken: BrokenSeal }> {
  const seals = await queries.query<Seal>(sealsNumbered, [[...signed.keys()]])
  const found = new Map(seals.map((seal) => [seal.number, seal]))
  for (const [number, hash] of [...signed].toSorted(([a], [b]) => a - b)) {
    const seal = found.get(number)
    if (!seal) return { broken: { number, reason: goneFault(number) } }
    if (seal.hash !== hash) return { broken: { number, reason: NOT_AS_SIGNED } }
  }
  return { start: seals.at(-1) ?? GENESIS }
}

const NOT_AS_SIGNED = 'its hash is not the one that was signed'

function linkFault(last: Seal, seal: Seal, signedHash: string | undefined): string | undefined {
  if (seal.number !== last.number + 1) return `seal ${last.number + 1} is missing`
  if (seal.previousHash !== last.hash) return 'it does not follow from the seal before it'
  if (signedHash !== undefined && signedHash !== seal.hash) return NOT_AS_SIGNED
  return undefined
}

async function contentFault(queries: Queries, last: Seal, seal: Seal): Promise<string | undefined> {
  const from = [last.generation, last.xid, last.position]
  const to = [seal.generation, seal.xid, seal.position]
  const entries = await queries.query<SealedEntry>(sealedBetween, [...from, ...to, seal.entries + 1])
  if (entries.length > seal.entries)
    return `more entries stand in its range than the ${seal.entries} it sealed`
  if (entries.length < seal.entries)
    return `${seal.entries - entries.length} of the ${seal.entries} entries it sealed are gone`
  return hashOf(last.hash, seal.number, entries) === seal.hash ? undefined : 'an entry was changed'
}
