-- What all processes know together about each outside system: pause, breaker, rate and slots.

create schema policies;

-- One row per system instance. It is written when something changes and, where rate or slots are shared, each second.
create table policies.system (
  instance text primary key,
  -- Raised with each change of pause or breaker.
  revision bigint not null default 0,
  paused_until timestamptz,
  paused_reason text,
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  open_until timestamptz not null default 'epoch',
  -- Probes that came back good while half open.
  proven int not null default 0 check (proven >= 0),
  -- Calls that the rate allows now; null before the first.
  tokens float8 check (tokens >= 0),
  tokens_at timestamptz not null default now(),
  check ((paused_until is null) = (paused_reason is null))
) with (fillfactor = 50);

-- What each process holds of it. A lease lapses by time, so what a dead process held comes back by itself.
create table policies.lease (
  instance text not null references policies.system,
  holder bigint not null,
  slots int not null check (slots >= 0),
  probes int not null check (probes >= 0),
  active boolean not null,
  waiting_since timestamptz,
  expires_at timestamptz not null,
  primary key (instance, holder)
) with (fillfactor = 50);
