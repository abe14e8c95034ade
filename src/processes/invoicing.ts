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
import { groupBy, type OrderFacts } from './order-facts.ts'
import { countedIn } from './ordered-unit.ts'
import type { ProcessPorts } from './ports.ts'

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
  const drafts = shipments.map((shipment, place) => {
    const facts = factsOf.get(shipment.orderId)!
    return { shipment, facts, invoice: draft(ids[place]!, facts, shipment.doc, shippedLinesOf(shipment.doc)) }
  })
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

function draft(
  doc: number,
  { order, lines }: OrderFacts,
  shipmentId: number,
  shipped: readonly ShipmentLine[],
): NewInvoice {
  const lineOf = new Map(lines.map((line) => [line.n, line]))
  const billed = shipped.map((row) => billLine(shipmentId, row, lineOf.get(row.line)!))
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

/** In the ordered unit where it is a whole number of it, else in the base unit; catch weight is priced by what was weighed. */
function billLine(shipmentId: number, shipped: ShipmentLine, line: OrderLine): InvoiceLine {
  const common = {
    n: shipped.n,
    shipmentId,
    shipmentLine: shipped.n,
    orderLine: shipped.line,
    itemId: shipped.itemId,
    priceMinor: line.priceMinor,
    priceUnit: line.priceUnit,
    catchWeight: shipped.catchWeight,
    taxMinor: null,
    taxRatePpm: null,
  }
  const inUnit = { numerator: line.denominator, denominator: line.numerator }
  const netMinor =
    shipped.catchWeight === null
      ? extendFraction(line.priceMinor, shipped.quantity, inUnit)
      : extend(line.priceMinor, shipped.catchWeight)
  return { ...common, ...countedIn(line, shipped.quantity), netMinor }
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
