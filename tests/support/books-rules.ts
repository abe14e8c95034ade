/** What must hold in the database whatever happened: each rule as a query that finds its violations. */

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>

const BUCKETS = ['available', 'quality_hold', 'damaged', 'in_transit', 'unreconciled']

/** Every document of ours with its version. */
export const DOCUMENTS = `
  select 'order' as kind, id as doc, version from orders.sales_order
  union all select 'fulfillment', id, version from shipments.fulfillment
  union all select 'shipment', id, version from shipments.shipment
  union all select 'invoice', id, version from billing.invoice
  union all select 'payment', id, version from billing.payment`

/** True at every moment, also in the middle of the work. */
const ALWAYS: Readonly<Record<string, string>> = {
  'each bucket of a position is the sum of its movements': `
    with moved as (
      select item_id, location, company, bucket, sum(quantity) as quantity from (
        select item_id, location, company, to_bucket as bucket, quantity from inventory.movement
        union all select item_id, location, company, from_bucket, -quantity from inventory.movement) m
      where bucket in (${BUCKETS.map((bucket) => `'${bucket}'`).join(', ')}) group by 1, 2, 3, 4),
    held as (
      select item_id, location, company, b.bucket, b.quantity from inventory.position,
        lateral (values ${BUCKETS.map((bucket) => `('${bucket}', ${bucket})`).join(', ')}) b(bucket, quantity)
      where lot = '')
    select item_id, location, bucket, h.quantity as held, m.quantity as moved
    from held h full join moved m using (item_id, location, company, bucket)
    where coalesce(h.quantity, 0) <> coalesce(m.quantity, 0)`,
  'what a position has reserved is what orders and open fulfillment lines claim': `
    with claimed as (
      select item_id, location, company, sum(quantity) as quantity from (
        select item_id, location, company, quantity from inventory.reservation
        union all select l.item_id, f.location, f.company, l.quantity - l.shipped - l.short
        from shipments.fulfillment f join shipments.fulfillment_line l on l.fulfillment_id = f.id) c group by 1, 2, 3)
    select item_id, location, p.reserved, c.quantity as claimed
    from (select * from inventory.position where lot = '') p full join claimed c using (item_id, location, company)
    where coalesce(p.reserved, 0) <> coalesce(c.quantity, 0)`,
  'an order line is reserved, released, waiting and shipped as the documents beneath it say': `
    select l.order_id, l.n, l.reserved, r.quantity as reservations, l.released, f.quantity as requests, l.picked, l.packed,
      l.backordered, b.quantity as queued, l.shipped, s.quantity as shipments
    from orders.line l
    left join (select doc, line, sum(quantity) as quantity from inventory.reservation group by 1, 2) r
      on (r.doc, r.line) = (l.order_id, l.n)
    left join (select order_id, line, sum(quantity - shipped - short) as quantity,
        sum(least(greatest(picked - shipped, 0), quantity - shipped - short)) as picked,
        sum(least(greatest(packed - shipped, 0), quantity - shipped - short)) as packed
      from shipments.fulfillment f
      join shipments.fulfillment_line fl on fl.fulfillment_id = f.id group by 1, 2) f on (f.order_id, f.line) = (l.order_id, l.n)
    left join inventory.backorder b on (b.doc, b.line) = (l.order_id, l.n)
    left join (select order_id, line, sum(quantity) as quantity from shipments.shipment s
      join shipments.shipment_line sl on sl.shipment_id = s.id group by 1, 2) s on (s.order_id, s.line) = (l.order_id, l.n)
    where l.reserved <> coalesce(r.quantity, 0) or l.released + l.picked + l.packed <> coalesce(f.quantity, 0)
      or l.picked + l.packed <> coalesce(f.picked, 0) or l.packed <> coalesce(f.packed, 0)
      or l.backordered <> coalesce(b.quantity, 0) or l.shipped <> coalesce(s.quantity, 0)`,
  'the versions of a document are its events, without a gap': `
    select d.kind, d.doc, d.version, e.events, e.last from (${DOCUMENTS}) d
    left join (select key, count(*) as events, max(key_version) as last, min(key_version) as first from log.event group by 1) e
      on e.key = d.doc
    where e.last is distinct from d.version or e.events <> e.last or e.first <> 1`,
  'an invoice is the sum of its lines and their tax': `
    select i.id, i.net_minor, l.net, i.tax_minor, l.tax from billing.invoice i
    join (select invoice_id, sum(net_minor) as net, sum(tax_minor) as tax from billing.invoice_line group by 1) l on l.invoice_id = i.id
    where i.net_minor <> l.net or (i.tax_evidence is not null and i.tax_minor <> l.tax)`,
  'an open exception has an owner and is due': `
    select id, code from exceptions.exception where closed_at is null and (owner = '' or due_at is null)`,
  'a position never owes what nobody can explain': `
    select item_id, location, unreconciled from inventory.position where lot = '' and unreconciled <> 0`,
}

