-- Who wins and who loses of what there is too little of: planned first, then done exactly as it was shown.

create table inventory.backorder_run (
  id bigint generated always as identity primary key,
  company text not null,
  -- items, locations and rules as they were asked for
  asked jsonb not null,
  state text not null default 'planned' check (state in ('planned', 'running', 'ended')),
  planned_by text not null,
  planned_at timestamptz(3) not null default now(),
  reason text check (reason <> ''),
  started_by text,
  started_at timestamptz(3),
  ended_at timestamptz(3),
  check ((state = 'planned') = (started_at is null)),
  check (started_at is null or (reason is not null and started_by is not null)),
  check ((state = 'ended') = (ended_at is not null))
);
create index backorder_run_running on inventory.backorder_run (id) where state = 'running';

create table inventory.backorder_move (
  run bigint not null references inventory.backorder_run,
  n int not null,
  item_id int not null,
  sku text not null,
  doc bigint not null,
  line smallint not null,
  class text not null check (class in ('win', 'gain', 'improve', 'redistribute', 'fill', 'lose')),
  location text not null,
  -- gained, or below zero lost
  quantity numeric(15, 4) not null check (quantity <> 0),
  -- what the line had when this was planned
  reserved numeric(15, 4) not null,
  backordered numeric(15, 4) not null,
  expected_before date,
  expected_after date,
  state text not null default 'planned' check (state in ('planned', 'applied', 'changed')),
  -- what is otherwise than it was when this was planned
  changed text,
  primary key (run, n),
  check ((state = 'changed') = (changed is not null))
);
create index backorder_move_planned on inventory.backorder_move (run, item_id, n) where state = 'planned';
