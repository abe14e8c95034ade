/** Which rows an order leaves behind, table by table: what the ceilings write, and what a test holds against the database. */

export type LeftRows = {
  readonly table: string
  /** Which of its rows belong to the orders in $1. */
  readonly rows: string
}

const byOrder = (table: string, column = 'order_id'): LeftRows => ({
  table,
  rows: `select * from ${table} where ${column} = any($1)`,
})

const byParent = (table: string, column: string, parent: string): LeftRows => ({
  table,
  rows: `select * from ${table} where ${column} in (select id from ${parent} where order_id = any($1))`,
})

/** What a warehouse tells of a request stands in the stream of that request. */
const byStream = (table: string): LeftRows => ({
  table,
  rows: `select * from ${table}
    where stream in (select 'fulfillment/F-' || id from shipments.fulfillment where order_id = any($1))`,
})

const ACCEPTED: readonly LeftRows[] = [
  {
    table: 'http.idempotency',
    rows: `select * from http.idempotency where body::jsonb ->> 'id' = any(select 'O-' || unnest($1))`,
  },
  byOrder('orders.natural_key'),
  byOrder('orders.sales_order', 'id'),
  byOrder('orders.line'),
  byOrder('orders.reference'),
  byOrder('audit.entry', 'doc'),
  byOrder('log.event', 'correlation_id'),
]

/** When the order is accepted and nothing has gone out yet. */
export const ROWS_OF_ACCEPTED: readonly LeftRows[] = [
  ...ACCEPTED,
  byOrder('inventory.reservation', 'doc'),
  byOrder('effects.intent', 'doc'),
  byOrder('desk.document', 'doc'),
  byOrder('sla.clock', 'doc'),
]

/** When the order is shipped, invoiced, posted and closed; a part of them once more for each of its documents. */
export const ROWS_OF_CLOSED: readonly LeftRows[] = [
  ...ACCEPTED,
  byOrder('shipments.fulfillment'),
  byParent('shipments.fulfillment_line', 'fulfillment_id', 'shipments.fulfillment'),
  byOrder('shipments.shipment'),
  byParent('shipments.package', 'shipment_id', 'shipments.shipment'),
  byParent('shipments.shipment_line', 'shipment_id', 'shipments.shipment'),
  byOrder('billing.invoice'),
  byParent('billing.invoice_line', 'invoice_id', 'billing.invoice'),
  byParent('inventory.movement', 'doc', 'shipments.shipment'),
  byStream('inbox.message'),
  byStream('inbox.stream'),
]
