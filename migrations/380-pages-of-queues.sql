-- What fills and empties all the time keeps its pages: to give them back, vacuum locks the table against everybody.
alter table desk.document set (vacuum_truncate = off);
alter table effects.intent set (vacuum_truncate = off);
alter table effects.held set (vacuum_truncate = off);
alter table sla.clock set (vacuum_truncate = off);
alter table inventory.reservation set (vacuum_truncate = off);
alter table inventory.allocation set (vacuum_truncate = off);
alter table inventory.backorder set (vacuum_truncate = off);
alter table inbox.held set (vacuum_truncate = off);
alter table log.touch set (vacuum_truncate = off);
alter table policies.lease set (vacuum_truncate = off);
alter table subscription.delivery set (vacuum_truncate = off);
