/** Whose orders wait for stock, and where what they wait for has been. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'

const companies = sql(
  'inventory.waiting_companies',
  'select distinct company from inventory.backorder order by company',
)

/** Reads all that waits. */
export async function companiesOfWaiting(queries: Queries): Promise<string[]> {
  return (await queries.query<{ company: string }>(companies)).map(({ company }) => company)
}

const locations = sql(
  'inventory.waited_locations',
  `select distinct p.location from (select distinct item_id from inventory.backorder where company = $1) w
   cross join lateral (
     select location from inventory.position where item_id = w.item_id and lot = '' and owner = 'own' offset 0) p
   order by p.location`,
)

/** Reads all that waits. */
export async function locationsOfWaited(queries: Queries, company: string): Promise<string[]> {
  return (await queries.query<{ location: string }>(locations, [company])).map(({ location }) => location)
}
