-- Which lots open requests are for, of items that have lots; '' is what the warehouse may take from any. Rows live while
-- something of their line is open.
create table shipments.requested_lot (
  fulfillment_id bigint not null,
  line smallint not null,
  lot text not null,
  -- what is to be taken first comes first
  n smallint not null,
  item_id int not null,
  location text not null,
  -- what is open of it
  quantity numeric(15, 4) not null check (quantity > 0),
  primary key (fulfillment_id, line, lot)
) with (fillfactor = 70);
create index requested_lot_at on shipments.requested_lot (item_id, location);

insert into shipments.requested_lot (fulfillment_id, line, lot, n, item_id, location, quantity)
select f.id, l.line, '', 1, l.item_id, f.location, l.quantity - l.shipped - l.short
from shipments.fulfillment f
join shipments.fulfillment_line l on l.fulfillment_id = f.id
join items.item i on i.id = l.item_id and i.lot_controlled
where f.state in ('requested', 'accepted', 'picking', 'packed') and l.quantity > l.shipped + l.short;

-- Why a warehouse is asked to stop, in words that it is told too.
alter table shipments.fulfillment add column cancel_reason text;
