-- What suppliers answer and ship moves the days on which supply is to come.
create trigger touched_when_made after insert on supply.answer
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_changed after update on supply.answer
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_gone after delete on supply.answer
  referencing old table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_made after insert on supply.shipped
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_changed after update on supply.shipped
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_gone after delete on supply.shipped
  referencing old table as changed for each statement execute function log.touch_items('supply');
