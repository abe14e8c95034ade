-- What of an item at a location is kept back: safety stock for nobody, the rest for channels.

create table inventory.allocation (
  -- another one each time it is set: what was taken of an earlier one is not given back to this
  id bigint generated always as identity unique,
  company text not null,
  item_id int not null,
  location text not null,
  name text not null,
  kind text not null check (kind in ('safety', 'wall', 'minimum', 'pool')),
  channels text[] not null,
  quantity numeric(15, 4) not null,
  -- granted of it to its channels since it was set
  taken numeric(15, 4) not null default 0,
  set_by text not null,
  set_at timestamptz not null default now(),
  primary key (item_id, location, name),
  constraint taken_of_what_is_kept check (taken >= 0 and taken <= quantity),
  constraint safety_is_for_no_channel check (
    (kind = 'safety') = (cardinality(channels) = 0) and (kind <> 'safety' or taken = 0)),
  constraint walls_are_of_one check (kind not in ('wall', 'minimum') or cardinality(channels) = 1)
) with (fillfactor = 70);

-- How much of a claim came out of an allocation, to which it returns when it is given back.
alter table inventory.channel_claim
  add column allocation_id bigint,
  add column allocated numeric(15, 4) not null default 0,
  add constraint allocated_is_claimed check (
    allocated >= 0 and allocated <= quantity and (allocated = 0 or allocation_id is not null));

-- When a source last told something of the position.
alter table inventory.position add column told_at timestamptz not null default now();
