/** The legacy ERP connector against the simulated one: no idempotency there, so nothing is sent twice in doubt. */
import { beforeAll, expect, test } from 'vitest'
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  type InvoicePosting,
  type PaymentRegistration,
  type PaymentReversal,
  type PostedInvoice,
  postInvoice,
  registerPayment,
  reversePayment,
  type SalesOrder,
  type SalesOrderReference,
} from '#capabilities/erp.ts'
import { systemClock } from '#platform/clock.ts'
import type { EffectOutcome } from '#platform/connector.ts'
import { units } from '#platform/quantity.ts'
import { createLegacyErpConnector, type LegacyErpConnector } from '#systems/erp-legacy/connector.ts'
import {
  customerOf,
  effectOf,
  fresh,
  ground,
  itemOf,
  lookUp,
  send,
  sendAll,
  sendAfterLease,
} from '../landscape.ts'

const it = ground()
let erp: LegacyErpConnector

const connect = (options: { password?: string; timeoutMs?: number } = {}): LegacyErpConnector =>
  createLegacyErpConnector({
    instance: 'erp-north',
    settings: {
      baseUrl: it.landscape.legacyErp.url,
      timeoutMs: options.timeoutMs ?? 5_000,
      credentials: { user: 'CROSSDOCK', password: options.password ?? 'secret' },
      options: { rowsPerPage: 1_000 },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: () => undefined,
  })

beforeAll(() => void (erp = connect()))

const item = itemOf('NWF', (one) => one.salesUnit === 'CA')
const customer = customerOf('NWF')

const line = {
  line: 1,
  sku: item.number,
  quantity: units(12),
  unit: 'CA',
  priceMinor: 2_840,
  priceUnit: 'CA',
}

function orderOf(overrides: Partial<SalesOrder> = {}) {
  const number = fresh('O')
  const order: SalesOrder = {
    company: 'NWF',
    number,
    customer: customer.number,
    customerOrder: 'PO-1',
    currency: 'USD',
    lines: [line],
    ...overrides,
  }
  return effectOf(order.number, order)
}

function invoiceOf(salesOrder: string, overrides: Partial<InvoicePosting> = {}) {
  const document = fresh('I')
  return effectOf(document, {
    company: 'NWF',
    document,
    customer: customer.number,
    salesOrder,
    shipment: 'S-1',
    shippedAt: new Date('2026-11-03T12:00:00Z'),
    currency: 'USD',
    netMinor: 34_080,
    tax: { taxMinor: 2_130, evidence: 'TX-1', jurisdiction: 'US-MA' },
    lines: [{ ...line, orderLine: 1, netMinor: 34_080, taxMinor: 2_130, taxRatePpm: 62_500 }],
    ...overrides,
  } satisfies InvoicePosting)
}

const truthOf = (reference: string) => {
  const { orders, invoices, payments } = it.landscape.legacyErp.truth()
  return [...orders, ...invoices, ...payments].filter((document) => document.reference === reference)
}

const numberOf = (outcome: EffectOutcome): string => {
  expect(outcome.kind).toBe('confirmed')
  return (outcome as { answer: SalesOrderReference }).answer.number
}

test('an order is confirmed with the number of the ERP', async () => {
  const order = orderOf()
  expect(numberOf(await send(erp, createSalesOrder, order))).toBe(truthOf(order.businessKey)[0]!.number)
})

test('fifty orders are one call, each answered by its own effect', async () => {
  const orders = Array.from({ length: 50 }, () => orderOf())
  const before = it.landscape.legacyErp.received.requests('createOrders')
  const outcomes = await sendAll(erp, createSalesOrder, orders)
  expect(it.landscape.legacyErp.received.requests('createOrders')).toBe(before + 1)
  for (const [at, order] of orders.entries()) {
    expect(numberOf(outcomes[at]!)).toBe(truthOf(order.businessKey)[0]!.number)
  }
})

test('a batch with every kind of trouble fails item by item', async () => {
  const busy = orderOf()
  const wrong = orderOf({ lines: [{ ...line, sku: '99999' }] })
  const unsayable = orderOf({ lines: [{ ...line, unit: 'MTR' }] })
  const good = orderOf()
  it.landscape.legacyErp.faults.set({ kind: 'item-failure', operation: 'createOrders', times: 1 })
  const outcomes = await sendAll(erp, createSalesOrder, [busy, wrong, unsayable, good])
  expect(outcomes[0]).toMatchObject({ kind: 'retry' })
  expect(outcomes[1]).toEqual({
    kind: 'refused',
    code: '202',
    message: 'MATERIAL NICHT VORHANDEN: 99999 (POS/1)',
  })
  expect(outcomes[2]).toMatchObject({ kind: 'refused', code: 'connector.code_unmapped' })
  expect(outcomes[3]).toMatchObject({ kind: 'confirmed' })
  expect(truthOf(busy.businessKey)).toEqual([])
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['an empty body', { kind: 'wrong-body', body: 'empty' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)('%s after the effect is unknown, and the look-up finds what was done', async (_, fault) => {
  for (const orders of [[orderOf()], [orderOf(), orderOf()]]) {
    for (const order of orders) expect(await lookUp(erp, createSalesOrder, order)).toEqual({ kind: 'absent' })
    it.landscape.legacyErp.faults.set({ ...fault, times: 1 })
    const outcomes = await sendAll(erp, createSalesOrder, orders)
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(orders.map(() => 'unknown'))
    for (const order of orders) {
      const [known, ...more] = truthOf(order.businessKey)
      expect(await lookUp(erp, createSalesOrder, order)).toEqual({
        kind: 'confirmed',
        answer: { number: known!.number },
      })
      expect(more).toEqual([])
    }
  }
})

test('a look-up that comes to nothing proves no absence', async () => {
  const order = orderOf()
  it.landscape.legacyErp.faults.set({ kind: 'server-error', operation: 'findOrders', times: 1 })
  expect(await lookUp(erp, createSalesOrder, order)).toMatchObject({ kind: 'retry' })
})

test('busy is a promise that nothing was done', async () => {
  const order = orderOf()
  it.landscape.legacyErp.faults.set({ kind: 'server-error', status: 500, times: 1 })
  expect(await send(erp, createSalesOrder, order)).toMatchObject({ kind: 'retry' })
  expect(truthOf(order.businessKey)).toEqual([])
})

test.each(['seconds', 'date'] as const)('a rate limit in %s says when to come back', async (retryAfterAs) => {
  it.landscape.legacyErp.faults.set({
    kind: 'rate-limit',
    perSecond: 0.001,
    burst: 0,
    retryAfterSeconds: 30,
    retryAfterAs,
  })
  expect(await send(erp, createSalesOrder, orderOf())).toMatchObject({ kind: 'retry', at: expect.any(Date) })
})

test('callers who need a session at the same time share one, and a lost session is renewed once', async () => {
  const own = connect()
  const logons = (): number => it.landscape.legacyErp.received.requests('logon')
  const before = logons()
  await Promise.all(Array.from({ length: 8 }, () => send(own, createSalesOrder, orderOf())))
  expect(logons()).toBe(before + 1)
  it.landscape.legacyErp.endSessions()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => send(own, createSalesOrder, orderOf())))
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(Array(8).fill('confirmed'))
  expect(logons()).toBe(before + 2)
})

test('a logon that fails asked nothing of the ERP', async () => {
  const order = orderOf()
  expect(await send(connect({ password: 'wrong' }), createSalesOrder, order)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('ANMELDUNG ABGELEHNT'),
  })
  const own = connect()
  it.landscape.legacyErp.faults.set({ kind: 'no-answer', operation: 'logon', times: 1 })
  expect(await send(own, createSalesOrder, order)).toMatchObject({ kind: 'retry' })
  expect(truthOf(order.businessKey)).toEqual([])
  expect(await send(own, createSalesOrder, order)).toMatchObject({ kind: 'confirmed' })
})

test('an order is cancelled once, stays cancelled, and may be placed anew under its number', async () => {
  const order = orderOf()
  const erpNumber = numberOf(await send(erp, createSalesOrder, order))
  const cancel = effectOf(order.businessKey, { company: 'NWF', number: order.businessKey, erpNumber })
  expect(await send(erp, cancelSalesOrder, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await send(erp, cancelSalesOrder, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await lookUp(erp, createSalesOrder, order)).toEqual({ kind: 'absent' })
})

test('a line is closed down to what is wanted; twice, late or cancelled before changes nothing more', async () => {
  const order = orderOf()
  const erpNumber = numberOf(await send(erp, createSalesOrder, order))
  const close = (quantity: number) => {
    const request = { company: 'NWF', number: order.businessKey, erpNumber, line: 1, quantity, unit: 'CA' }
    return send(erp, closeSalesOrderLine, effectOf(order.businessKey, request))
  }
  const { orders } = it.landscape.legacyErp.truth()
  const known = orders.find(({ number }) => number === erpNumber)!
  const rejected = () => known.lines.map(({ cancelledMilli }) => cancelledMilli)
  it.landscape.legacyErp.faults.set({ kind: 'no-answer', operation: 'closeOrderLines', times: 1 })
  expect(await close(units(10))).toMatchObject({ kind: 'unknown' })
  for (const quantity of [units(10), units(11)]) {
    expect(await close(quantity)).toEqual({ kind: 'confirmed', answer: {} })
    expect(rejected()).toEqual([2_000])
  }
  const cancel = effectOf(order.businessKey, { company: 'NWF', number: order.businessKey, erpNumber })
  expect(await send(erp, cancelSalesOrder, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await close(0)).toEqual({ kind: 'confirmed', answer: {} })
  expect(rejected()).toEqual([12_000])
})

test('an invoice is posted to the cent, found again, and cancelling its order is refused', async () => {
  const order = orderOf()
  const erpNumber = numberOf(await send(erp, createSalesOrder, order))
  const invoice = invoiceOf(erpNumber)
  const posted = { netMinor: 34_080, taxMinor: 2_130, totalMinor: 36_210 }
  it.landscape.legacyErp.faults.set({ kind: 'no-answer', operation: 'postInvoice', times: 1 })
  expect(await send(erp, postInvoice, invoice)).toMatchObject({ kind: 'unknown' })
  const [known, ...more] = truthOf(invoice.businessKey)
  expect(more).toEqual([])
  expect(await lookUp(erp, postInvoice, invoice)).toMatchObject({
    kind: 'confirmed',
    answer: { ...posted, number: known!.number },
  })
  const cancel = effectOf(order.businessKey, { company: 'NWF', number: order.businessKey, erpNumber })
  expect(await send(erp, cancelSalesOrder, cancel)).toMatchObject({ kind: 'refused', code: '212' })
  const { businessKey } = order
  const below = { company: 'NWF', number: businessKey, erpNumber, line: 1, quantity: units(11), unit: 'CA' }
  const close = effectOf(businessKey, below)
  expect(await send(erp, closeSalesOrderLine, close)).toMatchObject({ kind: 'refused', code: '212' })
})

test('invoices of a batch are answered one by one', async () => {
  const numbers = (await sendAll(erp, createSalesOrder, [orderOf(), orderOf()])).map(numberOf)
  const good = invoiceOf(numbers[0]!)
  const tooMuch = invoiceOf(numbers[1]!, {
    tax: undefined,
    lines: [{ ...line, orderLine: 1, quantity: units(13), netMinor: 36_920 }],
  })
  const outcomes = await sendAll(erp, postInvoice, [good, tooMuch])
  expect((outcomes[0] as { answer: PostedInvoice }).answer.totalMinor).toBe(36_210)
  expect(outcomes[1]).toMatchObject({ kind: 'refused', code: '223' })
})

function paymentOf(invoices: { number: string; amountMinor: number }[]) {
  const document = fresh('P')
  return effectOf(document, {
    company: 'NWF',
    document,
    customer: customer.number,
    currency: 'USD',
    amountMinor: invoices.reduce((sum, invoice) => sum + invoice.amountMinor, 0),
    receivedAt: new Date('2026-12-03T12:00:00Z'),
    invoices,
  })
}

test('a payment of several invoices goes on where it was interrupted', async () => {
  const orders = (await sendAll(erp, createSalesOrder, [orderOf(), orderOf()])).map(numberOf)
  const invoices = (
    await sendAll(
      erp,
      postInvoice,
      orders.map((number) => invoiceOf(number)),
    )
  ).map(numberOf)
  const payment = paymentOf(invoices.map((number) => ({ number, amountMinor: 10_000 })))
  it.landscape.legacyErp.faults.set({ kind: 'no-answer', operation: 'registerPayment', times: 1 })
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'unknown' })
  expect(await lookUp(erp, registerPayment, payment)).toEqual({ kind: 'absent' })
  const outcome = await send(erp, registerPayment, payment)
  expect(outcome).toMatchObject({ kind: 'confirmed' })
  expect(await lookUp(erp, registerPayment, payment)).toEqual(outcome)
  for (const part of ['1', '2']) expect(truthOf(`${payment.businessKey}/${part}`)).toHaveLength(1)
})

/** A payment of two invoices, which the ERP has registered. */
async function registeredPayment() {
  const orders = (await sendAll(erp, createSalesOrder, [orderOf(), orderOf()])).map(numberOf)
  const postings = orders.map((number) => invoiceOf(number))
  const numbers = (await sendAll(erp, postInvoice, postings)).map(numberOf)
  const payment = paymentOf(numbers.map((number) => ({ number, amountMinor: 10_000 })))
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'confirmed' })
  return payment
}

