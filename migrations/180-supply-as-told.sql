-- What suppliers tell of purchase orders: what they answer of each line, and what is under way.

-- when the source moved the date; what a supplier answered before that is no answer to it
alter table supply.line add column dated_at timestamptz not null default '-infinity';

-- The latest answer to a line. An answer that names a line or an item that nobody has read yet waits for it.
create table supply.answer (
  company text not null,
  number text not null,
  item_id int not null,
  -- as the supplier numbers it; 0 where it does not
  named_line int not null check (named_line >= 0),
  line int check (line > 0),
  supplier text not null,
  -- who told it, in which document
  source text not null,
  document text not null,
  told_at timestamptz not null,
  -- what will come, and when: [{"quantity": "12.5", "expectedOn": "2026-12-01"}]; without a day as ordered, null: nobody knows
  parts jsonb not null,
  -- what will not come
  refused numeric(15, 4) not null check (refused >= 0),
  -- how far it may be from the order before people are told
  tolerated_days int not null check (tolerated_days >= 0),
  tolerated_ppm int not null check (tolerated_ppm >= 0),
  recorded_at timestamptz not null default now(),
  primary key (company, number, item_id, named_line)
);
create index answer_unplaced on supply.answer (company, number) where line is null;

-- A ship notice: one for its supplier's number, however often it is told.
create table supply.notice (
  company text not null,
  supplier text not null,
  notice text not null,
  source text not null,
  document text not null,
  told_at timestamptz not null,
  primary key (company, supplier, notice)
);

-- What is under way by it; nothing, where it was taken back.
create table supply.shipped (
  company text not null,
  supplier text not null,
  notice text not null,
  n int not null,
  number text not null,
  item_id int not null,
  named_line int not null check (named_line >= 0),
  line int check (line > 0),
  -- in the item's base unit
  quantity numeric(15, 4) not null check (quantity > 0),
  -- infinity: nobody has said
  expected_on date not null,
  lot text,
  expires_on date,
  sscc text,
  tolerated_days int not null check (tolerated_days >= 0),
  recorded_at timestamptz not null default now(),
  primary key (company, supplier, notice, n),
  foreign key (company, supplier, notice) references supply.notice
);
create index shipped_of_order on supply.shipped (company, number);
create index shipped_unplaced on supply.shipped (company, number) where line is null;
