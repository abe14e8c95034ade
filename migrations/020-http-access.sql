-- The doors: results of requests by idempotency key, and the keys of those who may ask.
create schema http;
create schema access;

-- One row per effectful request, written with its result in the transaction that had the effect; kept 72 hours.
create table http.idempotency (
  client      text        not null,
  key         text        not null,
  fingerprint bytea       not null check (octet_length(fingerprint) = 32),
  status      smallint    not null check (status between 200 and 499),
  body        text        not null,
  created_at  timestamptz not null default now(),
  primary key (client, key)
);
-- Rows arrive in time order, so a block range index finds the old ones at almost no cost to the writers.
create index idempotency_created_at on http.idempotency using brin (created_at) with (autosummarize = on);

create table access.api_key (
  prefix      text        primary key check (prefix ~ '^[0-9a-f]{12}$'),
  secret_hash bytea       not null check (octet_length(secret_hash) = 32),
  client      text        not null check (client ~ '^[A-Za-z0-9_.-]{1,80}$'),
  scopes      text[]      not null check (cardinality(scopes) between 1 and 100),
  partner     text,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz,
  revoked_at  timestamptz
);
