/** Whatever is parked is replayed at random moments, any number of times: the books are those of a day without replays. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { park } from '#platform/parking.ts'
import { replayParked } from '#platform/parking-replay.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { ediFolders, type EdiFolders, guideOf } from '#tests/support/edi.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import { differences, EVERYTHING_ONCE, ourStock, theirStock } from '#tests/support/house-books.ts'
import { submit } from '#tests/support/house-doors.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const world = generateWorld({ seed: 'replays', today: '2026-11-02', plannedOrders: 200 })
const EACH_DOOR = 6
const regular = world.orders(200).filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
const orders = (['api', 'shop', 'edi'] as const).flatMap((door) =>
  regular.filter((one) => one.door === door).slice(0, EACH_DOOR),
)
const SOON = { timeout: 20_000, interval: 50 }

type Day = {
  readonly house: House
  readonly query: Query
  readonly folders: EdiFolders
  end(): Promise<void>
}

async function openDay(): Promise<Day> {
  const folders = ediFolders(demoGuides(world))
  const house = await openHouse({
    world,
    config: { edi: folders.config },
    // what fails is parked at once, and no system counts as down
    policy: { retry: { maxAttempts: 2, baseMs: 5, maxMs: 10 }, breaker: { minCalls: 100_000 } },
  })
  house.app.edi!.watch()
  const { query, end } = await openQuery(house.databaseUrl)
  return {
    house,
    query,
    folders,
    async end() {
      await end()
      await house.end()
      folders.remove()
    },
  }
}

let files = 0
/** As its customer brings it; an order by API comes under its own key each time, one by EDI in another file. */
async function bring({ house, folders }: Day, order: WorldOrder): Promise<void> {
  if (order.door === 'shop') house.landscape.shop.place(order)
  else if (order.door === 'api') await submit(house.url, order, `arrival-${order.nth}`)
  else {
    const file = toInterchange(order, guideOf(world, order))
    dropFile(folders.config.inboxDirectory, `${order.nth}-${(files += 1)}.edi`, file)
  }
}

/** What the day came to, in words that do not depend on when things happened. */
async function booksOf({ house, query }: Day): Promise<object> {
  return {
    orders: await query(`
      select o.company, o.customer, o.customer_order, o.channel, o.currency, o.total_minor, o.closed_at is not null as closed,
        (select jsonb_agg(jsonb_build_array(n, sku, ordered, cancelled, shipped) order by n) from orders.line l
          where l.order_id = o.id) as lines,
        (select jsonb_build_array(sum(net_minor), sum(tax_minor)) from billing.invoice i where i.order_id = o.id) as billed
      from orders.sales_order o order by 1, 2, 3`),
    stock: await ourStock(query),
    shelves: theirStock(house.landscape),
  }
}

const accepted = async ({ query }: Day): Promise<number> =>
  (await query('select id from orders.sales_order')).length

async function untilAllShipped(day: Day): Promise<void> {
  await expect.poll(() => accepted(day), SOON).toBe(orders.length)
  await atRest(day.query)
  const open = () => day.query('select id from orders.sales_order where closed_at is null')
  await expect.poll(open, SOON).toEqual([])
}

/** Orders that shops and partners told, as often as they did. */
const heard = async ({ query }: Day): Promise<number> =>
  (await query(`select 1 from inbox.message where source in ('shop', 'edi')`)).length

const anna = { actor: 'anna', reason: 'again, whatever it was' }

/** Also of what was replayed before: put back as if nobody knew, and asked for by several at once. */
async function replayAgain({ house, query }: Day, id: number, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await query(`update parking.item set state = 'parked' where id = $1 and state = 'replayed'`, [id])
    await Promise.all([1, 2].map(() => replayParked(house.app.database, [id], anna)))
    await Promise.all([house.app.replayMessages(), house.app.replayMessages()])
  }
}

const itemsOf = async ({ query }: Day, state: string): Promise<number[]> =>
  (await query<{ id: number }>(`select id from parking.item where state like $1 order by id`, [state])).map(
    ({ id }) => id,
  )

/** As the runner leaves a document that failed again and again; one that is worked on at this moment is let be. */
async function poison({ house, query }: Day, pick: number): Promise<void> {
  const resting = await query<{ doc: number; company: string }>(
    `select doc, company from desk.document where owner is null order by doc`,
  )
  const row = resting[pick % resting.length]
  if (!row) return
  const { doc, company } = row
  const held = await query(
    `update desk.document set failures = 5, due_at = now() + interval '100 years' where doc = $1 and owner is null returning doc`,
    [doc],
  )
  if (held.length === 0) return
  const cause = { code: 'work.document_parked', message: 'a defect' }
  await house.app.database.transaction((tx) =>
    park(tx, [{ kind: 'document', key: String(doc), company, doc, cause }]),
  )
}

