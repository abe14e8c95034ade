/** The SQL of natural keys: which order a business document became, whatever key it comes under. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'

export type NaturalKey = {
  readonly company: string
  readonly sender: string
  readonly customerId: number
  readonly customerOrder: string
  readonly period: string
  readonly orderId: number
  /** SHA-256 in hexadecimal. */
  readonly contentHash: string
}

const insertNaturalKeyRows = sql(
  'orders.insert_natural_keys',
  `insert into orders.natural_key (company, sender, customer_id, customer_order, period, order_id, content_hash)
   select company, sender, customer_id, customer_order, period, order_id, decode(content_hash, 'hex')
   from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::text[])
     as k(company, sender, customer_id, customer_order, period, order_id, content_hash)
   on conflict do nothing returning order_id as "orderId"`,
)

const keyColumns = (keys: readonly NaturalKey[]): unknown[] => [
  keys.map((key) => key.company),
  keys.map((key) => key.sender),
  keys.map((key) => key.customerId),
  keys.map((key) => key.customerOrder),
  keys.map((key) => key.period),
]

/** Claims natural keys, which must be sorted; answers the orders that are new. */
export async function insertNaturalKeys(tx: Transaction, keys: readonly NaturalKey[]): Promise<Set<number>> {
  const rows = await tx.query<{ orderId: number }>(insertNaturalKeyRows, [
    ...keyColumns(keys),
    keys.map((key) => key.orderId),
    keys.map((key) => key.contentHash),
  ])
  return new Set(rows.map((row) => row.orderId))
}

const selectNaturalKeyRows = sql(
  'orders.select_natural_keys',
  `select n.company, n.sender, n.customer_id as "customerId", n.customer_order as "customerOrder", n.period,
     n.order_id as "orderId", encode(n.content_hash, 'hex') as "contentHash"
   from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[])
     as k(company, sender, customer_id, customer_order, period)
   cross join lateral (
     select * from orders.natural_key n
     where n.company = k.company and n.sender = k.sender and n.customer_id = k.customer_id
       and n.customer_order = k.customer_order and n.period = k.period offset 0) n`,
)

export function selectNaturalKeys(queries: Queries, keys: readonly NaturalKey[]): Promise<NaturalKey[]> {
  return queries.query<NaturalKey>(selectNaturalKeyRows, keyColumns(keys))
}

const deleteNaturalKeyRows = sql(
  'orders.delete_natural_keys',
  `delete from orders.natural_key where ctid = any(array(
     select n.ctid from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[])
       as k(company, sender, customer_id, customer_order, period, order_id)
     cross join lateral (
       select ctid from orders.natural_key
       where company = k.company and sender = k.sender and customer_id = k.customer_id
         and customer_order = k.customer_order and period = k.period and order_id = k.order_id offset 0) n))`,
)

/** Gives back keys claimed in this transaction by orders that are refused after all. */
export function deleteNaturalKeys(tx: Transaction, keys: readonly NaturalKey[]): void {
  if (keys.length > 0) tx.send(deleteNaturalKeyRows, [...keyColumns(keys), keys.map((key) => key.orderId)])
}

/** Keeps these advisory locks apart from all others of the house. */
const NUMBERS_LOCK = 7_300_021
const lock = sql(
  'orders.lock_numbers',
  `select pg_advisory_xact_lock(hashtextextended(k.number, ${NUMBERS_LOCK}))
   from (select distinct number from unnest($1::text[]) as u(number) order by number) k`,
)

/** Until the transaction ends, one at a time. */
export async function lockNumbers(tx: Transaction, numbers: readonly string[]): Promise<void> {
  await tx.query(lock, [numbers])
}
