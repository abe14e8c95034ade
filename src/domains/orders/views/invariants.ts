/** What holds of orders, and what other rooms are compared with. */
import { type Invariant, invariant, relation } from '#platform/invariants.ts'

export const orderDocuments = relation(
  'orders.documents',
  `select id as doc, version from orders.sales_order`,
)
export const openOrders = relation(
  'orders.open',
  `select id as doc, 'order' as kind from orders.sales_order where closed_at is null`,
)
export const orderLines = relation('orders.lines', `select * from orders.line`)

export const ordersInvariants: readonly Invariant[] = [
  invariant(
    'orders.total_is_its_lines',
    `select 'order ' || o.id || ': ' || o.total_minor || ', its lines ' || l.net
     from changed c cross join lateral (select * from orders.sales_order where id = c.doc offset 0) o
     cross join lateral (
       select coalesce(sum(net_minor) filter (where rejection is null), 0) as net from orders.line where order_id = o.id) l
     where o.total_minor <> l.net`,
    'the total of an order is the sum of its lines that were taken',
  ),
  invariant(
    'orders.closed_has_nothing_open',
    `select 'order ' || l.order_id || ' line ' || l.n from changed c
     join orders.sales_order o on o.id = c.doc join orders.line l on l.order_id = o.id
     where o.closed_at is not null
       and l.open + l.backordered + l.reserved + l.released + l.picked + l.packed > 0`,
    'an order that is closed has nothing open',
  ),
  invariant(
    'orders.known_by_its_number',
    `select 'order ' || o.id || ': ' || o.customer_order from changed c join orders.sales_order o on o.id = c.doc
     where not exists (
       select from orders.natural_key n
       where (n.company, n.sender, n.customer_id, n.customer_order, n.order_id)
         = (o.company, o.sender, o.customer_id, o.customer_order, o.id))`,
    'an order is found by the number its customer gave it, so that it is not taken twice',
  ),
  invariant(
    'orders.erp_number_is_of_one_order',
    `select 'order ' || o.id || ' and order ' || twin.id || ': ' || o.erp_number
     from changed c cross join lateral (select * from orders.sales_order where id = c.doc offset 0) o
     cross join lateral (select doc from orders.reference
       where value = o.erp_number and scheme = 'erp-order' and doc <> o.id offset 0) r
     cross join lateral (select * from orders.sales_order where id = r.doc offset 0) twin
     where twin.erp_number = o.erp_number and twin.company = o.company`,
    'an order at the ERP stands for one order of ours',
  ),
]
