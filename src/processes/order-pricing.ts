/** What an order request comes to: customer, items in base units, prices, address; gathered for a list at once. */
import { createHash } from 'node:crypto'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { extend, parseAmount } from '#platform/money.ts'
import { parseQuantity, type Quantity, type UnitFactor } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { addressKey, customerKey, type SellingCustomer } from '#domains/customers/contract.ts'
import { findAddresses, findCustomers } from '#domains/customers/operations.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { findItems, resolveLines } from '#domains/items/operations.ts'
import type { OrderRequest, OrderRequestLine, ShipTo } from '#domains/orders/contract.ts'
import { missingInAddress } from '#domains/orders/operations.ts'
import { priceKey, type PriceQuestion, type SellingPrice } from '#domains/pricing/contract.ts'
import { decidePrices, findPrices } from '#domains/pricing/operations.ts'
import { KILOGRAM, nominalWeight } from './nominal-weight.ts'
import type { ProcessPorts } from './ports.ts'
import { regionOf } from './ship-to-region.ts'

/** One line that can be sold, or why it cannot. */
export type ValuedLine =
  | {
      readonly kind: 'sold'
      readonly requested: OrderRequestLine
      readonly item: SellingItem
      readonly quantity: Quantity
      readonly factor: UnitFactor
      /** In base units. */
      readonly base: Quantity
      readonly priceMinor: number
      readonly priceUnit: string
      readonly netMinor: number
      /** Why a person must look at the price. */
      readonly priceReview: string | undefined
    }
  | {
      readonly kind: 'rejected'
      readonly requested: OrderRequestLine
      readonly item: SellingItem | undefined
      readonly refusal: Refusal
    }

export type ValuedOrder = {
  readonly request: OrderRequest
  readonly customer: SellingCustomer
  readonly shipToCode: string | null
  /** Country and region of the address, as far as they are known: US-IL, DE. */
  readonly shipTo: string | undefined
  /** Why a person must look at the address. */
  readonly addressReview: string | undefined
  readonly lines: readonly ValuedLine[]
  readonly totalMinor: number
  /** SHA-256 of what the customer asked for, in hexadecimal. */
  readonly contentHash: string
}

type Asked = {
  readonly request: OrderRequest
  /** How far its prices may be from ours, where that is more than the company's own tolerance. */
  readonly priceTolerancePpm?: number | undefined
}

/** Gathers what the requests depend on from our copies and values each; answers by request. */
export async function valueOrders(
  queries: Queries,
  ports: ProcessPorts,
  asked: readonly Asked[],
): Promise<ReadonlyMap<OrderRequest, ValuedOrder | Refusal>> {
  const requests = asked.map(({ request }) => request)
  const [customers, items] = await Promise.all([
    findCustomers(
      queries,
      distinct(requests, ({ company, customer }) => [
        customerKey(company, customer),
        { company, number: customer },
      ]),
    ),
    findItems(
      queries,
      distinct(
        requests.flatMap(({ company, lines }) => lines.map(({ sku }) => ({ company, sku }))),
        (key) => [itemKey(key.company, key.sku), key],
      ),
    ),
  ])
  const today = daysOf(ports)
  const drafts = requests.map((request) => orRefusal(() => resolveOrder(request, customers, items, today)))
  const questions = drafts.flatMap((draft) =>
    draft instanceof Refusal
      ? []
      : draft.lines.flatMap((line) => line.quotes.map(({ question }) => question)),
  )
  const codes = drafts.flatMap((draft) =>
    draft instanceof Refusal || draft.addressCode === null
      ? []
      : [{ customerId: draft.customer.id, code: draft.addressCode }],
  )
  const [prices, addresses] = await Promise.all([
    findPrices(queries, questions),
    findAddresses(queries, codes),
  ])
  return new Map(
    drafts.map((draft, place): [OrderRequest, ValuedOrder | Refusal] => {
      const { request, priceTolerancePpm = 0 } = asked[place]!
      if (draft instanceof Refusal) return [request, draft]
      const { addressCode: code, customer } = draft
      const address = code === null ? request.shipTo : addresses.get(addressKey(customer.id, code))
      if (!address) {
        const message = `${customer.number} has no address ${code}`
        return [request, new Refusal('orders.address_unknown', message, {}, '/shipTo/code')]
      }
      const reviewed = {
        ...draft,
        priceTolerancePpm,
        addressReview: reviewOf(address),
        shipTo: regionOf(address),
      }
      return [request, orRefusal(() => valueOrder(reviewed, prices, ports))]
    }),
  )
}

/** The date at each company, which has customers and so is configured. */
function daysOf({ clock, company }: ProcessPorts): (code: string) => string {
  const now = clock.now()
  const days = new Map<string, string>()
  return (code) => {
    const day = days.get(code) ?? localDate(now, company(code).timeZone)
    days.set(code, day)
    return day
  }
}

