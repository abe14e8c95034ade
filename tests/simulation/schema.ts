/** What a database is made of, in lines that can be compared. */
import type pg from 'pg'

/** What migrations have made, and which of them say so. */
export async function schemaOf(side: pg.Client): Promise<readonly string[]> {
  const { rows } = await side.query<{ there: boolean }>(
    `select to_regclass('public.migration') is not null as there`,
  )
  const made = await side.query<{ line: string }>(MADE)
  const applied = rows[0]!.there ? await side.query<{ line: string }>(APPLIED) : { rows: [] }
  return [...applied.rows, ...made.rows].map(({ line }) => line)
}

const APPLIED = `select name || ' ' || checksum as line from public.migration order by name`

const MADE = `
  with own as (
    select c.oid, c.relkind, n.nspname || '.' || c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_|^(?:information_schema|baseline|witness)$')
  select concat_ws(' ', relkind, name) as line from own
  union all
  select concat_ws(' ', 'column', name, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(d.adbin, d.adrelid))
  from own join pg_attribute a on attrelid = own.oid and attnum > 0 and not attisdropped
    left join pg_attrdef d on d.adrelid = own.oid and d.adnum = attnum
  union all
  select pg_get_indexdef(indexrelid) from pg_index join own on own.oid = indrelid
  union all
  select concat_ws(' ', name, conname, pg_get_constraintdef(k.oid)) from pg_constraint k join own on own.oid = conrelid
    where contype <> 't'
  order by line`
