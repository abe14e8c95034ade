-- Open documents of an exception are read in their order, a portion at a time, without those that left it.

create index affected_live_doc on exceptions.affected (exception, doc) where cleared_at is null;
drop index exceptions.affected_live;
