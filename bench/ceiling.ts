/**
 * A ceiling: the rows that orders really left behind, written again by 50 orders a transaction into the same tables,
 * with the same indexes, constraints and sizes, and nothing else to do.
 */
import { Client } from 'pg'
import type { LeftRows } from './ceiling-tables.ts'
import { undoable } from './undoing.ts'

export const ORDERS_IN_A_TRANSACTION = 50
const SAMPLE = 500
const PORTIONS = SAMPLE / ORDERS_IN_A_TRANSACTION

/** Columns that number documents, moved out of the way; and those that must be unique as text. */
const NUMBERS = new Set([
  'id',
  'doc',
  'order_id',
  'fulfillment_id',
  'shipment_id',
  'invoice_id',
  'key',
  'correlation_id',
])
const NAMES = new Set([
  'key',
  'customer_order',
  'value',
  'source_key',
  'number',
  'message_id',
  'stream',
  'wms_number',
])
/** Copies of a round are numbered apart from all others, and from what Crossdock numbers. */
const NUMBERS_OF_A_ROUND = 1_000_000_000_000n

type Column = { readonly name: string; readonly type: string; readonly kind: 'number' | 'name' | 'other' }

type Prepared = {
  readonly table: string
  readonly columns: readonly Column[]
  /** Rows of the sample in portions of a transaction, column by column, as text. */
  readonly portions: readonly (readonly (string | null)[][])[]
  readonly perOrder: number
}

export type Ceiling = {
  /** How many of each table an order left. */
  readonly rowsPerOrder: Readonly<Record<string, number>>
  /** Orders a second, written for so many seconds. */
  perSecond(seconds: number): Promise<number>
  end(): Promise<void>
}

/** Takes its sample from the latest orders in a state: `closed_at is not null` or the opposite. */
export async function openCeiling(url: string, tables: readonly LeftRows[], state: string): Promise<Ceiling> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const end = undoable(() => client.end())
  const prepared = await prepare(client, tables, state)
  let round = 0
  return {
    rowsPerOrder: Object.fromEntries(prepared.map(({ table, perOrder }) => [table, perOrder])),
    async perSecond(seconds) {
      let written = 0
      const startedMs = performance.now()
      while (performance.now() - startedMs < seconds * 1000) {
        if (written % SAMPLE === 0) round++
        await writePortion(client, prepared, (written / ORDERS_IN_A_TRANSACTION) % PORTIONS, round)
        written += ORDERS_IN_A_TRANSACTION
      }
      return written / ((performance.now() - startedMs) / 1000)
    },
    end,
  }
}

async function prepare(client: Client, tables: readonly LeftRows[], state: string): Promise<Prepared[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from orders.sales_order where ${state} and id < ${NUMBERS_OF_A_ROUND} order by id desc limit ${SAMPLE}`,
  )
  if (rows.length < SAMPLE) throw new Error(`the ceiling needs ${SAMPLE} orders to copy`)
  const portions = Array.from({ length: PORTIONS }, (_, n) =>
    rows.slice(n * ORDERS_IN_A_TRANSACTION, (n + 1) * ORDERS_IN_A_TRANSACTION).map((row) => row.id),
  )
  const prepared: Prepared[] = []
  for (const left of tables) prepared.push(await prepareTable(client, left, portions))
  return prepared
}

async function prepareTable(
  client: Client,
  { table, rows }: LeftRows,
  portions: readonly string[][],
): Promise<Prepared> {
  const columns = await columnsOf(client, table)
  const selected = columns.map((column) => `t."${column.name}"::text`).join(', ')
  const taken: (string | null)[][][] = []
  for (const orders of portions) {
    const answer = await client.query<(string | null)[]>({
      text: `select ${selected} from (${rows.replaceAll('$1', '$1::bigint[]')}) t`,
      values: [orders],
      rowMode: 'array',
    })
    taken.push(columns.map((_, at) => answer.rows.map((row) => row[at]!)))
  }
  const count = taken.reduce((sum, portion) => sum + (portion[0]?.length ?? 0), 0)
  return { table, columns, portions: taken, perOrder: count / SAMPLE }
}

async function columnsOf(client: Client, table: string): Promise<Column[]> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, null) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = ''
       and attname <> 'xid' order by attnum`,
    [table],
  )
  return rows.map(({ name, type }) => ({ name, type, kind: kindOf(name, type) }))
}

function kindOf(name: string, type: string): Column['kind'] {
  if (type === 'bigint' && NUMBERS.has(name)) return 'number'
  return type === 'text' && NAMES.has(name) ? 'name' : 'other'
}

async function writePortion(
  client: Client,
  tables: readonly Prepared[],
  portion: number,
  round: number,
): Promise<void> {
  const offset = NUMBERS_OF_A_ROUND * BigInt(round)
  await client.query('begin')
  for (const { table, columns, portions } of tables) {
    const values = columns.map(({ kind }, at) => {
      const column = portions[portion]![at]!
      if (kind === 'number') return column.map((value) => value && String(BigInt(value) + offset))
      if (kind === 'name') return column.map((value) => value && `${value}/${round}`)
      return column
    })
    await client.query({ name: `ceiling ${table}`, text: insertOf(table, columns), values })
  }
  await client.query('commit')
}

function insertOf(table: string, columns: readonly Column[]): string {
  const isList = (column: Column): boolean => column.type.endsWith('[]')
  const names = columns.map((column) => `"${column.name}"`).join(', ')
  // an array of arrays would be flattened, so these travel as text
  const given = columns
    .map((column, at) => `$${at + 1}::${isList(column) ? 'text' : column.type}[]`)
    .join(', ')
  const aliases = columns.map((_, at) => `c${at}`).join(', ')
  const taken = columns.map((column, at) => (isList(column) ? `c${at}::${column.type}` : `c${at}`)).join(', ')
  return `insert into ${table} (${names}) select ${taken} from unnest(${given}) as t(${aliases})`
}
