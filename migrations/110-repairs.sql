-- Repairs: parked work that is replayed or discarded together. A selection is frozen and rehearsed; started, it is a job.
create schema repair;

create table repair.job (
  id           bigint      generated always as identity primary key,
  action       text        not null check (action in ('replay', 'discard')),
  -- what was asked for: ids, a filter, or the job whose failed items these are
  asked        jsonb       not null,
  selected_by  text        not null,
  selected_at  timestamptz(3) not null default now(),
  expires_at   timestamptz(3) not null,
  total        int         not null default 0,
  -- what the orders behind the items are worth, by currency
  stake        jsonb       not null default '[]',
  state        text        not null default 'previewing'
    check (state in ('previewing', 'ready', 'running', 'paused', 'aborted', 'ended')),
  -- items up to here are rehearsed, by whoever has it until then
  rehearsed_to bigint      not null default 0,
  rehearsed    int         not null default 0,
  leased_until timestamptz,
  samples      int         not null default 0,
  name         text        check (name <> ''),
  reason       text        check (reason <> ''),
  started_by   text,
  started_at   timestamptz(3),
  per_second   int         check (per_second > 0),
  -- items up to here are handed over: where the job goes on
  handed_to    bigint      not null default 0,
  handed_at    timestamptz,
  done         int         not null default 0,
  failed       int         not null default 0,
  ended_at     timestamptz(3),
  check ((state in ('previewing', 'ready')) = (started_at is null)),
  check (started_at is null or (name is not null and reason is not null and started_by is not null and per_second is not null)),
  check ((state = 'ended') = (ended_at is not null)),
  check (done + failed <= total)
) with (fillfactor = 50);

create table repair.item (
  job          bigint      not null references repair.job on delete cascade,
  item         bigint      not null,
  -- of the parked work when it was selected: what failed or was edited since is not what was rehearsed
  version      int         not null,
  expected     text        check (expected in ('change', 'nothing', 'rejection')),
  expected_code    text,
  expected_message text,
  sends        int         not null default 0,
  suppresses   int         not null default 0,
  -- field by field, for the first few that change something
  sample       jsonb,
  state        text        not null default 'waiting' check (state in ('waiting', 'replaying', 'done', 'failed')),
  outcome      text,
  code         text,
  message      text,
  settled_at   timestamptz(3),
  primary key (job, item)
) with (fillfactor = 70);

create index item_replaying on repair.item (job, item) where state = 'replaying';
