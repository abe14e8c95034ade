/** Orders of one company as they keep stock: those that others sent, and those that its own clerks key in or sell over the counter. */
import { factorOf, type Unit } from '../world/world.ts'
import type { Books } from './books.ts'
import { changed, type BookOrder, type BookOrderLine, openMilli, type OrderKind } from './documents.ts'
import type { SiteStock } from './site-stock.ts'

/** A line with what is open of it, in thousandths of its unit. */
export type OpenLine = {
  order: BookOrder
  line: BookOrderLine
  openMilli: number
  changedAt: string
}

/** Of all orders, or only what is open. */
export function openLines(books: Books, { closed }: { closed: boolean }): OpenLine[] {
  return books.allOrders().flatMap((order) =>
    order.lines.flatMap((line) => {
      const open = openMilli(line)
      return open === 0 && !closed
        ? []
        : [{ order, line, openMilli: open, changedAt: order.changedAt ?? order.createdAt }]
    }),
  )
}

export type Keyed = {
  customer: string
  kind?: OrderKind
  /** Whatever the clerk writes. */
  reference?: string
  lines: { item: string; quantity: number; unit: Unit; site: string }[]
}

const MILLI = 1_000

function keepAt(order: BookOrder, site: string, at: Date): void {
  for (const line of order.lines) line.site = site
  changed(order, at)
}

/** What the ERP's own people do with orders. */
export function clerks(books: Books, stock: readonly SiteStock[]) {
  const known = (number: string): BookOrder => {
    const order = books.order(number)
    if (!order) throw new Error(`no order ${number}`)
    return order
  }

  function takeAway(order: BookOrder, line: BookOrderLine): void {
    const factor = factorOf(books.items.get(line.item)!, line.unit)!
    const figure = stock.find(({ item, site }) => item === line.item && site === line.site)
    const quantity = (openMilli(line) * factor.numerator) / factor.denominator / MILLI
    if (!figure || figure.available < quantity)
      throw new Error(`${order.number}: not so much at ${line.site}`)
    figure.available -= quantity
  }

  return {
    /** Answers the number of the order. */
    key({ customer, kind = 'order', reference = '', lines }: Keyed): string {
      const { currency } = books.customers.get(customer)!
      const order = books.createOrder({
        reference,
        customer,
        customerReference: '',
        currency,
        shipTo: '',
        kind,
        lines: lines.map(({ item, quantity, unit, site }, nth) => ({
          line: String((nth + 1) * 10).padStart(6, '0'),
          item,
          quantityMilli: quantity * MILLI,
          unit,
          priceMinor: 100,
          priceUnit: unit,
          requestedOn: '',
          site,
        })),
      })
      return order.number
    },
    cancel: (number: string): void => void books.cancelOrder(known(number)),
    /** Has the ERP keep stock at the site for an order that others sent. */
    keep: (number: string, site: string, at: Date): void => keepAt(known(number), site, at),
    /** The goods leave the shelves that the ERP counts, and it bills them. */
    deliver(number: string, date: string): void {
      const order = known(number)
      const open = order.lines.filter((line) => openMilli(line) > 0)
      for (const line of open) takeAway(order, line)
      books.postInvoice({
        reference: `own ${number}`,
        customer: order.customer,
        order: number,
        date,
        currency: order.currency,
        taxEvidence: '',
        taxes: undefined,
        lines: open.map((line) => ({
          ...line,
          orderLine: line.line,
          quantityMilli: openMilli(line),
          weightGrams: undefined,
          netMinor: undefined,
        })),
      })
    },
  }
}

export type Clerks = ReturnType<typeof clerks>
