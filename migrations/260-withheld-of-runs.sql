-- What a backorder run does not give a line while the source of a place is silent, and why: it is shown and never done.

alter table inventory.backorder_move add column withheld text;
alter table inventory.backorder_move drop constraint backorder_move_state_check;
alter table inventory.backorder_move add constraint backorder_move_state_check
  check (state in ('planned', 'applied', 'changed', 'withheld'));
alter table inventory.backorder_move add constraint backorder_move_says_why
  check ((state = 'withheld') = (withheld is not null));
