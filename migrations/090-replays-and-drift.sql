-- What became of replayed work, and how long a payload has drifted from its recorded shape.

-- Said by the door that took it in; null while nothing was.
alter table parking.item add column outcome text;

-- A warning stands from its first sighting until its field has been as recorded for a while after the last one.
alter table inbox.drift add column last_seen_at timestamptz not null default now();
