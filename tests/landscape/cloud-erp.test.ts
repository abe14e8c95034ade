/** The cloud ERP: tokens, etags, idempotency keys and batches. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import type { FakeClock } from '#tests/support/clock.ts'
import { bench, call } from './bench.ts'

let landscape: Landscape
let clock: FakeClock
let token: string
afterEach(() => landscape.stop())

async function start(options: Parameters<typeof bench>[0] = {}): Promise<void> {
  ;({ landscape, clock } = await bench(options))
  token = (await authorize('secret')).json().access_token
}

const authorize = (secret: string) =>
  call(`${landscape.cloudErp.url}/oauth2/v2.0/token`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=client_credentials&client_id=crossdock&client_secret=${secret}&scope=.default`,
  })
const api = (path: string, init: Parameters<typeof call>[1] = {}) =>
  call(`${landscape.cloudErp.url}/api/v2.0/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, ...init.headers },
  })
const company = (path: string, init: Parameters<typeof call>[1] = {}) => api(`companies(NWI)/${path}`, init)
const customer = () => landscape.world.customers.find((one) => one.company === 'NWI')?.number
const item = () => landscape.world.items.find((one) => one.company === 'NWI')?.number

const order = (reference: string, line: Record<string, unknown> = {}) => ({
  customerNumber: customer(),
  externalDocumentNumber: reference,
  currencyCode: 'EUR',
  shipToCode: '01',
  salesOrderLines: [
    {
      sequence: 10_000,
      lineObjectNumber: item(),
      quantity: 12,
      unitOfMeasureCode: 'BOX',
      unitPrice: 18.4,
      ...line,
    },
  ],
})
const invoice = (reference: string, orderNumber: string) => ({
  ...order(reference),
  orderNumber,
  invoiceDate: '2026-11-03',
  salesInvoiceLines: [
    {
      sequence: 1,
      orderLineSequence: 10_000,
      lineObjectNumber: item(),
      quantity: 12,
      unitOfMeasureCode: 'BOX',
      unitPrice: 18.4,
      netAmount: 220.8,
    },
  ],
  taxLines: [{ jurisdiction: 'DE', taxableAmount: 220.8, rate: 19, taxAmount: 41.95 }],
})
const find = (entity: string, reference: string) =>
  company(`${entity}?$filter=${encodeURIComponent(`externalDocumentNumber eq '${reference}'`)}`)

describe('the cloud ERP', () => {
  it('gives tokens to its client only, and they expire', async () => {
    await start()
    expect((await authorize('wrong')).status).toBe(401)
    expect((await company('customers?$top=1')).status).toBe(200)
    await clock.advance(3_600_000)
    expect((await company('customers?$top=1')).json().error.code).toBe('Authentication_InvalidCredentials')
  })

  it('lists entities page by page and since a change', async () => {
    await start()
    const first = (await company('customers?$top=20')).json()
    const second = (
      await call(landscape.cloudErp.url + first['@odata.nextLink'], {
        headers: { authorization: `Bearer ${token}` },
      })
    ).json()
    const numbers = [...first.value, ...second.value].map((row) => row.number)
    expect([new Set(numbers).size, second['@odata.nextLink']]).toEqual([30, undefined])
    await clock.advance(1_000)
    landscape.cloudErp.changeCustomer('C20105', { creditBlocked: true })
    const changed = (
      await company(`customers?$filter=${encodeURIComponent('lastModifiedDateTime gt 2026-11-02T00:00:00Z')}`)
    ).json()
    expect(changed.value).toMatchObject([{ number: 'C20105', blocked: 'Ship' }])
    for (const list of ['items', 'salesPrices', 'itemInventories', 'expectedReceipts']) {
      expect((await company(`${list}?$top=2`)).json().value).toHaveLength(2)
    }
  })

  it('creates an order once under one idempotency key and refuses another body under it', async () => {
    await start()
    const headers = { 'Idempotency-Key': 'k-1' }
    const first = await company('salesOrders', { headers, body: order('O-1') })
    const again = await company('salesOrders', { headers, body: order('O-1') })
    expect([first.status, first.json().number, again.text]).toEqual([201, 'SO-104512', first.text])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await company('salesOrders', { headers, body: order('O-2') })).json().error.code).toBe(
      'Request_IdempotencyConflict',
    )
    expect(landscape.cloudErp.truth().orders).toHaveLength(1)
    expect(landscape.cloudErp.received.times('createOrder', 'O-1')).toBe(2)
  })

  it('makes two orders without a key', async () => {
    await start()
    await company('salesOrders', { body: order('O-1') })
    await company('salesOrders', { body: order('O-1') })
    expect((await find('salesOrders', 'O-1')).json().value).toHaveLength(2)
  })

  it('finds several references at once', async () => {
    await start()
    for (const reference of ['O-1', "O'2", 'O-3']) await company('salesOrders', { body: order(reference) })
    const filter = encodeURIComponent("externalDocumentNumber in ('O-1','O''2','O-9')")
    const { value } = (await company(`salesOrders?$filter=${filter}`)).json()
    expect(value.map((row: { externalDocumentNumber: string }) => row.externalDocumentNumber)).toEqual([
      'O-1',
      "O'2",
    ])
  })

  it('cancels, and closes lines of, only the version that is named', async () => {
    await start()
    const created = (await company('salesOrders', { body: order('O-1') })).json()
    const change = (action: string, headers: Record<string, string>, body: unknown = {}) =>
      company(`salesOrders(${created.id})/Microsoft.NAV.${action}`, { headers, body })
    const cancel = (headers: Record<string, string>) => change('cancel', headers)
    expect((await cancel({})).status).toBe(428)
    expect((await cancel({ 'if-match': 'W/"old"' })).status).toBe(412)
    const rest = { salesOrderLines: [{ sequence: 10_000, quantity: 10, unitOfMeasureCode: 'BOX' }] }
    expect((await change('closeLines', { 'if-match': created['@odata.etag'] }, rest)).json()).toMatchObject({
      status: 'Open',
      salesOrderLines: [{ canceledQuantity: 2 }],
    })
    expect((await cancel({ 'if-match': created['@odata.etag'] })).status).toBe(412)
    expect((await cancel({ 'if-match': '*' })).json().status).toBe('Canceled')
    expect((await company(`salesOrders(${created.id})`)).headers.get('etag')).not.toBe(created['@odata.etag'])
  })

  it('posts an invoice, takes a payment, refuses more than is open, and takes the payment back once', async () => {
    await start()
    const { number } = (await company('salesOrders', { body: order('O-1') })).json()
    const posted = (await company('salesInvoices', { body: invoice('I-1', number) })).json()
    expect(posted).toMatchObject({
      number: 'SI-203345',
      totalAmountExcludingTax: 220.8,
      totalTaxAmount: 41.95,
      totalAmountIncludingTax: 262.75,
    })
    const payment = {
      customerNumber: customer(),
      externalDocumentNumber: 'P-1',
      appliesToInvoiceNumber: posted.number,
      amount: 262.75,
      currencyCode: 'EUR',
      postingDate: '2026-12-03',
    }
    expect((await company('customerPayments', { body: payment })).json()).toMatchObject({
      number: 'CP-900001',
      invoiceRemainingAmount: 0,
    })
    expect((await company('customerPayments', { body: payment })).json().error.code).toBe(
      'Application_OverPaid',
    )
    expect((await find('salesInvoices', 'I-1')).json().value).toMatchObject([
      { status: 'Paid', remainingAmount: 0 },
    ])
    expect((await find('customerPayments', 'P-1')).json().value).toHaveLength(1)
    const reversal = {
      externalDocumentNumber: 'P-1',
      reasonDescription: 'returned by the bank',
      postingDate: '2026-12-10',
    }
    const reverse = async (body: object) =>
      (await company('customerPayments/Microsoft.NAV.reverse', { body })).json()
    expect(await reverse(reversal)).toMatchObject({
      number: 'CP-900001',
      invoiceRemainingAmount: 262.75,
      reversed: true,
      reversalNumber: 'CP-900002',
    })
    expect((await reverse(reversal)).error.code).toBe('Application_AlreadyReversed')
    expect((await reverse({ ...reversal, externalDocumentNumber: 'P-2' })).error.code).toBe(
      'Application_PaymentNotFound',
    )
    expect((await find('salesInvoices', 'I-1')).json().value).toMatchObject([
      { status: 'Open', remainingAmount: 262.75 },
    ])
  })

  it.each([
    ['Application_ItemNotFound', { lineObjectNumber: '99999' }],
    ['Application_UnitOfMeasureInvalid', { unitOfMeasureCode: 'DOZEN' }],
    ['Application_QuantityInvalid', { quantity: -1 }],
  ])('refuses an order with %s', async (code, line) => {
    await start()
    const answer = await company('salesOrders', { body: order('O-1', line) })
    expect([answer.status, answer.json().error.code]).toEqual([400, code])
  })

  it('answers each request of a batch by its id, keys and failures of its own', async () => {
    await start()
    landscape.cloudErp.faults.set({ kind: 'item-failure', operation: 'createOrders', share: 0.3 })
    const requests = Array.from({ length: 20 }, (_, n) => ({
      id: `r${n}`,
      method: 'POST',
      url: 'companies(NWI)/salesOrders',
      headers: { 'Idempotency-Key': `k${n}` },
      body: order(`O-${n}`, n === 3 ? { lineObjectNumber: '99999' } : {}),
    }))
    const { responses } = (await api('$batch', { body: { requests } })).json()
    const by = new Map<string, { status: number; body: { externalDocumentNumber?: string } }>(
      responses.map((one: { id: string }) => [one.id, one]),
    )
    expect(by.size).toBe(20)
    for (const [id, { status, body }] of by)
      if (status === 201) expect(body.externalDocumentNumber).toBe(`O-${id.slice(1)}`)
    const created = [...by.values()].filter((one) => one.status === 201).length
    const busy = [...by.values()].filter((one) => one.status === 503).length
    expect(landscape.cloudErp.truth().orders).toHaveLength(created)
    expect(busy).toBeGreaterThan(1)
    landscape.cloudErp.faults.clear()
    await api('$batch', { body: { requests } })
    expect(landscape.cloudErp.truth().orders).toHaveLength(19)
    expect(landscape.cloudErp.received.requests('createOrders')).toBe(2)
  })

  it('refuses a batch of 51', async () => {
    await start()
    const requests = Array.from({ length: 51 }, (_, n) => ({
      id: String(n),
      method: 'GET',
      url: 'companies(NWI)/items',
    }))
    expect((await api('$batch', { body: { requests } })).status).toBe(400)
  })

  it('tells credit of one and of several customers', async () => {
    await start()
    expect((await company(`customers(${customer()})/financialDetails`)).json()).toMatchObject({
      number: customer(),
      currencyCode: 'EUR',
    })
    const filter = encodeURIComponent("number in ('C20103','C20104')")
    expect((await company(`customerFinancialDetails?$filter=${filter}`)).json().value).toHaveLength(2)
  })
})
