/** A wholesaler's day: 830 orders through all doors, to closed or to a named, owned exception, with the same books on both sides. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadCsvWorld } from '#landscape/world/csv.ts'
import { type Expectations, expectations } from '#landscape/world/expectations.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import { countFirst } from '../../src/demo-counts.ts'
import { demoGuides } from '../../src/demo-edi.ts'
import { systemClock } from '#platform/clock.ts'
import { openHttpClient } from '#platform/http-client.ts'
import { ediFolders, type EdiFolders } from '#tests/support/edi.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import {
  differences,
  EVERYTHING_ONCE,
  ourInvoices,
  ourStock,
  theirInvoices,
  theirStock,
} from '#tests/support/house-books.ts'
import { type Answer, bring } from '#tests/support/house-doors.ts'
import { countOf, outcomesOf } from '#tests/support/house-outcomes.ts'
import { type Query, underWay, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const COUNT = 830
/** The house lives by the real day, on which lots must be as old as the world was made for. */
const TODAY = systemClock.now().toISOString().slice(0, 10)
const NORTHWIND = new URL('../../../shared/samples/northwind/', import.meta.url)
/** Long enough for a slow machine that runs other tests beside this one. */
const WAIT = { timeout: 240_000, interval: 50 }

describe('830 orders of the generated wholesaler', () => {
  wholesale(async () =>
    generateWorld({ seed: 'wholesale', today: TODAY, plannedOrders: COUNT, longLifeCustomers: 6 }),
  )
})

describe.skipIf(!existsSync(NORTHWIND))(
  'the 830 orders of Northwind, where ../shared/samples/northwind is',
  () => {
    wholesale(() => loadCsvWorld(NORTHWIND.pathname, { seed: 'northwind', today: TODAY }))
  },
)

// By line: whether it had to wait, and what it passed over that is still there.
const LONG_LIVES = `
  with sent as (
    select l.order_id, l.n, s.location, sl.item_id, sl.expires_on, s.shipped_at::date + l.minimum_shelf_life_days as needed
    from orders.line l join shipments.shipment s on s.order_id = l.order_id
    join shipments.shipment_line sl on sl.shipment_id = s.id and sl.line = l.n
    where l.minimum_shelf_life_days is not null),
  line as (
    select order_id, n, bool_or(coalesce(expires_on < needed, true)) as too_old,
      bool_or(exists (
        select from inventory.position p join inventory.lot old using (company, item_id, lot)
        where p.item_id = sent.item_id and p.location = sent.location and p.available > 0 and old.expires_on < needed)) as passed,
      exists (select from log.event e
        where e.key = order_id and e.type = 'order.allocated' and e.data -> 'lines' @> to_jsonb(n)) as waited
    from sent group by order_id, n)
  select count(*) filter (where passed and not waited) as later, count(*) filter (where passed and waited) as waited,
    count(*) filter (where too_old) as "tooOld"
  from line`

type Day = {
  readonly world: World
  readonly orders: readonly WorldOrder[]
  readonly expected: Expectations
  readonly folders: EdiFolders
  readonly house: House
  readonly query: Query
  readonly answers: ReadonlyMap<number, Answer>
  readonly outcomes: ReadonlyMap<number, string>
  end(): Promise<void>
}

