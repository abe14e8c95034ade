/** What holds of fulfillment requests and shipments, and what other rooms are compared with. */
import { type Invariant, invariant, relation } from '#platform/invariants.ts'

export const shipmentDocuments = relation(
  'shipments.documents',
  `select id as doc, version from shipments.fulfillment union all select id, version from shipments.shipment`,
)
/** Requests of which the warehouse owes an answer; what it does with those it took, it tells by itself. */
export const openRequests = relation(
  'shipments.open',
  `select id as doc, 'fulfillment' as kind from shipments.fulfillment where state = 'requested'
     or cancel_requested_at is not null and state in ('accepted', 'picking', 'packed')`,
)
/** What requests may still take, of orders that are worked on: none is left of an order that is closed. */
export const requested = relation(
  'shipments.requested',
  `select f.company, l.item_id, f.location, l.quantity - l.shipped - l.short as quantity
   from desk.document d
   cross join lateral (select * from shipments.fulfillment where order_id = d.doc offset 0) f
   join shipments.fulfillment_line l on l.fulfillment_id = f.id`,
)
export const requestLines = relation(
  'shipments.request_lines',
  `select f.order_id, l.line, l.quantity - l.shipped - l.short as quantity,
     least(greatest(l.picked - l.shipped, 0), l.quantity - l.shipped - l.short) as picked,
     least(greatest(l.packed - l.shipped, 0), l.quantity - l.shipped - l.short) as packed
   from shipments.fulfillment f join shipments.fulfillment_line l on l.fulfillment_id = f.id`,
)
export const shippedLines = relation(
  'shipments.shipped_lines',
  `select s.order_id, s.id as doc, l.n, l.line, l.item_id, l.quantity
   from shipments.shipment s join shipments.shipment_line l on l.shipment_id = s.id`,
)

export const shipmentsInvariants: readonly Invariant[] = [
  invariant(
    'shipments.requests_take_what_they_ask_for',
    `select 'fulfillment ' || l.fulfillment_id || ' line ' || l.line
     from changed c join shipments.fulfillment_line l on l.fulfillment_id = c.doc
     where l.shipped + l.short > l.quantity`,
    'no more ships or comes up short than a request asked for',
  ),
  invariant(
    'shipments.requested_lots_are_open',
    `select 'fulfillment ' || c.doc || ' line ' || r.line || ': ' || trim_scale(r.quantity) || ' by lot, '
       || trim_scale(l.quantity - l.shipped - l.short) || ' open'
     from changed c
     cross join lateral (
       select line, sum(quantity) as quantity from shipments.requested_lot where fulfillment_id = c.doc
       group by line offset 0) r
     cross join lateral (
       select * from shipments.fulfillment_line l where l.fulfillment_id = c.doc and l.line = r.line offset 0) l
     where r.quantity <> l.quantity - l.shipped - l.short`,
    'what a request is for by lot is what is open of its line',
  ),
  invariant(
    'shipments.delivered_with_all_parcels',
    `select 'shipment ' || c.doc || ': ' || p.delivered || ' of ' || p.parcels || ' delivered'
     from changed c join shipments.shipment s on s.id = c.doc
     cross join lateral (
       select count(*) as parcels, count(*) filter (where milestone = 'delivered') as delivered from shipments.package
       where shipment_id = c.doc and tracking is not null offset 0) p
     where coalesce(s.milestone = 'delivered', false) <> (p.parcels > 0 and p.delivered = p.parcels)`,
    'a shipment is delivered when all its parcels are',
  ),
]
