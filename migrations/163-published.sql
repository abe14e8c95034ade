-- What channels were told last of what can be promised to them.
create table inventory.published (
  item_id int not null,
  channel text not null,
  company text not null,
  -- the document that its events are about
  doc bigint not null,
  version int not null,
  available numeric(15, 4) not null,
  confidence text not null check (confidence in ('normal', 'careful', 'ask')),
  -- as of when the books were read; what was read earlier never takes its place
  as_of timestamptz not null,
  primary key (item_id, channel)
) with (fillfactor = 70);