const reversalOf = (
  { businessKey, request }: ReturnType<typeof paymentOf>,
  overrides: Partial<PaymentReversal> = {},
) => {
  const { company, document, invoices } = request as PaymentRegistration
  return effectOf(businessKey, {
    company,
    document,
    invoices,
    reason: 'returned by the bank '.repeat(4),
    reversedAt: new Date('2026-12-10T12:00:00Z'),
    registered: true,
    ...overrides,
  } satisfies PaymentReversal)
}

const reversalsOf = ({ businessKey }: { businessKey: string }) =>
  it.landscape.legacyErp
    .truth()
    .payments.flatMap(({ reference, reversal }) =>
      reference.startsWith(`${businessKey}/`) ? [reversal?.number] : [],
    )

test('a reversal goes on where it was interrupted, is found by our number, and is made once for each invoice', async () => {
  const payment = await registeredPayment()
  const reversal = reversalOf(payment)
  expect(await lookUp(erp, reversePayment, reversal)).toEqual({ kind: 'absent' })
  it.landscape.legacyErp.faults.set({ kind: 'no-answer', operation: 'reversePayment', times: 1 })
  expect(await send(erp, reversePayment, reversal)).toMatchObject({ kind: 'unknown' })
  expect(await lookUp(erp, reversePayment, reversal)).toEqual({ kind: 'absent' })
  expect(await send(erp, reversePayment, reversal)).toMatchObject({ kind: 'confirmed' })
  const numbers = reversalsOf(payment)
  expect(numbers).toEqual([expect.any(String), expect.any(String)])
  expect(await lookUp(erp, reversePayment, reversal)).toEqual({
    kind: 'confirmed',
    answer: { number: numbers[0] },
  })
  expect(await send(erp, reversePayment, reversal)).toMatchObject({ kind: 'confirmed' })
  expect(reversalsOf(payment)).toEqual(numbers)
})

