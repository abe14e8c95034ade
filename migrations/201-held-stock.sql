-- What of a lot we hold ourselves; the rest of what is on hold the warehouse holds, and a lot that is let go leaves it so.
alter table inventory.position
  add column held numeric(15, 4) not null default 0,
  add constraint held_of_what_is_on_hold check (held >= 0 and held <= quality_hold);

-- Who held what was not kept until now: as before, all that is on hold of a lot that is held is let go with it.
update inventory.position p set held = p.quality_hold
from inventory.lot l
where l.company = p.company and l.item_id = p.item_id and l.lot = p.lot and l.held_by is not null and p.quality_hold > 0;
