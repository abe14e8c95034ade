-- Streams that wait for a message which was put aside: what follows it is held until a person has settled it.

alter table inbox.stream add column stopped_by text;
-- Only streams that stand still enter this index, and no step of a stream that goes on changes its columns.
create index stream_stopped on inbox.stream (source, stopped_by) where stopped_by is not null;
