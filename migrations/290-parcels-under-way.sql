-- What carriers tell of parcels: of each package the newest scan, by their sequence, and of each shipment how far it is.

alter table shipments.package
  -- who carries it: the system that was the first to tell of it
  add column carrier_system text,
  add column milestone text check (milestone in ('manifested', 'picked_up', 'in_transit', 'delayed', 'exception',
    'damaged', 'lost', 'out_for_delivery', 'refused', 'delivered')),
  -- the carrier's own words for it
  add column scan_code text,
  add column scan_reason text,
  add column scan_sequence bigint,
  add column scanned_at timestamptz,
  add column scanned_in text,
  add column signed_by text,
  -- the newest scan whose code nobody knows, beside the newest that is understood
  add column unknown_code text,
  add column unknown_sequence bigint,
  add column unknown_at timestamptz;

alter table shipments.shipment
  add column milestone text check (milestone in ('in_transit', 'out_for_delivery', 'partially_delivered', 'delivered'));

-- Scans of parcels that no shipment has yet. Looked at again after pauses that grow, and when their shipment is booked.
create table shipments.early_scan (
  source text not null,
  tracking text not null,
  -- of the message in the inbox
  message_id text not null,
  sscc text,
  milestone text not null,
  code text not null,
  reason text,
  sequence bigint not null,
  scanned_at timestamptz not null,
  scanned_in text,
  signed_by text,
  told_at timestamptz not null,
  due_at timestamptz not null,
  primary key (source, message_id)
);
create index early_scan_oldest on shipments.early_scan (source, told_at);
create index early_scan_due on shipments.early_scan (due_at);
create index early_scan_of_parcel on shipments.early_scan (tracking);
