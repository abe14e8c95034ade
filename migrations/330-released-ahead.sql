-- What a warehouse has let go from hold before it has told that it holds it: taken off that hold when it is told. A row is
-- read only where stock goes on hold or off it.

create table inventory.released_ahead (
  company text not null,
  item_id int not null,
  location text not null,
  lot text not null,
  owner text not null,
  -- of the release: what it lets go was held before
  at timestamptz not null,
  quantity numeric(15, 4) not null check (quantity >= 0),
  primary key (item_id, location, lot, owner, at, company)
);
