/** The books of one company, whatever ERP keeps them: orders, invoices, payments and receivables, exact to the cent. */
import type { Clock } from '#platform/clock.ts'
import { kept, type Keep, type Kept } from '../kept.ts'
import { dayAfter, factorOf, type CompanyCode, type Customer, type Item, type World } from '../world/world.ts'
import { netMinor, taxAgrees, type TaxLine } from './amounts.ts'
import {
  BookRefusal,
  changed,
  type BookInvoice,
  type BookOrder,
  type BookOrderLine,
  type BookPayment,
  type BookTruth,
  type ClosingIn,
  type InvoiceIn,
  type InvoiceLineIn,
  isMore,
  openMilli,
  type OrderIn,
  type OrderLineIn,
  type PaymentIn,
  type Posting,
  type ReversalIn,
} from './documents.ts'

export type NumberRange = { prefix: string; first: number; width: number }
export type NumberRanges = {
  order: NumberRange
  invoice: NumberRange
  posting: NumberRange
  payment: NumberRange
}

export type BookOptions = {
  clock: Clock
  world: World
  company: CompanyCode
  keep: Keep
  visibilityLagMs: number
  numbers: NumberRanges
  /** Per cent in ten-thousandths, for customers that are not exempt. */
  ownTax: (item: Item) => { jurisdiction: string; rateMicro: number }
}

export type BookCustomer = Customer & { changedAt: string; balanceMinor: number; openOrdersMinor: number }

type Billed = [line: BookOrderLine, quantityMilli: number]
type Named = { reference: string; seenFromMs: number; number: string }
type Shelf<T extends Named> = { byNumber: Kept<T>; byReference: Kept<T[]> }

const shelf = <T extends Named>(keep: Keep): Shelf<T> => ({ byNumber: kept(keep), byReference: kept(keep) })

function putOn<T extends Named>(on: Shelf<T>, document: T): T {
  on.byNumber.set(document.number, document)
  const same = on.byReference.get(document.reference)
  if (same) same.push(document)
  else on.byReference.set(document.reference, [document])
  return document
}

/** What the books hold when their program ends. */
export type BooksMemory = {
  customers: BookCustomer[]
  orders: BookOrder[]
  invoices: BookInvoice[]
  payments: BookPayment[]
  last: Record<keyof NumberRanges, number>
}

/** Whatever is remembered has long been visible. */
function recallShelf<T extends Named>(on: Shelf<T>, documents: readonly T[]): void {
  for (const document of documents) putOn(on, Object.assign(document, { seenFromMs: 0 }))
}

export class Books {
  readonly customers: Map<string, BookCustomer>
  readonly items: Map<string, Item>
  private readonly options: BookOptions
  private readonly orders: Shelf<BookOrder>
  private readonly invoices: Shelf<BookInvoice>
  private readonly payments: Shelf<BookPayment>
  private readonly last = { order: 0, invoice: 0, posting: 0, payment: 0 }

  constructor(options: BookOptions) {
    const { world, company, keep } = options
    const changedAt = `${world.today}T00:00:00.000Z`
    const mine = world.customers.filter((customer) => customer.company === company)
    const balances = (one: Customer): BookCustomer => ({
      ...one,
      changedAt,
      balanceMinor: one.receivablesMinor,
      openOrdersMinor: 0,
    })
    this.options = options
    this.customers = new Map(mine.map((customer) => [customer.number, balances(customer)]))
    this.items = new Map(
      world.items.filter((item) => item.company === company).map((item) => [item.number, item]),
    )
    this.orders = shelf(keep)
    this.invoices = shelf(keep)
    this.payments = shelf(keep)
  }

  createOrder(order: OrderIn): BookOrder {
    const customer = this.customer(order.customer)
    if (order.currency !== customer.currency) throw new BookRefusal('currency_mismatch', order.currency)
    if (order.lines.length === 0) throw new BookRefusal('quantity_invalid', 'no lines', 0)
    const lines = order.lines.map((line, nth) => {
      const item = this.item(line, nth)
      if (item.discontinued) throw new BookRefusal('item_discontinued', line.item, nth)
      return { ...line, netMinor: this.net(item, line, undefined, nth), invoicedMilli: 0, cancelledMilli: 0 }
    })
    const netMinor = lines.reduce((sum, line) => sum + line.netMinor, 0)
    customer.openOrdersMinor += netMinor
    return putOn(this.orders, {
      ...order,
      ...this.stamp('order'),
      version: 1,
      cancelled: false,
      netMinor,
      lines,
    })
  }

