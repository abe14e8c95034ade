/**
 * The ceiling of order-to-cash: the rows that orders really left behind, written again by 50 orders a transaction into
 * the same tables, with the same indexes, constraints and sizes, and nothing else to do.
 */
import { Client } from 'pg'

const ORDERS_PER_TRANSACTION = 50
const SAMPLE = 500

type Table = {
  readonly name: string
  /** Which of its rows an order left, by the order's number in $1. */
  readonly rows: string
}

const byOrder = (name: string, column = 'order_id'): Table => ({ name, rows: `select * from ${name} where ${column} = any($1)` })

const TABLES: readonly Table[] = [
  { name: 'http.idempotency', rows: `select * from http.idempotency where body::jsonb ->> 'id' = any(select 'O-' || unnest($1))` },
  byOrder('orders.natural_key'),
  byOrder('orders.sales_order', 'id'),
  byOrder('orders.line'),
  byOrder('orders.reference'),
  byOrder('shipments.fulfillment'),
  { name: 'shipments.fulfillment_line', rows: `select * from shipments.fulfillment_line where fulfillment_id in (select id from shipments.fulfillment where order_id = any($1))` },
  byOrder('shipments.shipment'),
  { name: 'shipments.package', rows: `select * from shipments.package where shipment_id in (select id from shipments.shipment where order_id = any($1))` },
  { name: 'shipments.shipment_line', rows: `select * from shipments.shipment_line where shipment_id in (select id from shipments.shipment where order_id = any($1))` },
  byOrder('billing.invoice'),
  { name: 'billing.invoice_line', rows: `select * from billing.invoice_line where invoice_id in (select id from billing.invoice where order_id = any($1))` },
  { name: 'inventory.movement', rows: `select * from inventory.movement where doc in (select id from shipments.shipment where order_id = any($1))` },
  { name: 'inbox.message', rows: `select * from inbox.message where body like any(select '%"F-' || id || '"%' from shipments.fulfillment where order_id = any($1))` },
  { name: 'inbox.stream', rows: `select * from inbox.stream where stream in (select 'fulfillment/F-' || id from shipments.fulfillment where order_id = any($1))` },
  { name: 'audit.entry', rows: `select * from audit.entry where doc = any($1)` },
  byOrder('log.event', 'correlation_id'),
]

/** Columns that number documents, moved out of the way; and those that must be unique as text. */
const NUMBERS = new Set(['id', 'doc', 'order_id', 'fulfillment_id', 'shipment_id', 'invoice_id', 'key', 'correlation_id'])
const NAMES = new Set(['key', 'customer_order', 'value', 'source_key', 'number', 'message_id', 'stream', 'wms_number'])

type Prepared = {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string; readonly kind: 'number' | 'name' | 'other' }[]
  /** Rows of the sample in portions of 50 orders, column by column, as text. */
  readonly portions: readonly (readonly (string | null)[][])[]
  readonly perOrder: number
}

export type Ceiling = { readonly perSecond: number; readonly rowsPerOrder: Readonly<Record<string, number>> }

/** Writes copies of a sample of closed orders for so many seconds. */
export async function measureCeiling(url: string, seconds: number): Promise<Ceiling> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const tables = await prepare(client)
  let written = 0
  const startedMs = performance.now()
  for (let round = 1; performance.now() - startedMs < seconds * 1000; round++) {
    for (let portion = 0; portion < SAMPLE / ORDERS_PER_TRANSACTION; portion++) {
      await writePortion(client, tables, portion, round)
      written += ORDERS_PER_TRANSACTION
    }
  }
  const perSecond = written / ((performance.now() - startedMs) / 1000)
  await client.end()
  return { perSecond, rowsPerOrder: Object.fromEntries(tables.map((table) => [table.name, table.perOrder])) }
}

async function prepare(client: Client): Promise<Prepared[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from orders.sales_order where closed_at is not null and id < 1000000000 order by id desc limit ${SAMPLE}`,
  )
  if (rows.length < SAMPLE) throw new Error(`the ceiling needs ${SAMPLE} closed orders to copy`)
  const portions = Array.from({ length: SAMPLE / ORDERS_PER_TRANSACTION }, (_, n) =>
    rows.slice(n * ORDERS_PER_TRANSACTION, (n + 1) * ORDERS_PER_TRANSACTION).map((row) => row.id),
  )
  const prepared: Prepared[] = []
  for (const table of TABLES) prepared.push(await prepareTable(client, table, portions))
  return prepared
}

async function prepareTable(client: Client, { name, rows }: Table, portions: readonly string[][]): Promise<Prepared> {
  const { rows: described } = await client.query<{ name: string; type: string; identity: string }>(
    `select attname as name, format_type(atttypid, null) as type, attidentity as identity from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [name],
  )
  const columns = described
    .filter((column) => column.identity === '' && column.name !== 'xid')
    .map(({ name: column, type }) => ({ name: column, type, kind: kindOf(column, type) }))
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
  return { name, columns, portions: taken, perOrder: count / (portions.length * ORDERS_PER_TRANSACTION) }
}

function kindOf(name: string, type: string): 'number' | 'name' | 'other' {
  if (type === 'bigint' && NUMBERS.has(name)) return 'number'
  return type === 'text' && NAMES.has(name) ? 'name' : 'other'
}

/** Documents of a round are numbered apart from all others. */
const OFFSET = 1_000_000_000_000n

async function writePortion(client: Client, tables: readonly Prepared[], portion: number, round: number): Promise<void> {
  const offset = OFFSET * BigInt(round)
  await client.query('begin')
  for (const table of tables) {
    const values = table.columns.map(({ kind }, at) => {
      const column = table.portions[portion]![at]!
      if (kind === 'number') return column.map((value) => value && String(BigInt(value) + offset))
      if (kind === 'name') return column.map((value) => value && `${value}/${round}`)
      return column
    })
    await client.query({ name: `ceiling ${table.name}`, text: insertOf(table), values })
  }
  await client.query('commit')
}

function insertOf({ name, columns }: Prepared): string {
  const names = columns.map((column) => `"${column.name}"`).join(', ')
  // an array of arrays would be flattened, so these travel as text
  const given = columns.map((column, at) => (column.type.endsWith('[]') ? `$${at + 1}::text[]` : `$${at + 1}::${column.type}[]`))
  const aliases = columns.map((_, at) => `c${at}`)
  const taken = columns.map((column, at) => (column.type.endsWith('[]') ? `c${at}::${column.type}` : `c${at}`))
  return `insert into ${name} (${names}) select ${taken.join(', ')} from unnest(${given.join(', ')}) as t(${aliases.join(', ')})`
}