const WEIGHTS = {
  bring: 3,
  bringHidden: 5,
  again: 2,
  mend: 2,
  erpDown: 3,
  erpUp: 2,
  poison: 4,
  replay: 10,
} as const
type Act = { readonly what: keyof typeof WEIGHTS; readonly pick: number; readonly times: number }
const script = fc.array(
  fc.record<Act>({
    what: fc.oneof(
      ...Object.entries(WEIGHTS).map(([what, weight]) => ({
        weight,
        arbitrary: fc.constant(what as Act['what']),
      })),
    ),
    pick: fc.nat(10_000),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 70, maxLength: 90 },
)

/** Hidden customers, a broken ERP and repeated webhooks park messages, calls and documents; replays come in between. */
async function disturbed(day: Day, acts: readonly Act[]): Promise<void> {
  const { house, query } = day
  const { legacyErp, wms, shop } = house.landscape
  wms.faults.set({ kind: 'webhook-duplicate', share: 0.3 })
  shop.faults.set({ kind: 'webhook-duplicate', share: 0.5 })
  const mend = () => query(`update customers.customer set number = rtrim(number, '!') where number like '%!'`)
  const left = [...orders]
  const brought: WorldOrder[] = []
  async function bringNext(pick: number): Promise<WorldOrder | undefined> {
    const [order] = left.splice(pick % Math.max(left.length, 1), 1)
    if (!order) return undefined
    brought.push(order)
    const before = await heard(day)
    await bring(day, order)
    if (order.door !== 'api') await expect.poll(() => heard(day), SOON).toBeGreaterThan(before)
    return order
  }
  const steps: Record<Act['what'], (act: Act) => Promise<unknown> | undefined> = {
    bring: ({ pick }) => bringNext(pick),
    async bringHidden({ pick }) {
      const next = left[pick % Math.max(left.length, 1)]
      const hide = `update customers.customer set number = number || '!' where number = $1`
      if (next) await query(hide, [next.customer])
      await bringNext(pick)
    },
    async again({ pick }) {
      const order = brought[pick % brought.length]
      if (order && order.door !== 'shop') await bring(day, order)
    },
    mend,
    erpDown: async () => void legacyErp.faults.set({ kind: 'server-error' }),
    erpUp: async () => legacyErp.faults.clear(),
    poison: ({ pick }) => poison(day, pick),
    async replay({ pick, times }) {
      const items = await itemsOf(day, '%')
      if (items.length > 0) await replayAgain(day, items[pick % items.length]!, times)
    },
  }
  for (const act of acts) await steps[act.what](act)
  legacyErp.faults.clear()
  await mend()
  for (const order of [...left, ...brought.filter(({ door }) => door === 'api')]) await bring(day, order)
  await settled(day)
  await untilAllShipped(day)
  for (const id of await itemsOf(day, '%')) await replayAgain(day, id, 1)
  await settled(day)
  await untilAllShipped(day)
}

/** Replays what is parked until nothing is any more. */
async function settled(day: Day): Promise<void> {
  const left = async () => {
    for (const id of await itemsOf(day, 'parked')) await replayParked(day.house.app.database, [id], anna)
    await day.house.app.replayMessages()
    return [...(await itemsOf(day, 'parked')), ...(await itemsOf(day, 'replaying'))]
  }
  await expect.poll(left, SOON).toEqual([])
}

async function undisturbed(): Promise<object> {
  const day = await openDay()
  try {
    for (const order of orders) await bring(day, order)
    await untilAllShipped(day)
    return await booksOf(day)
  } finally {
    await day.end()
  }
}

test('whatever is replayed, whenever and however often, the books are those of a day without replays', async () => {
  const expected = await undisturbed()
  const kinds = new Set<string>()
  await fc.assert(
    fc.asyncProperty(script, async (acts) => {
      const day = await openDay()
      try {
        await disturbed(day, acts)
        const replayed = `select distinct kind from parking.item where state = 'replayed'`
        for (const { kind } of await day.query<{ kind: string }>(replayed)) kinds.add(kind)
        expect(await booksOf(day)).toEqual(expected)
        expect(await differences(day.query, day.house.landscape)).toEqual(EVERYTHING_ONCE)
        expect(await violationsAtRest(day.query)).toEqual([])
      } finally {
        await day.end()
      }
    }),
    { numRuns: 2, endOnFailure: true, seed: 20_261_102 },
  )
  expect(kinds).toEqual(new Set(['message', 'document', 'effect']))
}, 120_000)
