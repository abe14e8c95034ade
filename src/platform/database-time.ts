/** What time it is at the database, by which all processes go. */
import { type Queries, sql } from './database.ts'

const timeThere = sql('database.time', 'select now() as now')

/** When the transaction began that asks. */
export async function databaseTime(queries: Queries): Promise<Date> {
  const [row] = await queries.query<{ now: Date }>(timeThere)
  if (!row) throw new Error('the database did not tell the time')
  return row.now
}
