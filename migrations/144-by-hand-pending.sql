-- What waits for another person is compared with the warehouse too: what that tells first is not booked again when it is approved.
alter table inventory.by_hand add column booked boolean not null default true;
