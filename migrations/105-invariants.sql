-- What the hourly look at the invariants knows, and what it stands on.

create schema invariants;

-- How each invariant was found, and up to where it held: there its next look begins.
create table invariants.state (
  name text primary key,
  violations int not null,
  looked_at timestamptz not null default now(),
  generation smallint not null,
  xid xid8 not null,
  at timestamptz not null
);

-- Movements arrive in time order, so a block range index finds the new ones at almost no cost to the writers.
create index movement_recorded_at on inventory.movement using brin (recorded_at) with (autosummarize = on);

alter table shipments.fulfillment_line
  add constraint fulfillment_line_takes_what_it_asks_for check (shipped + short <= quantity);
