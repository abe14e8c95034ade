-- Subscriptions to the event log: signed webhooks to addresses that others name, each with a position of its own.
create schema subscription;

create table subscription.webhook (
  id           text        primary key check (id ~ '^sub_[0-9a-f]{24}$'),
  name         text        not null,
  url          text        not null,
  client       text        not null,
  -- whose events it sees; without one all
  partner      text,
  -- the queue whose people see to what it does not take
  owner        text        not null,
  -- empty: all of them
  types        text[]      not null,
  domains      text[]      not null,
  companies    text[]      not null,
  payload      text        not null check (payload in ('thin', 'full')),
  state        text        not null default 'active' check (state in ('active', 'paused', 'stopped')),
  reason       text        check ((state = 'active') = (reason is null)),
  version      int         not null default 1,
  -- what is up to here has been read: it is delivered, of no interest, or a row of subscription.delivery
  generation   smallint    not null,
  xid          xid8        not null,
  position     bigint      not null,
  -- raised when a person moves the position, so that a round under way does not move it back
  moves        int         not null default 0,
  -- the epoch of the process that delivers now
  holder       bigint,
  due_at       timestamptz not null,
  -- in a row, whatever was sent
  failures     int         not null default 0,
  succeeded_at timestamptz,
  created_at   timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);

-- Whoever signs needs the secret itself, so it is sealed under a key that is not in the database.
create table subscription.secret (
  id           bigint      generated always as identity primary key,
  subscription text        not null references subscription.webhook on delete cascade,
  sealed       bytea       not null,
  made_at      timestamptz not null,
  -- from a rotation on: how long it still signs beside the new one
  until        timestamptz
);
create index secret_subscription on subscription.secret (subscription);

-- What was read from the log and is not delivered: it waits for its turn or its retry, or it is a dead letter.
create table subscription.delivery (
  subscription    text        not null references subscription.webhook on delete cascade,
  key             bigint      not null,
  key_version     int         not null,
  type            text        not null,
  generation      smallint    not null,
  xid             xid8        not null,
  position        bigint      not null,
  state           text        not null check (state in ('waiting', 'dead')),
  attempts        smallint    not null,
  due_at          timestamptz not null,
  first_failed_at timestamptz,
  last_failed_at  timestamptz,
  cause           text,
  primary key (subscription, key, key_version)
) with (autovacuum_vacuum_scale_factor = 0.1);

-- The delivery log: every attempt.
create table subscription.attempt (
  id           bigint      generated always as identity primary key,
  subscription text        not null references subscription.webhook on delete cascade,
  key          bigint      not null,
  key_version  int         not null,
  type         text        not null,
  number       smallint    not null,
  at           timestamptz not null,
  took_ms      int         not null,
  outcome      text        not null check (outcome in ('delivered', 'failed')),
  status       smallint,
  cause        text
);
create index attempt_subscription on subscription.attempt (subscription, id);
-- Rows arrive in time order, so a block range index finds the old ones at almost no cost to the writers.
create index attempt_at on subscription.attempt using brin (at) with (autosummarize = on);
