/** The SQL of shipments; the only file that writes its tables. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Fulfillment, FulfillmentLine, NewFulfillment, NewShipment, ShipmentLine } from './contract.ts'

const insertFulfillmentRows = sql(
  'shipments.insert_fulfillments',
  `insert into shipments.fulfillment (id, company, order_id, location)
   select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[])`,
)
const insertFulfillmentLineRows = sql(
  'shipments.insert_fulfillment_lines',
  `insert into shipments.fulfillment_line (fulfillment_id, line, item_id, quantity, minimum_expiry)
   select * from unnest($1::bigint[], $2::smallint[], $3::int[], $4::numeric[], $5::date[])`,
)

export function insertFulfillments(tx: Transaction, fulfillments: readonly NewFulfillment[]): void {
  tx.send(insertFulfillmentRows, [
    fulfillments.map((row) => row.doc),
    fulfillments.map((row) => row.company),
    fulfillments.map((row) => row.orderId),
    fulfillments.map((row) => row.location),
  ])
  const lines = fulfillments.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc })))
  tx.send(insertFulfillmentLineRows, [
    lines.map((line) => line.doc),
    lines.map((line) => line.line),
    lines.map((line) => line.itemId),
    lines.map((line) => formatQuantity(line.quantity)),
    lines.map((line) => line.minimumExpiry ?? null),
  ])
}

const FULFILLMENT = `id as doc, company, order_id as "orderId", location, state, wms_number as "wmsNumber", version,
  cancel_requested_at is not null as "cancelRequested", cancel_reason as "cancelReason", by_hand as "byHand"`

const lockFulfillmentRows = sql(
  'shipments.fulfillments_for_update',
  `select ${FULFILLMENT} from shipments.fulfillment where id = any($1::bigint[]) order by id for no key update`,
)
export const lockFulfillments = (tx: Transaction, docs: readonly number[]): Promise<Fulfillment[]> =>
  tx.query<Fulfillment>(lockFulfillmentRows, [docs])
const acceptFulfillmentRows = sql(
  'shipments.accept_fulfillments',
  `update shipments.fulfillment f set wms_number = s.number, version = f.version + 1,
     state = case when f.state = 'requested' then 'accepted' else f.state end
   from unnest($1::bigint[], $2::text[]) as s(id, number)
   where f.id = s.id returning f.id as doc, f.version, f.state`,
)

export function updateWmsNumbers(
  tx: Transaction,
  rows: readonly { readonly doc: number; readonly number: string }[],
): Promise<{ doc: number; version: number; state: Fulfillment['state'] }[]> {
  return tx.query(acceptFulfillmentRows, [rows.map((row) => row.doc), rows.map((row) => row.number)])
}

const setStateRows = sql(
  'shipments.set_fulfillment_states',
  `update shipments.fulfillment set state = $2, version = version + 1,
     cancel_requested_at = case when $2 not in ('refused', 'cancelled') then cancel_requested_at end
   where id = any($1::bigint[]) returning id as doc, version`,
)

/** What a request to take back asked for has come when nothing of the fulfillment will be shipped. */
export function updateFulfillmentStates(
  tx: Transaction,
  docs: readonly number[],
  state: Fulfillment['state'],
): Promise<{ doc: number; version: number }[]> {
  return tx.query(setStateRows, [docs, state])
}

const setCancelRows = sql(
  'shipments.set_cancel_requested',
  `update shipments.fulfillment f set cancel_requested_at = case when $3 then now() end,
     cancel_reason = case when $3 then s.reason end, version = version + 1
   from unnest($1::bigint[], $2::text[]) as s(id, reason) where f.id = s.id returning f.id as doc, f.version`,
)

/** In the order of keys. */
export function updateCancelRequested(
  tx: Transaction,
  rows: readonly { readonly doc: number; readonly reason: string }[],
  requested: boolean,
): Promise<{ doc: number; version: number }[]> {
  return tx.query(setCancelRows, [rows.map(({ doc }) => doc), rows.map(({ reason }) => reason), requested])
}

const addShippedRows = sql(
  'shipments.add_shipped',
  `update shipments.fulfillment_line l set shipped = l.shipped + s.shipped, short = l.short + s.short
   from unnest($1::bigint[], $2::smallint[], $3::numeric[], $4::numeric[]) as s(fulfillment_id, line, shipped, short)
   where l.fulfillment_id = s.fulfillment_id and l.line = s.line`,
)

export function addShipped(
  tx: Transaction,
  rows: readonly {
    readonly doc: number
    readonly line: number
    readonly shipped: Quantity
    readonly short: Quantity
  }[],
): void {
  if (rows.length === 0) return
  // an update takes one row of several that match, so shipments of one request in one list are added up here
  const sums = new Map<string, { doc: number; line: number; shipped: Quantity; short: Quantity }>()
  for (const { doc, line, shipped, short } of rows) {
    const sum = sums.get(`${doc} ${line}`) ?? { doc, line, shipped: 0, short: 0 }
    sums.set(`${doc} ${line}`, { doc, line, shipped: sum.shipped + shipped, short: sum.short + short })
  }
  const added = [...sums.values()]
  tx.send(addShippedRows, [
    added.map((row) => row.doc),
    added.map((row) => row.line),
    added.map((row) => formatQuantity(row.shipped)),
    added.map((row) => formatQuantity(row.short)),
  ])
}

