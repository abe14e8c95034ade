/**
 * Who begins to wait for an item, and who makes a place for its first stock: neither finds a row of the other to lock, so
 * they take turns by item. Whoever comes second sees what the first has committed.
 */
import { sql, type Transaction } from '#platform/database.ts'

/** Advisory locks of two numbers. Items share the second, since a file may bring thousands and locks have little room. */
const TURN = 3
const TURNS = 256

const turns = `select distinct item % ${TURNS} as turn from unnest($1::int[]) as i(item) order by turn`

const begin = sql(
  'inventory.begin_to_wait',
  `select pg_advisory_xact_lock_shared(${TURN}, turn) from (${turns}) t`,
)
const make = sql(
  'inventory.make_first_place',
  `select pg_advisory_xact_lock(${TURN}, turn) from (${turns}) t`,
)

/** Before lines that are new in the queue are written. */
export function beginToWait(tx: Transaction, items: readonly number[]): void {
  if (items.length > 0) tx.send(begin, [items])
}

/** After places are made, before anybody looks who waits. */
export function letWaitersBegin(tx: Transaction, items: readonly number[]): void {
  if (items.length > 0) tx.send(make, [items])
}
