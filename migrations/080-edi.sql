-- EDI: the files that came in, what they said that our answers need, and the documents we sent with their fate.

create schema edi;

-- A file is known by its content, so that it is read once whatever it is called.
create table edi.file (
  content_hash text primary key,
  name text not null,
  bytes bigint not null,
  state text not null default 'reading' check (state in ('reading', 'read', 'rejected')),
  interchanges integer not null default 0,
  sets integer not null default 0,
  -- about the file and its envelopes; those about a set stand at its message in the inbox
  findings jsonb not null default '[]',
  repeats integer not null default 0,
  received_at timestamptz not null default now(),
  read_at timestamptz
);

create table edi.interchange (
  -- qualifier and id of the ISA
  sender text not null,
  control_number text not null,
  content_hash text not null references edi.file,
  partner text,
  received_at timestamptz not null default now(),
  primary key (sender, control_number, content_hash)
);

-- The last number used by us, and the last seen of theirs.
create table edi.control_number (
  partner text not null,
  direction text not null check (direction in ('in', 'out')),
  last integer not null check (last between 1 and 999999999),
  at timestamptz not null default now(),
  primary key (partner, direction)
) with (fillfactor = 50);

-- What our answers repeat of an order: its lines as the partner wrote them, and those that never became ours.
create table edi.purchase_order (
  message_id text primary key,
  partner text not null,
  document jsonb not null,
  refused_lines jsonb not null,
  received_at timestamptz not null default now()
);

-- Our documents, one an interchange. The row is there, with its number and its text, before the file is.
create table edi.outbound (
  -- of the effect, or of the message that it answers: the same document is never numbered twice
  key text primary key,
  partner text not null,
  company text not null,
  type text not null,
  control_number integer not null,
  -- the message of the purchase order that it is about
  about text,
  segments jsonb not null,
  content text not null,
  file_name text not null,
  acknowledgment text not null check (acknowledgment in ('none', 'waiting', 'accepted', 'rejected')),
  due_at timestamptz,
  overdue boolean not null default false,
  acknowledged_at timestamptz,
  created_at timestamptz not null default now(),
  written_at timestamptz,
  unique (partner, control_number)
) with (fillfactor = 70);
create index outbound_unwritten on edi.outbound (created_at) where written_at is null;
create index outbound_waiting on edi.outbound (due_at) where acknowledgment = 'waiting';
create index outbound_about on edi.outbound (about) where about is not null;
