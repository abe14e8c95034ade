/** What must be true: at every moment, and when faults have ended and nothing is under way. */
import type pg from 'pg'
import type { Queries, Statement } from '#platform/database.ts'
import { EXPLAINED, notAtRest, type Query, underWay, violationsIn } from '#tests/support/books-rules.ts'
import {
  differences,
  EVERYTHING_ONCE,
  ourInvoices,
  ourStock,
  theirInvoices,
  theirStock,
  warehousesOf,
} from '#tests/support/house-books.ts'
import type { Clients } from './clients.ts'
import type { Counterparts } from './counterparts.ts'
import { labelledCartons } from './label-checkers.ts'
import { BOOKED_EARLY } from './witness.ts'

export type Violation = { readonly invariant: string; readonly found: string }

/** Looks are prepared once, since their plans take longer than they do. */
const names = new Map<string, string>()

export const queryOf =
  (side: pg.Client): Query =>
  async (text, values = []) => {
    const name = names.get(text) ?? `simulation.look_${names.size}`
    names.set(text, name)
    return (await side.query({ name, text, values })).rows
  }

export const queriesOf = (side: pg.Client): Queries => ({
  query: async <Row>({ name, text }: Statement, values: readonly unknown[] = []) =>
    (await side.query({ name, text, values: [...values] })).rows as Row[],
})

/** What is wrong although work goes on. */
export async function unsafe(side: pg.Client, landscape: Counterparts): Promise<Violation[]> {
  const broken = (await violationsIn(queriesOf(side))).map(({ rule, found }) => ({
    invariant: rule,
    found: JSON.stringify(found),
  }))
  return [...broken, ...twice(landscape)]
}

/** A counterpart that holds two documents for one of ours was told twice. */
function twice(counterparts: Counterparts): Violation[] {
  const { legacyErp, cloudErp, tax, shop, tradeShop } = counterparts
  const books = {
    'an order is once at its ERP': [...legacyErp.truth().orders, ...cloudErp.truth().orders].map(
      (one) => one.reference,
    ),
    'an invoice is once at its ERP': [...legacyErp.truth().invoices, ...cloudErp.truth().invoices].map(
      (one) => one.reference,
    ),
    'a release is once at the warehouses': releasesAt(counterparts).map((one) => one.external_ref),
    'a shipment is once at the shops': [shop, tradeShop].flatMap((one) =>
      one.truth().orders.flatMap(({ fulfillments }) => fulfillments.map(({ external_id: id }) => id)),
    ),
    'a carton has one label': labelledCartons(counterparts),
    'a transaction is once at the tax engine': tax.truth().transactions.map((one) => one.code),
  }
  return Object.entries(books).flatMap(([invariant, references]) => {
    const repeated = references.filter((reference, place) => references.indexOf(reference) !== place)
    return repeated.length > 0 ? [{ invariant, found: repeated.join(', ') }] : []
  })
}

/** Nothing owned, due, open, awaited or on its way; told without being a reason to fail. */
export async function isAtRest(side: pg.Client, landscape: Counterparts, clients: Clients): Promise<boolean> {
  if (clients.open() > 0) return false
  const tellers = [...warehousesOf(landscape), landscape.shop.truth(), landscape.tradeShop.truth()]
  if (tellers.some(({ webhooks }) => webhooks.queued > 0)) return false
  const query = queryOf(side)
  const [stock] = await query<{ count: number }>(STOCK_UNDER_WAY)
  return stock!.count === 0 && (await underWay(query)) === 0
}

/** Facts that wait for one that is missing, and reservations whose time is about to come or has just come. */
const STOCK_UNDER_WAY = `
  select (select count(*) from inventory.feed where blocked_since is not null)
    + (select count(*) from inventory.channel_reservation where ended_at is null
       and expires_at between now() - interval '20 seconds' and now() + interval '20 seconds') as count`

