/** That who wants goods to live long is promised and sent only such, and waits for none that are there. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'

/** What left for who wants it to live so long, of a lot that expires before, or that nobody has dated. */
const SHORT_LIVED = `
  select 'S-' || s.id || ' of lot ' || coalesce(sl.lot, '-') || ', which expires ' || coalesce(t.expires_on::text, 'nobody knows when')
    || ', for O-' || l.order_id || ', who wants ' || l.minimum_shelf_life_days || ' days' as found
  from orders.line l join shipments.fulfillment f on f.order_id = l.order_id
  join shipments.shipment s on s.fulfillment_id = f.id
  join shipments.shipment_line sl on sl.shipment_id = s.id and sl.item_id = l.item_id
  left join inventory.lot t on t.company = s.company and t.item_id = sl.item_id and t.lot = sl.lot
  where l.minimum_shelf_life_days is not null
    and (t.expires_on is null or t.expires_on < $1::date + l.minimum_shelf_life_days)`

type Amount = {
  readonly item: number
  readonly location: string
  readonly days: number
  readonly quantity: number
}
type Waiting = {
  readonly item: number
  readonly doc: number
  readonly line: number
  /** Null where any lot will do. */
  readonly days: number | null
  /** One ordered unit, or all of it where it ships complete. */
  readonly least: number
  readonly shortAt: readonly string[]
  /** What is kept there for other channels. */
  readonly keptAt: Readonly<Record<string, number>>
}
type Books = {
  readonly lots: readonly Amount[]
  readonly claims: readonly Amount[]
  readonly free: readonly Omit<Amount, 'days'>[]
  readonly queue: readonly Waiting[]
}

/** Lots without what requests name of them, claims of whom no warehouse was asked for, and who waits, the first first. */
const BOOKS = `
  with item as (
    select id from items.item i where exists (select from orders.line where item_id = i.id and minimum_shelf_life_days is not null))
  select (
    select coalesce(json_agg(json_build_object('item', p.item_id, 'location', p.location, 'days', l.expires_on - $1::date,
      'quantity', greatest(0, p.available - coalesce((select sum(quantity) from shipments.requested_lot r
        where r.item_id = p.item_id and r.location = p.location and r.lot = p.lot), 0)))), '[]')
    from inventory.position p join inventory.lot l using (company, item_id, lot)
    where p.item_id in (table item) and p.available > 0 and l.expires_on is not null and l.held_by is null) as lots, (
    select coalesce(json_agg(json_build_object('item', item_id, 'location', location, 'days', minimum_shelf_life_days,
      'quantity', quantity)), '[]')
    from inventory.reservation where minimum_shelf_life_days is not null) as claims, (
    select coalesce(json_agg(json_build_object('item', item_id, 'location', location,
      'quantity', available - reserved + least(unreconciled, 0))), '[]')
    from inventory.position where item_id in (table item) and lot = '' and owner = 'own') as free, (
    select coalesce(json_agg(json_build_object('item', b.item_id, 'doc', b.doc, 'line', b.line, 'days', b.minimum_shelf_life_days,
      'least', least(b.quantity, case when o.shipping_rule = 'line-complete' then b.quantity
        else l.numerator::numeric / gcd(10000 * l.numerator, l.denominator) end),
      'shortAt', (select coalesce(json_agg(location), '[]') from inventory.short_pick k where k.doc = b.doc and k.line = b.line),
      'keptAt', (select coalesce(json_object_agg(location, quantity), '{}') from (
        select a.location, sum(a.quantity - a.taken) as quantity from inventory.allocation a
        where a.item_id = b.item_id and not b.channel = any(a.channels) group by a.location) k))
      order by b.since, b.doc, b.line), '[]')
    from inventory.backorder b join orders.line l on l.order_id = b.doc and l.n = b.line
    join orders.sales_order o on o.id = b.doc where b.item_id in (table item)) as queue`

const sumFrom = (amounts: readonly Amount[], days: number): number =>
  amounts.reduce((sum, one) => (one.days >= days ? sum + one.quantity : sum), 0)

/** At any time. */
export async function livesWrong(query: Query, today: string): Promise<Violation[]> {
  const found = await query<{ found: string }>(SHORT_LIVED, [today])
  const invariant = 'what is sent to who wants it to live long does'
  return found.map((row) => ({ invariant, found: row.found }))
}

/** When nothing is under way. */
export async function livesAmiss(query: Query, today: string): Promise<Violation[]> {
  const [books] = await query<Books>(BOOKS, [today])
  const { lots, claims, free, queue } = books!
  const places = free.map(({ item, location, quantity }) => {
    const isHere = (one: { item: number; location: string }): boolean =>
      one.item === item && one.location === location
    const [lotsHere, claimsHere] = [lots.filter(isHere), claims.filter(isHere)]
    const spare = (days: number): number => sumFrom(lotsHere, days) - sumFrom(claimsHere, days)
    /** All who want fewer days are served by what lives longer, too. */
    const forWho = (days: number): number =>
      Math.min(
        quantity,
        ...[days, ...claimsHere.map((one) => one.days).filter((other) => other < days)].map(spare),
      )
    return { item, location, free: quantity, spare, forWho, claims: claimsHere }
  })
  const overdrawn = places.flatMap(({ item, location, spare, claims: here }) =>
    here
      .filter(({ days }) => spare(days) < 0)
      .map(
        ({ days }) =>
          `item ${item} at ${location}: ${-spare(days)} more are promised than live for ${days} days`,
      ),
  )
  const forgotten = queue.flatMap((line, at) => {
    const here = places.filter(({ item }) => item === line.item)
    const usable = ({ days, keptAt }: Waiting) =>
      here.map((place) => (days === null ? place.free : place.forWho(days)) - (keptAt[place.location] ?? 0))
    // Nobody overtakes who can use some of it, though it may be too little for a line that ships complete.
    const before = queue
      .slice(0, at)
      .filter(({ item, days }) => item === line.item && (line.days !== null || days === null))
    if (before.some((one) => usable(one).some((some) => some > 0))) return []
    return usable(line).flatMap((some, nth) => {
      const { location } = here[nth]!
      const isEnough = some >= line.least && !line.shortAt.includes(location)
      return isEnough
        ? [
            `O-${line.doc}, line ${line.line}, waits for ${some} at ${location} that live for ${line.days} days`,
          ]
        : []
    })
  })
  return [
    ...[...new Set(overdrawn)].map((found) => ({
      invariant: 'what is promised to live long is there',
      found,
    })),
    ...forgotten.map((found) => ({ invariant: 'nobody waits for what lives long enough', found })),
    ...(await livesWrong(query, today)),
  ]
}
