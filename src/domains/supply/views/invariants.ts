/** What holds of supply, and what other rooms are compared with. */
import { type Invariant, invariant, relation } from '#platform/invariants.ts'

/** What each told receipt comes to, by the movement that it is. */
export const receipts = relation(
  'supply.receipts',
  `select c.source, c.source_key, r.item_id, r.location, sum(r.quantity) as quantity
   from (select distinct source, source_key from supply.receipt where recorded_at >= (select at from since)) c
   cross join lateral (
     select item_id, location, quantity from supply.receipt
     where source = c.source and source_key = c.source_key offset 0) r
   group by 1, 2, 3, 4`,
)

export const supplyInvariants: readonly Invariant[] = [
  invariant(
    'supply.received_is_its_receipts',
    `select 'purchase order ' || c.company || ' ' || c.number || ' line ' || c.line || ': received '
       || coalesce(trim_scale(l.received)::text, 'nothing') || ', receipts ' || trim_scale(told.quantity)
     from (
       select company, number, line from supply.receipt where line > 0 and recorded_at >= (select at from since)
       union select company, number, line from supply.line
       where received > 0 and (select at from since) = '-infinity') c
     left join supply.line l using (company, number, line)
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from supply.receipt r
       where r.company = c.company and r.number = c.number and r.line = c.line) told
     where l.received is distinct from told.quantity`,
    'what was received of a purchase order line is the sum of the receipts that warehouses told',
  ),
]
