-- What differs between the books and a count and was told to somebody, until a count agrees; its figures are those of the
-- last reconciliation that found it.

create table inventory.standing_difference (
  company text not null,
  location text not null,
  source text not null,
  item_id int not null,
  -- what it may come of: items that differ for the same reason since the same reconciliation are one exception
  reason text not null,
  first_id bigint not null,
  last_id bigint not null,
  primary key (company, location, source, item_id)
);
