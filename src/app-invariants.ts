/** What must hold in the whole house: what each room says of itself, and what holds between them. */
import {
  billedLines,
  billingDocuments,
  billingInvariants,
  openInvoices,
} from '#domains/billing/views/invariants.ts'
import {
  arrivals,
  awaited,
  claimed,
  inventoryDocuments,
  inventoryInvariants,
  keptForChannels,
  keptForSystems,
  reserved,
} from '#domains/inventory/views/invariants.ts'
import { openOrders, orderDocuments, orderLines, ordersInvariants } from '#domains/orders/views/invariants.ts'
import {
  openRequests,
  requested,
  requestLines,
  shipmentDocuments,
  shipmentsInvariants,
  shippedLines,
} from '#domains/shipments/views/invariants.ts'
import { receipts, supplyInvariants } from '#domains/supply/views/invariants.ts'
import type { Database } from '#platform/database.ts'
import { auditedInvariant, engineInvariants } from '#platform/invariants-engine.ts'
import { subscriptionInvariants } from '#platform/invariants-subscriptions.ts'
import { watchInvariants } from '#platform/invariants-watch.ts'
import { type Check, checkOf, type Invariant, invariant } from '#platform/invariants.ts'
import type { Job } from '#platform/schedule.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { Worker } from '#platform/worker.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { ediInvariants } from './systems/edi/invariants.ts'

const DOCUMENTS = [orderDocuments, shipmentDocuments, billingDocuments, inventoryDocuments].join(
  ' union all ',
)
const OPEN = [openOrders, openRequests, openInvoices].join(' union all ')

/** What people and partners do, and systems in their place, to money, stock and orders. */
const AUDITED = [
  'order.accepted',
  'order.cancel_requested',
  'order.hold_released',
  'order.step_overridden',
  'payment.received',
  'payment.reversed',
  'reservation.granted',
  'reservation.extended',
  'reservation.transferred',
  'reservation.firmed',
  'reservation.split',
  'reservation.released',
  'adjustment.requested',
  'adjustment.booked',
  'adjustment.rejected',
]

const documents: readonly Invariant[] = [
  invariant(
    'documents.version_is_last_event',
    `select 'document ' || d.doc || ' has version ' || d.version || ', its last event ' || coalesce(e.last, 0)
     from changed c join (${DOCUMENTS}) d on d.doc = c.doc
     cross join lateral (select max(key_version) as last from log.event where key = d.doc) e
     where e.last is distinct from d.version`,
    'the version of a document is that of its last event',
  ),
  invariant(
    'documents.unfinished_are_at_the_desk',
    `select o.kind || ' ' || o.doc from (select doc from changed union select doc from sla.clock) c
     cross join lateral (select * from (${OPEN}) o where o.doc = c.doc offset 0) o
     where not exists (select from desk.document d where d.doc = o.doc)`,
    'a document that has not come to its end is worked on, waits, or is parked',
  ),
]

