/** The legacy ERP: sales orders, invoices and payments by function call or IDoc, found again by our reference. */
import type { z } from 'zod'
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  type ErpBooks,
  type ErpReader,
  type InvoicePosting,
  type Page,
  type PageRequest,
  type PostedInvoice,
  postInvoice,
  type SalesOrder,
  type SalesOrderReference,
} from '#capabilities/erp.ts'
import type { Clock } from '#platform/clock.ts'
import {
  allOf,
  bind,
  type CallContext,
  confirmed,
  type Found,
  legible,
  legibleAll,
  type Outcome,
  type OutcomeMap,
  readable,
  type Ready,
  refused,
  retry,
  sendEach,
  unknown,
} from '#platform/connector-binding.ts'
import { readRows, type ReportRow } from '#platform/connector-rows.ts'
import type { Connector, ConnectorOptions, Effect } from '#platform/connector.ts'
import { Outage } from '#platform/faults.ts'
import { type Fields, fieldsOf, filledText, list, listOf, optionalText } from '#platform/fields.ts'
import { type Gateway, openGateway } from './gateway.ts'
import { toLegacyClosing, toLegacyInvoice, toLegacyOrder, toPostedInvoice } from './map.ts'
import { toCredit, toCustomer, toItem, toOpenOrder, toPrice, toStock, toSupply } from './master-data.ts'
import { paymentOperations } from './payments.ts'
import { LegacyErpSettings } from './settings.ts'
import { messageOf, statusesOf } from './wire.ts'

export type LegacyErpConnector = Connector & ErpReader & ErpBooks

export type LegacyErpOptions = ConnectorOptions<z.input<typeof LegacyErpSettings>> & {
  /** Told of each row of master data that cannot be read. */
  readonly onUnreadable: ReportRow
}

export function createLegacyErpConnector(options: LegacyErpOptions): LegacyErpConnector {
  const settings = LegacyErpSettings.parse(options.settings)
  const gateway = openGateway({ ...options, settings })
  return {
    ...legacyReader(gateway, settings, options),
    operations: {
      ...orderOperations(gateway, settings),
      ...invoiceOperations(gateway, settings, options.clock),
      ...paymentOperations(gateway, settings),
    },
  }
}

/** How one kind of document is sent, alone or in a batch, and what of an answer is its outcome. */
type Kind<Answer> = {
  readonly single: string
  readonly batch: string
  readonly find: string
  readonly reference: 'BSTNK' | 'XBLNR'
  readonly answer: (fields: Fields, effect: Effect) => Answer
}

const POSTED = '53'
const REJECTED = '51'
const NOT_PROCESSED = '64'

async function sendDocuments<Request, Answer>(
  gateway: Gateway,
  kind: Kind<Answer>,
  ready: readonly Ready<Request, object>[],
  context: CallContext,
): Promise<OutcomeMap<Answer>> {
  const [first] = ready
  if (ready.length === 1 && first) {
    const { failed, fields } = await gateway.call(kind.single, first.body, context)
    return new Map([[first.effect, failed ?? legible(() => confirmed(kind.answer(fields, first.effect)))]])
  }
  const { failed, fields } = await gateway.call(kind.batch, { IDOCS: ready.map(({ body }) => body) }, context)
  if (failed) return allOf(ready, failed)
  return legibleAll(ready, () => {
    const statuses = new Map(statusesOf(fields, kind.reference).map((status) => [status.reference, status]))
    return new Map(
      ready.map(({ effect, body }) => {
        const status = statuses.get(fieldsOf(body)[kind.reference] as string)
        if (!status) return [effect, unknown('the answer leaves this document out')]
        return [
          effect,
          legible(() => outcomeOfStatusRecord(status, () => kind.answer(status.fields, effect))),
        ]
      }),
    )
  })
}