  /** Cancels what is not invoiced. */
  cancelOrder(order: BookOrder): BookOrder {
    if (order.cancelled) throw new BookRefusal('order_cancelled', order.number)
    if (order.lines.every((line) => openMilli(line) === 0))
      throw new BookRefusal('order_invoiced', order.number)
    return this.cut(
      order,
      order.lines.map((line) => [line, openMilli(line)]),
    )
  }

  /** Lowers what is wanted of lines, all of them or none; never raises it, and never below what is invoiced. */
  closeLines(order: BookOrder, closings: readonly ClosingIn[]): BookOrder {
    const cuts = closings.map((closing, nth): [BookOrderLine, number] => {
      const line = order.lines.find((one) => one.line === closing.line)
      if (!line || !(closing.quantityMilli >= 0)) throw new BookRefusal('quantity_invalid', closing.line, nth)
      const wanted = this.inOrderUnit(this.item(line, nth), closing, line)
      if (isMore(line.invoicedMilli, wanted)) throw new BookRefusal('order_invoiced', order.number, nth)
      return [line, Math.max(0, line.quantityMilli - line.cancelledMilli - wanted)]
    })
    return this.cut(order, cuts)
  }

  private cut(order: BookOrder, cuts: readonly [line: BookOrderLine, quantityMilli: number][]): BookOrder {
    for (const [line, quantityMilli] of cuts) {
      line.cancelledMilli += quantityMilli
      this.lessOpen(order, line, quantityMilli)
    }
    changed(order, this.options.clock.now())
    order.cancelled = order.lines.every((line) => line.invoicedMilli === 0 && openMilli(line) === 0)
    return order
  }

  postInvoice(invoice: InvoiceIn): BookInvoice {
    const customer = this.customer(invoice.customer)
    const order = invoice.order === undefined ? undefined : this.orders.byNumber.get(invoice.order)
    if (invoice.order !== undefined && !order && !this.orders.byNumber.forgetful) {
      throw new BookRefusal('order_unknown', invoice.order)
    }
    if (invoice.currency !== (order?.currency ?? customer.currency)) {
      throw new BookRefusal('currency_mismatch', invoice.currency)
    }
    if (invoice.lines.length === 0) throw new BookRefusal('quantity_invalid', 'no lines', 0)
    const lines = invoice.lines.map((line, nth) => this.invoiceLine(line, nth))
    const billed = order ? this.billed(order, lines) : []
    const taxes = invoice.taxes ?? this.tax(customer, lines)
    const wrong = taxes.findIndex((tax) => !taxAgrees(tax, lines.length))
    if (wrong >= 0) throw new BookRefusal('tax_mismatch', taxes[wrong]?.jurisdiction ?? '', wrong)
    const netMinor = lines.reduce((sum, line) => sum + line.netMinor, 0)
    const taxMinor = taxes.reduce((sum, tax) => sum + tax.taxMinor, 0)
    if (order) this.bill(order, billed)
    customer.balanceMinor += netMinor + taxMinor
    const dueOn = dayAfter(invoice.date, customer.termsDays)
    const posting = this.next('posting')
    const totals = { netMinor, taxMinor, openMinor: netMinor + taxMinor, dueOn, posting }
    return putOn(this.invoices, { ...invoice, ...this.stamp('invoice'), ...totals, lines, taxes })
  }

  pay(payment: PaymentIn): BookPayment {
    const customer = this.customer(payment.customer)
    const invoice = this.invoices.byNumber.get(payment.invoice)
    if (!invoice || invoice.customer !== customer.number)
      throw new BookRefusal('invoice_unknown', payment.invoice)
    if (payment.currency !== invoice.currency) throw new BookRefusal('currency_mismatch', payment.currency)
    if (!(payment.amountMinor > 0)) throw new BookRefusal('quantity_invalid', 'amount')
    if (payment.amountMinor > invoice.openMinor) throw new BookRefusal('over_paid', payment.invoice)
    invoice.openMinor -= payment.amountMinor
    customer.balanceMinor -= payment.amountMinor
    return putOn(this.payments, { ...payment, ...this.stamp('payment'), invoiceOpenMinor: invoice.openMinor })
  }

