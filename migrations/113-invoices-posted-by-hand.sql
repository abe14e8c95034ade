-- An invoice whose posting a person entered is immutable too, but for the ERP's own posting, which takes its place once.

alter table billing.invoice add column posted_by_hand boolean not null default false;

create or replace function billing.keep_posted() returns trigger language plpgsql as $$
begin
  if old.posted_at is null then return case tg_op when 'DELETE' then old else new end; end if;
  if tg_op = 'UPDATE' then
    if old.posted_by_hand and not new.posted_by_hand
      and (old.company, old.order_id, old.customer_id, old.shipment_id, old.net_minor, old.currency, old.tax_evidence)
        is not distinct from
          (new.company, new.order_id, new.customer_id, new.shipment_id, new.net_minor, new.currency, new.tax_evidence)
    then return new; end if;
  end if;
  if tg_op = 'DELETE' or (old.company, old.order_id, old.customer_id, old.shipment_id, old.net_minor, old.tax_minor,
       old.total_minor, old.tax_evidence, old.number, old.currency, old.posted_at, old.due_date, old.posted_by_hand)
     is distinct from (new.company, new.order_id, new.customer_id, new.shipment_id, new.net_minor, new.tax_minor,
       new.total_minor, new.tax_evidence, new.number, new.currency, new.posted_at, new.due_date, new.posted_by_hand) then
    raise exception 'invoice % is posted and immutable', old.id using errcode = 'CD002';
  end if;
  return new;
end $$;
