-- Whose turn it is to read an ERP: one process at a time, and the next reading when it is due.

create table reading.turn (
  company text not null,
  source text not null,
  -- the epoch of the process that reads now
  holder bigint,
  due_at timestamptz not null default now(),
  primary key (company, source)
);
