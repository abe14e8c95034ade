-- Single units that are known by a number of their own: where each of them is, and all that was told of it.

alter table items.item add column serial_controlled boolean not null default false;

create or replace function items.touch_changed() returns trigger language plpgsql as $$
begin
  insert into log.touch (topic, keys)
  select 'items', array_agg(a.id) from before b join after a using (id)
  where (a.name, a.status, a.catch_weight, a.lot_controlled, a.serial_controlled, a.tax_class)
    is distinct from (b.name, b.status, b.catch_weight, b.lot_controlled, b.serial_controlled, b.tax_class)
  having count(*) > 0;
  return null;
end $$;

-- One row for each serial: it is in one place, or in none of ours.
create table inventory.serial (
  company text not null,
  item_id int not null,
  serial text not null check (serial <> ''),
  -- null: it is not with us; of what is in transit, where it is to arrive
  location text,
  bucket text not null,
  lot text not null default '',
  owner text not null default 'own',
  -- with which it left
  shipment_id bigint,
  order_id bigint,
  -- when what moved it last happened, by the clock of who told it; null: nothing has moved it
  told_at timestamptz,
  -- what was told last contradicted what was told before
  doubt text check (doubt in ('elsewhere', 'never-here', 'here-already')),
  -- the place that still has to explain it
  doubt_location text,
  primary key (company, serial, item_id),
  constraint in_one_place_or_gone check ((location is null) = (bucket in ('supplier', 'shipped', 'adjustment'))),
  constraint shipped_with_a_shipment check (bucket = 'shipped' or (shipment_id is null and order_id is null)),
  constraint doubted_somewhere check ((doubt is null) = (doubt_location is null))
) with (fillfactor = 80);
-- What a place has of an item. A serial enters and leaves it as often as it changes its place, not its status.
create index serial_at on inventory.serial (item_id, location, serial) where location is not null;
-- What waits for an explanation, which is little.
create index serial_doubted on inventory.serial (company, item_id, serial) where doubt is not null;

-- What was told of each serial, in the order in which we heard it.
create table inventory.serial_fact (
  id bigint generated always as identity,
  company text not null,
  item_id int not null,
  serial text not null,
  from_bucket text not null,
  from_location text,
  to_bucket text not null,
  to_location text,
  lot text not null default '',
  reason text not null,
  source text not null,
  source_key text not null,
  doc bigint,
  at timestamptz not null,
  recorded_at timestamptz not null default now(),
  -- false: it came late, or contradicts what happened after it
  moved boolean not null,
  primary key (company, serial, item_id, id)
);

-- By adjustment line: the units that it is of.
alter table inventory.adjustment_line add column serials jsonb not null default '[]';
