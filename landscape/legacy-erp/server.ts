/** The legacy ERP's gateway: always HTTP 200, the outcome in RC, no idempotency but look-ups by our reference. */
import { type Fields, parsed, text } from '../fields.ts'
import type { Books } from '../erp/books.ts'
import { BookRefusal, type BookFault, type BookOrder, type BookTruth } from '../erp/documents.ts'
import { type Clerks, clerks, openLines } from '../erp/open-orders.ts'
import { pageOf } from '../erp/pages.ts'
import type { PurchaseOrders } from '../erp/purchase-orders.ts'
import { inAnotherOrder } from '../random.ts'
import {
  json,
  startSystem,
  systemTools,
  type Call,
  type Operation,
  type Reply,
  type ServerOptions,
  type SystemHandle,
  type Tools,
} from '../server.ts'
import type { Unit, World } from '../world/world.ts'
import {
  bare,
  closingsIn,
  conditionRow,
  creditRow,
  customerRow,
  invoiceIn,
  invoiceRow,
  invoiceTotals,
  openLineRow,
  materialRow,
  orderIn,
  orderRow,
  paymentIn,
  paymentRow,
  receiptRow,
  reversalIn,
  stockRow,
  betrag,
} from './shapes.ts'
import {
  legacyStore,
  recallLegacy,
  rememberLegacy,
  SESSION_SECONDS,
  type LegacyMemory,
  type LegacyStore,
} from './store.ts'

export const LEGACY_ERP = 'erp-legacy'
const BATCH = 50
const PAGE = 200
const LARGEST_PAGE = 1_000

const RC: Record<BookFault, [rc: string, words: string]> = {
  customer_unknown: ['201', 'DEBITOR NICHT VORHANDEN'],
  item_unknown: ['202', 'MATERIAL NICHT VORHANDEN'],
  unit_unknown: ['203', 'MENGENEINHEIT NICHT GEPFLEGT'],
  item_discontinued: ['204', 'MATERIAL AUSGELISTET'],
  quantity_invalid: ['205', 'MENGE ODER PREIS UNZULAESSIG'],
  order_unknown: ['211', 'AUFTRAG NICHT VORHANDEN'],
  order_invoiced: ['212', 'AUFTRAG BEREITS FAKTURIERT'],
  order_cancelled: ['213', 'AUFTRAG BEREITS ABGESAGT'],
  tax_mismatch: ['222', 'STEUER UNSTIMMIG'],
  over_invoiced: ['223', 'MENGE UEBERSCHRITTEN'],
  net_mismatch: ['224', 'NETTOBETRAG UNSTIMMIG'],
  currency_mismatch: ['225', 'WAEHRUNG ABWEICHEND'],
  invoice_unknown: ['231', 'FAKTURA NICHT VORHANDEN'],
  over_paid: ['232', 'BETRAG UEBERSTEIGT OFFENEN POSTEN'],
  payment_unknown: ['233', 'ZAHLUNG NICHT VORHANDEN'],
  payment_reversed: ['234', 'ZAHLUNG BEREITS STORNIERT'],
}

type Answer = Fields & { RC: string }
type Credentials = { user: string; password: string }
type Verb = { name: string; keys: (fields: Fields) => string[]; run: (fields: Fields) => Answer }

const done = (fields: Fields): Answer => ({ RC: '000', MSGNO: '', MSGTX: '', ...fields })
const refuse = (rc: string, words: string, field = ''): Answer => ({
  RC: rc,
  MSGNO: rc,
  MSGTX: words,
  FELD: field,
})
const anyList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const texts = (value: unknown): string[] =>
  anyList(value).filter((one): one is string => typeof one === 'string')
const noKeys = (): string[] => []
const keyOf = (field: string) => (fields: Fields) => texts([fields[field]])
const keysOfBatch = (field: string) => (fields: Fields) =>
  texts(anyList(fields['IDOCS']).map((one) => (one as Fields)[field]))

function worded(error: unknown): Answer {
  if (!(error instanceof BookRefusal)) throw error
  const [rc, words] = RC[error.fault]
  const field = error.line === undefined ? '' : `POS/${error.line + 1}`
  return refuse(rc, `${words}: ${error.message}`, field)
}

function attempt(work: () => Fields): Answer {
  try {
    return done(work())
  } catch (error) {
    return worded(error)
  }
}

