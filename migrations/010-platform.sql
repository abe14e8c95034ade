-- The engine's tables: event log, desk, effects. Nothing here knows a business word.

create schema log;
create schema desk;
create schema effects;

-- One number range for documents of every kind, taken in blocks of 1,000; small numbers are left to fixtures.
create sequence desk.document_block start 1000;

-- The event log -----------------------------------------------------------------------------------------------------

-- A restore into another cluster raises the generation, since transaction ids start anew there.
create table log.generation (
  generation smallint primary key,
  started_at timestamptz not null default now()
);
insert into log.generation values (1);

-- Run once after a restore, before anything is written.
create function log.raise_generation() returns smallint language plpgsql as $$
declare
  raised smallint := (select max(generation) + 1 from log.generation);
begin
  insert into log.generation values (raised);
  execute format('alter table log.event alter column generation set default %s', raised);
  return raised;
end $$;

create table log.event (
  position bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  generation smallint not null default 1,
  type text not null,
  key bigint not null,
  key_version int not null,
  company text not null,
  schema_version smallint not null default 1,
  occurred_at timestamptz not null default now(),
  recorded_at timestamptz not null default now(),
  source text not null,
  actor text not null,
  correlation_id bigint not null,
  causation_id text,
  trace_id uuid,
  data jsonb not null
) partition by range (recorded_at);

-- Makes the month's partition with its two indexes. Gaplessness per document comes from the document's own row.
create function log.ensure_partition(month date) returns void language plpgsql as $$
declare
  first date := date_trunc('month', month);
  name text := 'event_' || to_char(first, 'YYYYMM');
begin
  if to_regclass('log.' || name) is not null then return; end if;
  execute format('create table log.%I partition of log.event for values from (%L) to (%L)',
    name, first || ' 00:00:00+00', (first + interval '1 month')::date || ' 00:00:00+00');
  execute format('create unique index on log.%I (key, key_version)', name);
  execute format('create index on log.%I (generation, xid, position)', name);
end $$;

select log.ensure_partition((date_trunc('month', now()) + make_interval(months => n))::date) from generate_series(-1, 3) n;

-- The desk ----------------------------------------------------------------------------------------------------------

-- A process that works. It holds session lock (1, epoch) for as long as it lives.
create table desk.node (
  epoch bigint generated always as identity primary key,
  name text not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  backend_pid int not null default pg_backend_pid(),
  dead boolean not null default false
);

-- First statement of every transaction of a process: refuses one that was declared dead, and answers the
-- transaction's id, by which a lost COMMIT acknowledgement is read back.
create function desk.fence(process_epoch bigint) returns text language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(2, process_epoch::int);
  if (select dead from desk.node where epoch = process_epoch) is distinct from false then
    raise exception 'process % was declared dead; its work was taken over', process_epoch using errcode = 'CD001';
  end if;
  return pg_current_xact_id()::text;
end $$;

-- Documents that have work to do or a timer to wait for. Finished ones leave.
create table desk.document (
  doc bigint primary key,
  process text not null,
  company text not null,
  priority smallint not null default 2 check (priority between 0 and 4),
  share int not null default 0,
  due_at timestamptz not null default now(),
  version int not null default 1,
  owner bigint,
  failures smallint not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
create index document_due on desk.document (priority, due_at) where owner is null;

-- What facts cannot say about a step's subject: refused, skipped, done by hand, undone; or waiting for a new try under
-- a higher generation after a person asked for one.
create table desk.step (
  doc bigint not null,
  step text not null,
  subject text not null default '',
  state text not null check (state in ('waiting', 'done', 'refused', 'skipped', 'undone')),
  generation smallint not null default 1,
  actor text not null,
  reason text,
  at timestamptz not null default now(),
  primary key (doc, step, subject)
);

-- Effects -----------------------------------------------------------------------------------------------------------

-- Calls to other systems that are not answered yet. The primary key is the idempotency key at the target. A
-- confirmed or refused one leaves: its outcome is an event of the document.
create table effects.intent (
  doc bigint not null,
  step text not null,
  subject text not null default '',
  generation smallint not null default 1,
  system text not null,
  operation text not null,
  business_key text not null,
  state text not null default 'intended' check (state in ('intended', 'retry', 'unknown', 'parked')),
  attempts smallint not null default 0,
  intended_at timestamptz not null default now(),
  due_at timestamptz,
  -- before this moment an unknown call that cannot be found may still show up at the target
  absent_after timestamptz,
  detail text,
  primary key (doc, step, subject, generation)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.1);
create index intent_in_trouble on effects.intent (system, state) where state in ('unknown', 'parked');
