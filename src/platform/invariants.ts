/** What must hold in the tables at any moment, as rows that must not exist; looked at by one statement, which locks nothing. */
import { hash } from 'node:crypto'
import { type Queries, sql, type Statement } from './database.ts'

/**
 * A select of one column of text that answers where it does not hold: a place is named the same at every look. It may
 * ask `since`, one row of (generation, xid, at) at which the look begins, and `changed`, the documents (doc) that have
 * changed from there on. Where the planner could read a table whole to find them, it is kept from it by `offset 0`.
 */
export type Invariant = {
  /** Dotted, after the room it is about: the label of the metric and the end of its exception's code. */
  readonly name: string
  /** What holds, for people. */
  readonly means: string
  readonly broken: string
  /** What to do when it does not hold. */
  readonly next: string
}

const REPORT = 'This is a bug of ours; nothing repairs it by itself. Please report it with what was found.'

export const invariant = (name: string, broken: string, means: string, next = REPORT): Invariant => ({
  name,
  means,
  broken,
  next,
})

/** A part of such statements: what one room tells of its tables, so that another can be compared with it. */
export const relation = (_name: string, text: string): string => text

/** Where a look begins: a place in the log, and a time for what has no place there. */
export type Since = {
  readonly generation: number
  readonly xid: string
  /** As PostgreSQL reads it. */
  readonly at: string
}

export const BEGINNING: Since = { generation: 0, xid: '0', at: '-infinity' }

export type Violation = {
  readonly invariant: Invariant
  /** Where it does not hold, at most so many as were asked for. */
  readonly found: readonly string[]
}

export type Look = {
  readonly violations: readonly Violation[]
  /** Where the next look begins, if nothing was violated. */
  readonly upTo: Since
}

export type Check = (queries: Queries, since?: Since) => Promise<Look>

export const FOUND_MAX = 20

type Row = Since & { readonly name: string | null; readonly found: string | null }

/**
 * A check of these invariants in one statement of one moment, which takes no lock and no transaction id. `documents` is
 * a relation of all documents (doc, version): a look from the beginning misses none, also where it has no event.
 */
export function checkOf(invariants: readonly Invariant[], documents: string): Check {
  const statement = statementOf(invariants, documents)
  return async (queries, since = BEGINNING) => {
    const rows = await queries.query<Row>(statement, [since.generation, since.xid, since.at])
    const found = Map.groupBy(rows, ({ name }) => name)
    const [{ generation, xid, at }] = rows as [Row]
    return {
      violations: invariants.flatMap((each) => {
        const places = found.get(each.name)?.flatMap((row) => row.found ?? [])
        return places ? [{ invariant: each, found: places }] : []
      }),
      upTo: { generation, xid, at },
    }
  }
}

/** Later commits have a higher transaction id than any that was decided; times are set when a transaction begins. */
const UP_TO = `select (select max(generation) from log.generation) as generation,
  pg_snapshot_xmin(pg_current_snapshot())::text as xid, (now() - interval '1 hour')::text as at`

function statementOf(invariants: readonly Invariant[], documents: string): Statement {
  const branches = invariants.map(
    ({ name, broken }) =>
      `(select '${name}' as name, b.found from (${broken}) as b(found) limit ${FOUND_MAX})`,
  )
  const text = `with since as materialized (select $1::smallint as generation, $2::xid8 as xid, $3::timestamptz as at),
    changed as materialized (
      select key as doc from log.event where (generation, xid, position) >= ($1::smallint, $2::xid8, 0::bigint)
      union select doc from (${documents}) d where $3::timestamptz = '-infinity')
    select up_to.*, violated.name, violated.found from (${UP_TO}) up_to
    left join (${branches.join('\nunion all\n')}) violated on true`
  return sql(`invariants.${hash('sha1', text)}`, text)
}
