/** The cloud ERP connector against the simulated one: the idempotency key makes every repetition harmless. */
import { beforeAll, expect, test } from 'vitest'
import {
  cancelSalesOrder,
  closeSalesOrderLine,
  createSalesOrder,
  type InvoicePosting,
  type PaymentReversal,
  type PostedInvoice,
  postInvoice,
  registerPayment,
  reversePayment,
  type SalesOrder,
  type SalesOrderReference,
} from '#capabilities/erp.ts'
import { systemClock } from '#platform/clock.ts'
import type { UnreadableRow } from '#platform/connector-rows.ts'
import type { EffectOutcome } from '#platform/connector.ts'
import { units } from '#platform/quantity.ts'
import { type CloudErpConnector, createCloudErpConnector } from '#systems/erp-cloud/connector.ts'
import {
  bindingOf,
  customerOf,
  effectOf,
  fresh,
  ground,
  itemOf,
  send,
  sendAll,
  world,
  sendAfterLease,
} from '../landscape.ts'

const arrival = { ...world.receipts[0]!, id: '46200009', company: 'NWI' as const, item: itemOf('NWI').number }
const it = ground({ world: { ...world, receipts: [...world.receipts, arrival] } })
let erp: CloudErpConnector
const unreadable: UnreadableRow[] = []

