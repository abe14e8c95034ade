/** The cloud ERP: sales orders, invoices and payments under idempotency keys, one by one or in a `$batch`. */
import type { z } from 'zod'
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  type ErpBooks,
  type ErpReader,
  type Page,
  type PageRequest,
  postInvoice,
  registerPayment,
  reversePayment,
  type StandingDocument,
} from '#capabilities/erp.ts'
import {
  bind,
  type CallContext,
  confirmed,
  legible,
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
import type { Connector, ConnectorOptions } from '#platform/connector.ts'
import { Outage } from '#platform/faults.ts'
import { type Fields, fieldsOf, filledText, text } from '#platform/fields.ts'
import { type CloudApi, type Creation, openCloudApi, type ReadAnswer } from './api.ts'
import {
  toCloudClosing,
  toCloudInvoice,
  toCloudOrder,
  toCloudPayments,
  toCloudReversals,
  toPostedInvoice,
} from './map.ts'
import { toCredit, toCustomer, toItem, toOpenOrder, toPrice, toStock, toSupply } from './master-data.ts'
import { CloudErpSettings } from './settings.ts'
import { entityPage } from './wire.ts'

export type CloudErpConnector = Connector & ErpReader & ErpBooks

export type CloudErpOptions = ConnectorOptions<z.input<typeof CloudErpSettings>> & {
  /** Told of each row of master data that cannot be read. */
  readonly onUnreadable: ReportRow
}

export function createCloudErpConnector(options: CloudErpOptions): CloudErpConnector {
  const settings = CloudErpSettings.parse(options.settings)
  const api = openCloudApi({ ...options, settings })
  const { batchMax, timeZone } = settings.options
  const { clock } = options
  return {
    ...cloudReader(api, settings, options),
    operations: {
      ...bind(createSalesOrder, {
        batchMax,
        recovery: 'key',
        translate: toCloudOrder,
        send: (ready, context) => createAll(api, 'salesOrders', { ready, context }, readNumber),
      }),
      ...bind(cancelSalesOrder, {
        batchMax: 1,
        // Cancelling what is cancelled already changes nothing and says so.
        recovery: 'key',
        translate: ({ number }) => ({ number, action: 'cancel' as const, body: {} }),
        send: (ready, context) =>
          sendEach(ready, (lessening, { key }) => lessen(api, settings, { ...lessening, key, context })),
      }),
      ...bind(closeSalesOrderLine, {
        batchMax: 1,
        recovery: 'key',
        translate: (closing) => ({
          number: closing.number,
          action: 'closeLines' as const,
          body: toCloudClosing(closing),
        }),
        send: (ready, context) =>
          sendEach(ready, (lessening, { key }) => lessen(api, settings, { ...lessening, key, context })),
      }),
      ...bind(postInvoice, {
        batchMax,
        recovery: 'key',
        translate: (invoice) => toCloudInvoice(invoice, timeZone),
        send: (ready, context) => {
          const currencies = new Map(ready.map(({ effect, request }) => [effect.key, request.currency]))
          return createAll(api, 'salesInvoices', { ready, context }, (body, key) =>
            toPostedInvoice(fieldsOf(body), currencies.get(key) ?? '', clock.now()),
          )
        },
      }),
      ...paymentOperations(api, settings),
    },
  }
}

const numberOf = (body: unknown): string => filledText(fieldsOf(body), 'number')
const readNumber = (body: unknown) => ({ number: numberOf(body) })

async function createAll<Request, Answer>(
  api: CloudApi,
  entity: string,
  { ready, context }: { ready: readonly Ready<Request, object>[]; context: CallContext },
  read: ReadAnswer<Answer>,
): Promise<OutcomeMap<Answer>> {
  const creations = ready.map(({ effect, body }): Creation => ({ key: effect.key, entity, body }))
  const outcomes = await api.create(creations, context, read)
  return new Map(
    ready.map(({ effect }) => [effect, outcomes.get(effect.key) ?? unknown('the answer leaves this out')]),
  )
}

const BATCH_LARGEST = 50

type Numbered = { readonly number: string }
type Parts = {
  readonly key: string
  readonly entity: string
  readonly parts: readonly object[]
  readonly context: CallContext
  readonly read: ReadAnswer<Numbered>
  /** What is refused for one of these reasons needs not be done. */
  readonly passed?: ReadonlySet<string>
}

/**
 * What is done with a payment is done for each of its invoices, under keys of their own: sent again, none is done twice.
 * Answers the first that is, or what stopped them.
 */
async function eachPart(
  api: CloudApi,
  { key, entity, parts, context, read, passed }: Parts,
): Promise<Outcome<Numbered> | undefined> {
  const creations = parts.map((body, at) => ({ key: `${key}/${at + 1}`, entity, body }))
  let first: Outcome<Numbered> | undefined
  for (let from = 0; from < creations.length; from += BATCH_LARGEST) {
    const outcomes = await api.create(creations.slice(from, from + BATCH_LARGEST), context, read)
    for (const outcome of outcomes.values()) {
      if (outcome.kind === 'refused' && passed?.has(outcome.code)) continue
      if (outcome.kind !== 'confirmed') return outcome
      first ??= outcome
    }
  }
  return first
}

const NOT_REGISTERED = 'Application_PaymentNotFound'
const ALREADY_REVERSED = 'Application_AlreadyReversed'

function paymentOperations(api: CloudApi, { options: { timeZone } }: CloudErpSettings) {
  // Each of a payment's invoices is a request of its own inside the batch.
  const inDoubt = { batchMax: 1, recovery: 'key' } as const
  return {
    ...bind(registerPayment, {
      ...inDoubt,
      translate: (payment) => toCloudPayments(payment, timeZone),
      send: (ready, context) =>
        sendEach(ready, async (parts, { key }): Promise<Outcome<Numbered>> => {
          const payments = { key, entity: 'customerPayments', parts, context, read: readNumber }
          return (await eachPart(api, payments)) ?? refused('NO_INVOICE', 'the payment names no invoice')
        }),
    }),
    ...bind(reversePayment, {
      ...inDoubt,
      translate: (reversal) => ({
        parts: toCloudReversals(reversal, timeZone),
        passed: new Set([ALREADY_REVERSED, ...(reversal.registered ? [] : [NOT_REGISTERED])]),
      }),
      send: (ready, context) =>
        sendEach(ready, async (body, { key }): Promise<Outcome<Partial<Numbered>>> => {
          const entity = 'customerPayments/Microsoft.NAV.reverse'
          const read = (answer: unknown) => ({ number: filledText(fieldsOf(answer), 'reversalNumber') })
          return (await eachPart(api, { ...body, key, entity, context, read })) ?? confirmed({})
        }),
    }),
  }
}

type Lessening = {
  readonly number: string
  readonly action: 'cancel' | 'closeLines'
  readonly body: object
  readonly key: string
  readonly context: CallContext
}
const CANCELED = 'Canceled'
const ALREADY_CANCELED = 'Application_AlreadyCanceled'

/** Takes an order back, or a part of it: by its internal id, which the look-up by our number gives. */
async function lessen(
  api: CloudApi,
  { options }: CloudErpSettings,
  { number, action, body, key, context }: Lessening,
): Promise<Outcome<object>> {
  const company = `companies(${options.company})`
  const filter = encodeURIComponent(`externalDocumentNumber eq ${quoted(number)}`)
  const found = await api.call({ method: 'GET', path: `${company}/salesOrders?$filter=${filter}` }, context)
  const failed = api.outcomeOf(found)
  // Nothing but the look-up was sent, so nothing can have happened.
  if (failed) return failed.kind === 'unknown' ? retry(failed.reason) : failed
  const orders = entityPage(found.json()).rows.map((row) => fieldsOf(row))
  const order = orders.find((one) => text(one, 'status') !== CANCELED)
  if (!order)
    return orders.length > 0
      ? confirmed({})
      : refused('Application_OrderNotFound', `there is no order ${number}`)
  const path = `${company}/salesOrders(${filledText(order, 'id')})/Microsoft.NAV.${action}`
  const headers = { 'if-match': '*', 'idempotency-key': key }
  const response = await api.call({ method: 'POST', path, body, headers }, context)
  const outcome = api.outcomeOf(response)
  if (outcome?.kind === 'refused' && outcome.code === ALREADY_CANCELED) return confirmed({})
  return (
    outcome ??
    legible(() => (numberOf(response.json()) === order['number'] ? confirmed({}) : unknown('another order')))
  )
}

const BOOKS = { orders: 'salesOrders', invoices: 'salesInvoices' } as const
const quoted = (reference: string): string => `'${reference.replaceAll("'", "''")}'`

function standingOf(row: unknown): StandingDocument[] {
  const fields = fieldsOf(row)
  if (text(fields, 'status') === CANCELED) return []
  return [{ reference: filledText(fields, 'externalDocumentNumber'), number: filledText(fields, 'number') }]
}

function cloudReader(
  api: CloudApi,
  { options }: CloudErpSettings,
  own: CloudErpOptions,
): ErpReader & ErpBooks {
  const { instance, clock, onUnreadable } = own

  function pages<T>(entity: string, read: (row: Fields) => T) {
    return async ({ cursor, changedSince }: PageRequest): Promise<Page<T>> => {
      const asOf = clock.now()
      const query = new URLSearchParams({ $top: String(options.rowsPerPage) })
      if (changedSince) {
        query.set('$filter', `lastModifiedDateTime gt ${api.timeThere(changedSince).toISOString()}`)
      }
      const { rows, next } = await api.page(cursor ?? `${entity}?${query.toString()}`)
      const source = { instance, kind: entity, report: onUnreadable }
      return { items: readRows(rows, source, read), next, asOf }
    }
  }

  return {
    instance,
    customers: pages('customers', toCustomer),
    items: pages('items', toItem),
    prices: pages('salesPrices', toPrice),
    stock: pages('itemInventories', toStock),
    supply: pages('expectedReceipts', toSupply),
    openOrders: pages('outstandingSalesLines', toOpenOrder),
    referencesMax: 50,
    async standing(kind, references) {
      const found: StandingDocument[] = []
      const filter = `externalDocumentNumber in (${references.map(quoted).join(',')})`
      let path: string | undefined = `${BOOKS[kind]}?$filter=${encodeURIComponent(filter)}`
      while (path !== undefined) {
        const { rows, next } = await api.page(path)
        found.push(...readable(instance, () => rows.flatMap(standingOf)))
        path = next
      }
      return found
    },
    async credit(customer) {
      const asOf = clock.now()
      const filter = encodeURIComponent(`number in ('${customer.replaceAll("'", "''")}')`)
      const { rows } = await api.page(`customerFinancialDetails?$filter=${filter}`)
      if (rows.length !== 1)
        throw new Outage(instance, `the ERP has no credit figures of customer ${customer}`)
      return readable(instance, () => ({ ...toCredit(fieldsOf(rows[0])), asOf }))
    },
  }
}
