-- Who waits is given what is kept for the channel of its order; nobody's where a process of the version before queued it.

alter table inventory.backorder add column channel text not null default '';
update inventory.backorder b set channel = o.channel from orders.sales_order o where o.id = b.doc;
