-- What shops have still to be told of what can be promised: at most one row an item, whose figure is read when it is told.
create table inventory.untold (
  -- the system, by its name
  shop text not null,
  item_id int not null,
  company text not null,
  channel text not null,
  -- how often there was something to tell: what was told meanwhile is not all
  raised int not null default 1,
  -- of two figures the shop keeps the one of the later time
  as_of timestamptz not null,
  -- part of a full publication, behind what has changed
  behind boolean not null,
  due_at timestamptz not null,
  attempts int not null default 0,
  -- why the shop did not take it
  refusal text,
  primary key (shop, item_id)
) with (fillfactor = 70);
create index untold_due on inventory.untold (shop, behind, due_at);
create index untold_refused on inventory.untold (shop, company, refusal) where refusal is not null;
