/** What holds of stock, and what other rooms are compared with. */
import { type Invariant, invariant, relation } from '#platform/invariants.ts'
import { type Bucket, STATUSES } from '../contract.ts'

/** What each whole position has reserved. */
export const reserved = relation(
  'inventory.reserved',
  `select company, item_id, location, reserved as quantity from inventory.position
   where lot = '' and owner = 'own'`,
)
/** What order lines may take from a place before it is asked for. */
export const claimed = relation(
  'inventory.claimed',
  `select company, item_id, location, doc, line, quantity, minimum_shelf_life_days from inventory.reservation`,
)
export const awaited = relation(
  'inventory.awaited',
  `select doc, line, quantity, minimum_shelf_life_days from inventory.backorder`,
)

/** What came from suppliers and is ours; minus what a warehouse took back of it. */
export const arrivals = relation(
  'inventory.arrivals',
  `select item_id, location, source, source_key,
     case when from_bucket = 'supplier' then quantity else -quantity end as quantity
   from inventory.movement where 'supplier' in (from_bucket, to_bucket) and owner = 'own'`,
)

/** What channels' reservations keep at a place. */
export const keptForChannels = relation(
  'inventory.kept_for_channels',
  `select company, item_id, location, quantity from inventory.channel_claim`,
)
/** What other systems have sold and we keep for them. */
export const keptForSystems = relation(
  'inventory.kept_for_systems',
  `select company, item_id, location, claimed as quantity from inventory.external_reservation where claimed > 0`,
)
export const inventoryDocuments = relation(
  'inventory.documents',
  `select id as doc, version from inventory.channel_reservation
   union all select id as doc, version from inventory.adjustment`,
)

const BUCKETS = [...STATUSES, 'in_transit', 'unreconciled']
const IN_A_POSITION = BUCKETS.map((bucket) => `'${bucket}'`).join(', ')

const OF_OTHERS = `case when owner <> 'own' then ' of ' || owner else '' end`

// A look from the beginning compares every position; a later one those that have moved, with all of their movements.
const POSITIONS_ARE_MOVEMENTS = `
  with moving as (
    select company, item_id, location, owner from inventory.movement where recorded_at >= (select at from since)
    union select company, item_id, location, owner from inventory.position
    where (select at from since) = '-infinity'),
  moved as (
    select m.company, m.item_id, m.location, m.owner, b.bucket, sum(b.quantity) as quantity
    from moving join inventory.movement m using (company, item_id, location, owner)
    cross join lateral (values (m.to_bucket, m.quantity), (m.from_bucket, -m.quantity)) b(bucket, quantity)
    where b.bucket in (${IN_A_POSITION}) group by 1, 2, 3, 4, 5),
  held as (
    select p.company, p.item_id, p.location, p.owner, b.bucket, b.quantity
    from moving join inventory.position p using (company, item_id, location, owner)
    cross join lateral (values ${BUCKETS.map((bucket) => `('${bucket}', p.${bucket})`).join(', ')}) b(bucket, quantity)
    where p.lot = '')
  select 'item ' || item_id || ' at ' || location || ${OF_OTHERS} || ': ' || trim_scale(coalesce(h.quantity, 0)) || ' ' || bucket || ', '
    || trim_scale(coalesce(m.quantity, 0)) || ' by movements'
  from held h full join moved m using (company, item_id, location, owner, bucket)
  where coalesce(h.quantity, 0) <> coalesce(m.quantity, 0)`

// In all, not by bucket: a place may cover what its lot cannot, and the other way round.
const LOTS_ARE_MOVEMENTS = `
  with moving as (
    select company, item_id, location, owner, lot from inventory.movement
    where recorded_at >= (select at from since) and lot <> ''
    union select company, item_id, location, owner, lot from inventory.position
    where (select at from since) = '-infinity' and lot <> ''),
  moved as (
    select m.company, m.item_id, m.location, m.owner, m.lot, sum(
      case when m.to_bucket in (${IN_A_POSITION}) then m.quantity else 0 end
      - case when m.from_bucket in (${IN_A_POSITION}) then m.quantity else 0 end) as quantity
    from moving join inventory.movement m using (company, item_id, location, owner, lot) group by 1, 2, 3, 4, 5),
  held as (
    select p.company, p.item_id, p.location, p.owner, p.lot, ${BUCKETS.map((bucket) => `p.${bucket}`).join(' + ')} as quantity
    from moving join inventory.position p using (company, item_id, location, owner, lot))
  select 'item ' || item_id || ' at ' || location || ${OF_OTHERS} || ' lot ' || lot || ': ' || trim_scale(coalesce(h.quantity, 0)) || ', '
    || trim_scale(coalesce(m.quantity, 0)) || ' by movements'
  from held h full join moved m using (company, item_id, location, owner, lot)
  where coalesce(h.quantity, 0) <> coalesce(m.quantity, 0)`

/** Of a bucket between two positions: what goes into it comes out again, told as one. */
const unbalancedIn = (bucket: Bucket): string => `
  with recent as materialized (
    select source, source_key, item_id, from_bucket, to_bucket, quantity from inventory.movement
    where recorded_at >= (select at from since))
  select source || ' ' || source_key || ' item ' || item_id || ': ' || trim_scale(sum(quantity)) from (
    select source, source_key, item_id, case when to_bucket = '${bucket}' then quantity else -quantity end as quantity
    from recent where '${bucket}' in (from_bucket, to_bucket)) m
  group by source, source_key, item_id having sum(quantity) <> 0`

