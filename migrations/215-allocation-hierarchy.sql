-- What is kept for some of those for whom a pool is: each row counts what it does not pass on to those within it.

alter table inventory.allocation
  add column within text,
  add constraint within_another foreign key (item_id, location, within)
    references inventory.allocation (item_id, location, name),
  add constraint within_no_circle check (within <> name),
  add constraint safety_is_within_nothing check (kind <> 'safety' or within is null);

-- A claim comes out of as many allocations as stand around its channel's own, the innermost first.
create function inventory.total(numeric[]) returns numeric language sql immutable parallel safe
  return (select coalesce(sum(n), 0) from unnest($1) as n);

alter table inventory.channel_claim
  add column allocations bigint[] not null default '{}',
  add column portions numeric(15, 4)[] not null default '{}';
update inventory.channel_claim set allocations = array[allocation_id], portions = array[allocated]
where allocation_id is not null;
alter table inventory.channel_claim
  drop column allocation_id,
  drop column allocated,
  add constraint portions_are_of_allocations check (cardinality(allocations) = cardinality(portions)),
  add constraint portions_are_claimed check (
    0 <= all (portions) and inventory.total(portions) <= quantity);
