/** What must agree about supply: what ERPs and suppliers said last, and the day that each waiting line is promised. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { ErpPeople } from './erp-people.ts'
import type { Suppliers } from './suppliers.ts'

type Selling = {
  readonly locations: readonly string[]
  /** Of each company what day it is there. */
  readonly today: ReadonlyMap<string, string>
}

/**
 * The day on which supply reaches each waiting line, reckoned by sums: a line is served when what is free and what has
 * come until then is at least what it and all before it want. What suppliers said of a purchase order line is laid end to
 * end (what is under way, what is confirmed, then what is refused, then the rest as ordered) and cut to what is open.
 * Where something is kept for channels, or somebody wants what lives long, sums say nothing of who reaches what.
 */
const PROMISES = `
  with ordered as (
    select l.*, greatest(l.told_received, l.carried + l.received) as got, a.parts, a.told_at, coalesce(a.refused, 0) as refused,
      coalesce((select sum(s.quantity) from supply.shipped s
        where s.company = l.company and s.number = l.number and s.line = l.line), 0) as sent
    from supply.line l
    left join lateral (select * from supply.answer a where a.company = l.company and a.number = l.number and a.line = l.line
      order by told_at desc limit 1) a on true
    where l.open > 0),
  said as (
    select o.company, o.number, o.line, o.open, 1 as rank, s.quantity, o.got as behind,
      case when s.expected_on = 'infinity' then o.expected_on else s.expected_on end as day
    from ordered o join supply.shipped s on s.company = o.company and s.number = o.number and s.line = o.line
    union all
    select o.company, o.number, o.line, o.open, 2, (p.part ->> 'quantity')::numeric, greatest(o.sent, o.got),
      case when o.told_at >= o.dated_at and p.part ? 'expectedOn' then coalesce(p.part ->> 'expectedOn', 'infinity')::date
        else o.expected_on end
    from ordered o cross join lateral jsonb_array_elements(o.parts) as p(part)),
  ahead as (
    select *, greatest(0, least(quantity, sum(quantity) over w - behind)) as rest
    from said window w as (partition by company, number, line, rank order by day, quantity rows unbounded preceding)),
  parts as (
    select *, greatest(0, least(rest, open - sum(rest) over w + rest)) as comes
    from ahead window w as (partition by company, number, line order by rank, day, quantity rows unbounded preceding)),
  coming as (
    select o.item_id, o.location, p.day, p.comes
    from parts p join ordered o on o.company = p.company and o.number = p.number and o.line = p.line
    union all
    select o.item_id, o.location, o.expected_on, greatest(o.open - o.refused - coalesce(t.told, 0), 0)
    from ordered o
    left join (select company, number, line, sum(comes) as told from parts group by 1, 2, 3) t
      on t.company = o.company and t.number = o.number and t.line = o.line),
  queue as (
    select b.*, sum(b.quantity) over (partition by b.item_id order by b.since, b.doc, b.line) as wanted, d.today
    from inventory.backorder b join unnest($2::text[], $3::date[]) as d(company, today) on d.company = b.company),
  free as (
    select p.item_id, sum(greatest(p.available - p.reserved + least(p.unreconciled, 0) - coalesce((
      select sum(a.quantity - a.taken) from inventory.allocation a
      where a.item_id = p.item_id and a.location = p.location), 0), 0)) as quantity
    from inventory.position p where p.lot = '' and p.owner = 'own' and p.location = any($1::text[]) group by 1),
  dated as (
    select q.doc, q.line, q.item_id, q.promised_at, q.promised_on, case
      when coalesce(f.quantity, 0) >= q.wanted then q.today
      else (
        select min(c.day) from coming c where c.item_id = q.item_id and c.location = any($1::text[]) and c.comes > 0
          and c.day between q.today and '9999-12-31' and q.wanted <= coalesce(f.quantity, 0) + (
            select sum(e.comes) from coming e where e.item_id = c.item_id and e.location = any($1::text[])
              and e.day between q.today and c.day)) end as day
    from queue q left join free f on f.item_id = q.item_id
    where not exists (select from inventory.allocation a where a.item_id = q.item_id and a.kind <> 'safety')
      and not exists (select from queue o where o.item_id = q.item_id and o.minimum_shelf_life_days is not null))
  select 'O-' || doc || ' line ' || line || ' of item ' || item_id || ': promised ' || coalesce(promised_on::text, 'no day')
    || case when promised_at is null then ', never looked at' else '' end || ', supply reaches it '
    || coalesce(day::text, 'on no day') as found
  from dated where promised_at is null or promised_on is distinct from day`

