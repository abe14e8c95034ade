-- Documents whose call a closed gate or a full lane sent away, in the order in which they are called back: by priority,
-- then by coming. What is not called back comes back by its due time on the desk.
create table effects.held (
  doc bigint primary key,
  system text not null,
  priority smallint not null,
  n bigint generated always as identity
) with (autovacuum_vacuum_scale_factor = 0.1);
create index held_next on effects.held (system, priority, n);