const connect = (
  options: { clientSecret?: string; rowsPerPage?: number; timeoutMs?: number } = {},
): CloudErpConnector =>
  createCloudErpConnector({
    instance: 'erp-south',
    settings: {
      baseUrl: it.landscape.cloudErp.url,
      timeoutMs: options.timeoutMs ?? 5_000,
      credentials: { clientId: 'crossdock', clientSecret: options.clientSecret ?? 'secret' },
      options: { company: 'NWI', rowsPerPage: options.rowsPerPage ?? 1_000 },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: (row) => unreadable.push(row),
  })

beforeAll(() => void (erp = connect()))

const item = itemOf('NWI')
const customer = customerOf('NWI')
const line = {
  line: 1,
  sku: item.number,
  quantity: units(12),
  unit: 'BX',
  priceMinor: 1_840,
  priceUnit: 'BX',
}

function orderOf(overrides: Partial<SalesOrder> = {}) {
  const number = fresh('O')
  return effectOf(number, {
    company: 'NWI',
    number,
    customer: customer.number,
    customerOrder: 'PO-1',
    currency: 'EUR',
    lines: [line],
    ...overrides,
  } satisfies SalesOrder)
}

function invoiceOf(salesOrder: string, overrides: Partial<InvoicePosting> = {}) {
  const document = fresh('I')
  return effectOf(document, {
    company: 'NWI',
    document,
    customer: customer.number,
    salesOrder,
    shipment: 'S-1',
    shippedAt: new Date('2026-11-03T12:00:00Z'),
    currency: 'EUR',
    netMinor: 22_080,
    tax: { taxMinor: 4_195, evidence: 'TX-1', jurisdiction: 'DE' },
    lines: [{ ...line, orderLine: 1, netMinor: 22_080, taxMinor: 4_195, taxRatePpm: 190_000 }],
    ...overrides,
  } satisfies InvoicePosting)
}

const truthOf = (reference: string) => {
  const { orders, invoices, payments } = it.landscape.cloudErp.truth()
  return [...orders, ...invoices, ...payments].filter((document) => document.reference === reference)
}

const numberOf = (outcome: EffectOutcome): string => {
  expect(outcome.kind).toBe('confirmed')
  return (outcome as { answer: SalesOrderReference }).answer.number
}

test('every operation may be sent again in doubt', () => {
  const operations = [
    createSalesOrder,
    cancelSalesOrder,
    closeSalesOrderLine,
    postInvoice,
    registerPayment,
    reversePayment,
  ]
  for (const operation of operations) expect(bindingOf(erp, operation).recovery).toBe('key')
})

test('fifty orders are one call, each answered by its own effect', async () => {
  const orders = Array.from({ length: 50 }, () => orderOf())
  const before = it.landscape.cloudErp.received.requests('createOrders')
  const outcomes = await sendAll(erp, createSalesOrder, orders)
  expect(it.landscape.cloudErp.received.requests('createOrders')).toBe(before + 1)
  for (const [at, order] of orders.entries()) {
    expect(numberOf(outcomes[at]!)).toBe(truthOf(order.businessKey)[0]!.number)
  }
})

test('a batch with every kind of trouble fails item by item', async () => {
  const busy = orderOf()
  const wrong = orderOf({ lines: [{ ...line, sku: '99999' }] })
  const unsayable = orderOf({ lines: [{ ...line, unit: 'MTR' }] })
  const good = orderOf()
  it.landscape.cloudErp.faults.set({ kind: 'item-failure', operation: 'createOrders', times: 1 })
  const outcomes = await sendAll(erp, createSalesOrder, [busy, wrong, unsayable, good])
  expect(outcomes[0]).toMatchObject({ kind: 'retry' })
  expect(outcomes[1]).toMatchObject({ kind: 'refused', code: 'Application_ItemNotFound' })
  expect(outcomes[2]).toMatchObject({ kind: 'refused', code: 'connector.code_unmapped' })
  expect(outcomes[3]).toMatchObject({ kind: 'confirmed' })
  expect(truthOf(busy.businessKey)).toEqual([])
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['an empty body', { kind: 'wrong-body', body: 'empty' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)(
  '%s after the effect is unknown, and the same key is answered with what was done',
  async (_, fault) => {
    for (const orders of [[orderOf()], [orderOf(), orderOf()]]) {
      it.landscape.cloudErp.faults.set({ ...fault, times: 1 })
      const first = await sendAll(erp, createSalesOrder, orders)
      expect(first.map((outcome) => outcome.kind)).toEqual(orders.map(() => 'unknown'))
      const second = await sendAll(erp, createSalesOrder, orders)
      for (const [at, order] of orders.entries()) {
        const [known, ...more] = truthOf(order.businessKey)
        expect(numberOf(second[at]!)).toBe(known!.number)
        expect(more).toEqual([])
      }
    }
  },
)

test('another content under a used key is in doubt: the first was done, and only a person can say more', async () => {
  const order = orderOf()
  await send(erp, createSalesOrder, order)
  const other = { ...order, request: { ...(order.request as SalesOrder), customerOrder: 'PO-2' } }
  expect(await send(erp, createSalesOrder, other)).toMatchObject({ kind: 'unknown' })
})

test.each(['seconds', 'date'] as const)('a rate limit in %s says when to come back', async (retryAfterAs) => {
  it.landscape.cloudErp.faults.set({
    kind: 'rate-limit',
    perSecond: 0.001,
    burst: 0,
    retryAfterSeconds: 30,
    retryAfterAs,
  })
  expect(await send(erp, createSalesOrder, orderOf())).toMatchObject({ kind: 'retry', at: expect.any(Date) })
})

test('busy is a promise that nothing was done', async () => {
  const order = orderOf()
  it.landscape.cloudErp.faults.set({ kind: 'server-error', status: 500, times: 1 })
  expect(await send(erp, createSalesOrder, order)).toMatchObject({ kind: 'retry' })
  expect(truthOf(order.businessKey)).toEqual([])
})

test('callers who need a token at the same time share one, and an ended one is renewed once', async () => {
  const own = connect()
  const tokens = (): number => it.landscape.cloudErp.received.requests('token')
  const before = tokens()
  await Promise.all(Array.from({ length: 8 }, () => send(own, createSalesOrder, orderOf())))
  expect(tokens()).toBe(before + 1)
  it.landscape.cloudErp.endTokens()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => send(own, createSalesOrder, orderOf())))
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(Array(8).fill('confirmed'))
  expect(tokens()).toBe(before + 2)
})

test('a token that is not given asked nothing of the ERP, and may say when to come back', async () => {
  const order = orderOf()
  expect(await send(connect({ clientSecret: 'wrong' }), createSalesOrder, order)).toMatchObject({
    kind: 'retry',
  })
  it.landscape.cloudErp.faults.set({
    kind: 'server-error',
    operation: 'token',
    retryAfterSeconds: 30,
    times: 1,
  })
  expect(await send(connect(), createSalesOrder, order)).toMatchObject({
    kind: 'retry',
    at: expect.any(Date),
  })
  expect(truthOf(order.businessKey)).toEqual([])
})

test('an order is cancelled once and stays cancelled; one that is not there is refused', async () => {
  const order = orderOf()
  const erpNumber = numberOf(await send(erp, createSalesOrder, order))
  const cancel = effectOf(order.businessKey, { company: 'NWI', number: order.businessKey, erpNumber })
  it.landscape.cloudErp.faults.set({ kind: 'no-answer', operation: 'cancelOrder', times: 1 })
  expect(await send(erp, cancelSalesOrder, cancel)).toMatchObject({ kind: 'unknown' })
  expect(await send(erp, cancelSalesOrder, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  const none = effectOf('O-0', { company: 'NWI', number: 'O-0', erpNumber: 'SO-0' })
  expect(await send(erp, cancelSalesOrder, none)).toMatchObject({
    kind: 'refused',
    code: 'Application_OrderNotFound',
  })
})

test('a line is closed down to what is wanted; twice, late or cancelled before changes nothing more', async () => {
  const order = orderOf()
  const erpNumber = numberOf(await send(erp, createSalesOrder, order))
  const close = (quantity: number) => {
    const request = { company: 'NWI', number: order.businessKey, erpNumber, line: 1, quantity, unit: 'BX' }
    return send(erp, closeSalesOrderLine, effectOf(order.businessKey, request))
  }
  const { orders } = it.landscape.cloudErp.truth()
  const known = orders.find(({ number }) => number === erpNumber)!
  const canceled = () => known.lines.map(({ cancelledMilli }) => cancelledMilli)
  it.landscape.cloudErp.faults.set({ kind: 'no-answer', operation: 'closeOrderLines', times: 1 })
  expect(await close(units(10))).toMatchObject({ kind: 'unknown' })
  for (const quantity of [units(10), units(11)]) {
    expect(await close(quantity)).toEqual({ kind: 'confirmed', answer: {} })
    expect(canceled()).toEqual([2_000])
  }
  const cancel = effectOf(order.businessKey, { company: 'NWI', number: order.businessKey, erpNumber })
  expect(await send(erp, cancelSalesOrder, cancel)).toEqual({ kind: 'confirmed', answer: {} })
  expect(await close(0)).toEqual({ kind: 'confirmed', answer: {} })
  expect(canceled()).toEqual([12_000])
})

test('invoices are posted to the cent, and their order cannot be cancelled any more', async () => {
  const orders = [orderOf(), orderOf()]
  const numbers = (await sendAll(erp, createSalesOrder, orders)).map(numberOf)
  const good = invoiceOf(numbers[0]!)
  const wrong = invoiceOf(numbers[1]!, {
    lines: [{ ...line, orderLine: 1, netMinor: 22_081, taxMinor: 4_195, taxRatePpm: 190_000 }],
  })
  const outcomes = await sendAll(erp, postInvoice, [wrong, good])
  expect(outcomes[0]).toMatchObject({ kind: 'refused', code: 'Application_AmountMismatch' })
  const { netMinor, taxMinor, totalMinor } = (outcomes[1] as { answer: PostedInvoice }).answer
  expect({ netMinor, taxMinor, totalMinor }).toEqual({
    netMinor: 22_080,
    taxMinor: 4_195,
    totalMinor: 26_275,
  })
  const { businessKey } = orders[0]!
  const cancel = effectOf(businessKey, { company: 'NWI', number: businessKey, erpNumber: numbers[0]! })
  expect(await send(erp, cancelSalesOrder, cancel)).toMatchObject({
    kind: 'refused',
    code: 'Application_AlreadyInvoiced',
  })
})

test('a payment of several invoices is registered and taken back once for each, however often it is sent', async () => {
  const orders = (await sendAll(erp, createSalesOrder, [orderOf(), orderOf()])).map(numberOf)
  const posted = (
    await sendAll(
      erp,
      postInvoice,
      orders.map((number) => invoiceOf(number)),
    )
  ).map(numberOf)
  const document = fresh('P')
  const payment = effectOf(document, {
    company: 'NWI',
    document,
    customer: customer.number,
    currency: 'EUR',
    amountMinor: 20_000,
    receivedAt: new Date('2026-12-03T12:00:00Z'),
    invoices: posted.map((number) => ({ number, amountMinor: 10_000 })),
  })
  it.landscape.cloudErp.faults.set({ kind: 'no-answer', operation: 'registerPayments', times: 1 })
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'unknown' })
  expect(await send(erp, registerPayment, payment)).toMatchObject({ kind: 'confirmed' })
  for (const part of ['1', '2']) expect(truthOf(`${document}/${part}`)).toHaveLength(1)
  const reversal = effectOf(document, {
    company: 'NWI',
    document,
    invoices: posted.map((number) => ({ number, amountMinor: 10_000 })),
    reason: 'returned by the bank',
    reversedAt: new Date('2026-12-10T12:00:00Z'),
    registered: true,
  } satisfies PaymentReversal)
  it.landscape.cloudErp.faults.set({ kind: 'no-answer', operation: 'reversePayments', times: 1 })
  expect(await send(erp, reversePayment, reversal)).toMatchObject({ kind: 'unknown' })
  const outcome = await send(erp, reversePayment, reversal)
  const reversals = it.landscape.cloudErp
    .truth()
    .payments.flatMap(({ reference, reversal: made }) =>
      reference.startsWith(`${document}/`) ? [made?.number] : [],
    )
  expect(reversals).toEqual([expect.stringMatching(/^CP-/), expect.stringMatching(/^CP-/)])
  expect(outcome).toEqual({ kind: 'confirmed', answer: { number: reversals[0] } })
  const asked = reversal.request as PaymentReversal
  expect(await send(erp, reversePayment, effectOf(document, asked))).toEqual({
    kind: 'confirmed',
    answer: {},
  })
  const unknown = { ...asked, document: fresh('P') }
  expect(await send(erp, reversePayment, effectOf(unknown.document, unknown))).toMatchObject({
    kind: 'refused',
    code: 'Application_PaymentNotFound',
  })
  expect(
    await send(erp, reversePayment, effectOf(unknown.document, { ...unknown, registered: false })),
  ).toEqual({ kind: 'confirmed', answer: {} })
})

test('master data is read to the last page, and nothing of it is unreadable', async () => {
  const small = connect({ rowsPerPage: 7 })
  const numbers: string[] = []
  let cursor: string | undefined
  do {
    const page = await small.customers({ cursor })
    numbers.push(...page.items.map((one) => one.number))
    cursor = page.next
  } while (cursor !== undefined)
  expect(numbers).toEqual(world.customers.filter((one) => one.company === 'NWI').map((one) => one.number))
  expect((await erp.items({})).items).toHaveLength(world.items.filter((one) => one.company === 'NWI').length)
  expect((await erp.prices({})).items).toHaveLength(
    world.prices.filter((one) => one.company === 'NWI').length,
  )
  expect((await erp.stock({})).items.length).toBeGreaterThan(5)
  expect(unreadable).toEqual([])
})

test('changes since a moment are those after it', async () => {
  const since = systemClock.now()
  expect((await erp.customers({ changedSince: since })).items).toEqual([])
  it.landscape.cloudErp.changeCustomer(customer.number, { creditLimitMinor: 1_234_500 })
  const { items } = await erp.customers({ changedSince: new Date(since.getTime() - 1) })
  expect(items.map((one) => [one.number, one.creditLimitMinor])).toEqual([[customer.number, 1_234_500]])
})

test('expected receipts are read by what changed of them', async () => {
  const since = systemClock.now()
  expect((await erp.supply({})).items).toMatchObject([
    { number: 'PO-46200009', ordered: units(arrival.quantity) },
  ])
  expect((await erp.supply({ changedSince: since })).items).toEqual([])
  it.landscape.cloudErp.changePurchase(arrival.id, { received: 3, cancelled: 4, expectedOn: '2026-11-20' })
  expect((await erp.supply({ changedSince: new Date(since.getTime() - 1) })).items).toMatchObject([
    { received: units(3), cancelled: units(4), expectedOn: '2026-11-20' },
  ])
})

test('credit figures are those of now', async () => {
  const { receivablesMinor } = await erp.credit(customer.number)
  const number = numberOf(await send(erp, createSalesOrder, orderOf()))
  await send(erp, postInvoice, invoiceOf(number))
  expect((await erp.credit(customer.number)).receivablesMinor).toBe(receivablesMinor + 26_275)
  await expect(erp.credit("C'1")).rejects.toThrow(/no credit figures/)
})

test('what cannot be read is an outage', async () => {
  it.landscape.cloudErp.faults.set({ kind: 'server-error', operation: 'items', times: 1 })
  await expect(erp.items({})).rejects.toThrow(/503/)
  it.landscape.cloudErp.faults.set({ kind: 'wrong-body', operation: 'items', body: 'truncated', times: 1 })
  await expect(erp.items({})).rejects.toThrow(/no usable answer/)
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const late = orderOf()
  expect(await sendAfterLease(erp, createSalesOrder, late)).toBe('not asked: withdrawn')
  expect(truthOf(late.businessKey)).toEqual([])
})