/** The last day that an order was told of a line that waits is the day that it is promised. */
const UNTOLD = `
  select 'O-' || b.doc || ' line ' || b.line || ': promised ' || coalesce(b.promised_on::text, 'no day') || ', told '
    || coalesce(t.day, 'no day') as found
  from inventory.backorder b
  left join lateral (
    select p ->> 'on' as day from log.event e cross join lateral jsonb_array_elements(e.data -> 'promises') as p
    where e.key = b.doc and e.type in ('order.promised', 'order.promise_slipped') and (p ->> 'line')::int = b.line
    order by e.key_version desc limit 1) t on true
  where b.promised_at is not null and t.day is distinct from b.promised_on::text`

export async function promisesAmiss(query: Query, { locations, today }: Selling): Promise<Violation[]> {
  const values = [locations, [...today.keys()], [...today.values()]]
  const promised = await query<{ found: string }>(PROMISES, values)
  const told = await query<{ found: string }>(UNTOLD)
  return [
    ...together('who waits is promised the day on which supply reaches him', promised),
    ...together('an order was told the day that it is promised', told),
  ]
}

const together = (invariant: string, rows: readonly { readonly found: string }[]): Violation[] =>
  rows.length > 0 ? [{ invariant, found: rows.map(({ found }) => found).join('; ') }] : []

/** Both sides say the same of each purchase order, and of each what its supplier said last. */
export async function supplyAmiss(
  query: Query,
  { purchases }: ErpPeople,
  { answers, notices }: Suppliers,
): Promise<Violation[]> {
  const lines = await query<{ text: string }>(`
    select number || ': ' || trim_scale(ordered) || ' ordered, ' || trim_scale(told_received) || ' received, '
      || trim_scale(cancelled) || ' cancelled, on ' || expected_on as text from supply.line`)
  const answered = await query<{ text: string }>(`
    select number || ': ' || coalesce((select string_agg(trim_scale((p ->> 'quantity')::numeric) || ' on '
        || coalesce(p ->> 'expectedOn', 'no day'), ', ' order by n) from jsonb_array_elements(parts) with ordinality as e(p, n)),
      'nothing') || ', ' || trim_scale(refused) || ' refused' as text from supply.answer`)
  const shipped = await query<{ text: string }>(`
    select notice || ': ' || number || ' ' || trim_scale(quantity) || ' on ' || expected_on as text from supply.shipped`)
  return [
    ...unequal(
      'both sides have the same purchase orders',
      lines,
      purchases().map(
        (one) =>
          `${one.number}: ${one.quantity} ordered, ${one.received} received, ${one.cancelled} cancelled, on ${one.expectedOn}`,
      ),
    ),
    ...unequal(
      'the last answer of a supplier counts',
      answered,
      [...answers].map(([number, { parts, refused }]) => {
        const told = parts.map(({ quantity, day }) => `${quantity} on ${day ?? 'no day'}`).join(', ')
        return `${number}: ${told || 'nothing'}, ${refused} refused`
      }),
    ),
    ...unequal(
      'the last state of a ship notice counts',
      shipped,
      [...notices].map(([notice, { number, quantity, day }]) => `${notice}: ${number} ${quantity} on ${day}`),
    ),
  ]
}

/**
 * What clerks and warehouses sold is claimed once, as far as it is there, and nothing that we claim for orders of our own
 * is claimed for them again.
 */
export async function salesAmiss(query: Query, sold: readonly string[]): Promise<Violation[]> {
  const held = await query<{ text: string }>(`
    select concat_ws(' ', company, document, sku, location, trim_scale(wanted)) as text
    from inventory.external_reservation where wanted > 0`)
  const short = await query<{ text: string }>(`
    select concat_ws(' ', e.document, e.sku, e.location, trim_scale(e.claimed), 'of', trim_scale(e.wanted)) as text
    from inventory.external_reservation e join inventory.position p using (item_id, location)
    where e.claimed < e.wanted and p.lot = '' and p.owner = 'own'
      and p.available - p.reserved + least(p.unreconciled, 0) > 0`)
  return [
    ...unequal('what others sold by themselves is claimed once', held, sold),
    ...unequal('what is free is claimed for what others sold', short, []),
  ]
}

export function unequal(
  invariant: string,
  ours: readonly { readonly text: string }[],
  theirs: readonly string[],
): Violation[] {
  const held = ours.map(({ text }) => text)
  const [extra, missing] = [beyond(held, theirs), beyond(theirs, held)]
  if (extra.length + missing.length === 0) return []
  return [{ invariant, found: `only ours ${extra.join('; ')}, only theirs ${missing.join('; ')}` }]
}

/** What the second has less often than the first. */
function beyond(some: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return some.filter((one) => {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