/** Pages of rows changed since AEAB; the cursor is a place in the list. */
function listing<T>(
  all: () => readonly T[],
  row: (one: T, nth: number) => Fields,
): (fields: Fields) => Answer {
  return (fields) => {
    const since = typeof fields['AEAB'] === 'string' ? fields['AEAB'] : ''
    const max = Math.min(Number(fields['MAX'] ?? PAGE) || PAGE, LARGEST_PAGE)
    const changed = all()
      .map(row)
      .filter((one) => since === '' || `${text(one['AEDAT'])}${text(one['AEZET'])}` > since)
    const page = pageOf(changed, Number(fields['AB'] || 0), max)
    return done({ ROWS: page.rows, AB: page.next === undefined ? '' : String(page.next) })
  }
}

function found(field: string, find: (references: string[]) => Fields[]): (fields: Fields) => Answer {
  return (fields) => {
    const references = texts(fields[field])
    return references.length > BATCH ? refuse('102', 'ZU VIELE SAETZE') : done({ ROWS: find(references) })
  }
}

/** A batch answers one status record per IDoc, in an order of its own. */
function batch(
  tools: Tools,
  seed: string,
  spec: { name: string; field: string; one: (fields: Fields) => Answer },
): (fields: Fields) => Answer {
  return (fields) => {
    const idocs = anyList(fields['IDOCS']) as Fields[]
    if (idocs.length > BATCH) return refuse('102', 'ZU VIELE SAETZE')
    const status = idocs.map((idoc): Fields => {
      const key = { [spec.field]: idoc[spec.field] }
      const reference = text(idoc[spec.field])
      if (!tools.faults.quiet && tools.faults.strike('item-failure', spec.name, reference))
        return { ...key, STATUS: '64' }
      const { RC: rc, MSGNO, MSGTX, FELD, ...rest } = spec.one(idoc)
      return rc === '000' ? { ...key, STATUS: '53', ...rest } : { ...key, STATUS: '51', MSGNO, MSGTX, FELD }
    })
    return done({ STATUS: inAnotherOrder(seed, String(idocs[0]?.[spec.field]), status) })
  }
}

function orderVerbs(books: Books) {
  const totals = (order: BookOrder): Fields => ({ VBELN: order.number, NETWR: betrag(order.netMinor) })
  const known = (fields: Fields): BookOrder => {
    const number = text(fields['VBELN']).padStart(10, '0')
    const order = books.order(number)
    if (!order) throw new BookRefusal('order_unknown', number)
    return order
  }
  return {
    create: (fields: Fields) => attempt(() => totals(books.createOrder(orderIn(fields)))),
    cancel: (fields: Fields) => attempt(() => totals(books.cancelOrder(known(fields)))),
    close: (fields: Fields) => attempt(() => totals(books.closeLines(known(fields), closingsIn(fields)))),
  }
}

const verb = (name: string, keys: Verb['keys'], run: Verb['run']): Verb => ({ name, keys, run })

function masterVerbs({ books, purchases, prices, stock }: LegacyStore, today: string): Record<string, Verb> {
  const baseUnit = (item: string): Unit => books.items.get(item)?.baseUnit ?? 'EA'
  const list = <T>(name: string, all: () => readonly T[], row: (one: T, nth: number) => Fields): Verb =>
    verb(name, noKeys, listing(all, row))
  const credit = (numbers: string[]): Fields[] =>
    numbers.flatMap((number) => books.customers.get(bare(number)) ?? []).map(creditRow)
  return {
    '/rfc/MD_CUSTOMERS': list('customers', () => [...books.customers.values()], customerRow),
    '/rfc/MD_MATERIALS': list(
      'items',
      () => [...books.items.values()],
      (item) => materialRow(item, today),
    ),
    '/rfc/MD_CONDITIONS': list('prices', () => prices, conditionRow),
    '/rfc/MM_STOCK': list(
      'stock',
      () => stock,
      (one) => stockRow(one, baseUnit(one.item), today),
    ),
    '/rfc/MM_RECEIPTS': list(
      'receipts',
      () => purchases.lines(),
      (one) => receiptRow(one, baseUnit(one.item)),
    ),
    // without AEAB what is open; with it all that has changed, so that what has ended is told as well
    '/rfc/SD_OPEN_ORDERS': verb('openOrders', noKeys, (fields) =>
      listing(() => openLines(books, { closed: text(fields['AEAB']) !== '' }), openLineRow)(fields),
    ),
    '/rfc/FI_CREDIT': verb('credit', (fields) => texts(fields['KUNNR']), found('KUNNR', credit)),
  }
}

