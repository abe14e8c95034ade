-- Goods left by paper, which names no tracking number: perhaps under a label of ours.

alter table shipments.packing
  drop constraint packing_state_check,
  add constraint packing_state_check check (state in ('asked', 'refused', 'unwanted', 'bought', 'given', 'used',
    'doubtful', 'orphaned', 'void', 'travelling', 'dropped'));
