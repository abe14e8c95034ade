-- Customers, items, prices, locations: our copies of what the systems of record own, each with its source and as-of.

create schema customers;
create schema items;
create schema pricing;

create table customers.customer (
  id int generated always as identity primary key,
  company text not null,
  number text not null,
  name text not null,
  status text not null check (status in ('active', 'blocked')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  terms_days int not null check (terms_days >= 0),
  price_list text not null,
  shipping_rule text not null default 'ship-available'
    check (shipping_rule in ('ship-available', 'ship-complete', 'line-complete', 'cancel-rest')),
  credit_hold boolean not null default false,
  tax_id text,
  -- buys for resale under a certificate
  tax_exempt boolean not null default false,
  default_ship_to text not null,
  source text not null,
  as_of timestamptz not null,
  unique (company, number)
);

-- Personal data stands here and in the orders' address snapshots, nowhere else.
create table customers.address (
  customer_id int not null references customers.customer,
  code text not null,
  name text,
  lines text[] not null default '{}',
  city text,
  region text,
  postal_code text,
  country text,
  primary key (customer_id, code)
);

-- First in the lock order. Exposure = receivables as the ERP counts them + what it cannot know yet.
create table customers.credit_account (
  customer_id int primary key references customers.customer,
  company text not null,
  -- null: no limit
  credit_limit_minor bigint,
  receivables_minor bigint not null default 0,
  receivables_as_of timestamptz not null,
  -- orders and invoices of ours that are not in the ERP's receivables yet, less payments it does not know
  open_minor bigint not null default 0
) with (fillfactor = 50);

create table items.item (
  id int generated always as identity primary key,
  company text not null,
  sku text not null,
  name text not null,
  status text not null check (status in ('active', 'discontinued', 'blocked')),
  base_unit text not null,
  catch_weight boolean not null default false,
  lot_controlled boolean not null default false,
  tax_class text not null,
  source text not null,
  as_of timestamptz not null,
  unique (company, sku)
);

-- How many base units one of this unit is, exactly.
create table items.unit (
  item_id int not null references items.item,
  unit text not null,
  numerator bigint not null check (numerator > 0),
  denominator bigint not null check (denominator > 0),
  primary key (item_id, unit)
);

create table items.identifier (
  company text not null,
  scheme text not null,
  value text not null,
  item_id int not null references items.item,
  primary key (company, scheme, value)
);
create index identifier_of_item on items.identifier (item_id);

-- `list` is a price list's code, or 'customer:' and a customer's number for a contract.
create table pricing.price (
  company text not null,
  item_id int not null references items.item,
  list text not null,
  unit text not null,
  currency text not null,
  min_quantity numeric(15, 4) not null default 0,
  amount_minor bigint not null check (amount_minor >= 0),
  valid_from date not null,
  valid_to date,
  source text not null,
  as_of timestamptz not null,
  primary key (item_id, list, unit, currency, min_quantity, valid_from)
);
