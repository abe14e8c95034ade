-- What is known of single lots beside their stock: when they expire, and that somebody holds them.

create table inventory.lot (
  company text not null,
  item_id int not null,
  lot text not null check (lot <> ''),
  expires_on date,
  held_by text,
  held_at timestamptz,
  held_reason text,
  primary key (company, item_id, lot),
  constraint held_by_somebody check ((held_by is null) = (held_at is null) and (held_by is null) = (held_reason is null))
);

-- A recall finds what left by its lot, however much has been shipped.
create index shipment_line_of_lot on shipments.shipment_line (item_id, lot, shipment_id, n) where lot is not null;
