-- Orders that warehouses took by themselves: what left of them is told as a movement of stock and read in a list, in
-- any order, and ends their claim once.

alter table inventory.external_reservation
  -- what its source had of it at its last reading, be it open or gone
  add column ordered numeric(15, 4) not null default 0,
  -- the part of it that had left by that reading and is told as a movement as well
  add column shipped numeric(15, 4) not null default 0,
  -- what left of it by movements that are booked, or that a count contains; the rest of what is ordered is wanted
  add column gone numeric(15, 4) not null default 0;

create index external_reservation_leaving on inventory.external_reservation (since) where gone < shipped;
