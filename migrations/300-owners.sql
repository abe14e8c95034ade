-- Stock that lies with us and is another's: positions and movements carry its owner, and so does all that leads to them.

alter table inventory.position
  add constraint owner_is_a_code check (owner ~ '^[A-Za-z0-9._-]{1,20}$'),
  add constraint of_others_nothing_is_reserved check (owner = 'own' or reserved = 0);

-- `owner` is between two owners: what leaves one into it comes out of it at the other, in the same transaction.
alter table inventory.movement
  drop constraint buckets_are_known,
  add constraint buckets_are_known check (
    array[from_bucket, to_bucket] <@ array['available', 'quality_hold', 'quarantine', 'damaged', 'blocked', 'in_transit',
      'unreconciled', 'supplier', 'shipped', 'adjustment', 'opening', 'transfer', 'owner']);

-- A source numbers what it tells of each owner's stock by itself.
alter table inventory.feed
  add column owner text not null default 'own',
  drop constraint feed_pkey,
  add primary key (item_id, location, source, owner);
alter table inventory.feed_held
  add column owner text not null default 'own',
  drop constraint feed_held_pkey,
  add primary key (item_id, location, source, owner, sequence);

alter table inventory.transfer
  add column owner text not null default 'own',
  drop constraint transfer_pkey,
  add primary key (company, number, item_id, lot, to_location, owner);

alter table inventory.adjustment_line
  add column owner text not null default 'own',
  add column to_owner text,
  drop constraint adjustment_line_kind_check,
  add constraint adjustment_line_kind_check check (
    kind in ('counted', 'found', 'lost', 'moved', 'returned', 'sent', 'arrived', 'missing', 'handed-over')),
  add constraint handed_over_to_another check ((kind = 'handed-over') = (to_owner is not null) and owner <> to_owner);