function documentVerbs({ books }: LegacyStore, tools: Tools, seed: string): Record<string, Verb> {
  const { create, cancel, close } = orderVerbs(books)
  const invoice = (fields: Fields): Answer =>
    attempt(() => invoiceTotals(books.postInvoice(invoiceIn(fields))))
  const pay = (fields: Fields): Answer =>
    attempt(() => {
      const payment = books.pay(paymentIn(fields))
      return { AUGBL: payment.number, OFFEN: betrag(payment.invoiceOpenMinor) }
    })
  const reverse = (fields: Fields): Answer =>
    attempt(() => {
      const { reversal, invoiceOpenMinor } = books.reversePayment(reversalIn(fields))
      return { STBLG: reversal?.number ?? '', OFFEN: betrag(invoiceOpenMinor) }
    })
  const batchOf = (name: string, field: string, one: (fields: Fields) => Answer): Verb =>
    verb(name, keysOfBatch(field), batch(tools, seed, { name, field, one }))
  const find = (name: string, field: string, rows: (references: string[]) => Fields[]): Verb =>
    verb(name, (fields) => texts(fields[field]), found(field, rows))
  return {
    '/rfc/SD_ORDER_CREATE': verb('createOrder', keyOf('BSTNK'), create),
    '/idoc/ORDERS': batchOf('createOrders', 'BSTNK', create),
    '/rfc/SD_ORDER_READ': find('findOrders', 'BSTNK', (all) => books.findOrders(all).map(orderRow)),
    '/rfc/SD_ORDER_REJECT': verb('cancelOrder', keyOf('VBELN'), cancel),
    '/rfc/SD_ORDER_CLOSE': verb('closeOrderLines', keyOf('VBELN'), close),
    '/rfc/FI_INVOICE_POST': verb('postInvoice', keyOf('XBLNR'), invoice),
    '/idoc/INVOIC': batchOf('postInvoices', 'XBLNR', invoice),
    '/rfc/FI_INVOICE_READ': find('findInvoices', 'XBLNR', (all) => books.findInvoices(all).map(invoiceRow)),
    '/rfc/FI_PAYMENT_POST': verb('registerPayment', keyOf('XBLNR'), pay),
    '/rfc/FI_PAYMENT_REVERSE': verb('reversePayment', keyOf('XBLNR'), reverse),
    '/rfc/FI_PAYMENT_READ': find('findPayments', 'XBLNR', (all) => books.findPayments(all).map(paymentRow)),
  }
}

const answer = (body: Answer): Reply => json(200, body)

export type LegacyErp = SystemHandle<BookTruth> & {
  /** Ends every session, as a restart of the gateway does. */
  endSessions(): void
  changeCustomer: Books['changeCustomer']
  changePurchase: PurchaseOrders['change']
  /** What its own people do with orders. */
  clerks: Clerks
}

export async function startLegacyErp(
  world: World,
  options: ServerOptions,
  credentials: Credentials,
): Promise<LegacyErp> {
  const store = legacyStore(world, 'NWF', options)
  if (options.memory) recallLegacy(store, options.memory as LegacyMemory)
  const tools = systemTools(options, LEGACY_ERP)
  const routes = { ...masterVerbs(store, world.today), ...documentVerbs(store, tools, options.seed) }

  function logon(fields: Fields | undefined): Reply {
    if (fields?.['BNAME'] !== credentials.user || fields['BCODE'] !== credentials.password) {
      return answer(refuse('010', 'ANMELDUNG ABGELEHNT'))
    }
    return answer(done({ SID: store.sessions.open(), GUELTIG: SESSION_SECONDS }))
  }

  function operation(call: Call): Operation | undefined {
    if (call.method !== 'POST') return undefined
    const fields = parsed(call.body)
    if (call.path === '/logon') return { name: 'logon', keys: [], run: () => logon(fields) }
    const verb = routes[call.path]
    if (!verb) return undefined
    const run = (): Reply => {
      if (!store.sessions.isOpen(call.headers['x-sid']))
        return answer(refuse('011', 'SITZUNG UNBEKANNT ODER ABGELAUFEN'))
      return answer(fields ? verb.run(fields) : refuse('101', 'FORMAT UNGUELTIG'))
    }
    return { name: verb.name, keys: fields ? verb.keys(fields) : [], run }
  }

  const door = {
    system: LEGACY_ERP,
    operation,
    trouble: (status: number, detail: string): Reply =>
      status === 404
        ? answer(refuse('100', `FUNKTION UNBEKANNT: ${detail}`))
        : json(status, refuse('900', 'SYSTEM BESETZT')),
    truth: () => store.books.truth(),
    remember: () => rememberLegacy(store),
  }
  const handle = await startSystem(door, tools, options)
  return {
    ...handle,
    endSessions: () => store.sessions.endAll(),
    changeCustomer: (number, change) => store.books.changeCustomer(number, change),
    changePurchase: (id, change) => store.purchases.change(id, change),
    clerks: clerks(store.books, store.stock),
  }
}
