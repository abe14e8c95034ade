-- What sources tell of stock, in the order in which they number it for each item at each location.

create table inventory.feed (
  item_id int not null,
  location text not null,
  source text not null,
  company text not null,
  -- all up to here is in the books; 0 before the first
  last_sequence bigint not null default 0,
  missing_from bigint,
  missing_to bigint,
  -- since when later ones wait for what is missing
  blocked_since timestamptz,
  -- what the last snapshot contains: what its source tells with such a mark, or of such a time, is counted already
  counted_mark bigint,
  counted_at timestamptz,
  -- told again, and told after a snapshot that contains it
  repeated bigint not null default 0,
  late bigint not null default 0,
  primary key (item_id, location, source),
  constraint blocked_by_what_is_missing check (
    (missing_from is null) = (missing_to is null) and (missing_from is null) = (blocked_since is null)
    and missing_from <= missing_to)
) with (fillfactor = 70);
create index feed_blocked on inventory.feed (blocked_since) where blocked_since is not null;

-- Facts that came too early. Rows live until their turn.
create table inventory.feed_held (
  item_id int not null,
  location text not null,
  source text not null,
  sequence bigint not null,
  fact jsonb not null,
  primary key (item_id, location, source, sequence)
);

alter table inventory.movement
  -- its number among all that its source tells, by which a snapshot says whether it contains it
  add column mark bigint;

alter table inventory.position
  -- the last snapshot that took the place of what was told before
  add column counted_by text,
  add column counted_mark bigint,
  add column counted_at timestamptz;
