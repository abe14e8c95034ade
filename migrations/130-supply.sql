-- What suppliers owe: lines of purchase orders as their source tells them, and what warehouses received of them.

create schema supply;

create table supply.line (
  company text not null,
  -- the purchase order's, at its source
  number text not null,
  line int not null check (line > 0),
  supplier text not null,
  item_id int not null,
  sku text not null,
  location text not null,
  -- quantities in the item's base unit
  ordered numeric(15, 4) not null check (ordered >= 0),
  cancelled numeric(15, 4) not null,
  -- as the source counts it, which learns of receipts in its own time
  told_received numeric(15, 4) not null check (told_received >= 0),
  -- of that, what came before anybody told us of its receipts
  carried numeric(15, 4) not null check (carried >= 0),
  -- the sum of the receipts that warehouses told us
  received numeric(15, 4) not null default 0 check (received >= 0),
  -- infinity: nobody has said
  expected_on date not null,
  source text not null,
  changed_at timestamptz not null,
  as_of timestamptz not null,
  -- both count the same receipts, so the one that knows more of them counts
  open numeric(15, 4) not null
    generated always as (greatest(ordered - cancelled - greatest(told_received, carried + received), 0)) stored,
  excess numeric(15, 4) not null generated always as (greatest(carried + received - (ordered - cancelled), 0)) stored,
  primary key (company, number, line),
  constraint cancelled_is_part_of_ordered check (cancelled between 0 and ordered)
) with (fillfactor = 80);

-- Lines of which nothing is to come leave both.
create index line_coming on supply.line (item_id, location, expected_on) where open > 0;
create index line_due on supply.line (company, expected_on, number, line) where open > 0;
create index line_exceeded on supply.line (company) where excess > 0 and received > 0;

-- A receipt counts on one line or on several of its order; on line 0 until somebody knows which.
create table supply.receipt (
  company text not null,
  -- who told it, under which id: as the movement of stock that it is
  source text not null,
  source_key text not null,
  -- empty: the warehouse named none
  number text not null,
  line int not null check (line >= 0),
  -- the line that the warehouse named
  named_line int,
  item_id int not null,
  location text not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  at timestamptz not null,
  recorded_at timestamptz not null default now(),
  primary key (source, source_key, line)
);
create index receipt_of_line on supply.receipt (company, number, line);
create index receipt_unplaced on supply.receipt (company, number) where line = 0;
create index receipt_recorded on supply.receipt (recorded_at);
