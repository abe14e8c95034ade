-- Whether a count was of all that is at a place; one of single items proves nothing of the others.

alter table inventory.reconciliation add column whole boolean not null default true;