/** True when nothing is under way any more. */
const AT_REST: Readonly<Record<string, string>> = {
  'every shipment line is invoiced once': `
    select s.id, sl.n, count(i.invoice_id) as times from shipments.shipment s
    join shipments.shipment_line sl on sl.shipment_id = s.id
    left join billing.invoice_line i on (i.shipment_id, i.shipment_line) = (sl.shipment_id, sl.n)
    group by 1, 2 having count(i.invoice_id) <> 1`,
  'every invoice is posted': `select id, state from billing.invoice where posted_at is null or number is null`,
  'no call to another system is left': `select doc, step, system, operation, state, detail from effects.intent`,
  'every message is decided': `
    select source, message_id, state from inbox.message where state = 'received'
    union all select source, message_id, 'held' from inbox.held`,
  'no stream waits for a gap or for a message that was put aside': `
    select source, stream, missing_from, stopped_by from inbox.stream
    where blocked_since is not null or stopped_by is not null`,
  'nobody owns a document, and none of them failed': `
    select doc, process, owner, failures, due_at from desk.document where owner is not null or failures > 0 or due_at <= now()`,
  'only held and waiting orders are at the desk': `
    select d.doc, d.process from desk.document d
    where not exists (select from orders.hold h where h.order_id = d.doc and h.status = 'open')
      and not exists (select from inventory.backorder b where b.doc = d.doc)`,
  'an order that is not closed is held or waits for stock': `
    select id, customer_order from orders.sales_order o where closed_at is null
      and not exists (select from orders.hold h where h.order_id = o.id and h.status = 'open')
      and not exists (select from inventory.backorder b where b.doc = o.id)`,
  'a held order has an open exception': `
    select h.order_id, h.type from orders.hold h where h.status = 'open' and not exists (
      select from exceptions.affected a join exceptions.exception e on e.id = a.exception
      where a.doc = h.order_id and a.cleared_at is null and e.closed_at is null)`,
  'no document and no call is parked': `
    select kind, key, cause_message from parking.item where state in ('parked', 'replaying') and kind <> 'message'`,
  'what a credit account has open is what its orders owe': `
    select a.customer_id, a.open_minor, o.amount from customers.credit_account a
    left join (select customer_id, sum(exposure_minor) as amount, min(exposure_minor) as least from orders.sales_order group by 1) o
      using (customer_id)
    where a.open_minor <> coalesce(o.amount, 0) or o.least < 0`,
}

export type Violation = { readonly rule: string; readonly found: readonly object[] }

const SHOWN = 5

async function violationsOf(query: Query, rules: Readonly<Record<string, string>>): Promise<Violation[]> {
  const violations: Violation[] = []
  for (const [rule, text] of Object.entries(rules)) {
    const found = await query(`${text} limit ${SHOWN}`)
    if (found.length > 0) violations.push({ rule, found })
  }
  return violations
}

/** What is wrong although work goes on. */
export const violations = (query: Query): Promise<Violation[]> => violationsOf(query, ALWAYS)

/** What is wrong, or not at rest yet. */
export const violationsAtRest = (query: Query): Promise<Violation[]> =>
  violationsOf(query, { ...ALWAYS, ...AT_REST })

/** How many documents are owned or due, how many calls are open, how many warehouse requests unanswered: 0 is rest. */
export async function underWay(query: Query): Promise<number> {
  const [row] = await query<{ count: number }>(`
    select (select count(*) from desk.document where owner is not null or due_at <= now())
      + (select count(*) from effects.intent where state <> 'parked')
      + (select count(*) from shipments.fulfillment where state in ('requested', 'accepted', 'picking', 'packed')) as count`)
  return row!.count
}