  /** Takes the payment under this reference back, whole and once. */
  reversePayment(reversal: ReversalIn): BookPayment {
    const payments = this.payments.byReference.get(reversal.reference) ?? []
    const payment = payments.find((one) => !one.reversal)
    if (!payment) {
      throw new BookRefusal(payments.length > 0 ? 'payment_reversed' : 'payment_unknown', reversal.reference)
    }
    this.customer(payment.customer).balanceMinor += payment.amountMinor
    const { number, seenFromMs } = this.stamp('payment')
    payment.reversal = { ...reversal, number, seenFromMs }
    const invoice = this.invoices.byNumber.get(payment.invoice)
    if (invoice) {
      invoice.openMinor += payment.amountMinor
      payment.invoiceOpenMinor = invoice.openMinor
    }
    return payment
  }

  order(number: string): BookOrder | undefined {
    return this.orders.byNumber.get(number)
  }

  allOrders = (): BookOrder[] => [...this.orders.byNumber.values()]
  findOrders = (references: readonly string[]): BookOrder[] => this.find(this.orders, references)
  findInvoices = (references: readonly string[]): BookInvoice[] => this.find(this.invoices, references)

  /** With their reversals, once these can be seen too. */
  findPayments(references: readonly string[]): BookPayment[] {
    const visibleUntilMs = this.options.clock.monotonicMs()
    return this.find(this.payments, references).map(({ reversal, ...payment }) =>
      reversal && reversal.seenFromMs <= visibleUntilMs ? { ...payment, reversal } : payment,
    )
  }

  /** A change of master data inside the ERP, as its users make them. */
  changeCustomer(number: string, change: Partial<Customer>): void {
    Object.assign(this.customer(number), change, { changedAt: this.options.clock.now().toISOString() })
  }

  remember(): BooksMemory {
    return {
      customers: [...this.customers.values()],
      orders: this.allOrders(),
      invoices: [...this.invoices.byNumber.values()],
      payments: [...this.payments.byNumber.values()],
      last: { ...this.last },
    }
  }

  recall({ customers, orders, invoices, payments, last }: BooksMemory): void {
    for (const customer of customers) this.customers.set(customer.number, customer)
    recallShelf(this.orders, orders)
    recallShelf(this.invoices, invoices)
    recallShelf(this.payments, payments)
    for (const { reversal } of payments) if (reversal) reversal.seenFromMs = 0
    Object.assign(this.last, last)
  }

  truth(): BookTruth {
    const invoices = [...this.invoices.byNumber.values()]
    const payments = [...this.payments.byNumber.values()]
    const entry = (
      document: string,
      account: Posting['account'],
      debitMinor: number,
      creditMinor: number,
    ): Posting => ({
      document,
      account,
      debitMinor,
      creditMinor,
    })
    const postings = [
      ...invoices.flatMap((one) => [
        entry(one.posting, 'receivables', one.netMinor + one.taxMinor, 0),
        entry(one.posting, 'revenue', 0, one.netMinor),
        entry(one.posting, 'tax', 0, one.taxMinor),
      ]),
      ...payments.flatMap((one) => [
        entry(one.number, 'bank', one.amountMinor, 0),
        entry(one.number, 'receivables', 0, one.amountMinor),
      ]),
      ...payments.flatMap(({ reversal, amountMinor }) =>
        reversal
          ? [
              entry(reversal.number, 'receivables', amountMinor, 0),
              entry(reversal.number, 'bank', 0, amountMinor),
            ]
          : [],
      ),
    ]
    return { orders: this.allOrders(), invoices, payments, postings }
  }

  private find<T extends Named>(on: Shelf<T>, references: readonly string[]): T[] {
    const visibleUntilMs = this.options.clock.monotonicMs()
    const found = references.flatMap((reference) => on.byReference.get(reference) ?? [])
    return found.filter((document) => document.seenFromMs <= visibleUntilMs)
  }

  private customer(number: string): BookCustomer {
    const customer = this.customers.get(number)
    if (!customer) throw new BookRefusal('customer_unknown', number)
    return customer
  }

