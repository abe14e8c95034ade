/** Movements of stock from files of a feed: how many a second, when what can be promised shows them, and beside it a bare upsert. */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#platform/clock.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { schedule } from '#platform/schedule.ts'
import { MAX_AGE_MS } from '#domains/inventory/contract/availability.ts'
import { stockWatch } from '../src/app-promises.ts'
import { loadBeside } from '../src/app-stock-files.ts'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { StockInMemory } from '../src/processes/stock-in-memory.ts'
import { percentile } from './load.ts'
import type { StockFeedResult } from './report.ts'
import type { Run } from './run.ts'
import type { Stage } from './stage.ts'
import { undoable } from './undoing.ts'

const COMPANY = 'NWF'
const FEED = 'bench'
const PLACE = 'STORE'
/** Lines of a file, which are one transaction. */
const LINES = 1_000
const LOOK_MS = 20

export async function stockFeed(stage: Stage, { quick, say }: Run): Promise<StockFeedResult[]> {
  const files = quick ? 10 : 100
  say('stock-feed: starting')
  await stage.play({ mode: 'batch' })
  const { database, end } = open(stage.databaseUrl)
  const config = feedConfig(stage.databaseUrl)
  const { rows } = await stage.client.query<{ id: number; sku: string }>(
    `select id, sku from items.item where company = $1 and base_unit = 'EA' order by id`,
    [COMPANY],
  )
  const ceiling = await openCeiling(stage)
  const feed = numbered(rows)
  const warm = quick ? 3 : 10
  for (let nth = 0; nth < warm; nth++) await load(config, database, feed.next())
  await stage.client.query('vacuum analyze')

  say(`stock-feed: ${files} files of ${LINES} movements`)
  const promised = watchPromises(database)
  const [ours, bare]: [number[], number[]] = [[], []]
  for (let nth = 0; nth < files; nth++) {
    const given = feed.next()
    const before = await promised.figureOf(given.first)
    const startedMs = performance.now()
    promised.await(given.first, before, startedMs)
    await load(config, database, given)
    ours.push(performance.now() - startedMs)
    bare.push(await ceiling.upsert(given.items))
  }
  const latenciesMs = await promised.end()
  await end()
  const perSecond = rate(files, ours)
  const ceilingPerSecond = rate(files, bare)
  return [
    {
      scenario: 'stock-feed',
      mode: 'files',
      movements: files * LINES,
      perSecond,
      ceilingPerSecond,
      ratioToCeiling: perSecond / ceilingPerSecond,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    },
  ]
}

const rate = (files: number, timesMs: readonly number[]): number =>
  (files * LINES * 1_000) / timesMs.reduce((sum, ms) => sum + ms, 0)

function open(url: string): { readonly database: Database; readonly end: () => Promise<void> } {
  const pool = openConnections({
    url,
    size: 3,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    plans: 'hot',
    onError: () => undefined,
  })
  return {
    database: createDatabase(pool, { clock: systemClock, random: () => 0.5 }),
    end: undoable(() => pool.end()),
  }
}

/** A place that no warehouse system runs, so that the file is the only one who tells of it. */
const feedConfig = (url: string): Config =>
  loadConfig({
    environment: {},
    file: undefined,
    defaults: {
      database: { url },
      locations: [{ code: PLACE, type: 'store', timeZone: 'America/New_York' }],
      feeds: { [FEED]: { locations: [PLACE] } },
    },
  })

type Given = { readonly text: string; readonly items: readonly number[]; readonly first: string }

/** One receipt of each of so many items in a file, in the numbering of a source. */
function numbered(rows: readonly { readonly id: number; readonly sku: string }[]) {
  const told = new Map<number, number>()
  let at = 0
  return {
    next(): Given {
      const some = Array.from({ length: LINES }, () => rows[at++ % rows.length]!)
      const lines = some.map(({ id, sku }) => {
        const sequence = (told.get(id) ?? 0) + 1
        told.set(id, sequence)
        return `${COMPANY},${PLACE},${sku},receipt,5,EA,2026-11-02T08:00:00Z,${sequence}`
      })
      const text = ['company,location,sku,reason,quantity,unit,at,sequence', ...lines].join('\n')
      return { text, items: some.map(({ id }) => id), first: some[0]!.sku }
    },
  }
}

async function load(config: Config, database: Database, { text }: Given): Promise<void> {
  const report = await loadBeside(config, database, systemClock, { source: FEED, text, whole: false })
  if (report.taken !== LINES) throw new Error(`a file was not taken: ${JSON.stringify(report).slice(0, 400)}`)
}

/** Asks what can be promised as a caller does who names no age, until what was told is in the answer. */
function watchPromises(database: Database) {
  const stock = new StockInMemory(database, systemClock, [])
  const failed: unknown[] = []
  const stop = schedule(stockWatch(stock), systemClock, (_, error) => void failed.push(error))
  const latenciesMs: number[] = []
  let waiting: { readonly sku: string; readonly before: number; readonly sinceMs: number }[] = []
  let ended = false
  async function figureOf(sku: string): Promise<number> {
    const question = { company: COMPANY, skus: [sku], locations: [PLACE], maxAgeMs: MAX_AGE_MS }
    const { items, rows } = await stock.read(question)
    return rows.get(items.get(sku)!.id)![0]!.available
  }
  const watching = (async () => {
    for (;;) {
      const due = waiting
      const figures = await Promise.all(due.map(({ sku }) => figureOf(sku)))
      const nowMs = performance.now()
      const shown = new Set(due.filter(({ before }, nth) => figures[nth]! > before))
      for (const { sinceMs } of shown) latenciesMs.push(nowMs - sinceMs)
      waiting = waiting.filter((one) => !shown.has(one))
      if (ended && waiting.length === 0) return
      await sleep(LOOK_MS)
    }
  })()
  return {
    figureOf,
    await: (sku: string, before: number, sinceMs: number) => void waiting.push({ sku, before, sinceMs }),
    async end(): Promise<number[]> {
      ended = true
      await watching
      await stop()
      if (failed.length > 0) throw failed[0]
      return latenciesMs
    },
  }
}

/** The same rows as one statement of their quantities, in a transaction of its own. */
async function openCeiling({ client }: Stage) {
  await client.query(`
    drop schema if exists bench_feed cascade;
    create schema bench_feed;
    create table bench_feed.position (item_id int not null, location text not null, available numeric(15, 4) not null,
      primary key (item_id, location)) with (fillfactor = 50)`)
  return {
    async upsert(items: readonly number[]): Promise<number> {
      const startedMs = performance.now()
      await client.query({
        name: 'bench_feed.upsert',
        text: `insert into bench_feed.position (item_id, location, available)
          select item_id, $2, sum(5) from unnest($1::int[]) as i(item_id) group by item_id
          on conflict (item_id, location) do update set available = position.available + excluded.available`,
        values: [items, PLACE],
      })
      return performance.now() - startedMs
    },
  }
}
