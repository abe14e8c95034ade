-- Stock that came back or may not be used lies in buckets of its own; what is between two places belongs to a transfer.

alter table inventory.position
  add column quarantine numeric(15, 4) not null default 0 check (quarantine >= 0),
  add column blocked numeric(15, 4) not null default 0 check (blocked >= 0);

-- `transfer` is between two places: what leaves one into it comes out of it at the other, in the same transaction.
alter table inventory.movement
  add constraint buckets_are_known check (
    array[from_bucket, to_bucket] <@ array['available', 'quality_hold', 'quarantine', 'damaged', 'blocked', 'in_transit',
      'unreconciled', 'supplier', 'shipped', 'adjustment', 'opening', 'transfer']),
  -- whatever its state, somebody looks at it first
  add constraint returns_are_quarantined check (from_bucket <> 'shipped' or to_bucket = 'quarantine');

-- What one place sends to another, by the number that both know.
create table inventory.transfer (
  company text not null,
  number text not null,
  item_id int not null,
  lot text not null default '',
  -- null until the place that sends has told
  from_location text,
  to_location text not null,
  sent numeric(15, 4) not null default 0,
  arrived numeric(15, 4) not null default 0,
  -- sent, and known never to arrive
  missing numeric(15, 4) not null default 0,
  -- arrived beyond what was sent: its sending is told later, or somebody counts
  ahead numeric(15, 4) not null default 0,
  open numeric(15, 4) not null generated always as (sent - arrived - missing) stored,
  changed_at timestamptz not null default now(),
  primary key (company, number, item_id, lot, to_location),
  constraint between_two_places check (from_location <> to_location),
  constraint arrives_of_what_was_sent check (
    least(arrived, missing, ahead) >= 0 and arrived + missing <= sent and (ahead = 0 or arrived + missing = sent))
) with (fillfactor = 70);
create index transfer_open on inventory.transfer (to_location, item_id) where open > 0;

-- A receipt that the warehouse takes back is minus.
alter table supply.receipt drop constraint receipt_quantity_check, add check (quantity <> 0);
