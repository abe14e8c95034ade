/** Invoices from shipments: one line for each billable shipment line, priced as the order was accepted. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import { extend, extendFraction } from '#platform/money.ts'
import type { Begun, Process, Work } from '#platform/process.ts'
import type { InvoiceLine, NewInvoice } from '#domains/billing/contract.ts'
import { draftInvoices } from '#domains/billing/operations.ts'
import type { OrderLine } from '#domains/orders/views.ts'
import type { ShipmentLine } from '#domains/shipments/contract.ts'
import { linesOfShipments, shipmentsOf } from '#domains/shipments/views.ts'
import { addressesOf } from './fulfillment-facts.ts'
import { composeInvoice } from './invoice-facts.ts'
import { KILOGRAM } from './nominal-weight.ts'
import { groupBy, type OrderFacts } from './order-facts.ts'
import { countedIn } from './ordered-unit.ts'
import type { ProcessPorts } from './ports.ts'
import { reportUnweighed, type Unweighed, unweighedIn } from './unweighed.ts'

type Drafting = {
  readonly process: Process
  readonly works: readonly Work<OrderFacts>[]
  readonly cause: Cause
}

/** Draws an invoice from every shipment named; answers by order what begins. */
export async function draftFromShipments(
  tx: Transaction,
  ports: ProcessPorts,
  { process, works, cause }: Drafting,
): Promise<ReadonlyMap<number, readonly Begun[]>> {
  const docs = works.flatMap(({ subjects }) => subjects.map(Number)).toSorted((a, b) => a - b)
  const [shipments, lines, shipTos, ids] = await Promise.all([
    shipmentsOf(tx, docs),
    linesOfShipments(tx, docs),
    addressesOf(
      tx,
      works.map(({ facts }) => facts.order),
    ),
    ports.ids.documents(docs.length),
  ])
  const shippedLinesOf = groupBy(lines, (line) => line.doc)
  const factsOf = new Map(works.map(({ facts }) => [facts.doc, facts]))
  const given = shipments.map((shipment) => {
    return { shipment, facts: factsOf.get(shipment.orderId)!, lines: shippedLinesOf(shipment.doc) }
  })
  const unweighed = await unweighedIn(tx, given)
  const drafts = given.map(({ shipment, facts, lines: shipped }, place) => {
    return { shipment, facts, invoice: draft(ids[place]!, facts, { shipment, shipped, unweighed }) }
  })
  await reportUnweighed(tx, ports, unweighed)
  draftInvoices(
    tx,
    drafts.map(({ invoice }) => invoice),
    cause,
  )
  const begun = drafts.map(({ shipment, facts, invoice }) => ({
    process,
    facts: composeInvoice(ports, {
      invoice: newHeader(invoice),
      lines: invoice.lines,
      order: facts.order,
      orderLines: facts.lines,
      shipment,
      shipTo: shipTos.get(facts.doc)!,
    }),
  }))
  return Map.groupBy(begun, ({ facts }) => facts.correlationId)
}

type Shipped = {
  readonly shipment: { readonly doc: number }
  readonly shipped: readonly ShipmentLine[]
  readonly unweighed: ReadonlyMap<ShipmentLine, Unweighed>
}

function draft(
  doc: number,
  { order, lines }: OrderFacts,
  { shipment: { doc: shipmentId }, shipped, unweighed }: Shipped,
): NewInvoice {
  const lineOf = new Map(lines.map((line) => [line.n, line]))
  const billed = shipped.map((row) => {
    const line = lineOf.get(row.line)!
    return { ...billLine(shipmentId, row, line), netMinor: netOf(row, line, unweighed.get(row)) }
  })
  return {
    doc,
    company: order.company,
    orderId: order.doc,
    customerId: order.customerId,
    shipmentId,
    currency: order.currency,
    netMinor: billed.reduce((sum, line) => sum + line.netMinor, 0),
    termsDays: order.termsDays,
    lines: billed,
  }
}

/** In the ordered unit where it is a whole number of it, else in the base unit. */
const billLine = (
  shipmentId: number,
  shipped: ShipmentLine,
  line: OrderLine,
): Omit<InvoiceLine, 'netMinor'> => ({
  n: shipped.n,
  shipmentId,
  shipmentLine: shipped.n,
  orderLine: shipped.line,
  itemId: shipped.itemId,
  priceMinor: line.priceMinor,
  priceUnit: line.priceUnit,
  catchWeight: line.priceUnit === KILOGRAM ? shipped.catchWeight : null,
  taxMinor: null,
  taxRatePpm: null,
  ...countedIn(line, shipped.quantity),
})

/** A price by weight counts for what was weighed, else for what the goods weigh nominally, as at capture. */
function netOf(
  { quantity, catchWeight }: ShipmentLine,
  { priceMinor, priceUnit, numerator, denominator }: OrderLine,
  unweighed: Unweighed | undefined,
): number {
  if (priceUnit === KILOGRAM && catchWeight !== null) return extend(priceMinor, catchWeight)
  const perBase = unweighed?.perBase ?? { numerator: denominator, denominator: numerator }
  return extendFraction(priceMinor, quantity, perBase)
}

const newHeader = ({ lines: _, ...invoice }: NewInvoice) => ({
  ...invoice,
  state: 'draft' as const,
  taxMinor: null,
  totalMinor: null,
  taxEvidence: null,
  taxJurisdiction: null,
  number: null,
  postedAt: null,
  sent: false,
  paidMinor: 0,
  version: 1,
})
