-- What a warehouse tells of picks and packages before it ships.

alter table shipments.fulfillment
  drop constraint fulfillment_state_check,
  add constraint fulfillment_state_check
    check (state in ('requested', 'accepted', 'picking', 'packed', 'done', 'refused', 'cancelled'));

alter table shipments.fulfillment_line
  -- told in all, whether it has shipped since or not
  add column picked numeric(15, 4) not null default 0,
  add column packed numeric(15, 4) not null default 0,
  add constraint fulfillment_line_packed_of_picked check (packed between 0 and picked and picked <= quantity);
