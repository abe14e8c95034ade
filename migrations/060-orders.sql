-- Orders and stock. Quantities are in the item's base unit unless a column says otherwise.

create schema orders;
create schema inventory;

create table orders.sales_order (
  id bigint primary key,
  company text not null,
  customer_id int not null references customers.customer,
  -- numbers and words as they were at capture, so that an order can be read without its master data
  customer text not null,
  terms_days int not null,
  tax_id text,
  tax_exempt boolean not null default false,
  channel text not null,
  -- the system instance or partner it came through, and its own id there
  sender text not null,
  external_id text,
  customer_order text not null,
  order_date date,
  requested_date date,
  currency text not null,
  ship_to_code text,
  shipping_rule text not null,
  note text,
  -- minor units; what open lines are worth to the credit account
  total_minor bigint not null,
  exposure_minor bigint not null,
  erp_number text,
  erp_cancelled_at timestamptz,
  -- states of affairs worth telling the channel, and how many of them it was told
  turn smallint not null default 1,
  acknowledged_turn smallint not null default 0,
  cancel_requested_at timestamptz,
  closed_at timestamptz,
  version int not null default 1,
  trace_id uuid,
  created_at timestamptz not null default now()
) with (fillfactor = 70);
create index sales_order_recent on orders.sales_order (created_at, id);

-- Where an order names an address that is not one of the customer's; blanked by erasure.
create table orders.ship_to (
  order_id bigint primary key references orders.sales_order,
  name text,
  lines text[] not null default '{}',
  city text,
  region text,
  postal_code text,
  country text
);

create table orders.line (
  order_id bigint not null,
  n smallint not null,
  -- the customer's own line number
  customer_line text not null,
  item_id int not null,
  sku text not null,
  base_unit text not null,
  tax_class text not null,
  -- as ordered: quantity in `unit`, of which one is numerator/denominator base units
  quantity numeric(15, 4) not null,
  unit text not null,
  numerator bigint not null,
  denominator bigint not null,
  -- for one of `price_unit`; a catch-weight item is priced by weight
  price_minor bigint not null,
  price_unit text not null,
  -- what the line is worth at capture
  net_minor bigint not null,
  rejection text,
  ordered numeric(15, 4) not null,
  cancelled numeric(15, 4) not null default 0,
  open numeric(15, 4) not null default 0,
  backordered numeric(15, 4) not null default 0,
  reserved numeric(15, 4) not null default 0,
  released numeric(15, 4) not null default 0,
  picked numeric(15, 4) not null default 0,
  packed numeric(15, 4) not null default 0,
  shipped numeric(15, 4) not null default 0,
  delivered numeric(15, 4) not null default 0,
  returned numeric(15, 4) not null default 0,
  primary key (order_id, n),
  check (ordered = cancelled + open + backordered + reserved + released + picked + packed + shipped),
  check (least(cancelled, open, backordered, reserved, released, picked, packed, shipped) >= 0),
  check (delivered <= shipped and returned <= shipped)
) with (fillfactor = 70);

create table orders.hold (
  id bigint primary key,
  order_id bigint not null references orders.sales_order,
  company text not null,
  type text not null,
  reason text not null,
  blocks text[] not null,
  status text not null default 'open' check (status in ('open', 'resolved', 'rejected', 'expired')),
  raised_by text not null,
  raised_at timestamptz not null default now(),
  owner text not null,
  expires_at timestamptz,
  resolution text,
  resolved_by text,
  resolved_at timestamptz
);
create index hold_of_order on orders.hold (order_id);
-- few rows, so a list of held orders is short work however many orders there are
create index hold_open on orders.hold (order_id) where status = 'open';

-- The same business document is found by its natural key whatever idempotency key it comes under. Kept for ever.
create table orders.natural_key (
  company text not null,
  sender text not null,
  customer_id int not null,
  customer_order text not null,
  period text not null,
  order_id bigint not null,
  content_hash bytea not null,
  primary key (company, sender, customer_id, customer_order, period)
);

-- Any number by which anybody knows a document. Only inserted.
create table orders.reference (
  value text not null,
  scheme text not null,
  doc bigint not null,
  order_id bigint not null,
  primary key (value, scheme, doc)
);
create index reference_of_order on orders.reference (order_id);

create table inventory.location (
  code text primary key,
  company text,
  type text not null check (type in ('warehouse', 'store', '3pl', 'supplier', 'van')),
  name text not null,
  time_zone text not null,
  -- order in which locations are tried
  rank smallint not null default 0
);

-- One row for item × location as a whole (lot ''), on which reservations are checked, and below it one row a lot.
create table inventory.position (
  company text not null,
  item_id int not null,
  location text not null,
  lot text not null default '',
  owner text not null default 'own',
  available numeric(15, 4) not null default 0,
  reserved numeric(15, 4) not null default 0,
  quality_hold numeric(15, 4) not null default 0,
  damaged numeric(15, 4) not null default 0,
  in_transit numeric(15, 4) not null default 0,
  -- minus what physically left although our books could not cover it, until somebody explains it
  unreconciled numeric(15, 4) not null default 0,
  primary key (item_id, location, lot, owner, company),
  constraint never_oversold check (reserved >= 0 and reserved <= available),
  check (least(available, quality_hold, damaged, in_transit) >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.2);

-- Double entry: a quantity leaves one bucket and enters another. Partitioned by month, only inserted.
create table inventory.movement (
  id bigint generated always as identity,
  company text not null,
  item_id int not null,
  location text not null,
  lot text not null default '',
  owner text not null default 'own',
  from_bucket text not null,
  to_bucket text not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  reason text not null,
  source text not null,
  source_key text not null,
  doc bigint,
  at timestamptz not null,
  recorded_at timestamptz not null default now(),
  check (from_bucket <> to_bucket)
) partition by range (recorded_at);

create function inventory.ensure_partition(month date) returns void language plpgsql as $$
declare
  first date := date_trunc('month', month);
  name text := 'movement_' || to_char(first, 'YYYYMM');
begin
  if to_regclass('inventory.' || name) is not null then return; end if;
  execute format('create table inventory.%I partition of inventory.movement for values from (%L) to (%L)',
    name, first || ' 00:00:00+00', (first + interval '1 month')::date || ' 00:00:00+00');
  execute format('create index on inventory.%I (item_id, location, id)', name);
end $$;

select inventory.ensure_partition((date_trunc('month', now()) + make_interval(months => n))::date)
from generate_series(-1, 3) n;

-- What an order line may take from a location. Rows live from reservation to release; then the open quantity of the
-- fulfillment line is the claim. A position's reserved quantity is the sum of both.
create table inventory.reservation (
  doc bigint not null,
  line smallint not null,
  location text not null,
  company text not null,
  item_id int not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  primary key (doc, line, location)
) with (fillfactor = 70);

-- Lines that wait for stock, in the order in which they are filled. Rows live while the backorder does.
create table inventory.backorder (
  item_id int not null,
  since timestamptz not null default now(),
  doc bigint not null,
  line smallint not null,
  company text not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  primary key (item_id, doc, line)
);
