-- A parcel on its way of which nothing is heard is asked about at its carrier.

alter table shipments.package
  -- the system to ask, and when next; nobody is asked about a parcel that has arrived, or where nobody can be
  add column ask_system text,
  add column ask_at timestamptz,
  -- so often since the last news of it
  add column times_asked smallint not null default 0,
  -- that it left, or a scan of it
  add column news_at timestamptz,
  -- why somebody is told that it is missed
  add column missed text check (missed in ('silent', 'not_known'));
-- What has arrived leaves it.
create index package_to_ask on shipments.package (ask_system, ask_at) where ask_at is not null;

-- What travels already was told of by the system that is asked.
update shipments.package set ask_system = carrier_system, ask_at = now(), news_at = now()
where tracking is not null and milestone is distinct from 'delivered'
  and coalesce(scanned_at, unknown_at) > now() - interval '60 days';