test('of a payment that was refused only what is registered is taken back', async () => {
  const { request } = await registeredPayment()
  const { invoices } = request as PaymentRegistration
  const payment = paymentOf([invoices[0]!, { ...invoices[1]!, amountMinor: 99_999_99 }])
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'refused', code: '232' })
  expect(await send(erp, reversePayment, reversalOf(payment))).toMatchObject({ kind: 'refused', code: '233' })
  const again = await registeredPayment()
  const { invoices: others } = again.request as PaymentRegistration
  const half = paymentOf([others[0]!, { ...others[1]!, amountMinor: 99_999_99 }])
  expect(await send(erp, registerPayment, half)).toMatchObject({ kind: 'refused', code: '232' })
  const outcome = await send(erp, reversePayment, reversalOf(half, { registered: false }))
  expect(outcome).toEqual({ kind: 'confirmed', answer: { number: reversalsOf(half)[0] } })
  const nothing = paymentOf([{ number: '1', amountMinor: 1 }])
  expect(await send(erp, reversePayment, reversalOf(nothing, { registered: false }))).toEqual({
    kind: 'confirmed',
    answer: {},
  })
})

test('more than is open is refused', async () => {
  const number = numberOf(await send(erp, createSalesOrder, orderOf()))
  const invoice = numberOf(await send(erp, postInvoice, invoiceOf(number)))
  const payment = paymentOf([{ number: invoice, amountMinor: 99_999_99 }])
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'refused', code: '232' })
})

test('credit figures are those of now; a customer that is not there is an outage of the answer', async () => {
  const { receivablesMinor } = await erp.credit(customer.number)
  const number = numberOf(await send(erp, createSalesOrder, orderOf()))
  await send(erp, postInvoice, invoiceOf(number))
  expect((await erp.credit(customer.number)).receivablesMinor).toBe(receivablesMinor + 36_210)
  await expect(erp.credit('1')).rejects.toThrow(/no credit figures/)
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const late = orderOf()
  expect(await sendAfterLease(erp, createSalesOrder, late)).toBe('not asked: withdrawn')
  expect(truthOf(late.businessKey)).toEqual([])
})
