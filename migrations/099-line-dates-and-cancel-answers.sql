-- When the customer wants a line, and at which turn its wish to cancel the whole order was refused.

alter table orders.line add column requested_date date;

alter table orders.sales_order add column cancel_refused_turn smallint;
