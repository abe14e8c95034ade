/** What holds of invoices and payments, and what other rooms are compared with. */
import { type Invariant, invariant, relation } from '#platform/invariants.ts'

export const billingDocuments = relation(
  'billing.documents',
  `select id as doc, version from billing.invoice union all select id, version from billing.payment`,
)
export const openInvoices = relation(
  'billing.open',
  `select id as doc, 'invoice' as kind from billing.invoice where number is null and state <> 'void'`,
)
export const billedLines = relation(
  'billing.billed_lines',
  `select i.id as doc, i.order_id, l.n, l.shipment_id, l.shipment_line, l.order_line, l.item_id, l.price_minor, l.price_unit
   from billing.invoice i join billing.invoice_line l on l.invoice_id = i.id`,
)

export const billingInvariants: readonly Invariant[] = [
  invariant(
    'billing.invoices_are_their_lines',
    `select 'invoice ' || i.id || ': ' || i.net_minor || ' net, its lines ' || l.net
       || coalesce('; ' || i.tax_minor || ' tax, its lines ' || l.tax, '')
     from changed c join billing.invoice i on i.id = c.doc
     cross join lateral (
       select coalesce(sum(net_minor), 0) as net, sum(tax_minor) as tax from billing.invoice_line where invoice_id = i.id) l
     where i.net_minor <> l.net or (i.tax_evidence is not null and i.tax_minor <> l.tax)`,
    'an invoice is the sum of its lines and of their tax',
  ),
  invariant(
    'billing.paid_is_what_payments_paid',
    `select 'invoice ' || i.id || ': ' || i.paid_minor || ' paid, ' || a.amount || ' by payments'
     from changed c cross join lateral (select * from billing.invoice where id = c.doc offset 0) i
     cross join lateral (
       select coalesce(sum(b.amount_minor), 0) as amount from billing.payment_application b
       cross join lateral (
         select from billing.payment where id = b.payment_id and reversed_at is null offset 0) standing
       where b.invoice_id = i.id) a
     where i.paid_minor <> a.amount`,
    'an invoice is paid by what payments paid of it that were not taken back',
  ),
  invariant(
    'billing.payments_are_spent_once',
    `select 'payment ' || p.id || ': ' || p.applied_minor || ' applied, ' || a.amount || ' on invoices'
     from changed c cross join lateral (select * from billing.payment where id = c.doc offset 0) p
     cross join lateral (
       select coalesce(sum(amount_minor), 0) as amount from billing.payment_application where payment_id = p.id) a
     where p.applied_minor <> a.amount`,
    'what is applied of a payment is what it paid of invoices',
  ),
]
