-- Partners are told at intervals what has changed since they were told last.
create index published_since on inventory.published (company, channel, as_of);
