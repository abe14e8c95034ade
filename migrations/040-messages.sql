-- Inbound messages, parked work, business exceptions and the audit trail.

create schema inbox;

-- One row for every message that ever came in. Its key is what makes a second delivery harmless, so the table is
-- whole, not partitioned, and is emptied by age. A door that decides in its own transaction inserts the outcome at
-- once: such a row is never updated.
create table inbox.message (
  source text not null,
  message_id text not null,
  company text,
  type text not null,
  content_hash text not null,
  state text not null check (state in
    ('received', 'applied', 'duplicate', 'superseded', 'parked', 'quarantined', 'replayed', 'discarded')),
  stream text,
  sequence bigint,
  taken_at timestamptz,
  doc bigint,
  detail jsonb,
  repeats integer not null default 0,
  received_trace text,
  received_at timestamptz not null default now(),
  body text not null,
  primary key (source, message_id)
);
-- Only messages that outlive their transaction undecided enter this index.
create index message_undecided on inbox.message (received_at) where state = 'received';
create index message_age on inbox.message using brin (received_at);

-- How far each stream of a source has been applied. A stream is what the source keeps in order: one item, one
-- shipment, or the whole feed.
create table inbox.stream (
  source text not null,
  stream text not null,
  last_sequence bigint,
  last_taken_at timestamptz,
  blocked_since timestamptz,
  missing_from bigint,
  missing_to bigint,
  primary key (source, stream),
  check ((blocked_since is null) = (missing_from is null) and (missing_from is null) = (missing_to is null)),
  check (missing_from <= missing_to)
) with (fillfactor = 70);
create index stream_blocked on inbox.stream (blocked_since) where blocked_since is not null;

-- Messages that wait for an earlier one of their stream.
create table inbox.held (
  source text not null,
  stream text not null,
  sequence bigint not null,
  message_id text not null,
  held_at timestamptz not null default now(),
  primary key (source, stream, sequence),
  foreign key (source, message_id) references inbox.message
);

-- Payload fields that differ from the shape the connector knows, each once.
create table inbox.drift (
  source text not null,
  type text not null,
  path text not null,
  kind text not null check (kind in ('new', 'missing', 'retyped')),
  expected text,
  found text,
  message_id text not null,
  seen_at timestamptz not null default now(),
  primary key (source, type, path, kind)
);

create schema parking;

-- Work that ended neither well nor refused: a message, a document's step or a call to another system.
create table parking.item (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('message', 'document', 'effect')),
  key text not null,
  company text,
  system text,
  step text,
  doc bigint,
  payload text,
  edited boolean not null default false,
  cause_code text not null,
  cause_message text not null,
  cause_facts jsonb not null default '{}',
  context jsonb not null default '{}',
  state text not null default 'parked' check (state in ('parked', 'replaying', 'replayed', 'discarded')),
  attempts integer not null default 1,
  poison boolean not null default false,
  first_failed_at timestamptz not null default now(),
  last_failed_at timestamptz not null default now(),
  replayed_at timestamptz,
  settled_by text,
  settled_reason text,
  unique (kind, key)
);
create index item_waiting on parking.item (id) where state in ('parked', 'replaying');
create index item_doc on parking.item (doc) where doc is not null;

create table parking.edit (
  item bigint not null references parking.item on delete cascade,
  number integer not null,
  edited_at timestamptz not null default now(),
  editor text not null,
  reason text not null,
  payload_before text not null,
  changes jsonb not null,
  primary key (item, number)
);

create schema exceptions;

-- One row for one cause at one company, however many documents it stops. None is without owner, due time and a next
-- thing to do.
create table exceptions.exception (
  id bigint generated always as identity primary key,
  company text not null,
  cause text not null,
  code text not null,
  title text not null,
  owner text not null check (owner <> ''),
  assignee text,
  severity text not null check (severity in ('critical', 'high', 'normal', 'low')),
  rank smallint not null generated always as
    (case severity when 'critical' then 1 when 'high' then 2 when 'normal' then 3 else 4 end) stored,
  state text not null default 'open' check (state in ('open', 'assigned', 'in_progress', 'resolved', 'wont_fix')),
  suggested_action text not null check (suggested_action <> ''),
  facts jsonb not null default '{}',
  opened_at timestamptz not null default now(),
  -- in milliseconds, so that a cursor read by JavaScript names its row exactly
  due_at timestamptz(3) not null,
  closed_at timestamptz,
  closed_by text,
  resolution text,
  check ((state in ('resolved', 'wont_fix')) = (closed_at is not null)),
  check (closed_at is null or (closed_by is not null and resolution is not null))
);
create unique index exception_open_cause on exceptions.exception (company, cause) where closed_at is null;
create index exception_open_due on exceptions.exception (rank, due_at, id) where closed_at is null;
create index exception_cause on exceptions.exception (company, cause);

-- The documents a cause stops and what each is worth. Value at stake is their sum, so that a document joins without
-- a write to the row that all of them share.
create table exceptions.affected (
  exception bigint not null references exceptions.exception,
  doc bigint not null,
  kind text not null,
  value_minor bigint not null default 0,
  currency text,
  affected_at timestamptz not null default now(),
  cleared_at timestamptz,
  cleared_how text,
  primary key (exception, doc),
  check (value_minor = 0 or currency is not null)
);
create index affected_doc on exceptions.affected (doc);
create index affected_live on exceptions.affected (exception) where cleared_at is null;

create table exceptions.note (
  id bigint generated always as identity primary key,
  exception bigint not null references exceptions.exception,
  noted_at timestamptz not null default now(),
  author text not null,
  act text not null check (act in ('assigned', 'started', 'commented', 'resolved', 'wont_fix')),
  text text not null
);
create index note_exception on exceptions.note (exception, id);

create schema audit;

-- A sequence, since partitions share their parent's identity column only from PostgreSQL 17 on.
create sequence audit.position;

create table audit.entry (
  position bigint not null default nextval('audit.position'),
  generation smallint not null,
  xid xid8 not null default pg_current_xact_id(),
  recorded_at timestamptz not null default now(),
  actor text not null,
  action text not null,
  company text,
  kind text,
  doc bigint,
  reason text,
  before jsonb,
  after jsonb,
  trace_id text
) partition by range (recorded_at);
create index entry_order on audit.entry (generation, xid, position);

-- Creates the partitions from this month to `months_ahead` months on, those that are missing.
create function audit.ensure_partitions(months_ahead integer) returns integer language plpgsql as $$
declare
  first_day timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
  month_start timestamptz;
  partition_name text;
  created integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('audit.ensure_partitions'));
  for ahead in 0..months_ahead loop
    month_start := (first_day at time zone 'UTC' + make_interval(months => ahead)) at time zone 'UTC';
    partition_name := 'entry_' || to_char(month_start at time zone 'UTC', 'YYYYMM');
    if to_regclass('audit.' || partition_name) is null then
      execute format('create table audit.%I partition of audit.entry for values from (%L) to (%L)', partition_name,
        month_start, (month_start at time zone 'UTC' + interval '1 month') at time zone 'UTC');
      created := created + 1;
    end if;
  end loop;
  return created;
end $$;
select audit.ensure_partitions(3);

-- Each seal covers the entries after the previous one up to (generation, xid, position) and hashes them onto it.
create table audit.seal (
  number bigint primary key,
  generation smallint not null,
  xid xid8 not null,
  position bigint not null,
  entries integer not null check (entries > 0),
  hash bytea not null,
  previous_hash bytea not null,
  sealed_at timestamptz not null default now()
);
