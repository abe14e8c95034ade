-- How far each system of record has been read, and what of it could not be taken.

create schema reading;

create table reading.progress (
  company text not null,
  source text not null,
  resource text not null,
  -- changes up to here are taken; null before the first complete reading
  since timestamptz,
  -- the reading under way: its next page, when its first page was read, and whether it leaves nothing out
  cursor text,
  begun_as_of timestamptz,
  complete boolean not null default true,
  primary key (company, source, resource),
  check (cursor is null or begun_as_of is not null)
);

create table reading.rejection (
  company text not null,
  source text not null,
  resource text not null,
  key text not null,
  code text not null,
  reason text not null,
  as_of timestamptz not null,
  -- kept only where it may be taken later as it is, and it names no person
  record jsonb,
  first_rejected_at timestamptz not null default now(),
  primary key (company, source, resource, key)
);