/** What is wrong, or not at rest, after faults have ended, beside what is wrong at any moment. */
export async function unsettled(
  side: pg.Client,
  landscape: Counterparts,
  { clients, isRecounted }: { readonly clients: Clients; readonly isRecounted: boolean },
): Promise<Violation[]> {
  const query = queryOf(side)
  // A last movement that was never told is found by the next snapshot, hours later, unless another one shows the gap.
  const isToldOfStock =
    isRecounted ||
    warehousesOf(landscape).every(({ webhooks: { dropped, givenUp } }) => dropped + givenUp === 0)
  const rules = (await notAtRest(query))
    .filter(({ rule }) => rule !== EXPLAINED || isToldOfStock)
    .map(({ rule, found }) => ({ invariant: rule, found: JSON.stringify(found) }))
  const found: Violation[] = [...rules, ...(await promises(query, clients)), ...changedAnswers(clients)]
  const compare = (invariant: string, ours: unknown, theirs: unknown): void => {
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      found.push({ invariant, found: `ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}` })
  }
  const forgotten = await query<{ found: string }>(LEFT_WAITING)
  found.push(
    ...forgotten.map(({ found: what }) => ({ invariant: 'nobody waits for what is free', found: what })),
  )
  const overdue = await query<{ found: string }>(OVERDUE)
  found.push(
    ...overdue.map(({ found: what }) => ({ invariant: 'a soft reservation ends in time', found: what })),
  )
  const early = await query<{ found: string }>(BOOKED_EARLY)
  found.push(
    ...early.map(({ found: what }) => ({
      invariant: 'a shipment waits for what was told before it',
      found: what,
    })),
  )
  const unsealed = await query<{ found: string }>(PASSED_OVER)
  found.push(...unsealed.map(({ found: what }) => ({ invariant: 'seals pass over nothing', found: what })))
  const books = await differences(query, landscape)
  for (const [documents, difference] of Object.entries(books))
    compare(`both sides have the same ${documents}, once`, difference, EVERYTHING_ONCE[documents])
  compare('both sides call a document by the same number', await ourNumbers(query), theirNumbers(landscape))
  compare(
    'both sides have the same invoices, to the cent',
    await ourInvoices(query),
    theirInvoices(landscape),
  )
  if (isToldOfStock) compare('both sides have the same stock', await ourStock(query), theirStock(landscape))
  return found
}

/** `F-1001000 OB00012345`: our document, and what the counterpart calls it. */
async function ourNumbers(query: Query): Promise<string[]> {
  const rows = await query<{ number: string }>(`
    select 'O-' || id || ' ' || erp_number as number from orders.sales_order where erp_number is not null
    union all select 'F-' || id || ' ' || wms_number from shipments.fulfillment where wms_number is not null`)
  return rows.map(({ number }) => number).toSorted()
}

const releasesAt = (counterparts: Counterparts) => warehousesOf(counterparts).flatMap(({ orders }) => orders)

const theirNumbers = (counterparts: Counterparts): string[] => {
  const { legacyErp, cloudErp } = counterparts
  return [
    ...[...legacyErp.truth().orders, ...cloudErp.truth().orders].map(
      (one) => `${one.reference} ${one.number}`,
    ),
    ...releasesAt(counterparts).map((one) => `${one.external_ref} ${one.wms_order_id}`),
  ].toSorted()
}

/** A key stands for one request: whoever sends it again is told the same. */
function changedAnswers({ told }: Clients): Violation[] {
  const changed = [...Map.groupBy(told, ({ key }) => key)].flatMap(([key, answers]) => {
    const different = new Set(answers.map(({ status, id }) => `${status} ${id ?? ''}`))
    return different.size > 1 ? [`${key}: ${[...different].join(', ')}`] : []
  })
  return changed.length > 0 ? [{ invariant: 'a key has one answer', found: changed.join('; ') }] : []
}

/**
 * Stock for who waits first, by what its channel may have: what is kept for it and there, and the rest beside it but behind
 * a wall; and for who waits first of a channel what is kept for that alone, also when all others have theirs. Whole ordered
 * units of it or all that is missing, which a line that ships complete takes alone, at a place where the pick was not short before, and from which its profile of sourcing lets it be
 * served whatever else it takes. Who waits for what lives long is
 * served by lots.
 */
