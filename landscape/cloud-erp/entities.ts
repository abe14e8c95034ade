/** Which request is which operation on which entity, and what it answers. */
import type { Fields } from '../fields.ts'
import { BookRefusal, type BookFault, type BookOrder } from '../erp/documents.ts'
import { openLines } from '../erp/open-orders.ts'
import { pageOf } from '../erp/pages.ts'
import { hash } from '../random.ts'
import { json, type Reply } from '../server.ts'
import type { World } from '../world/world.ts'
import {
  closingsIn,
  creditEntity,
  customerEntity,
  invoiceEntity,
  invoiceIn,
  itemEntity,
  openLineEntity,
  orderEntity,
  orderEtag,
  orderId,
  orderIn,
  paymentEntity,
  paymentIn,
  priceEntity,
  receiptEntity,
  reversalIn,
  stockEntity,
} from './shapes.ts'
import type { CloudStore } from './store.ts'

/** A request of its own or one inside a $batch; `url` starts at the company. */
export type Request = {
  method: string
  url: string
  query: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  fields: Fields
}

export type Verb = {
  name: string
  keys: (request: Request) => string[]
  /** Runs it, or answers what the same idempotency key was answered before. */
  once: (request: Request, body: string) => Reply
}

const PAGE = 200
const LARGEST_PAGE = 1_000
const MOST_REFERENCES = 50
const COMPANY = 'companies(NWI)/'

const CODE: Record<BookFault, string> = {
  customer_unknown: 'Application_CustomerNotFound',
  item_unknown: 'Application_ItemNotFound',
  unit_unknown: 'Application_UnitOfMeasureInvalid',
  item_discontinued: 'Application_ItemBlocked',
  quantity_invalid: 'Application_QuantityInvalid',
  currency_mismatch: 'Application_CurrencyMismatch',
  order_unknown: 'Application_OrderNotFound',
  order_invoiced: 'Application_AlreadyInvoiced',
  order_cancelled: 'Application_AlreadyCanceled',
  tax_mismatch: 'Application_TaxMismatch',
  over_invoiced: 'Application_OverInvoiced',
  net_mismatch: 'Application_AmountMismatch',
  invoice_unknown: 'Application_InvoiceNotFound',
  over_paid: 'Application_OverPaid',
  payment_unknown: 'Application_PaymentNotFound',
  payment_reversed: 'Application_AlreadyReversed',
}

export const refusal = (status: number, code: string, message: string, target?: string): Reply =>
  json(status, { error: { code, message, ...(target === undefined ? {} : { target }) } })

function attempt(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof BookRefusal)) throw error
    const target = error.line === undefined ? undefined : `lines/${error.line}`
    return refusal(
      400,
      CODE[error.fault],
      `${CODE[error.fault].slice('Application_'.length)}: ${error.message}`,
      target,
    )
  }
}

/** The values of `field eq 'x'` or `field in ('x','y')`. */
function filterValues(query: string, field: string): string[] | undefined {
  const filter = new URLSearchParams(query).get('$filter') ?? ''
  if (!filter.startsWith(`${field} `)) return undefined
  return [...filter.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] ?? '').replaceAll("''", "'"))
}

function listing(context: string, all: () => Fields[]): (request: Request) => Reply {
  return ({ query }) => {
    const asked = new URLSearchParams(query)
    const since = /^lastModifiedDateTime gt (\S+)$/.exec(asked.get('$filter') ?? '')?.[1]
    const changed =
      since === undefined
        ? all()
        : all().filter((row) => Date.parse(String(row['lastModifiedDateTime'])) > Date.parse(since))
    const top = Math.min(Number(asked.get('$top') ?? PAGE) || PAGE, LARGEST_PAGE)
    const page = pageOf(changed, Number(asked.get('$skiptoken') ?? 0), top)
    asked.set('$skiptoken', String(page.next))
    const link =
      page.next === undefined
        ? {}
        : { '@odata.nextLink': `/api/v2.0/${COMPANY}${context}?${asked.toString()}` }
    return json(200, { '@odata.context': `$metadata#${context}`, value: page.rows, ...link })
  }
}

