-- What people entered for a warehouse whose system was away, until that system tells of it itself.

create table inventory.by_hand (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('ship', 'pick', 'short', 'count', 'return')),
  company text not null,
  location text not null,
  item_id int not null,
  lot text not null default '',
  -- the shipment, the request that was picked, or the adjustment
  doc bigint not null,
  fulfillment_id bigint,
  line smallint,
  -- as it was booked; of a count that found less with a minus
  quantity numeric(15, 4) not null check (quantity <> 0),
  -- what the warehouse's own system has not told of it
  open numeric(15, 4) not null,
  reference text not null,
  actor text not null,
  happened_at timestamptz not null,
  entered_at timestamptz not null default now(),
  -- known: told as it was entered. counted: a snapshot took its place. settled: a person says that no more is told of it
  outcome text check (outcome in ('known', 'differs', 'counted', 'settled')),
  ended_at timestamptz,
  constraint of_a_request check ((kind in ('ship', 'pick', 'short')) = (fulfillment_id is not null)
    and (fulfillment_id is null) = (line is null)),
  constraint told_in_part check (open between least(quantity, 0) and greatest(quantity, 0)),
  constraint ended_some_way check ((outcome is null) = (ended_at is null) and (open = 0) = (ended_at is not null))
) with (fillfactor = 70);
create index by_hand_at on inventory.by_hand (item_id, location, id);
create index by_hand_of_document on inventory.by_hand (doc, id);
create index by_hand_untold on inventory.by_hand (entered_at) where ended_at is null;
create index by_hand_of_request on inventory.by_hand (fulfillment_id, id) where fulfillment_id is not null;
create index by_hand_of_company on inventory.by_hand (company, id);

-- People have entered something of it: what the warehouse tells is compared with that.
alter table shipments.fulfillment add column by_hand boolean not null default false;

-- A warehouse's own shipment of which all was entered by hand before, so that it is known when it is told again.
create table shipments.known_by_hand (
  source text not null,
  source_key text not null,
  fulfillment_id bigint not null,
  primary key (source, source_key)
);
create index known_by_hand_of_request on shipments.known_by_hand (fulfillment_id);
