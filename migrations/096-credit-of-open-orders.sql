-- Whether what a customer has ordered and was not billed for counts against its credit limit.

alter table customers.customer add column counts_open_orders boolean not null default true;
