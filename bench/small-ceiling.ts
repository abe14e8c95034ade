/**
 * The small ceiling: the rows of a bare order without effects, inbox, audit or idempotency, 50 orders a transaction, in
 * a schema of their own. It stands beside the real one so that figures can be compared over the years.
 */
import { Client } from 'pg'
import { ORDERS_IN_A_TRANSACTION } from './ceiling.ts'
import { undoable } from './undoing.ts'

const ITEMS = 20_000
const LINES = 3
const EVENTS = 5

const TABLES = `
  drop schema if exists bench_small cascade;
  create schema bench_small;
  create table bench_small.position (item int primary key, on_hand int not null, reserved int not null,
    check (reserved >= 0 and reserved <= on_hand)) with (fillfactor = 50);
  create table bench_small.sales_order (id bigint primary key, customer int not null, version int not null, erp_number text,
    wms_number text, closed_at timestamptz, created_at timestamptz not null default now()) with (fillfactor = 70);
  create table bench_small.line (order_id bigint, n smallint, item int, quantity int, price bigint, shipped int,
    primary key (order_id, n)) with (fillfactor = 70);
  create table bench_small.shipment (id bigint primary key, order_id bigint, tracking text, lines jsonb, shipped_at timestamptz);
  create table bench_small.invoice (id bigint primary key, shipment_id bigint not null unique, order_id bigint, amount bigint,
    number text) with (fillfactor = 70);
  create table bench_small.event (position bigint generated always as identity, xid xid8 default pg_current_xact_id(),
    type text, key text, key_version int, occurred_at timestamptz default now(), data jsonb);
  create unique index on bench_small.event (key, key_version);
  create index on bench_small.event (xid, position);
  insert into bench_small.position select n, 2000000000, 0 from generate_series(1, ${ITEMS}) n;
  analyze bench_small.position;`

type Columns = readonly (readonly unknown[])[]

const insert = (table: string, columns: Readonly<Record<string, string>>): string => {
  const given = Object.values(columns).map((type, at) => `$${at + 1}::${type}[]`)
  return `insert into bench_small.${table} (${Object.keys(columns).join(', ')}) select * from unnest(${given.join(', ')})`
}

const LOCK = 'select item from bench_small.position where item = any($1::int[]) order by item for update'
const RESERVE = `update bench_small.position p set reserved = p.reserved + s.quantity
  from unnest($1::int[], $2::int[]) as s(item, quantity) where p.item = s.item`
const ORDERS = insert('sales_order', {
  id: 'bigint',
  customer: 'int',
  version: 'int',
  erp_number: 'text',
  wms_number: 'text',
  closed_at: 'timestamptz',
})
const LINE_ROWS = insert('line', {
  order_id: 'bigint',
  n: 'smallint',
  item: 'int',
  quantity: 'int',
  price: 'bigint',
  shipped: 'int',
})
const SHIPMENTS = insert('shipment', {
  id: 'bigint',
  order_id: 'bigint',
  tracking: 'text',
  lines: 'jsonb',
  shipped_at: 'timestamptz',
})
const INVOICES = insert('invoice', {
  id: 'bigint',
  shipment_id: 'bigint',
  order_id: 'bigint',
  amount: 'bigint',
  number: 'text',
})
const EVENT_ROWS = insert('event', { type: 'text', key: 'text', key_version: 'int', data: 'jsonb' })

const NOW = '2026-11-02T12:00:00Z'
const SHIPPED = JSON.stringify([1, 2, 3].map((line) => ({ line, quantity: 5 })))

/** The statements of one transaction, column by column. */
function statementsOf(orders: readonly number[]): [text: string, values: Columns][] {
  const each = <T>(value: (order: number) => T): T[] => orders.map(value)
  const lines = orders.flatMap((order) =>
    Array.from({ length: LINES }, (_, at) => ({
      order,
      n: at + 1,
      item: 1 + ((order * 7_919 * (at + 1)) % ITEMS),
    })),
  )
  const demand = [...Map.groupBy(lines, ({ item }) => item)].toSorted(([a], [b]) => a - b)
  const items = demand.map(([item]) => item)
  const events = orders.flatMap((order) =>
    Array.from({ length: EVENTS }, (_, at) => ({ order, version: at + 1 })),
  )
  const ofLine = <T>(value: (line: (typeof lines)[number]) => T): T[] => lines.map(value)
  return [
    [LOCK, [items]],
    [
      ORDERS,
      [
        orders,
        each((id) => id % 240),
        each(() => 5),
        each((id) => `E${id}`),
        each((id) => `W${id}`),
        each(() => NOW),
      ],
    ],
    [
      LINE_ROWS,
      [
        ofLine(({ order }) => order),
        ofLine(({ n }) => n),
        ofLine(({ item }) => item),
        ofLine(() => 5),
        ofLine(() => 1_999),
        ofLine(() => 5),
      ],
    ],
    [RESERVE, [items, demand.map(([, wanted]) => wanted.length)]],
    [SHIPMENTS, [orders, orders, each((id) => `1Z${id}`), each(() => SHIPPED), each(() => NOW)]],
    [INVOICES, [orders, orders, orders, each(() => 5_997), each((id) => `I${id}`)]],
    [
      EVENT_ROWS,
      [
        events.map(() => 'order.stage'),
        events.map(({ order }) => `O-${order}`),
        events.map(({ version }) => version),
        events.map(({ order, version }) => JSON.stringify({ order, stage: version })),
      ],
    ],
  ]
}

export type SmallCeiling = {
  /** Orders a second, written for so many seconds. */
  perSecond(seconds: number): Promise<number>
  end(): Promise<void>
}

export async function openSmallCeiling(url: string): Promise<SmallCeiling> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(TABLES)
  const end = undoable(() => client.end())
  let next = 1

  async function write(): Promise<void> {
    const orders = Array.from({ length: ORDERS_IN_A_TRANSACTION }, (_, n) => next + n)
    next += ORDERS_IN_A_TRANSACTION
    await client.query('begin')
    for (const [at, [text, values]] of statementsOf(orders).entries()) {
      await client.query({ name: `small ceiling ${at}`, text, values: [...values] })
    }
    await client.query('commit')
  }

  return {
    async perSecond(seconds) {
      const first = next
      const startedMs = performance.now()
      while (performance.now() - startedMs < seconds * 1000) await write()
      return (next - first) / ((performance.now() - startedMs) / 1000)
    },
    async end() {
      await client.query('drop schema bench_small cascade')
      await end()
    },
  }
}