const LEFT_WAITING = `
  select 'item ' || item_id || ': ' || there || ' at ' || location || ' for ' || channel || ', order ' || doc
    || ' waits for ' || quantity as found
  from (select b.item_id, b.doc, b.line, b.channel, b.quantity, b.minimum_shelf_life_days as days,
      case when o.shipping_rule = 'line-complete' then b.quantity
        else l.numerator::numeric / gcd(10000 * l.numerator, l.denominator) end as part,
      row_number() over (partition by b.item_id order by b.since, b.doc, b.line) = 1 as is_first,
      row_number() over (partition by b.item_id, b.channel order by b.since, b.doc, b.line) = 1 as is_first_of_channel
    from inventory.backorder b join orders.line l on l.order_id = b.doc and l.n = b.line
    join orders.sales_order o on o.id = b.doc) line
  cross join lateral (
    select s.location, case when is_first
        then least(k.beyond_safety, k.own) + case when k.is_walled then 0 else greatest(0, s.free - k.kept) end
        else greatest(0, least(k.alone, s.free - k.kept + k.alone)) end as there
    from (select location, available - reserved + least(unreconciled, 0) as free from inventory.position p
      where p.item_id = line.item_id and lot = '' and owner = 'own') s
    cross join lateral (
      select coalesce(sum(a.left), 0) as kept,
        greatest(0, s.free - coalesce(sum(a.left) filter (where kind = 'safety'), 0)) as beyond_safety,
        coalesce(bool_or(is_mine and kind = 'wall'), false) as is_walled,
        coalesce(sum(a.left) filter (where is_mine and kind = 'wall'), sum(a.left) filter (where is_mine), 0) as own,
        coalesce(sum(a.left) filter (where is_mine and cardinality(channels) = 1), 0) as alone
      from (select kind, channels, line.channel = any(channels) as is_mine, a.quantity - taken as left
        from inventory.allocation a where a.item_id = line.item_id and a.location = s.location) a) k) place
  where is_first_of_channel and days is null and there >= least(part, quantity) and there > 0 and not exists (
    select from inventory.short_pick k where (k.doc, k.line, k.location) = (line.doc, line.line, place.location))
  and not exists (
    select from inventory.sourcing_decision d join inventory.sourcing_profile p on p.id = d.profile
    where d.doc = line.doc and not (p.rules -> 'network' ? place.location and p.rules ->> 'minSplitOrder' = '0'
      and p.rules ->> 'minSplitLine' = '0' and (p.rules ->> 'maxSplits')::int >= jsonb_array_length(p.rules -> 'network') - 1))`

const OVERDUE = `
  select 'R-' || id || ' ended at ' || expires_at as found from inventory.channel_reservation
  where ended_at is null and expires_at < now()`

const PASSED_OVER = `
  select 'sealed ' || sealed || ' of ' || recorded as found from (
    select (select coalesce(sum(entries), 0) from audit.seal) as sealed,
      (select count(*) from audit.entry e, (select * from audit.seal order by number desc limit 1) s
       where (e.generation, e.xid, e.position) <= (s.generation, s.xid, s.position)) as recorded) c
  where sealed <> recorded`

/** Who was told that an order is accepted finds it, who was refused finds none, and nobody finds two. */
async function promises(query: Query, { told, cancelled }: Clients): Promise<Violation[]> {
  const rows = await query<{ id: string; key: string }>(
    `select 'O-' || id as id, company || ' ' || customer || ' ' || customer_order as key from orders.sales_order`,
  )
  // One number may be ordered by the API and in the shop: two orders, as the senders are two.
  const orders = Map.groupBy(rows, ({ key }) => key)
  const lost = told.flatMap(({ order, status, id, code }) => {
    const kept = (orders.get(`${order.company} ${order.customer} ${order.poNumber}`) ?? []).map(
      (row) => row.id,
    )
    const accepted = status === 201 || status === 200
    if (accepted && !kept.includes(id!)) return [`${order.poNumber} was accepted as ${id}, not as ${kept}`]
    const others = told.some((one) => one.order.poNumber === order.poNumber && one.status < 300)
    if (!accepted && status !== 409 && kept.length > 0 && !others)
      return [`${order.poNumber} was refused with ${status} ${code}, and ${kept} is there`]
    return []
  })
  const requested = await query<{ id: string }>(
    `select distinct 'O-' || key as id from log.event where type like 'order.cancel%'`,
  )
  const known = new Set(requested.map(({ id }) => id))
  const forgotten = [...cancelled].filter((id) => !known.has(id))
  return [
    ...(lost.length > 0
      ? [{ invariant: 'an answer that was given stays true', found: lost.join('; ') }]
      : []),
    ...(forgotten.length > 0
      ? [{ invariant: 'an accepted cancellation is recorded', found: forgotten.join(', ') }]
      : []),
  ]
}
