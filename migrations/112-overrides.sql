-- What people decided on steps that were stuck. The step's row is what the process decides from; this keeps who said
-- what and why, and what the system itself said of it later.

create table desk.override (
  id bigint generated always as identity primary key,
  doc bigint not null,
  step text not null,
  subject text not null default '',
  act text not null check (act in ('complete', 'skip', 'restart', 'cancel')),
  -- what the step was stuck by, in words
  state text not null,
  -- its call may have been done when the decision was made
  in_doubt boolean not null default false,
  reference text,
  -- what was entered, by the names under which the system's own answer is compared
  entered jsonb not null default '{}',
  actor text not null,
  reason text not null,
  at timestamptz not null default now(),
  -- the system's own fact, which stands from then on
  superseded_at timestamptz,
  told jsonb,
  check ((superseded_at is null) = (told is null))
);
create index override_of_document on desk.override (doc);
