-- Raised by whatever changes parked work, so that nobody overwrites a change that he has not seen.

alter table parking.item add column version integer not null default 1;
