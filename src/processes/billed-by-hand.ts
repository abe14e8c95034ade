/** What customers are billed of shipments by paper that their warehouse tells less of: named with its invoice and its worth. */
import type { Transaction } from '#platform/database.ts'
import { formatAmount, type Money } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { invoicesOfOrders, linesOfInvoices } from '#domains/billing/views.ts'
import { headersOf, linesOf } from '#domains/orders/views.ts'
import { linesOfShipments } from '#domains/shipments/views.ts'
import { invoiceNumber, shipmentNumber } from './ports.ts'

/** So much of a line of a shipment by paper never left. */
export type NeverLeft = {
  readonly orderId: number
  readonly shipment: number
  readonly line: number
  readonly quantity: Quantity
}

export type BilledTooMuch = { readonly value: Money; readonly words: string }

/** By shipment and line of the order. An invoice that is not drawn yet will bill what the paper says all the same. */
export async function billedTooMuch(
  tx: Transaction,
  missing: readonly NeverLeft[],
): Promise<ReadonlyMap<NeverLeft, BilledTooMuch>> {
  if (missing.length === 0) return new Map()
  const orders = [...new Set(missing.map(({ orderId }) => orderId))]
  const invoices = await invoicesOfOrders(tx, orders)
  const invoiceOf = new Map(invoices.map((invoice) => [invoice.shipmentId, invoice]))
  const isBilled = ({ shipment }: NeverLeft): boolean => invoiceOf.has(shipment)
  const [billed, unbilled] = await Promise.all([
    worthOnInvoices(tx, missing.filter(isBilled), invoiceOf),
    worthAsOrdered(
      tx,
      missing.filter((one) => !isBilled(one)),
    ),
  ])
  return new Map([...billed, ...unbilled])
}

type Invoices = ReadonlyMap<number, Awaited<ReturnType<typeof invoicesOfOrders>>[number]>
type Worth = [NeverLeft, BilledTooMuch]

async function worthOnInvoices(
  tx: Transaction,
  missing: readonly NeverLeft[],
  invoiceOf: Invoices,
): Promise<Worth[]> {
  const shipments = [...new Set(missing.map(({ shipment }) => shipment))]
  const [lines, billed] = await Promise.all([
    linesOfShipments(tx, shipments),
    linesOfInvoices(
      tx,
      shipments.map((shipment) => invoiceOf.get(shipment)!.doc),
    ),
  ])
  return missing.map((one): Worth => {
    const invoice = invoiceOf.get(one.shipment)!
    const mine = lines.filter((row) => row.doc === one.shipment && row.line === one.line)
    const shipped = mine.reduce((sum, { quantity }) => sum + quantity, 0)
    const netMinor = billed
      .filter((row) => row.doc === invoice.doc && mine.some(({ n }) => n === row.shipmentLine))
      .reduce((sum, row) => sum + row.netMinor, 0)
    const value = valueOf(one, { netMinor, of: shipped, currency: invoice.currency })
    return [one, told(one, value, `invoice ${invoice.number ?? invoiceNumber(invoice.doc)} bills`)]
  })
}

async function worthAsOrdered(tx: Transaction, missing: readonly NeverLeft[]): Promise<Worth[]> {
  if (missing.length === 0) return []
  const orders = [...new Set(missing.map(({ orderId }) => orderId))]
  const [headers, lines] = await Promise.all([headersOf(tx, orders), linesOf(tx, orders)])
  return missing.map((one): Worth => {
    const { currency } = headers.find(({ doc }) => doc === one.orderId)!
    const { netMinor, ordered } = lines.find(({ doc, n }) => doc === one.orderId && n === one.line)!
    const value = valueOf(one, { netMinor, of: ordered, currency })
    return [one, told(one, value, 'its invoice, which is not drawn yet, will bill')]
  })
}

type Priced = { readonly netMinor: number; readonly of: Quantity; readonly currency: string }

const valueOf = ({ quantity }: NeverLeft, { netMinor, of, currency }: Priced): Money => ({
  amountMinor: Math.round((netMinor * quantity) / of),
  currency,
})

function told({ quantity, line, shipment }: NeverLeft, value: Money, whoBills: string): BilledTooMuch {
  const amount = `${formatAmount(value.amountMinor, value.currency)} ${value.currency} net`
  const what = `${formatQuantity(quantity)} of line ${line} of ${shipmentNumber(shipment)} never left`
  return { value, words: `${what}, and ${whoBills} it at ${amount}` }
}