  private item(line: OrderLineIn, nth: number): Item {
    const item = this.items.get(line.item)
    if (!item) throw new BookRefusal('item_unknown', line.item, nth)
    return item
  }

  private net(item: Item, line: OrderLineIn, weightGrams: number | undefined, nth: number): number {
    const unit = factorOf(item, line.unit)
    const priceUnit = factorOf(item, line.priceUnit)
    if (!unit || !priceUnit) throw new BookRefusal('unit_unknown', unit ? line.priceUnit : line.unit, nth)
    if (!(line.quantityMilli > 0) || !(line.priceMinor >= 0))
      throw new BookRefusal('quantity_invalid', line.item, nth)
    return netMinor(line, unit, priceUnit, weightGrams)
  }

  private invoiceLine(line: InvoiceLineIn, nth: number): InvoiceLineIn & { netMinor: number } {
    const item = this.item(line, nth)
    const net = this.net(item, line, line.weightGrams, nth)
    if (line.netMinor !== undefined && line.netMinor !== net)
      throw new BookRefusal('net_mismatch', line.item, nth)
    return { ...line, netMinor: net }
  }

  /** How much of which order line the invoice takes; several invoice lines may share one (lots, packages). */
  private billed(order: BookOrder, lines: InvoiceLineIn[]): Billed[] {
    const taken = new Map<BookOrderLine, number>()
    lines.forEach((line, nth) => {
      const ordered = order.lines.find((one) => one.line === line.orderLine)
      if (!ordered) throw new BookRefusal('over_invoiced', line.orderLine, nth)
      const quantity = (taken.get(ordered) ?? 0) + this.inOrderUnit(this.item(line, nth), line, ordered)
      if (isMore(quantity, openMilli(ordered))) throw new BookRefusal('over_invoiced', line.orderLine, nth)
      taken.set(ordered, quantity)
    })
    return [...taken]
  }

  /** An invoice or a closing may count in another unit than its order. */
  private inOrderUnit(
    item: Item,
    line: Pick<OrderLineIn, 'quantityMilli' | 'unit'>,
    ordered: BookOrderLine,
  ): number {
    if (line.unit === ordered.unit) return line.quantityMilli
    const from = factorOf(item, line.unit)
    const to = factorOf(item, ordered.unit)
    if (!from || !to) return line.quantityMilli
    return (line.quantityMilli * from.numerator * to.denominator) / (from.denominator * to.numerator)
  }

  private bill(order: BookOrder, billed: Billed[]): void {
    for (const [line, quantityMilli] of billed) {
      line.invoicedMilli += quantityMilli
      this.lessOpen(order, line, quantityMilli)
    }
    changed(order, this.options.clock.now())
  }

  private lessOpen(order: BookOrder, line: BookOrderLine, quantityMilli: number): void {
    const customer = this.customers.get(order.customer)
    if (customer) customer.openOrdersMinor -= Math.round((line.netMinor * quantityMilli) / line.quantityMilli)
  }

  private tax(customer: BookCustomer, lines: (InvoiceLineIn & { netMinor: number })[]): TaxLine[] {
    const byRate = new Map<string, TaxLine>()
    for (const line of lines) {
      const item = this.items.get(line.item)
      if (!item || customer.resale) continue
      const { jurisdiction, rateMicro } = this.options.ownTax(item)
      const key = `${jurisdiction}/${rateMicro}`
      const tax = byRate.get(key) ?? { jurisdiction, rateMicro, baseMinor: 0, taxMinor: 0 }
      tax.baseMinor += line.netMinor
      tax.taxMinor = Math.round((tax.baseMinor * rateMicro) / 1_000_000)
      byRate.set(key, tax)
    }
    return [...byRate.values()]
  }

  private next(kind: keyof NumberRanges): string {
    const { prefix, first, width } = this.options.numbers[kind]
    return prefix + String(first + this.last[kind]++).padStart(width, '0')
  }

  private stamp(kind: keyof NumberRanges): {
    number: string
    id: string
    createdAt: string
    seenFromMs: number
  } {
    const number = this.next(kind)
    const id = `${this.options.company.toLowerCase()}-${kind}-${number}`
    const { clock, visibilityLagMs } = this.options
    return {
      number,
      id,
      createdAt: clock.now().toISOString(),
      seenFromMs: clock.monotonicMs() + visibilityLagMs,
    }
  }
}
