-- Payments that were taken back: when and why, and when the ERP took them back too.

alter table billing.payment
  add column reversed_at timestamptz,
  add column reversal_reason text,
  -- the ERP's; absent also where nothing was registered there
  add column erp_reversal text,
  add column reversal_registered_at timestamptz,
  add check ((reversed_at is null) = (reversal_reason is null)),
  add check (reversal_registered_at is null or reversed_at is not null);

-- Taken back is taken back: once, and for good.
create function billing.keep_reversed() returns trigger language plpgsql as $$
begin
  if (old.reversed_at, old.reversal_reason) is distinct from (new.reversed_at, new.reversal_reason) then
    raise exception 'payment % is reversed for good', old.id using errcode = 'CD002';
  end if;
  return new;
end $$;
create trigger keep_reversed before update on billing.payment
  for each row when (old.reversed_at is not null) execute function billing.keep_reversed();
