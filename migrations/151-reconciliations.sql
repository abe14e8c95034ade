-- Books compared with what a source counts, as of a moment of the source; the last of a day is its proof of agreement.

create table inventory.reconciliation (
  id bigint generated always as identity primary key,
  company text not null,
  location text not null,
  source text not null,
  -- by the company's clock
  day date not null,
  dry_run boolean not null,
  state text not null default 'asked' check (state in ('asked', 'done', 'failed')),
  asked_by text not null,
  asked_at timestamptz not null default now(),
  finished_at timestamptz,
  -- of the snapshot
  taken_at timestamptz,
  mark bigint,
  -- by place
  matched int not null default 0,
  differing int not null default 0,
  missing_here int not null default 0,
  missing_there int not null default 0,
  -- facts that were missing and came when they were asked for
  recovered int not null default 0,
  adjusted int not null default 0,
  told int not null default 0,
  value_minor bigint not null default 0,
  currency text not null,
  problem text,
  constraint done_has_a_moment check (state <> 'done' or (taken_at is not null and finished_at is not null))
) with (fillfactor = 70);
create index reconciliation_asked on inventory.reconciliation (id) where state = 'asked';
create index reconciliation_of_day on inventory.reconciliation (company, location, source, day);

-- Only inserted.
create table inventory.reconciliation_difference (
  reconciliation_id bigint not null,
  item_id int not null,
  sku text not null,
  kind text not null check (kind in ('differing', 'missing_here', 'missing_there')),
  ours_available numeric(15, 4) not null,
  ours_hold numeric(15, 4) not null,
  ours_damaged numeric(15, 4) not null,
  theirs_available numeric(15, 4) not null,
  theirs_hold numeric(15, 4) not null,
  theirs_damaged numeric(15, 4) not null,
  value_minor bigint,
  outcome text not null check (outcome in ('shown', 'adjusted', 'told')),
  primary key (reconciliation_id, item_id)
);