function outcomeOfStatusRecord<Answer>(
  { status, fields }: { status: string; fields: Fields },
  answer: () => Answer,
): Outcome<Answer> {
  if (status === POSTED) return confirmed(answer())
  if (status === NOT_PROCESSED) return retry('not processed; to be sent again')
  if (status === REJECTED) return refused(filledText(fields, 'MSGNO'), messageOf(fields))
  return unknown(`status ${status}`)
}

const ABSENT = { kind: 'absent' } as const

/** Asks by our references. Of several documents under one reference `choose` says which counts, if any. */
async function findDocuments<Answer>(
  gateway: Gateway,
  kind: Kind<Answer>,
  effects: readonly { readonly effect: Effect; readonly reference: string }[],
  context: CallContext & { readonly choose?: (row: Fields) => boolean },
): Promise<ReadonlyMap<Effect, Found<Answer>>> {
  const { choose = () => true, ...call } = context
  const asked = { [kind.reference]: effects.map(({ reference }) => reference) }
  const { failed, fields } = await gateway.call(kind.find, asked, call)
  if (failed) return allOf(effects, failed.kind === 'refused' ? unknown(failed.message) : failed)
  return legibleAll(effects, () => {
    const rows = listOf(fields, 'ROWS', (row) => row).filter(choose)
    return new Map(
      effects.map(({ effect, reference }) => {
        const row = rows.find((one) => one[kind.reference] === reference)
        return [effect, row ? legible(() => confirmed(kind.answer(row, effect))) : ABSENT]
      }),
    )
  })
}

const REJECTED_ORDER = 'X'
const ALREADY_REJECTED = '213'
/** "Cancelled by the customer": the reason that its clerks use. */
const REJECTION_REASON = 'Z1'

function orderOperations(gateway: Gateway, { options }: LegacyErpSettings) {
  const kind: Kind<SalesOrderReference> = {
    single: '/rfc/SD_ORDER_CREATE',
    batch: '/idoc/ORDERS',
    ...BOOKS.orders,
    answer: (fields) => ({ number: filledText(fields, BOOKS.orders.number) }),
  }
  return {
    ...bind(createSalesOrder, {
      batchMax: options.batchMax,
      recovery: 'lookup',
      visibilityLagMs: options.visibilityLagMs,
      translate: (order: SalesOrder) => toLegacyOrder(order),
      send: (ready, context) => sendDocuments(gateway, kind, ready, context),
      lookUp: (asked, context) =>
        findDocuments(
          gateway,
          kind,
          asked.map(({ effect, request }) => ({ effect, reference: request.number })),
          // An order that was cancelled may be placed anew under the same number.
          { ...context, choose: (row) => row['STATUS'] !== REJECTED_ORDER },
        ),
    }),
    ...bind(cancelSalesOrder, {
      batchMax: 1,
      // Rejecting what is rejected already changes nothing and says so.
      recovery: 'key',
      translate: (cancellation) => ({ VBELN: cancellation.erpNumber, ABGRU: REJECTION_REASON }),
      send: (ready, context) =>
        sendEach(ready, (body) => lessen(gateway, '/rfc/SD_ORDER_REJECT', body, context)),
    }),
    ...bind(closeSalesOrderLine, {
      batchMax: 1,
      // Closing what is closed so far already changes nothing.
      recovery: 'key',
      translate: toLegacyClosing,
      send: (ready, context) =>
        sendEach(ready, (body) => lessen(gateway, '/rfc/SD_ORDER_CLOSE', body, context)),
    }),
  }
}

/** Takes an order back, or a part of it; of one that is taken back already there is nothing left to do. */
async function lessen(
  gateway: Gateway,
  path: string,
  body: object,
  context: CallContext,
): Promise<Outcome<object>> {
  const { failed } = await gateway.call(path, body, context)
  const done = !failed || (failed.kind === 'refused' && failed.code === ALREADY_REJECTED)
  return done ? confirmed({}) : failed
}

