-- How fresh a source must be, as a person said it: versions that never change, in place of the configured rule.

create table inventory.freshness_rule (
  source text not null,
  flow text not null check (flow in ('messages', 'readings')),
  version int not null check (version > 0),
  -- null withdraws what was set before: the configuration holds again
  rule jsonb,
  reason text not null check (reason <> ''),
  set_by text not null,
  set_at timestamptz(3) not null default now(),
  primary key (source, flow, version)
);

create function inventory.keep_freshness_rule() returns trigger language plpgsql as $$
begin
  raise exception 'version % of the rule for % is immutable', old.version, old.source using errcode = 'CD002';
end $$;
create trigger keep_version before update or delete on inventory.freshness_rule
  for each row execute function inventory.keep_freshness_rule();

-- The last version beside the state, so that who asks whether a source is silent reads by which rule as well.
alter table inventory.source_state
  add column rule_version int not null default 0,
  add column rule_set_at timestamptz(3),
  add column rule jsonb;
