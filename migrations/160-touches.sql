-- Which keys of what kind a transaction changed, for those who keep copies in memory. Rows live for some minutes.
create table log.touch (
  xid xid8 not null default pg_current_xact_id(),
  position bigint generated always as identity,
  topic text not null,
  keys int[] not null,
  at timestamptz not null default now(),
  primary key (xid, position)
) with (autovacuum_vacuum_scale_factor = 0.2, autovacuum_vacuum_insert_scale_factor = 1);

-- One row for a statement, whoever sends it: what tells by itself cannot be forgotten, and costs nobody a message.
create function log.touch_items() returns trigger language plpgsql as $$
begin
  insert into log.touch (topic, keys) select tg_argv[0], array_agg(distinct item_id) from changed having count(*) > 0;
  return null;
end $$;

create trigger touched_when_made after insert on inventory.position
  referencing new table as changed for each statement execute function log.touch_items('stock');
create trigger touched_when_changed after update on inventory.position
  referencing new table as changed for each statement execute function log.touch_items('stock');

create trigger touched_when_made after insert on inventory.backorder
  referencing new table as changed for each statement execute function log.touch_items('stock');
create trigger touched_when_changed after update on inventory.backorder
  referencing new table as changed for each statement execute function log.touch_items('stock');
create trigger touched_when_gone after delete on inventory.backorder
  referencing old table as changed for each statement execute function log.touch_items('stock');

create trigger touched_when_made after insert on inventory.allocation
  referencing new table as changed for each statement execute function log.touch_items('stock');
create trigger touched_when_changed after update on inventory.allocation
  referencing new table as changed for each statement execute function log.touch_items('stock');
create trigger touched_when_gone after delete on inventory.allocation
  referencing old table as changed for each statement execute function log.touch_items('stock');

create trigger touched_when_made after insert on supply.line
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_changed after update on supply.line
  referencing new table as changed for each statement execute function log.touch_items('supply');
create trigger touched_when_gone after delete on supply.line
  referencing old table as changed for each statement execute function log.touch_items('supply');

create trigger touched_when_made after insert on items.unit
  referencing new table as changed for each statement execute function log.touch_items('items');
create trigger touched_when_gone after delete on items.unit
  referencing old table as changed for each statement execute function log.touch_items('items');

-- Each reading confirms every item; only what sells differently is told.
create function items.touch_changed() returns trigger language plpgsql as $$
begin
  insert into log.touch (topic, keys)
  select 'items', array_agg(a.id) from before b join after a using (id)
  where (a.name, a.status, a.catch_weight, a.lot_controlled, a.tax_class)
    is distinct from (b.name, b.status, b.catch_weight, b.lot_controlled, b.tax_class)
  having count(*) > 0;
  return null;
end $$;
create trigger touched_when_changed after update on items.item
  referencing old table as before new table as after for each statement execute function items.touch_changed();
