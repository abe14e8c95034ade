-- How much of what is cancelled the ERP has taken off its own order, or never had on it: its order is for the rest.

alter table orders.line add column erp_closed numeric(15, 4) not null default 0;
update orders.line set erp_closed = cancelled where cancelled > 0;
alter table orders.line add check (erp_closed between 0 and cancelled);
