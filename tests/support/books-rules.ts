/** What must hold in the database: at every moment the house's own invariants, and more once nothing is under way. */
import { checkInvariants } from '../../src/app-invariants.ts'
import type { Queries } from '#platform/database.ts'

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>

/** Every document of ours with its version. */
export const DOCUMENTS = `
  select 'order' as kind, id as doc, version from orders.sales_order
  union all select 'fulfillment', id, version from shipments.fulfillment
  union all select 'shipment', id, version from shipments.shipment
  union all select 'invoice', id, version from billing.invoice
  union all select 'payment', id, version from billing.payment`

export const EXPLAINED = 'a position never owes what nobody can explain'

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
  'only held and waiting orders are at the desk, and ship notices that a channel refuses': `
    select d.doc, d.process from desk.document d
    where not exists (select from orders.hold h where h.order_id = d.doc and h.status = 'open')
      and not exists (select from inventory.backorder b where b.doc = d.doc)
      and not exists (
        select from exceptions.affected a join exceptions.exception e on e.id = a.exception
        where a.doc = d.doc and a.cleared_at is null and e.closed_at is null and e.code = 'shipments.notice_refused')`,
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
  // A paper of which its warehouse knows nothing may have found less than the books have.
  [EXPLAINED]: `
    select item_id, location, unreconciled from inventory.position p where lot = '' and unreconciled <> 0 and not exists (
      select from inventory.by_hand h where (h.item_id, h.location) = (p.item_id, p.location)
        and kind in ('ship', 'short') and ended_at is null)`,
  // Figures that were read after the first order know some of it, at what was invoiced.
  'what a credit account has open is what its orders owe': `
    select a.customer_id, a.open_minor, o.amount from customers.credit_account a
    left join (
      select customer_id, sum(exposure_minor) as amount, min(exposure_minor) as least, min(created_at) as first
      from orders.sales_order group by 1) o using (customer_id)
    where a.open_minor <> coalesce(o.amount, 0) and (a.receivables_as_of <= o.first) is not false or o.least < 0`,
}

export type Violation = { readonly rule: string; readonly found: readonly (object | string)[] }

const SHOWN = 5

/** What is wrong although work goes on. */
export async function violationsIn(queries: Queries): Promise<Violation[]> {
  const { violations: broken } = await checkInvariants(queries)
  return broken.map(({ invariant, found }) => ({ rule: invariant.means, found }))
}

export const violations = (query: Query): Promise<Violation[]> =>
  violationsIn({
    query: <Row>({ text }: { text: string }, values: readonly unknown[] = []) =>
      query<Row & object>(text, [...values]),
  })

/** What is wrong, or not at rest yet. */
export const violationsAtRest = async (query: Query): Promise<Violation[]> => [
  ...(await violations(query)),
  ...(await notAtRest(query)),
]

const NOT_AT_REST = Object.entries(AT_REST)
  .map(
    ([rule, text]) => `(select '${rule}' as rule, row_to_json(f) as found from (${text} limit ${SHOWN}) f)`,
  )
  .join(' union all ')

/** What would not be so if nothing were under way. */
export async function notAtRest(query: Query): Promise<Violation[]> {
  const rows = await query<{ rule: string; found: object }>(NOT_AT_REST)
  return [...Map.groupBy(rows, ({ rule }) => rule)].map(([rule, found]) => ({
    rule,
    found: found.map((row) => row.found),
  }))
}

/** How many documents are owned or due, calls open, warehouse requests unanswered, files for partners unwritten: 0 is rest. */
export async function underWay(query: Query): Promise<number> {
  const [row] = await query<{ count: number }>(`
    select (select count(*) from desk.document where owner is not null or due_at <= now())
      + (select count(*) from effects.intent where state <> 'parked')
      + (select count(*) from shipments.fulfillment where state in ('requested', 'accepted', 'picking', 'packed'))
      + (select count(*) from edi.outbound where written_at is null) as count`)
  return row!.count
}
