-- Fulfillment requests, shipments, invoices, payments.

create schema shipments;
create schema billing;

create table shipments.fulfillment (
  id bigint primary key,
  company text not null,
  order_id bigint not null,
  location text not null,
  state text not null default 'requested'
    check (state in ('requested', 'accepted', 'picking', 'done', 'refused', 'cancelled')),
  wms_number text,
  cancel_requested_at timestamptz,
  version int not null default 1,
  requested_at timestamptz not null default now()
) with (fillfactor = 70);
create index fulfillment_of_order on shipments.fulfillment (order_id);

create table shipments.fulfillment_line (
  fulfillment_id bigint not null,
  line smallint not null,
  item_id int not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  shipped numeric(15, 4) not null default 0,
  short numeric(15, 4) not null default 0,
  primary key (fulfillment_id, line),
  check (shipped >= 0 and short >= 0)
) with (fillfactor = 70);

create table shipments.shipment (
  id bigint primary key,
  company text not null,
  order_id bigint not null,
  fulfillment_id bigint not null,
  location text not null,
  carrier text not null,
  service text,
  shipped_at timestamptz not null,
  source text not null,
  source_key text not null,
  notified_at timestamptz,
  version int not null default 1,
  unique (source, source_key)
);
create index shipment_of_order on shipments.shipment (order_id);

create table shipments.package (
  shipment_id bigint not null,
  n smallint not null,
  sscc text,
  tracking text,
  weight_grams bigint,
  primary key (shipment_id, n)
);

create table shipments.shipment_line (
  shipment_id bigint not null,
  n smallint not null,
  package smallint not null,
  line smallint not null,
  item_id int not null,
  quantity numeric(15, 4) not null check (quantity > 0),
  lot text,
  expires_on date,
  -- actual weight in kilograms
  catch_weight numeric(15, 4),
  primary key (shipment_id, n)
);

create table billing.invoice (
  id bigint primary key,
  company text not null,
  order_id bigint not null,
  customer_id int not null,
  shipment_id bigint not null,
  currency text not null,
  state text not null default 'draft' check (state in
    ('draft', 'taxed', 'issued', 'posted', 'sent', 'partially_paid', 'paid', 'disputed', 'written_off', 'void')),
  net_minor bigint not null,
  tax_minor bigint,
  total_minor bigint,
  tax_evidence text,
  tax_jurisdiction text,
  -- the legal number, given by the one configured owner
  number text,
  terms_days int not null,
  posted_at timestamptz,
  due_date date,
  sent_at timestamptz,
  paid_minor bigint not null default 0,
  version int not null default 1,
  created_at timestamptz not null default now(),
  unique (company, number),
  check (paid_minor >= 0 and paid_minor <= coalesce(total_minor, 0)),
  check (total_minor = net_minor + tax_minor)
) with (fillfactor = 70);
create index invoice_of_order on billing.invoice (order_id);
-- A payer's invoices, of which the open ones are picked out. No column in it changes, nor does it have a predicate on
-- one, so posting and paying stay heap-only updates; the price is a look at the payer's paid invoices too.
create index invoice_of_customer on billing.invoice (customer_id, id);

-- One line for each billable shipment line and billing event, whatever happens.
create table billing.invoice_line (
  invoice_id bigint not null,
  n smallint not null,
  shipment_id bigint not null,
  shipment_line smallint not null,
  event text not null default 'shipment',
  order_line smallint not null,
  item_id int not null,
  -- in `unit`: what was ordered in, or the base unit where less than a whole one of it left
  quantity numeric(15, 4) not null,
  unit text not null,
  -- for one of `price_unit`
  price_minor bigint not null,
  price_unit text not null,
  -- in kilograms: then the line is priced by it
  catch_weight numeric(15, 4),
  net_minor bigint not null,
  tax_minor bigint,
  tax_rate_ppm int,
  primary key (invoice_id, n),
  unique (shipment_id, shipment_line, event)
) with (fillfactor = 70);

create table billing.payment (
  id bigint primary key,
  company text not null,
  customer_id int not null,
  sender text not null,
  reference text not null,
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  applied_minor bigint not null default 0,
  -- of customer, currency, amount and the invoices named: the same reference with another one is a conflict
  content_hash bytea not null,
  received_at timestamptz not null,
  erp_number text,
  registered_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default now(),
  unique (company, sender, reference),
  check (applied_minor >= 0 and applied_minor <= amount_minor)
) with (fillfactor = 70);

create index payment_of_customer on billing.payment (customer_id);

create table billing.payment_application (
  payment_id bigint not null,
  invoice_id bigint not null,
  amount_minor bigint not null check (amount_minor > 0),
  -- what the payment made of the invoice, so that a repeated payment is answered as the first was
  invoice_state text not null,
  primary key (payment_id, invoice_id)
);
create index application_to_invoice on billing.payment_application (invoice_id);

-- A posted invoice never changes what it says, nor goes away; only its life goes on (sent, paid).
create function billing.keep_posted() returns trigger language plpgsql as $$
begin
  if old.posted_at is null then return case tg_op when 'DELETE' then old else new end; end if;
  if tg_op = 'DELETE' or (old.company, old.order_id, old.customer_id, old.shipment_id, old.net_minor, old.tax_minor,
       old.total_minor, old.tax_evidence, old.number, old.currency, old.posted_at, old.due_date)
     is distinct from (new.company, new.order_id, new.customer_id, new.shipment_id, new.net_minor, new.tax_minor,
       new.total_minor, new.tax_evidence, new.number, new.currency, new.posted_at, new.due_date) then
    raise exception 'invoice % is posted and immutable', old.id using errcode = 'CD002';
  end if;
  return new;
end $$;
create trigger keep_posted before update or delete on billing.invoice
  for each row execute function billing.keep_posted();

create function billing.keep_posted_lines() returns trigger language plpgsql as $$
begin
  if (select posted_at from billing.invoice where id = old.invoice_id) is not null then
    raise exception 'invoice % is posted and immutable', old.invoice_id using errcode = 'CD002';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger keep_posted before update or delete on billing.invoice_line
  for each row execute function billing.keep_posted_lines();
