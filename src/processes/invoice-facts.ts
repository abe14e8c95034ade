/** What the invoice process knows of an invoice. */
import type { Address } from '#capabilities/erp.ts'
import type { Transaction } from '#platform/database.ts'
import type { DocumentFacts } from '#platform/process.ts'
import type { UnitFactor } from '#platform/quantity.ts'
import type { InvoiceHeader, InvoiceLine } from '#domains/billing/contract.ts'
import { linesOfInvoices, lockInvoices } from '#domains/billing/views.ts'
import { headersOf, linesOf, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import { type ShipmentHeader, shipmentsOf } from '#domains/shipments/views.ts'
import { addressesOf } from './fulfillment-facts.ts'
import { groupBy } from './order-facts.ts'
import type { ProcessPorts } from './ports.ts'

export type InvoiceFacts = DocumentFacts & {
  readonly invoice: Omit<InvoiceHeader, 'version'>
  readonly lines: readonly (InvoiceLine & {
    readonly sku: string
    readonly customerLine: string
    readonly taxClass: string
    readonly ordered: { readonly unit: string; readonly factor: UnitFactor }
  })[]
  readonly order: {
    readonly customer: string
    readonly taxId: string | null
    readonly taxExempt: boolean
    readonly customerOrder: string
    readonly orderDate: string | null
    readonly externalId: string | null
    readonly erpNumber: string | null
    readonly channel: string
    readonly sender: string
  }
  readonly shipment: { readonly number: string; readonly location: string; readonly shippedAt: Date }
  readonly shipTo: Address
  readonly taxedBy: 'erp' | 'tax-system'
  /** The channel wants the posted invoice. */
  readonly wanted: boolean
}

type Parts = {
  readonly invoice: InvoiceHeader
  readonly lines: readonly InvoiceLine[]
  readonly order: Omit<OrderHeader, 'version'>
  readonly orderLines: readonly OrderLine[]
  readonly shipment: ShipmentHeader
  readonly shipTo: Address
}

export function composeInvoice(ports: ProcessPorts, parts: Parts): InvoiceFacts {
  const {
    invoice: { version, ...invoice },
    order,
    shipment,
  } = parts
  const lineOf = new Map(parts.orderLines.map((line) => [line.n, line]))
  const { customer, taxId, taxExempt, customerOrder, orderDate, externalId, erpNumber, channel, sender } =
    order
  return {
    doc: invoice.doc,
    company: invoice.company,
    correlationId: invoice.orderId,
    version,
    traceId: order.traceId ?? undefined,
    invoice,
    lines: parts.lines.map((line) => {
      const { sku, customerLine, taxClass, unit, numerator, denominator } = lineOf.get(line.orderLine)!
      return { ...line, sku, customerLine, taxClass, ordered: { unit, factor: { numerator, denominator } } }
    }),
    order: { customer, taxId, taxExempt, customerOrder, orderDate, externalId, erpNumber, channel, sender },
    shipment: { number: shipment.number, location: shipment.location, shippedAt: shipment.shippedAt },
    shipTo: parts.shipTo,
    taxedBy: ports.company(invoice.company).taxedBy,
    wanted: ports.wishes(order).invoice,
  }
}

export async function invoiceFacts(
  tx: Transaction,
  docs: readonly number[],
  ports: ProcessPorts,
): Promise<ReadonlyMap<number, InvoiceFacts>> {
  const [invoices, lines] = await Promise.all([lockInvoices(tx, docs), linesOfInvoices(tx, docs)])
  const orders = [...new Set(invoices.map((invoice) => invoice.orderId))].toSorted((a, b) => a - b)
  const shipped = [...new Set(invoices.map((invoice) => invoice.shipmentId))].toSorted((a, b) => a - b)
  const [headers, orderLines, shipments] = await Promise.all([
    headersOf(tx, orders),
    linesOf(tx, orders),
    shipmentsOf(tx, shipped),
  ])
  const shipTos = await addressesOf(tx, headers)
  const headerOf = new Map(headers.map((header) => [header.doc, header]))
  const shipmentOf = new Map(shipments.map((shipment) => [shipment.doc, shipment]))
  const of = groupBy(lines, (line) => line.doc)
  const orderLinesOf = groupBy(orderLines, (line) => line.doc)
  return new Map(
    invoices.map((invoice) => {
      const { version: _, ...order } = headerOf.get(invoice.orderId)!
      return [
        invoice.doc,
        composeInvoice(ports, {
          invoice,
          lines: of(invoice.doc).map(({ doc: __, ...line }) => line),
          order,
          orderLines: orderLinesOf(order.doc),
          shipment: shipmentOf.get(invoice.shipmentId)!,
          shipTo: shipTos.get(order.doc)!,
        }),
      ]
    }),
  )
}