function invoiceOperations(gateway: Gateway, { options }: LegacyErpSettings, clock: Clock) {
  const kind: Kind<PostedInvoice> = {
    single: '/rfc/FI_INVOICE_POST',
    batch: '/idoc/INVOIC',
    ...BOOKS.invoices,
    answer: (fields, effect) =>
      toPostedInvoice(fields, (effect.request as InvoicePosting).currency, clock.now()),
  }
  return bind(postInvoice, {
    batchMax: options.batchMax,
    recovery: 'lookup',
    visibilityLagMs: options.visibilityLagMs,
    translate: (invoice) => toLegacyInvoice(invoice, options.timeZone),
    send: (ready, context) => sendDocuments(gateway, kind, ready, context),
    lookUp: (asked, context) =>
      findDocuments(
        gateway,
        kind,
        asked.map(({ effect, request }) => ({ effect, reference: request.document })),
        context,
      ),
  })
}

/** How its documents are found by our references, and what their own numbers are called. */
const BOOKS = {
  orders: { find: '/rfc/SD_ORDER_READ', reference: 'BSTNK', number: 'VBELN' },
  invoices: { find: '/rfc/FI_INVOICE_READ', reference: 'XBLNR', number: 'BELNR' },
} as const

function legacyReader(
  gateway: Gateway,
  { options }: LegacyErpSettings,
  own: LegacyErpOptions,
): ErpReader & ErpBooks {
  const { instance, clock, onUnreadable } = own

  /**
   * Rows of some functions carry no time of change; asked for changes they would answer with none. Times of the others
   * are by the ERP's clock and have no fractions: what changed later in the second of the last reading comes again rather
   * than never.
   */
  function pages<T>(functionName: string, read: (row: Fields) => T, knowsChanges: boolean) {
    return async ({ cursor, changedSince }: PageRequest): Promise<Page<T>> => {
      const asOf = clock.now()
      const fields = await gateway.read(`/rfc/${functionName}`, {
        MAX: String(options.rowsPerPage),
        ...(cursor !== undefined && { AB: cursor }),
        ...(changedSince &&
          knowsChanges && { AEAB: legacyTime(secondBefore(gateway.timeThere(changedSince))) }),
      })
      const source = { instance, kind: functionName, report: onUnreadable }
      return readable(instance, () => {
        return { items: readRows(list(fields, 'ROWS'), source, read), next: optionalText(fields, 'AB'), asOf }
      })
    }
  }

  return {
    instance,
    customers: pages('MD_CUSTOMERS', toCustomer, true),
    items: pages('MD_MATERIALS', toItem, true),
    prices: pages('MD_CONDITIONS', toPrice, false),
    stock: pages('MM_STOCK', toStock, false),
    supply: pages('MM_RECEIPTS', toSupply, true),
    openOrders: pages('SD_OPEN_ORDERS', toOpenOrder, true),
    referencesMax: 50,
    async standing(kind, references) {
      const { find, reference, number } = BOOKS[kind]
      const fields = await gateway.read(find, { [reference]: references })
      return readable(instance, () =>
        listOf(fields, 'ROWS', (row) => row)
          .filter((row) => row['STATUS'] !== REJECTED_ORDER)
          .map((row) => ({ reference: filledText(row, reference), number: filledText(row, number) })),
      )
    },
    async credit(customer) {
      const asOf = clock.now()
      const fields = await gateway.read('/rfc/FI_CREDIT', { KUNNR: [customer] })
      return readable(instance, () => {
        const [row] = list(fields, 'ROWS')
        if (row === undefined)
          throw new Outage(instance, `the ERP has no credit figures of customer ${customer}`)
        return { ...toCredit(fieldsOf(row)), asOf }
      })
    },
  }
}

const secondBefore = (at: Date): Date => new Date(at.getTime() - 1_000)

/** YYYYMMDDHHMMSS. */
const legacyTime = (at: Date): string => at.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')
