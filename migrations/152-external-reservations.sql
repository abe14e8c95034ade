-- What other systems have sold of our stock by themselves: lines of their open orders that are not orders of ours.

create table inventory.external_reservation (
  company text not null,
  source text not null,
  -- the order's number and line at its source
  document text not null,
  line text not null,
  kind text not null check (kind in ('order', 'counter')),
  -- for whom, by the source's own number
  owner text not null,
  -- what the source knows it by beside its number
  reference text,
  item_id int not null,
  sku text not null,
  location text not null,
  -- in base units; 0 once it has ended, so that an older reading does not bring it back
  wanted numeric(15, 4) not null check (wanted >= 0),
  -- the part of it that the position's reserved quantity contains; the rest is a clash
  claimed numeric(15, 4) not null,
  since timestamptz not null default now(),
  changed_at timestamptz not null,
  as_of timestamptz not null,
  primary key (company, source, document, line),
  constraint claims_what_is_wanted check (claimed between 0 and wanted)
) with (fillfactor = 70);
create index external_reservation_place on inventory.external_reservation (item_id, location);
create index external_reservation_short on inventory.external_reservation (since) where claimed < wanted;

alter table inventory.allocation
  -- the source whose sales it bridges until they are read; null where people keep it back
  add column guards text;
