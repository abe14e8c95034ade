-- Units of others have serials too: each is one owner's, and what was told of it says whose it was and became.

alter table inventory.serial
  -- whose books have to explain it, at the place that does
  add column doubt_owner text not null default 'own',
  add constraint owner_is_a_code check (owner ~ '^[A-Za-z0-9._-]{1,20}$'),
  add constraint of_others_nothing_is_sold check (owner = 'own' or (shipment_id is null and order_id is null));

alter table inventory.serial_fact
  add column from_owner text not null default 'own',
  add column to_owner text not null default 'own';
