-- Exceptions that people change through doors, and service level clocks.

-- Raised by whatever people do with it and by its end, so that nobody overwrites what he has not seen. A document that
-- joins or leaves does not raise it: it writes no row that all of them share.
alter table exceptions.exception add column version integer not null default 1;

create schema sla;

-- Clocks that run. One that stops in time leaves; on the way of a good order a row is inserted and deleted and never
-- updated, so the index costs one entry.
create table sla.clock (
  doc bigint not null,
  flow text not null,
  company text not null,
  started_at timestamptz not null default now(),
  warn_at timestamptz not null,
  due_at timestamptz not null,
  -- when the clock wants to be looked at next: at its warning, at its breach, then no more; not while it stands still
  look_at timestamptz,
  stage text not null default 'running' check (stage in ('running', 'warned', 'breached')),
  breached_at timestamptz,
  paused_at timestamptz,
  -- [{"from": …, "to": …}]
  pauses jsonb not null default '[]',
  primary key (doc, flow),
  check (warn_at <= due_at),
  check (paused_at is null or look_at is null),
  check ((stage = 'breached') = (breached_at is not null))
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.1);
create index clock_look on sla.clock (look_at) where look_at is not null;

-- Clocks that stopped too late: kept.
create table sla.breach (
  doc bigint not null,
  flow text not null,
  company text not null,
  started_at timestamptz not null,
  due_at timestamptz not null,
  breached_at timestamptz not null,
  stopped_at timestamptz not null default now(),
  pauses jsonb not null,
  primary key (doc, flow)
);