function lookup(
  field: string,
  context: string,
  find: (values: string[]) => Fields[],
): (request: Request) => Reply {
  return ({ query }) => {
    const values = filterValues(query, field)
    if (!values || values.length > MOST_REFERENCES)
      return refusal(400, 'BadRequest', `filter by ${field}, at most ${MOST_REFERENCES}`)
    return json(200, { '@odata.context': `$metadata#${context}`, value: find(values) })
  }
}

/** The idempotency key's first answer stands; another body under it is a conflict. */
function keyed(store: CloudStore, run: (request: Request) => Reply): Verb['once'] {
  return (request, body) => {
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string' || request.method !== 'POST') return attempt(() => run(request))
    const bodyHash = hash(body)
    const before = store.answered.get(key)
    if (before && before.bodyHash !== bodyHash)
      return refusal(409, 'Request_IdempotencyConflict', 'this key came with another body')
    if (before)
      return { ...before.reply, headers: { ...before.reply.headers, 'idempotency-replayed': 'true' } }
    const reply = attempt(() => run(request))
    store.answered.set(key, { bodyHash, reply })
    return reply
  }
}

const referenceKeys = ({ headers, fields }: Request): string[] => {
  const key = headers['idempotency-key']
  const reference = fields['externalDocumentNumber']
  if (typeof reference === 'string') return [reference]
  return typeof key === 'string' ? [key] : []
}

type Change = (order: BookOrder, fields: Fields) => BookOrder

/** Changes the order that the address names, at the version that the caller knows. */
function change(store: CloudStore, request: Request, how: Change): Reply {
  const order = orderOf(store, request)
  if (!order) return refusal(404, 'BadRequest_NotFound', 'no such order')
  const expected = request.headers['if-match']
  if (typeof expected !== 'string')
    return refusal(428, 'Request_IfMatchRequired', 'say which version you change')
  if (expected !== '*' && expected !== orderEtag(order))
    return refusal(412, 'Request_EntityChanged', 'the order has changed')
  return withEtag(200, how(order, request.fields))
}

const withEtag = (status: number, order: BookOrder): Reply =>
  json(status, orderEntity(order), { etag: orderEtag(order) })

function orderOf(store: CloudStore, { url }: Request): BookOrder | undefined {
  const id = /\(([^)]+)\)/.exec(url.slice(COMPANY.length))?.[1]
  return id === undefined ? undefined : store.ordersById.get(id)
}

type Route = {
  method: string
  name: string
  matches: (url: string) => boolean
  run: (request: Request) => Reply
  keys?: Verb['keys']
}

