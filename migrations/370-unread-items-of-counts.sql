-- What counts of single items left unread, item by item, until a later one says what is there of it.

create table inventory.unread_count (
  company text not null,
  location text not null,
  source text not null,
  -- its number, or the ids of it that lead to none
  item text not null,
  -- under which somebody is told
  cause text not null,
  -- of which moment the count is
  taken_at timestamptz not null,
  line int not null,
  text text not null,
  reason text not null,
  cure text not null,
  primary key (company, location, source, item)
);
