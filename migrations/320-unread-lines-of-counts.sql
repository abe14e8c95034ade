-- What a count of all that is at a place leaves open: lines that were not understood, and what stays since they may be of it.

alter table inventory.reconciliation
  -- items of which the books have something and the count says nothing
  add column not_said int not null default 0,
  add column unread int not null default 0,
  -- the first of them: line, text, reason, cure
  add column unread_lines jsonb not null default '[]';