// A message that comes again, or late, tells less than is known already.
const addPickedRows = sql(
  'shipments.add_picked',
  `update shipments.fulfillment_line l set short = l.short + s.short,
     picked = greatest(l.picked, s.picked, s.packed), packed = greatest(l.packed, s.packed)
   from unnest($1::bigint[], $2::smallint[], $3::numeric[], $4::numeric[], $5::numeric[])
     as s(fulfillment_id, line, picked, packed, short)
   where l.fulfillment_id = s.fulfillment_id and l.line = s.line`,
)

/** A line stands once in the list: picked and packed in all, and what is short besides what was. */
export function addPicked(
  tx: Transaction,
  rows: readonly Pick<FulfillmentLine, 'doc' | 'line' | 'picked' | 'packed' | 'short'>[],
): void {
  if (rows.length === 0) return
  tx.send(addPickedRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.line),
    rows.map((row) => formatQuantity(row.picked)),
    rows.map((row) => formatQuantity(row.packed)),
    rows.map((row) => formatQuantity(row.short)),
  ])
}

const knownShipmentRows = sql(
  'shipments.known',
  `select source_key as "sourceKey", id as doc from shipments.shipment where source = $1 and source_key = any($2::text[])`,
)

/** Which of a source's shipments are here already. */
export async function selectKnownShipments(
  queries: Queries,
  source: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.query<{ sourceKey: string; doc: number }>(knownShipmentRows, [source, keys])
  return new Map(rows.map((row) => [row.sourceKey, row.doc]))
}

const insertShipmentRows = sql(
  'shipments.insert_shipments',
  `insert into shipments.shipment (id, company, order_id, fulfillment_id, location, carrier, service, shipped_at, source,
     source_key)
   select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
     $8::timestamptz[], $9::text[], $10::text[])`,
)
const insertPackageRows = sql(
  'shipments.insert_packages',
  `insert into shipments.package (shipment_id, n, sscc, tracking, weight_grams)
   select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[])`,
)
const insertShipmentLineRows = sql(
  'shipments.insert_shipment_lines',
  `insert into shipments.shipment_line (shipment_id, n, package, line, item_id, quantity, lot, expires_on, catch_weight)
   select * from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::int[], $6::numeric[],
     $7::text[], $8::date[], $9::numeric[])`,
)

// Few items have serials: their lines are written besides.
const insertNamedLineRows = sql(
  'shipments.insert_named_lines',
  `insert into shipments.shipment_line (shipment_id, n, package, line, item_id, quantity, lot, expires_on, catch_weight,
     serials)
   select * from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::int[], $6::numeric[],
     $7::text[], $8::date[], $9::numeric[], $10::jsonb[])`,
)

export function insertShipments(tx: Transaction, shipments: readonly NewShipment[]): void {
  if (shipments.length === 0) return
  tx.send(insertShipmentRows, [
    shipments.map((row) => row.doc),
    shipments.map((row) => row.company),
    shipments.map((row) => row.orderId),
    shipments.map((row) => row.fulfillmentId),
    shipments.map((row) => row.location),
    shipments.map((row) => row.carrier),
    shipments.map((row) => row.service),
    shipments.map((row) => row.shippedAt),
    shipments.map((row) => row.source),
    shipments.map((row) => row.sourceKey),
  ])
  const packages = shipments.flatMap(({ doc, packages }) =>
    packages.map((row, place) => ({ ...row, doc, n: place + 1 })),
  )
  tx.send(insertPackageRows, [
    packages.map((row) => row.doc),
    packages.map((row) => row.n),
    packages.map((row) => row.sscc ?? null),
    packages.map((row) => row.tracking ?? null),
    packages.map((row) => row.weightGrams ?? null),
  ])
  const lines = shipments.flatMap(({ doc, lines }) => lines.map((row) => ({ ...row, doc })))
  const named = lines.filter(({ serials }) => serials)
  if (named.length < lines.length)
    tx.send(insertShipmentLineRows, lineColumns(lines.filter(({ serials }) => !serials)))
  if (named.length > 0)
    tx.send(insertNamedLineRows, [...lineColumns(named), named.map(({ serials }) => JSON.stringify(serials))])
}

const lineColumns = (lines: readonly (ShipmentLine & { readonly doc: number })[]): unknown[] => [
  lines.map((row) => row.doc),
  lines.map((row) => row.n),
  lines.map((row) => row.package),
  lines.map((row) => row.line),
  lines.map((row) => row.itemId),
  lines.map((row) => formatQuantity(row.quantity)),
  lines.map((row) => row.lot),
  lines.map((row) => row.expiresOn),
  lines.map((row) => (row.catchWeight === null ? null : formatQuantity(row.catchWeight))),
]

const touchFulfillmentRows = sql(
  'shipments.touch_fulfillments',
  `update shipments.fulfillment set version = version + 1 where id = any($1::bigint[]) returning id as doc, version`,
)
const touchShipmentRows = sql(
  'shipments.touch_shipments',
  `update shipments.shipment set version = version + 1 where id = any($1::bigint[]) returning id as doc, version`,
)

/** Raises versions, for what is told of documents that it does not change. */
export const raiseVersions = (
  tx: Transaction,
  kind: 'fulfillment' | 'shipment',
  docs: readonly number[],
): Promise<{ doc: number; version: number }[]> =>
  tx.query(kind === 'fulfillment' ? touchFulfillmentRows : touchShipmentRows, [docs])

const notifiedRows = sql(
  'shipments.set_notified',
  `update shipments.shipment set notified_at = now(), version = version + 1 where id = any($1::bigint[])
   returning id as doc, version`,
)

export function updateNotified(
  tx: Transaction,
  docs: readonly number[],
): Promise<{ doc: number; version: number }[]> {
  return tx.query(notifiedRows, [docs])
}
