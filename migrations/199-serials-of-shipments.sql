-- Which units left with a line, as the warehouse named them.
alter table shipments.shipment_line add column serials jsonb;
