-- Where the log stood at a time. Transaction ids rise with the time of recording but for the length of a transaction,
-- and only they are indexed, so the place is found by halving instead of by reading a month.
create function log.position_at(moment timestamptz, out generation smallint, out xid xid8, out "position" bigint)
language plpgsql stable as $$
declare
  low numeric := 0;
  high numeric;
  middle numeric;
  told timestamptz;
begin
  select coalesce(max(g.generation), 1) into generation from log.generation g where g.started_at <= moment;
  select e.xid::text::numeric into high from log.event e where e.generation = position_at.generation
    order by e.generation desc, e.xid desc, e.position desc limit 1;
  high := coalesce(high, 0) + 1;
  -- the smallest transaction id from which on everything was recorded at that time or later
  while low < high loop
    middle := div(low + high, 2);
    select e.recorded_at into told from log.event e
      where (e.generation, e.xid) >= (position_at.generation, middle::text::xid8)
      order by e.generation, e.xid, e.position limit 1;
    if told is null or told >= moment then
      high := middle;
    else
      low := middle + 1;
    end if;
  end loop;
  xid := low::text::xid8;
  "position" := 0;
end $$;
