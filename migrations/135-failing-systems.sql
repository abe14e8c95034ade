-- Since when a system has not proved that it works: kept from the first opening of its breaker until it closes.
alter table policies.system add failing_since timestamptz;