const between: readonly Invariant[] = [
  invariant(
    'inventory.reserved_is_claimed',
    `select 'item ' || item_id || ' at ' || location || ': reserved ' || trim_scale(coalesce(r.quantity, 0))
       || ', claimed ' || trim_scale(coalesce(c.quantity, 0))
     from (${reserved}) r full join (
       select company, item_id, location, sum(quantity) as quantity from (
         select company, item_id, location, quantity from (${claimed}) a
         union all ${requested} union all ${keptForChannels} union all ${keptForSystems}) b
       group by company, item_id, location) c using (company, item_id, location)
     where coalesce(r.quantity, 0) <> coalesce(c.quantity, 0)`,
    'what a position has reserved is what orders, their requests, channels and other systems claim of it',
  ),
  invariant(
    'supply.receipts_are_movements',
    `select 'receipt ' || r.source || ' ' || r.source_key || ': ' || trim_scale(r.quantity) || ', moved '
       || trim_scale(m.quantity)
     from (${receipts}) r cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from (${arrivals}) a
       where (item_id, location, source, source_key) = (r.item_id, r.location, r.source, r.source_key)) m
     where r.quantity <> m.quantity`,
    'what was received of a purchase order is stock that came in',
  ),
  invariant(
    'orders.lines_are_their_documents',
    `select 'order ' || l.order_id || ' line ' || l.n
     from changed c join (${orderLines}) l on l.order_id = c.doc
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from (${claimed}) a where (doc, line) = (l.order_id, l.n)) claim
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from (${awaited}) a where (doc, line) = (l.order_id, l.n)) await
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity, coalesce(sum(picked), 0) as picked, coalesce(sum(packed), 0) as packed
       from (${requestLines}) a where (order_id, line) = (l.order_id, l.n)) asked
     cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from (${shippedLines}) a
       where (order_id, line) = (l.order_id, l.n)) left_
     where l.reserved <> claim.quantity or l.backordered <> await.quantity
       or l.released + l.picked + l.packed <> asked.quantity
       or l.picked + l.packed <> asked.picked or l.packed <> asked.packed or l.shipped <> left_.quantity`,
    'an order line is reserved, waiting, released, picked, packed and shipped as the documents beneath it say',
  ),
  invariant(
    'inventory.claims_want_the_life_of_their_line',
    `select 'order ' || l.order_id || ' line ' || l.n
     from changed c
     cross join lateral (
       select line, minimum_shelf_life_days as days from (${claimed}) a where doc = c.doc
       union all select line, minimum_shelf_life_days from (${awaited}) b where doc = c.doc) k
     cross join lateral (
       select order_id, n, minimum_shelf_life_days as days from (${orderLines}) a
       where (order_id, n) = (c.doc, k.line) offset 0) l
     where k.days is distinct from l.days`,
    'what a line keeps and waits for is to live as long as the line says',
  ),
  invariant(
    'billing.shipments_are_billed',
    `select 'shipment ' || s.doc || ' line ' || s.n from changed c
     cross join lateral (select * from (${shippedLines}) l where l.doc = c.doc offset 0) s
     where not exists (
         select from (${billedLines}) b where (b.shipment_id, b.shipment_line) = (s.doc, s.n))
       and not exists (
         select from desk.document d cross join lateral (select from (${openOrders}) o where o.doc = d.doc offset 0) o
         where d.doc = s.order_id)`,
    'what has shipped is billed, or its order is worked on until it is',
  ),
  invariant(
    'billing.price_is_as_accepted',
    `select 'invoice ' || b.doc || ' line ' || b.n from changed c join (${billedLines}) b on b.doc = c.doc
     left join (${orderLines}) l on (l.order_id, l.n) = (b.order_id, b.order_line)
     left join (${shippedLines}) s on (s.doc, s.n) = (b.shipment_id, b.shipment_line)
     where (b.price_minor, b.price_unit, b.item_id) is distinct from (l.price_minor, l.price_unit, l.item_id)
       or (s.line, s.item_id) is distinct from (b.order_line, b.item_id)`,
    'an invoice line is of the item that shipped, at the price that was accepted for it',
  ),
]

/** All of them. */
export const invariantsOfHouse = (): readonly Invariant[] => [
  ...engineInvariants,
  ...subscriptionInvariants,
  auditedInvariant(AUDITED),
  ...documents,
  ...inventoryInvariants,
  ...ordersInvariants,
  ...shipmentsInvariants,
  ...billingInvariants,
  ...supplyInvariants,
  ...between,
  ...ediInvariants,
]

/** All of them, of one moment and in one round trip. */
export const checkInvariants: Check = checkOf(invariantsOfHouse(), DOCUMENTS)

/** Each of them by itself, for whoever has time. */
export const checksOfHouse: ReadonlyMap<Invariant, Check> = new Map(
  invariantsOfHouse().map((one) => [one, checkOf([one], DOCUMENTS)]),
)

type WatchWires = {
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: Pick<ProcessPorts, 'openExceptions'>
  readonly metrics: Pick<ReturnType<typeof declareHouseMetrics>, 'invariantViolations'>
}

const MINUTE_MS = 60_000

/** Each minute it is asked whose turn it is; a turn comes each hour. */
export const invariantJob = ({ database, screens, worker, processPorts, metrics }: WatchWires): Job => ({
  name: 'invariants',
  everyMs: MINUTE_MS,
  run: () =>
    watchInvariants({
      database,
      screens,
      openExceptions: processPorts.openExceptions,
      checks: checksOfHouse,
      company: NO_COMPANY,
      turns: () => worker.life?.turns,
      tell: ({ name }, violations) => metrics.invariantViolations.set({ invariant: name }, violations),
    }),
})