export const inventoryInvariants: readonly Invariant[] = [
  invariant(
    'inventory.positions_are_movements',
    POSITIONS_ARE_MOVEMENTS,
    'each bucket of a position is the sum of its movements',
  ),
  invariant(
    'inventory.lots_are_movements',
    LOTS_ARE_MOVEMENTS,
    'what there is of a lot at a place is the sum of its movements',
  ),
  invariant(
    'inventory.in_transit_is_transfers',
    `select 'item ' || p.item_id || ' to ' || p.location || ': ' || trim_scale(p.in_transit) || ' in transit, '
       || trim_scale(t.quantity) || ' by transfers'
     from inventory.position p cross join lateral (
       select coalesce(sum(open), 0) as quantity from inventory.transfer t
       where t.to_location = p.location and t.item_id = p.item_id and t.company = p.company and t.owner = p.owner
         and t.open > 0) t
     where p.lot = '' and p.in_transit <> t.quantity`,
    'what is in transit to a place was sent there and has not arrived',
  ),
  invariant(
    'inventory.transfers_are_balanced',
    unbalancedIn('transfer'),
    'what leaves one place for another is in transit to it from the same moment on',
  ),
  invariant(
    'inventory.owners_are_balanced',
    unbalancedIn('owner'),
    "what one owner hands over is the other owner's from the same moment on",
  ),
  invariant(
    'inventory.doubt_is_told',
    `select 'item ' || p.item_id || ' at ' || p.location || ': ' || trim_scale(p.unreconciled) from inventory.position p
     where p.lot = '' and p.unreconciled <> 0 and not exists (
       select from exceptions.exception e
       where e.company = p.company and e.cause = 'inventory.unreconciled:' || p.item_id
         || case when p.owner <> 'own' then '@' || p.owner else '' end || ':' || p.location)`,
    'what left although the books could not cover it was told as an exception',
  ),
  invariant(
    'inventory.serials_are_where_told',
    `with recent as materialized (
       select distinct company, serial, item_id from inventory.serial_fact where recorded_at >= (select at from since))
     select 'unit ' || s.serial || ' of item ' || s.item_id || ': ' || s.bucket || coalesce(' at ' || s.location, '')
       || ' of ' || s.owner
     from recent r
     cross join lateral (
       select * from inventory.serial s where s.company = r.company and s.serial = r.serial and s.item_id = r.item_id
       offset 0) s
     cross join lateral (
       select to_bucket, to_location, to_owner from inventory.serial_fact f
       where f.company = r.company and f.serial = r.serial and f.item_id = r.item_id and f.moved
       order by f.id desc limit 1) f
     where (s.bucket, s.location, s.owner) is distinct from (f.to_bucket, f.to_location, f.to_owner)`,
    'a unit with a serial is where what moved it last has put it, and his to whom that gave it',
  ),
  invariant(
    'inventory.serial_doubts_are_told',
    `select 'unit ' || s.serial || ' of item ' || s.item_id from inventory.serial s
     where s.company > '' and s.doubt is not null and not exists (
       select from exceptions.exception e where e.company = s.company
         and e.cause = 'inventory.serial_' || replace(s.doubt, '-', '_') || ':' || s.item_id || ':' || s.serial)
     order by s.company, s.item_id, s.serial`,
    'what contradicts what was told of a unit before was told as an exception',
  ),
  invariant(
    'inventory.claims_are_at_the_desk',
    `select 'order ' || c.doc || ' line ' || c.line from (
       select doc, line from inventory.reservation union all select doc, line from inventory.backorder) c
     where not exists (select from desk.document d where d.doc = c.doc)`,
    'whoever claims stock or waits for it has its order worked on',
  ),
  invariant(
    'inventory.reservations_keep_what_is_open',
    `select 'reservation ' || l.reservation_id || ' line ' || l.line
     from changed c join inventory.channel_reservation_line l on l.reservation_id = c.doc
     join inventory.channel_reservation r on r.id = l.reservation_id
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from inventory.channel_claim k
       where (k.reservation_id, k.n) = (l.reservation_id, l.n)) claim
     where l.open <> claim.quantity or (l.open > 0 and r.ended_at is not null)`,
    'what is open of a line of a reservation is what it claims at its places, and what has ended keeps nothing',
  ),
  invariant(
    'inventory.reservations_end_in_time',
    `select 'reservation ' || id from inventory.channel_reservation
     where expires_at < now() - interval '5 minutes' and ended_at is null and expires_at is not null
     order by expires_at`,
    'a soft reservation whose time has come gives its stock back',
    'See whether a worker runs: one ends those that are due each second.',
  ),
  invariant(
    'inventory.partitions_are_ahead',
    `select 'no partition ' || name from (
       select 'inventory.movement_' || to_char(month, 'YYYYMM') as name
       from generate_series(date_trunc('month', now() at time zone 'UTC'),
         date_trunc('month', now() at time zone 'UTC') + interval '1 month', interval '1 month') month) wanted
     where to_regclass(name) is null`,
    'the ledger has partitions for this month and the next',
    'Restart the program, which makes them.',
  ),
]
