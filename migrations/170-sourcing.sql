-- From where orders are served: profiles in immutable versions, and what was decided of each order by one.

create table inventory.sourcing_profile (
  id bigint generated always as identity primary key,
  company text not null,
  name text not null check (name <> ''),
  version int not null check (version > 0),
  -- whose orders it is for; all where null
  channel text,
  customer_group text,
  effective_from timestamptz(3) not null,
  -- a version that is not in use ends the profile from then on
  in_use boolean not null,
  rules jsonb not null,
  reason text not null check (reason <> ''),
  made_by text not null,
  made_at timestamptz(3) not null default now(),
  unique (company, name, version)
);

create function inventory.keep_sourcing_profile() returns trigger language plpgsql as $$
begin
  raise exception 'version % of sourcing profile % is immutable', old.version, old.name using errcode = 'CD002';
end $$;
create trigger keep_version before update or delete on inventory.sourcing_profile
  for each row execute function inventory.keep_sourcing_profile();

-- What was looked at for an order, what was chosen and why not the rest. Only inserted.
create table inventory.sourcing_decision (
  doc bigint not null,
  id bigint generated always as identity,
  cause text not null check (cause in ('accepted', 'waited', 'short')),
  -- null where the company's own order of locations decided
  profile bigint references inventory.sourcing_profile,
  -- country and region of the ship-to, as far as they are known
  ship_to text,
  at timestamptz(3) not null default now(),
  decision jsonb not null,
  primary key (doc, id)
);

-- A pick that found too little: nobody is sent there for that line again until something is told of the place.
create table inventory.short_pick (
  doc bigint not null,
  line smallint not null,
  location text not null,
  item_id int not null,
  at timestamptz not null default now(),
  primary key (doc, line, location)
);

-- When stock of a lot first came to a location: the oldest is sold first.
alter table inventory.position add column since timestamptz not null default now();
