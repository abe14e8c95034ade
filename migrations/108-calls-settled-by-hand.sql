-- What a person found out about a call in doubt, kept until a process has taken it as the outcome.

-- A process of the version before takes `resolved` for in doubt: it repeats under the same key, asks, or parks.
alter table effects.intent drop constraint intent_state_check,
  add constraint intent_state_check check (state in ('intended', 'retry', 'unknown', 'parked', 'resolved')),
  add column resolution jsonb,
  add constraint resolved_by_somebody check (state <> 'resolved' or resolution is not null);
