-- Labels that the house buys for what a warehouse has packed.

create table shipments.packing (
  fulfillment_id bigint not null references shipments.fulfillment,
  -- the warehouse's own: one packing however often it is told
  number text not null,
  -- the system that sells the label
  carrier text not null,
  -- what it is asked for, the same at every attempt
  ask jsonb not null,
  -- unwanted: asked for, and needed no more; orphaned: bought, and to be voided; travelling: could not be voided
  state text not null default 'asked' check (state in ('asked', 'refused', 'unwanted', 'bought', 'given', 'used',
    'orphaned', 'void', 'travelling', 'dropped')),
  -- the carrier's number of what was bought
  label text,
  tracking jsonb not null default '[]',
  charge_minor bigint,
  currency text,
  -- what is printed, until the warehouse has it
  content jsonb check (content is null or state = 'bought'),
  primary key (fulfillment_id, number),
  check ((label is null) = (charge_minor is null) and (label is null) = (currency is null)),
  check (label is not null or state in ('asked', 'refused', 'unwanted', 'dropped'))
);
