import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LeftRows, ROWS_OF_ACCEPTED, ROWS_OF_CLOSED } from '../../bench/ceiling-tables.ts'
import { toOrderRequest } from '../../src/demo.ts'
import { type House, openHouse } from '#tests/support/house.ts'

let house: House
let client: Client
beforeAll(async () => {
  house = await openHouse()
  client = new Client({ connectionString: house.databaseUrl })
  await client.connect()
}, 60_000)
afterAll(async () => {
  await client.end()
  await house.end()
})

/** How many rows each table holds; a partitioned one counts as one. */
async function rowCounts(): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information_schema|public)'`,
  )
  const counts = new Map<string, number>()
  for (const { name } of rows) {
    const counted = await client.query<{ count: number }>(`select count(*)::int as count from ${name}`)
    counts.set(name, counted.rows[0]!.count)
  }
  return counts
}

/** Told once for a batch, however many orders it has, and dropped after some minutes. */
const OF_BATCHES = new Set(['log.touch'])

const increase = (before: Map<string, number>, after: Map<string, number>): Record<string, number> =>
  Object.fromEntries(
    [...after]
      .filter(([name]) => !OF_BATCHES.has(name))
      .map(([name, count]) => [name, count - before.get(name)!])
      .filter(([, more]) => more !== 0),
  )

/** Orders whose lots nobody keeps, as those of the benchmark: a new lot makes a position. */
async function submit(at: number): Promise<void> {
  const { world } = house.landscape
  const plain = new Set(
    world.items.filter((item) => !item.lotControlled && !item.catchWeight).map((item) => item.number),
  )
  const order = world
    .orders(200)
    .filter((one) => one.expected === 'ships_at_once' && one.case === 'regular')
    .filter((one) => one.lines.every((line) => plain.has(line.item)))[at]!
  const response = await fetch(`${house.url}/process/order-to-cash/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `ceiling-${at}` },
    body: JSON.stringify(toOrderRequest(order)),
  })
  expect(await response.json()).toMatchObject({ outcome: 'accepted' })
}

async function rowsOf(tables: readonly LeftRows[]): Promise<Record<string, number>> {
  const found: [string, number][] = []
  const { rows } = await client.query<{ id: string }>(
    'select id from orders.sales_order order by id desc limit 1',
  )
  for (const { table, rows: left } of tables) {
    const counted = await client.query<{ count: number }>(
      `select count(*)::int as count from (${left.replaceAll('$1', '$1::bigint[]')}) t`,
      [[rows[0]!.id]],
    )
    found.push([table, counted.rows[0]!.count])
  }
  return Object.fromEntries(found)
}

test('the ceiling of order-to-cash writes every row that a closed order leaves, and no other', async () => {
  await submit(0)
  await expect.poll(openDocuments, { timeout: 15_000 }).toBe(0)
  const before = await rowCounts()
  await submit(1)
  await expect.poll(openDocuments, { timeout: 15_000 }).toBe(0)
  expect(await rowsOf(ROWS_OF_CLOSED)).toEqual(increase(before, await rowCounts()))
}, 40_000)

test('the ceiling of accept writes every row that an accepted order leaves, and no other', async () => {
  // what becomes of the order afterwards has to wait for its ERP
  for (const erp of [house.landscape.legacyErp, house.landscape.cloudErp])
    erp.faults.set({ kind: 'latency', ms: 3_000 })
  const before = await rowCounts()
  await submit(2)
  expect(await rowsOf(ROWS_OF_ACCEPTED)).toEqual(increase(before, await rowCounts()))
}, 40_000)

async function openDocuments(): Promise<number> {
  const { rows } = await client.query<{ open: number }>('select count(*)::int as open from desk.document')
  return rows[0]!.open
}
