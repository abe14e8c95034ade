-- Stock that is kept for a channel under a number of its own, before there is an order.

create table inventory.channel_reservation (
  id bigint primary key,
  company text not null,
  client text not null,
  -- whose it is alone, where a partner made it
  partner text,
  channel text not null,
  -- the caller's own word for what it is for
  reference text not null,
  class text not null,
  priority smallint not null check (priority between 0 and 9),
  kind text not null check (kind in ('soft', 'firm')),
  expires_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default now(),
  -- nothing of it is open any more
  ended_at timestamptz,
  constraint soft_alone_expires check ((kind = 'soft') = (expires_at is not null))
) with (fillfactor = 70);
create index channel_reservation_open on inventory.channel_reservation (id) where ended_at is null;
create index channel_reservation_due on inventory.channel_reservation (expires_at)
  where ended_at is null and expires_at is not null;

-- What was asked for and what became of what was granted, in base units.
create table inventory.channel_reservation_line (
  reservation_id bigint not null,
  n smallint not null,
  -- the caller's own number of it
  line text not null,
  item_id int not null,
  sku text not null,
  base_unit text not null,
  -- as it was asked for
  requested numeric(15, 4) not null check (requested > 0),
  unit text not null,
  wanted numeric(15, 4) not null,
  granted numeric(15, 4) not null,
  open numeric(15, 4) not null,
  committed numeric(15, 4) not null default 0,
  released numeric(15, 4) not null default 0,
  expired numeric(15, 4) not null default 0,
  primary key (reservation_id, n),
  constraint granted_goes_somewhere check (granted = open + committed + released + expired),
  constraint nothing_below_zero check (least(open, committed, released, expired) >= 0),
  constraint granted_as_wanted check (granted <= wanted)
) with (fillfactor = 70);

-- What is open of it at each place. Rows live while the claim does, as those of inventory.reservation.
create table inventory.channel_claim (
  reservation_id bigint not null,
  n smallint not null,
  location text not null,
  company text not null,
  item_id int not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  primary key (reservation_id, n, location)
) with (fillfactor = 70);
create index channel_claim_place on inventory.channel_claim (item_id, location);
