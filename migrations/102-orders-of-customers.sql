-- Lists of the orders of one customer, and of one partner, begin at his newest. No column here ever changes, so that
-- what happens to an order on its way touches no index.

create index sales_order_of_customer on orders.sales_order (customer, created_at, id);
create index sales_order_of_sender on orders.sales_order (sender, created_at, id);