function wholesale(open: () => Promise<World>): void {
  let day: Day
  beforeAll(async () => {
    day = await live(await open())
  }, 600_000)
  afterAll(() => day?.end())

  test('each order ends as it must', () => {
    const others = day.orders.filter(({ nth, expected }) => day.outcomes.get(nth) !== expected)
    expect(
      others.map(({ nth, door, expected }) => ({ nth, door, expected, found: day.outcomes.get(nth) })),
    ).toEqual([])
  })

  test('there are exactly as many of each outcome as the world was made for', () => {
    const { outcomes } = day.expected
    const awaited = Object.entries(outcomes).filter(([, count]) => count > 0)
    expect(countOf(day.outcomes.values())).toEqual(Object.fromEntries(awaited))
  })

  test('each line that had to wait was filled', async () => {
    const [row] = await day.query<{ lines: number }>(
      `select count(distinct (key, line)) as lines from log.event, jsonb_array_elements(data -> 'lines') as line where type = 'order.allocated'`,
    )
    expect(row!.lines).toBe(day.expected.lines.filled)
  })

  test('who wants goods to live for long is sent later lots, at once or when they come, and nothing that does not', async () => {
    const rows = await day.query<{ later: number; waited: number; tooOld: number }>(LONG_LIVES)
    const { lines, outcomes } = day.expected
    expect(rows).toEqual([{ later: lines.shipLaterLots, waited: outcomes.fills_with_later_lots, tooOld: 0 }])
  })

  test('an order is here once, and what was refused is not here', async () => {
    const { outcomes } = day.expected
    const here = Object.entries(outcomes).filter(
      ([outcome]) => !/^(rejected|duplicate|conflict)/.test(outcome),
    )
    const [row] = await day.query<{ orders: number }>(`select count(*) as orders from orders.sales_order`)
    expect(row!.orders).toBe(here.reduce((sum, [, count]) => sum + count, 0))
  })

  test('what is not closed is held, with an exception that has an owner and is due', async () => {
    const rows = await day.query<{ owner: string; due: boolean }>(`
      select distinct o.id, e.owner, e.due_at > now() as due from orders.sales_order o
      join exceptions.affected a on a.doc = o.id and a.cleared_at is null
      join exceptions.exception e on e.id = a.exception and e.closed_at is null
      where o.closed_at is null`)
    const { held_credit_block: blocked, held_over_limit: over, held_price: price } = day.expected.outcomes
    const owners = [...Array(blocked + over).fill('credit'), ...Array(price).fill('pricing')]
    expect(rows.map(({ owner, due }) => (due ? owner : `${owner}, overdue`)).toSorted()).toEqual(owners)
  })

  test('the ERPs hold exactly our invoices, to the cent', async () => {
    const ours = await ourInvoices(day.query)
    expect(ours.length).toBeGreaterThan(COUNT / 2)
    expect(theirInvoices(day.house.landscape)).toEqual(ours)
  })

  test('every order, release, shipment, tax document and invoice is at its system once, and was asked for once', async () => {
    const { landscape } = day.house
    expect(await differences(day.query, landscape)).toEqual(EVERYTHING_ONCE)
    const repeated = [landscape.legacyErp, landscape.cloudErp, landscape.wms, landscape.tax].flatMap(
      ({ system, received }) =>
        Object.entries(received.report().operations).flatMap(([operation, { repeats }]) =>
          Object.keys(repeats).map((key) => `${system} ${operation} ${key}`),
        ),
    )
    expect(repeated).toEqual([])
  })

  test('each channel was told of its shipments and invoices, each once', async () => {
    const [ours] = await day.query<{ shop: number; notices: number; invoices: number }>(`
      select count(*) filter (where o.channel = 'shop') as shop, count(*) filter (where o.channel = 'edi') as notices,
        (select count(*) from billing.invoice i join orders.sales_order x on x.id = i.order_id where x.channel = 'edi') as invoices
      from shipments.shipment s join orders.sales_order o on o.id = s.order_id`)
    const [sent] = await day.query<{ notices: number; invoices: number }>(
      `select count(*) filter (where type = '856') as notices, count(*) filter (where type = '810') as invoices from edi.outbound`,
    )
    const shop = day.house.landscape.shop.truth().orders.flatMap(({ fulfillments }) => fulfillments).length
    expect({ shop, ...sent }).toEqual(ours)
    expect(shop).toBeGreaterThan(0)
  })

  test('our stock is what lies on the shelves', async () => {
    expect(await ourStock(day.query)).toEqual(theirStock(day.house.landscape))
  })

  test('the books agree with each other, and nothing is left to do', async () => {
    expect(await violationsAtRest(day.query)).toEqual([])
    expect(await underWay(day.query)).toBe(0)
  })

  test('nothing went wrong on the way', () => {
    expect(day.house.complaints).toEqual([])
  })
}

/** Orders in the morning, those that come again at noon, the dated receipts in the afternoon. */
async function live(world: World): Promise<Day> {
  const orders = world.orders(COUNT)
  const guides = demoGuides(world)
  const folders = ediFolders(guides)
  const house = await openHouse({ world, config: { edi: folders.config } })
  const { query, end } = await openQuery(house.databaseUrl)
  house.app.keepUp()
  const http = openHttpClient({ clock: systemClock })
  await countFirst(house.url, world, { http, clock: systemClock, signal: new AbortController().signal })
  await http.close()
  house.app.edi!.watch()
  const doors = { url: house.url, landscape: house.landscape, guides, inbox: folders.config.inboxDirectory }

  const [first, again] = [
    orders.filter(({ repeats }) => repeats === undefined),
    orders.filter(({ repeats }) => repeats !== undefined),
  ]
  const morning = await bring(doors, first)
  await allHeard(query, first)
  const noon = await bring(doors, again)
  await allHeard(query, orders)
  await atRest(query, WAIT.timeout)
  house.landscape.wms.receiveAll()
  await vi.waitFor(
    async () => expect(await query(`select doc, line from inventory.backorder limit 5`)).toEqual([]),
    WAIT,
  )
  await atRest(query, WAIT.timeout)

  const answers = new Map([...morning, ...noon])
  return {
    world,
    orders,
    folders,
    house,
    query,
    answers,
    expected: expectations(world, COUNT),
    outcomes: await outcomesOf(query, orders, answers),
    async end() {
      await end()
      await house.end()
      folders.remove()
    },
  }
}

/** Waits until every order of the shop and of the partners is decided. */
async function allHeard(query: Query, orders: readonly WorldOrder[]): Promise<void> {
  const sent = (door: WorldOrder['door']): number => orders.filter((order) => order.door === door).length
  await vi.waitFor(async () => {
    const decided = await query(`select source, count(*) as messages from inbox.message
      where source in ('edi', 'shop') and state <> 'received' group by 1 order by 1`)
    expect(decided).toEqual([
      { source: 'edi', messages: sent('edi') },
      { source: 'shop', messages: sent('shop') },
    ])
  }, WAIT)
}
