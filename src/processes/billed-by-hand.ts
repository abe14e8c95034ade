/** What customers were billed of shipments by paper that their warehouse tells less of: named with its invoice and its worth. */
import type { Transaction } from '#platform/database.ts'
import type { Money } from '#platform/money.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { invoicesOfOrders, linesOfInvoices } from '#domains/billing/views.ts'
import { linesOfShipments } from '#domains/shipments/views.ts'
import { invoiceNumber, shipmentNumber } from './ports.ts'

/** So much of a line of a shipment by paper never left. */
export type NeverLeft = {
  readonly orderId: number
  readonly shipment: number
  readonly line: number
  readonly quantity: Quantity
}

/** Undefined where nothing of it is billed yet. */
export type BilledTooMuch = { readonly value: Money | undefined; readonly words: string }

/** By shipment and line of the order. */
export async function billedTooMuch(
  tx: Transaction,
  missing: readonly NeverLeft[],
): Promise<ReadonlyMap<NeverLeft, BilledTooMuch>> {
  if (missing.length === 0) return new Map()
  const shipments = [...new Set(missing.map(({ shipment }) => shipment))]
  const [lines, invoices] = await Promise.all([
    linesOfShipments(tx, shipments),
    invoicesOfOrders(tx, [...new Set(missing.map(({ orderId }) => orderId))]),
  ])
  const concerned = invoices.filter(({ shipmentId }) => shipments.includes(shipmentId))
  const billed = await linesOfInvoices(
    tx,
    concerned.map(({ doc }) => doc),
  )
  return new Map(
    missing.map((one): [NeverLeft, BilledTooMuch] => {
      const invoice = concerned.find(({ shipmentId }) => shipmentId === one.shipment)
      const words = `${formatQuantity(one.quantity)} of line ${one.line} of ${shipmentNumber(one.shipment)} never left`
      if (!invoice) return [one, { value: undefined, words: `${words}; it is not billed yet` }]
      const mine = lines.filter((row) => row.doc === one.shipment && row.line === one.line)
      const shipped = mine.reduce((sum, { quantity }) => sum + quantity, 0)
      const netMinor = billed
        .filter((row) => row.doc === invoice.doc && mine.some(({ n }) => n === row.shipmentLine))
        .reduce((sum, row) => sum + row.netMinor, 0)
      const amountMinor = Math.round((netMinor * one.quantity) / shipped)
      const { currency } = invoice
      const name = invoice.number ?? invoiceNumber(invoice.doc)
      return [
        one,
        {
          value: { amountMinor, currency },
          words: `${words}, and invoice ${name} bills it at ${formatAmount(amountMinor, currency)} ${currency} net`,
        },
      ]
    }),
  )
}