function readRoutes(store: CloudStore, world: World): Route[] {
  const { books } = store
  const loadedAt = `${world.today}T00:00:00.000Z`
  const baseUnit = (item: string) => books.items.get(item)?.baseUnit ?? 'EA'
  const get = (name: string, context: string, run: Route['run']): Route => ({
    method: 'GET',
    name,
    matches: (url) => url === context,
    run,
  })
  const list = (name: string, context: string, all: () => Fields[]): Route =>
    get(name, context, listing(context, all))
  const find = (name: string, context: string, rows: (values: string[]) => Fields[]): Route => ({
    ...get(name, context, lookup('externalDocumentNumber', context, rows)),
    keys: ({ query }) => filterValues(query, 'externalDocumentNumber') ?? [],
  })
  const credit = (numbers: string[]): Fields[] =>
    numbers.flatMap((number) => books.customers.get(number) ?? []).map(creditEntity)
  return [
    list('customers', 'customers', () => [...books.customers.values()].map(customerEntity)),
    list('items', 'items', () => [...books.items.values()].map((item) => itemEntity(item, loadedAt))),
    list('prices', 'salesPrices', () => store.prices.map((price, nth) => priceEntity(price, nth, loadedAt))),
    list('stock', 'itemInventories', () =>
      store.stock.map((one) => stockEntity(one, baseUnit(one.item), loadedAt)),
    ),
    list('receipts', 'expectedReceipts', () =>
      store.purchases.lines().map((one) => receiptEntity(one, baseUnit(one.item))),
    ),
    // without a filter what is open; with one all that has changed, so that what has ended is told as well
    get('openOrders', 'outstandingSalesLines', (request) => {
      const closed = new URLSearchParams(request.query).has('$filter')
      return listing('outstandingSalesLines', () => openLines(books, { closed }).map(openLineEntity))(request)
    }),
    get('credit', 'customerFinancialDetails', lookup('number', 'customerFinancialDetails', credit)),
    {
      method: 'GET',
      name: 'credit',
      matches: (url) => /^customers\([^)]+\)\/financialDetails$/.test(url),
      run: ({ url }) => {
        const [row] = credit([/\(([^)]+)\)/.exec(url.slice(COMPANY.length))?.[1] ?? ''])
        return row ? json(200, row) : refusal(404, 'BadRequest_NotFound', 'no such customer')
      },
    },
    find('findOrders', 'salesOrders', (values) => books.findOrders(values).map(orderEntity)),
    find('findInvoices', 'salesInvoices', (values) => books.findInvoices(values).map(invoiceEntity)),
    find('findPayments', 'customerPayments', (values) => books.findPayments(values).map(paymentEntity)),
    {
      method: 'GET',
      name: 'readOrder',
      matches: (url) => /^salesOrders\([^)]+\)$/.test(url),
      run: (request) => {
        const order = orderOf(store, request)
        return order ? withEtag(200, order) : refusal(404, 'BadRequest_NotFound', 'no such order')
      },
    },
  ]
}

function writeRoutes(store: CloudStore): Route[] {
  const { books } = store
  const post = (name: string, context: string, run: (fields: Fields) => Reply): Route => ({
    method: 'POST',
    name,
    matches: (url) => url === context,
    run: ({ fields }) => run(fields),
    keys: referenceKeys,
  })
  const action = (name: string, verb: string, how: Change): Route => ({
    method: 'POST',
    name,
    matches: (url) => new RegExp(`^salesOrders\\([^)]+\\)/Microsoft\\.NAV\\.${verb}$`).test(url),
    run: (request) => change(store, request, how),
    keys: ({ url }) => [/salesOrders\(([^)]+)\)/.exec(url)?.[1] ?? ''],
  })
  return [
    post('createOrder', 'salesOrders', (fields) => {
      const order = books.createOrder(orderIn(fields))
      store.ordersById.set(orderId(order), order)
      return withEtag(201, order)
    }),
    post('postInvoice', 'salesInvoices', (fields) =>
      json(201, invoiceEntity(books.postInvoice(invoiceIn(fields)))),
    ),
    post('registerPayment', 'customerPayments', (fields) =>
      json(201, paymentEntity(books.pay(paymentIn(fields)))),
    ),
    post('reversePayment', 'customerPayments/Microsoft.NAV.reverse', (fields) =>
      json(200, paymentEntity(books.reversePayment(reversalIn(fields)))),
    ),
    action('cancelOrder', 'cancel', (order) => books.cancelOrder(order)),
    action('closeOrderLines', 'closeLines', (order, fields) => books.closeLines(order, closingsIn(fields))),
  ]
}

export function entities(store: CloudStore, world: World): (request: Request) => Verb | undefined {
  const routes = [...writeRoutes(store), ...readRoutes(store, world)].map((route) => ({
    method: route.method,
    matches: route.matches,
    verb: { name: route.name, keys: route.keys ?? (() => []), once: keyed(store, route.run) },
  }))
  return ({ method, url }) => {
    if (!url.startsWith(COMPANY)) return undefined
    const rest = url.slice(COMPANY.length)
    return routes.find((route) => route.method === method && route.matches(rest))?.verb
  }
}
