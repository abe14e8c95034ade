-- What a customer buys must live for so many days after it ships, where its item is known by lots.

alter table customers.customer
  add column minimum_shelf_life_days int constraint customer_shelf_life_is_ahead check (minimum_shelf_life_days >= 0);

-- As it was at capture; null where any lot will do.
alter table orders.line add column minimum_shelf_life_days int;

-- The same of its claim and of what waits of it, so that both are added up by item and place.
alter table inventory.reservation add column minimum_shelf_life_days int;
create index reservation_of_shelf_life on inventory.reservation (item_id, location)
  where minimum_shelf_life_days is not null;
alter table inventory.backorder add column minimum_shelf_life_days int;

-- The first day on which what the warehouse takes for the line may expire.
alter table shipments.fulfillment_line add column minimum_expiry date;
