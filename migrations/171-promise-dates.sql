-- When supply is expected to reach a line that waits; the row goes when the line is filled, and so does the promise.
alter table inventory.backorder
  -- null: nobody knows, or nothing is to come
  add column promised_on date,
  -- when that was last found out; null until somebody has looked
  add column promised_at timestamptz,
  -- the day that was promised before it slipped, until that day can be kept again
  add column slipped_from date;
