-- Whose silence lowered what a backorder run could move when it was planned, and of which items; null where nobody was silent.

alter table inventory.backorder_run add column careful jsonb;