/** A number that is none is the answer to its own order, not to those beside it. */
function orRefusal<T>(value: () => T): T | Refusal {
  try {
    return value()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

function reviewOf(address: Parameters<typeof missingInAddress>[0]): string | undefined {
  const missing = missingInAddress(address)
  return missing.length > 0 ? `The ship-to address lacks ${missing.join(' and ')}` : undefined
}

function distinct<T, K>(rows: readonly T[], key: (row: T) => readonly [string, K]): K[] {
  return [...new Map(rows.map(key)).values()]
}

type DraftLine = {
  readonly requested: OrderRequestLine
  readonly item: SellingItem | undefined
  readonly refusal: Refusal | undefined
  readonly quantity: Quantity
  readonly factor: UnitFactor
  readonly base: Quantity
  /** The first that has a price counts. */
  readonly quotes: readonly Quote[]
}

/** A way to price a line: `quantity` of `unit`, of which each costs `factor` times what is asked for. */
type Quote = {
  readonly question: PriceQuestion
  readonly unit: string
  readonly quantity: Quantity
  readonly factor: UnitFactor
}

type Draft = {
  readonly request: OrderRequest
  readonly customer: SellingCustomer
  readonly currency: string
  readonly addressCode: string | null
  readonly lines: readonly DraftLine[]
}

function resolveOrder(
  request: OrderRequest,
  customers: ReadonlyMap<string, SellingCustomer>,
  items: ReadonlyMap<string, SellingItem>,
  today: (company: string) => string,
): Draft | Refusal {
  const { company } = request
  const customer = customers.get(customerKey(company, request.customer))
  const refusal = customer ? refuseCustomer(request, customer) : unknownCustomer(request)
  if (refusal || !customer) return refusal!
  const resolved = resolveLines(
    items,
    request.lines.map(({ line, sku, quantity, unit }) => ({
      key: line,
      company,
      sku,
      quantity: parseQuantity(quantity),
      unit,
    })),
  )
  if (resolved.size < request.lines.length) {
    return new Refusal(
      'orders.line_repeated',
      'each line of an order needs a number of its own',
      {},
      '/lines',
    )
  }
  const date = request.orderDate ?? today(company)
  return {
    request,
    customer,
    currency: request.currency ?? customer.currency,
    addressCode: request.shipTo === undefined ? customer.defaultShipTo : (request.shipTo.code ?? null),
    lines: request.lines.map((requested) => {
      const found = resolved.get(requested.line)!
      const item = items.get(itemKey(company, requested.sku))
      return draftLine({ requested, item, found, customer, date })
    }),
  }
}

const unknownCustomer = ({ company, customer }: OrderRequest): Refusal =>
  new Refusal(
    'orders.customer_unknown',
    `${company} has no customer ${customer}`,
    { company, customer },
    '/customer',
  )

function refuseCustomer(request: OrderRequest, customer: SellingCustomer): Refusal | undefined {
  if (customer.status === 'blocked') {
    return new Refusal('orders.customer_blocked', `${customer.number} is blocked for orders`, {}, '/customer')
  }
  if (request.currency !== undefined && request.currency !== customer.currency) {
    const message = `${customer.number} buys in ${customer.currency}, not in ${request.currency}`
    return new Refusal('orders.currency_mismatch', message, {}, '/currency')
  }
  return undefined
}

type Found = { readonly item: SellingItem; readonly factor: UnitFactor; readonly base: Quantity } | Refusal

function draftLine(given: {
  requested: OrderRequestLine
  item: SellingItem | undefined
  found: Found
  customer: SellingCustomer
  date: string
}): DraftLine {
  const { requested, item, found, customer, date } = given
  const quantity = parseQuantity(requested.quantity)
  const nothing = { requested, item, quantity, factor: ONE, base: 0, quotes: [] }
  if (found instanceof Refusal) return { ...nothing, refusal: found }
  if (found.item.status === 'discontinued') {
    return {
      ...nothing,
      refusal: new Refusal('orders.item_discontinued', `${requested.sku} is no longer sold`),
    }
  }
  const { factor, base } = found
  const quotes = waysToPrice(found.item, { unit: requested.unit, quantity, factor, base }).map(
    ({ per, ...way }): Quote => ({
      ...way,
      question: {
        company: customer.company,
        itemId: found.item.id,
        customerNumber: customer.number,
        priceList: customer.priceList,
        currency: customer.currency,
        date,
        ...per,
      },
    }),
  )
  return { requested, item: found.item, refusal: undefined, quantity, factor, base, quotes }
}

const ONE: UnitFactor = { numerator: 1, denominator: 1 }
type WayToPrice = Omit<Quote, 'question'> & { readonly per: Pick<PriceQuestion, 'unit' | 'quantity'> }

/**
 * Catch weight by the kilogram, at capture by the nominal weight; everything by the ordered unit, and by what the base
 * unit's price comes to. A catch-weight item that has no price by weight costs the same whatever it weighs.
 */
function waysToPrice(
  item: SellingItem,
  { unit, quantity, factor, base }: { unit: string; quantity: Quantity; factor: UnitFactor; base: Quantity },
): WayToPrice[] {
  const ways: WayToPrice[] = [{ unit, quantity, factor: ONE, per: { unit, quantity } }]
  if (unit !== item.baseUnit)
    ways.push({ unit, quantity, factor, per: { unit: item.baseUnit, quantity: base } })
  const nominal = item.catchWeight && unit !== KILOGRAM ? nominalWeight(item, base) : undefined
  if (nominal === undefined) return ways
  const weighed = { unit: KILOGRAM, quantity: nominal }
  return [{ ...weighed, factor: ONE, per: weighed }, ...ways]
}

function valueOrder(
  draft: Draft & Pick<ValuedOrder, 'addressReview' | 'shipTo'> & { readonly priceTolerancePpm: number },
  prices: ReadonlyMap<string, SellingPrice>,
  ports: ProcessPorts,
): ValuedOrder {
  const { request, customer, currency } = draft
  const policy = ports.company(request.company).price
  const tolerancePpm = Math.max(policy.tolerancePpm, draft.priceTolerancePpm)
  const priced = new Map(draft.lines.map((line) => [line.requested.line, priceOf(line, prices)]))
  const decisions = decidePrices(
    draft.lines.map(({ requested }) => ({
      key: requested.line,
      oursMinor: priced.get(requested.line)?.oursMinor,
      expectedMinor: requested.price === undefined ? undefined : parseAmount(requested.price, currency),
      currency,
    })),
    { ...policy, tolerancePpm },
  )
  const lines = draft.lines.map((line): ValuedLine => {
    const { requested, item, quantity, factor, base } = line
    const decision = decisions.get(requested.line)!
    const price = priced.get(requested.line)
    if (line.refusal || !item || !price) return { kind: 'rejected', requested, item, refusal: line.refusal! }
    if (decision.kind === 'refuse') return { kind: 'rejected', requested, item, refusal: decision.refusal }
    const priceMinor = decision.amountMinor
    return {
      kind: 'sold',
      requested,
      item,
      quantity,
      factor,
      base,
      priceMinor,
      priceUnit: price.unit,
      netMinor: extend(priceMinor, price.quantity),
      priceReview: decision.kind === 'hold' ? decision.reason : undefined,
    }
  })
  return {
    request,
    customer,
    shipToCode: draft.addressCode,
    shipTo: draft.shipTo,
    addressReview: draft.addressReview,
    lines,
    totalMinor: lines.reduce((sum, line) => sum + (line.kind === 'sold' ? line.netMinor : 0), 0),
    contentHash: contentHash(draft),
  }
}

type Priced = Pick<Quote, 'unit' | 'quantity'> & { readonly oursMinor: number | undefined }

/** Undefined where nothing is sold; without a price of ours it is the customer's to name one. */
function priceOf({ quotes }: DraftLine, prices: ReadonlyMap<string, SellingPrice>): Priced | undefined {
  const quote = quotes.find(({ question }) => prices.has(priceKey(question))) ?? quotes[0]
  if (!quote) return undefined
  const { question, unit, quantity, factor } = quote
  const own = prices.get(priceKey(question))
  const oursMinor = own && Math.round((own.amountMinor * factor.numerator) / factor.denominator)
  return { unit, quantity, oursMinor }
}

/**
 * What the customer asked for, in whatever order and with whatever zeros it wrote it, without what only says how it
 * reached us. A field that is added to the contract fails to compile here until it is decided on.
 */
function contentHash({ request, currency, lines }: Draft): string {
  const {
    channel: _,
    note: __,
    currency: ___,
    lines: ____,
    reservationId: _____,
    shipTo,
    ...header
  } = request
  const { company, customer, customerOrder, orderDate, requestedDate, shippingRule, ...others } = header
  others satisfies Record<string, never>
  const content = [company, customer, customerOrder, orderDate, requestedDate, shippingRule, currency]
  return createHash('sha256')
    .update(
      JSON.stringify([...content, shipTo && placeOf(shipTo), lines.map((line) => askedOf(line, currency))]),
    )
    .digest('hex')
}

function placeOf({ code, name, lines, city, region, postalCode, country, ...others }: ShipTo): unknown[] {
  others satisfies Record<string, never>
  return [code, name, lines, city, region, postalCode, country]
}

function askedOf({ requested, quantity }: DraftLine, currency: string): unknown[] {
  const { line, sku, quantity: _, unit, price, requestedDate, ...others } = requested
  others satisfies Record<string, never>
  return [line, sku, quantity, unit, price === undefined ? null : parseAmount(price, currency), requestedDate]
}
