-- What was told of units since a look at the invariants.
create index serial_fact_recorded_at on inventory.serial_fact using brin (recorded_at) with (autosummarize = on);
