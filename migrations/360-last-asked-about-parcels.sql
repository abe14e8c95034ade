-- What a carrier last said when it was asked about a parcel, and for how long it has given no answer.

alter table shipments.package
  add column asked_at timestamptz,
  add column asked_answer text check (asked_answer in ('news', 'nothing_new', 'not_known', 'unanswered')),
  -- so often in a row, since when
  add column times_unanswered integer not null default 0,
  add column unanswered_since timestamptz,
  drop constraint package_missed_check,
  add constraint package_missed_check check (missed in ('silent', 'not_known', 'unanswered'));
-- Few of those that travel: their carrier was asked, and nothing was heard of them since.
create index package_silent on shipments.package (ask_system, missed)
  where ask_at is not null and (times_asked > 0 or times_unanswered > 0);
