-- What people say of stock: counts, losses, finds, moves, each with its paper; above a value only once another agrees.

create table inventory.adjustment (
  id bigint primary key,
  company text not null,
  state text not null check (state in ('pending', 'booked', 'rejected')),
  -- what it was about, and the paper that shows it
  reason text not null,
  reference text not null,
  note text,
  -- of what it changes; null: of an item that has no price
  value_minor bigint check (value_minor >= 0),
  currency text not null,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  decided_by text,
  decided_at timestamptz,
  decision text,
  version int not null default 1,
  constraint decided_by_another check (decided_by <> requested_by),
  constraint decided_once check (
    (decided_by is null) = (decided_at is null) and (state <> 'pending' or decided_by is null)
    and (state <> 'rejected' or decided_by is not null))
) with (fillfactor = 80);
create index adjustment_pending on inventory.adjustment (company, id) where state = 'pending';
create index adjustment_of_company on inventory.adjustment (company, id);

create table inventory.adjustment_line (
  adjustment_id bigint not null,
  n smallint not null,
  kind text not null check (kind in ('counted', 'found', 'lost', 'moved', 'returned', 'sent', 'arrived', 'missing')),
  item_id int not null,
  sku text not null,
  location text not null,
  lot text not null default '',
  status text not null,
  to_status text,
  -- of a transfer
  transfer text,
  place text,
  -- in the base unit
  quantity numeric(15, 4) not null check (quantity >= 0),
  base_unit text not null,
  -- as it was said
  asked numeric(15, 4) not null,
  unit text not null,
  -- of a count: what it found more or less than the books, and how much of their doubt it explains
  difference numeric(15, 4),
  explained numeric(15, 4),
  primary key (adjustment_id, n),
  constraint counts_differ check ((kind = 'counted') = (difference is not null) and (kind = 'counted') = (explained is not null))
);

-- What a place has, in pages.
create index position_at on inventory.position (company, location, item_id, lot);
