-- Which sources of stock have told nothing for too long, and what was promised meanwhile.

create table inventory.source_state (
  source text not null,
  flow text not null check (flow in ('messages', 'readings')),
  -- the document that its events are about
  doc bigint not null,
  version int not null,
  heard_at timestamptz not null,
  -- since then the rule for silence holds
  silent_since timestamptz,
  -- orders accepted until then are marked
  marked_until timestamptz,
  primary key (source, flow)
);

-- What an hour sold of an item at a location on the day before its source fell silent.
create table inventory.sell_rate (
  item_id int not null,
  location text not null,
  per_hour numeric(15, 4) not null check (per_hour >= 0),
  primary key (item_id, location)
);

-- Promised of a place while its source was silent; checked again when it is heard.
create table inventory.doubt (
  doc bigint not null,
  item_id int not null,
  location text not null,
  kind text not null check (kind in ('order', 'reservation')),
  company text not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  marked_at timestamptz not null default now(),
  checked_at timestamptz,
  outcome text check (outcome in ('kept', 'short')),
  primary key (doc, item_id, location),
  constraint checked_with_an_outcome check ((checked_at is null) = (outcome is null))
);
create index doubt_open on inventory.doubt (item_id, location) where outcome is null;
create index doubt_checked on inventory.doubt (checked_at) where checked_at is not null;

-- All sources are one key: there are few.
create function inventory.touch_sources() returns trigger language plpgsql as $$
begin
  insert into log.touch (topic, keys) values ('sources', array[0]);
  return null;
end $$;
create trigger touched_when_made after insert on inventory.source_state
  for each statement execute function inventory.touch_sources();
create trigger touched_when_changed after update on inventory.source_state
  for each statement execute function inventory.touch_sources();

create trigger touched_when_made after insert on inventory.sell_rate
  referencing new table as changed for each statement execute function log.touch_items('care');
create trigger touched_when_changed after update on inventory.sell_rate
  referencing new table as changed for each statement execute function log.touch_items('care');
create trigger touched_when_made after insert on inventory.doubt
  referencing new table as changed for each statement execute function log.touch_items('care');
create trigger touched_when_changed after update on inventory.doubt
  referencing new table as changed for each statement execute function log.touch_items('care');
