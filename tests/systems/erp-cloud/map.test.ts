/** The cloud ERP's words and ours, on recorded payloads. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InvoicePosting, SalesOrder } from '#capabilities/erp.ts'
import { type Fields, fieldsOf, listOf, Unexpected } from '#platform/fields.ts'
import { units } from '#platform/quantity.ts'
import { toCloudInvoice, toCloudOrder, toCloudPayments, toPostedInvoice } from '#systems/erp-cloud/map.ts'
import { toCredit, toCustomer, toItem, toPrice, toStock, toSupply } from '#systems/erp-cloud/master-data.ts'
import { batchAnswers, entityPage, errorOf, minorOf } from '#systems/erp-cloud/wire.ts'
import { sample } from '../samples.ts'

const rows = (name: string): Fields[] => listOf(fieldsOf(sample(`erp-cloud/${name}`)), 'value', (row) => row)

const order: SalesOrder = {
  company: 'NWI',
  number: 'O-2000001',
  customer: 'C20106',
  customerOrder: 'PO-1',
  currency: 'EUR',
  requestedDate: '2026-11-04',
  shipTo: { code: '01' },
  lines: [{ line: 2, sku: '20000', quantity: 125_000, unit: 'BX', priceMinor: 1_840, priceUnit: 'BX' }],
}

test('an order is said in the words of the ERP', () => {
  expect(toCloudOrder(order)).toEqual({
    customerNumber: 'C20106',
    externalDocumentNumber: 'O-2000001',
    customerOrderReference: 'PO-1',
    requestedDeliveryDate: '2026-11-04',
    currencyCode: 'EUR',
    shipToCode: '01',
    salesOrderLines: [
      {
        sequence: 20_000,
        lineObjectNumber: '20000',
        quantity: 12.5,
        unitOfMeasureCode: 'BOX',
        unitPrice: 18.4,
        priceUnitOfMeasureCode: 'BOX',
      },
    ],
  })
  const lines = [{ ...order.lines[0]!, requestedDate: '2026-11-20' }]
  expect(toCloudOrder({ ...order, lines }).salesOrderLines).toMatchObject([
    { requestedDeliveryDate: '2026-11-20' },
  ])
  expect(toCloudOrder({ ...order, shipTo: { city: 'Kiel' } }).shipToAddress).toMatchObject({
    city: 'Kiel',
    name: '',
  })
})

test.each([
  ['a reference of 36 characters', { number: 'O'.repeat(36) }, 'connector.value_unrepresentable'],
  ['a fourth decimal', { lines: [{ ...order.lines[0]!, quantity: 1 }] }, 'connector.value_unrepresentable'],
  ['a unit it does not keep', { lines: [{ ...order.lines[0]!, unit: 'MTR' }] }, 'connector.code_unmapped'],
])('%s is refused before anything is sent', (_, change, code) => {
  expect(() => toCloudOrder({ ...order, ...change })).toThrow(expect.objectContaining({ code }))
})

const invoice: InvoicePosting = {
  company: 'NWI',
  document: 'I-2001',
  customer: 'C20106',
  salesOrder: 'SO-104512',
  shipment: 'S-4001',
  shippedAt: new Date('2026-11-02T23:30:00Z'),
  currency: 'EUR',
  netMinor: 22_080,
  tax: { taxMinor: 4_195, evidence: 'TX-1', jurisdiction: 'DE' },
  lines: [
    {
      line: 1,
      orderLine: 3,
      sku: '20000',
      quantity: units(12),
      unit: 'BX',
      priceMinor: 1_840,
      priceUnit: 'BX',
      netMinor: 22_080,
      taxMinor: 4_195,
      taxRatePpm: 190_000,
    },
  ],
}

test('an invoice is dated by the day of the books and carries the tax that was determined', () => {
  expect(toCloudInvoice(invoice, 'Europe/Berlin')).toMatchObject({
    externalDocumentNumber: 'I-2001',
    orderNumber: 'SO-104512',
    invoiceDate: '2026-11-03',
    taxEvidence: 'TX-1',
    salesInvoiceLines: [{ sequence: 10_000, orderLineSequence: 30_000, catchWeight: null, netAmount: 220.8 }],
    taxLines: [{ jurisdiction: 'DE', taxableAmount: 220.8, taxAmount: 41.95, rate: 19 }],
  })
  expect(toCloudInvoice({ ...invoice, tax: undefined }, 'UTC')).not.toHaveProperty('taxLines')
})

test('catch weight is counted in cases, weighed and priced by the kilogram', () => {
  const lines = [{ ...invoice.lines[0]!, unit: 'CA', priceUnit: 'KGM', catchWeight: 243_210 }]
  expect(toCloudInvoice({ ...invoice, lines }, 'UTC').salesInvoiceLines).toMatchObject([
    { quantity: 12, unitOfMeasureCode: 'CASE', catchWeight: 24.321, priceUnitOfMeasureCode: 'KG' },
  ])
})

test('a payment of several invoices is a registration each', () => {
  const payment = {
    company: 'NWI',
    document: 'P-3001',
    customer: 'C20106',
    currency: 'EUR',
    amountMinor: 300,
    receivedAt: new Date('2026-12-03T12:00:00Z'),
    invoices: [
      { number: 'SI-1', amountMinor: 100 },
      { number: 'SI-2', amountMinor: 200 },
    ],
  }
  expect(toCloudPayments(payment, 'UTC')).toMatchObject([
    {
      externalDocumentNumber: 'P-3001/1',
      appliesToInvoiceNumber: 'SI-1',
      amount: 1,
      postingDate: '2026-12-03',
    },
    { externalDocumentNumber: 'P-3001/2', appliesToInvoiceNumber: 'SI-2', amount: 2 },
  ])
})

test('a posted invoice carries the legal number and the totals that count', () => {
  const postedAt = new Date('2026-11-03T00:00:00Z')
  expect(toPostedInvoice(fieldsOf(sample('erp-cloud/invoice-posted')), 'EUR', postedAt)).toEqual({
    number: 'SI-203345',
    netMinor: 22_080,
    taxMinor: 4_195,
    totalMinor: 26_275,
    postedAt,
  })
})

test('amounts go out as numbers and come back to the cent', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (priceMinor) => {
      const sent = toCloudOrder({ ...order, lines: [{ ...order.lines[0]!, priceMinor }] })
      const received = JSON.parse(JSON.stringify(sent.salesOrderLines[0])) as Fields
      expect(minorOf(received, 'unitPrice', 'EUR')).toBe(priceMinor)
    }),
  )
  expect(() => minorOf({ amount: 0.125 }, 'amount', 'EUR')).toThrow(Unexpected)
})

test.each([
  ['60D', 60],
  ['0D', 0],
  ['', undefined],
])('a customer with a shelf life of "%s" wants goods to live for %s days', (formula, expected) => {
  const row = { ...rows('customers')[0]!, minimumShelfLifeCalculation: formula }
  expect(toCustomer(row).minimumShelfLifeDays).toBe(expected)
})

test('customers are read with terms, credit, block and tax number', () => {
  expect(toCustomer(rows('customers')[0]!)).toMatchObject({
    number: 'C20100',
    status: 'active',
    currency: 'EUR',
    termsDays: 14,
    creditLimitMinor: 1_000_000,
    receivablesMinor: 902_814,
    creditHold: true,
    countsOpenOrders: true,
    taxId: 'DE595894024',
    defaultShipTo: '01',
  })
  expect(toCustomer({ ...rows('customers')[0]!, blocked: 'All' })).toMatchObject({
    status: 'blocked',
    creditHold: false,
  })
  expect(toCustomer({ ...rows('customers')[0]!, blocked: ' ' })).toMatchObject({
    status: 'active',
    creditHold: false,
  })
  const outside = toCustomer({ ...rows('customers')[0]!, creditLimitIncludesOrders: false })
  expect(outside.countsOpenOrders).toBe(false)
})

test('items are read with units, and a blocked one as discontinued', () => {
  const [bearing, gone] = rows('items').map(toItem)
  expect(bearing).toMatchObject({
    sku: '20000',
    status: 'active',
    baseUnit: 'EA',
    units: [
      { unit: 'BX', factor: { numerator: 100, denominator: 1 } },
      { unit: 'CA', factor: { numerator: 1_000, denominator: 1 } },
      { unit: 'XPX', factor: { numerator: 40_000, denominator: 1 } },
    ],
    taxClass: 'general',
  })
  expect(gone?.status).toBe('discontinued')
})

test.each([
  ['', false, false],
  ['LOTALL', true, false],
  ['SNALL', false, true],
  ['LOTSNALL', true, true],
])('an item that is tracked by "%s" is known by its lots: %s, by its serials: %s', (code, lots, serials) => {
  const item = toItem({ ...rows('items')[0]!, itemTrackingCode: code })
  expect([item.lotControlled, item.serialControlled]).toEqual([lots, serials])
})

test('a price is for all customers or for one', () => {
  const [all, one] = rows('prices').map(toPrice)
  expect(all).toMatchObject({
    sku: '20000',
    list: 'ALL',
    unit: 'BX',
    amountMinor: 8_107,
    minQuantity: units(1),
  })
  expect(one).toMatchObject({ customer: 'C20100', amountMinor: 4_709 })
})

test.each([
  ['an unknown unit', toItem, 'items', { baseUnitOfMeasureCode: 'BARREL' }],
  ['an unknown tax group', toItem, 'items', { taxGroupCode: 'LUXURY' }],
  ['an unknown block', toCustomer, 'customers', { blocked: 'Sometimes' }],
  ['unknown terms', toCustomer, 'customers', { paymentTermsCode: 'COD' }],
  ['no address', toCustomer, 'customers', { shipToAddresses: [] }],
  ['a shelf life in months', toCustomer, 'customers', { minimumShelfLifeCalculation: '2M' }],
  ['a price of a group', toPrice, 'prices', { sourceType: 'Customer Price Group' }],
])('%s is never guessed', (_, read, name, change) => {
  expect(() => (read as (row: Fields) => unknown)({ ...rows(name)[0]!, ...change })).toThrow(Unexpected)
})

test('an expected receipt is read with what came of it, its date and when it was changed', () => {
  expect(toSupply(rows('receipts')[1]!)).toEqual({
    number: 'PO-46200211',
    line: 10_000,
    supplier: 'V10001',
    sku: '20021',
    location: 'DC1',
    unit: 'EA',
    ordered: 2_000_000,
    received: 240_000,
    cancelled: 100_000,
    expectedOn: '2026-11-09',
    changedAt: new Date('2026-11-27T08:44:46.752Z'),
  })
  expect(toSupply({ ...rows('receipts')[1]!, expectedReceiptDate: null }).expectedOn).toBeUndefined()
  expect(() => toSupply({ ...rows('receipts')[1]!, lineNumber: 0 })).toThrow(Unexpected)
})

test('stock and credit figures are read exactly', () => {
  expect(toStock({ ...rows('stock')[0]!, qualityHold: 300 })).toEqual({
    sku: '20000',
    location: 'DC1',
    available: 200_000_000,
    qualityHold: 3_000_000,
    damaged: 0,
  })
  expect(toCredit(rows('credit')[0]!)).toEqual({
    creditLimitMinor: 2_000_000,
    receivablesMinor: 1_555_906,
    creditHold: false,
  })
})

test('a batch is read by id, whatever its order, and an error with its target', () => {
  const answers = batchAnswers(sample('erp-cloud/batch'))
  expect(answers.get('0')?.status).toBe(201)
  expect(errorOf(answers.get('1')?.body)).toEqual({
    code: 'Application_ItemNotFound',
    message: 'ItemNotFound: 99999 (lines/0)',
  })
  expect(errorOf('<html>')).toBeUndefined()
})

test('a page names the next one until there is none', () => {
  expect(entityPage(sample('erp-cloud/customers')).next).toContain('skiptoken=2')
  expect(entityPage(sample('erp-cloud/items')).next).toBeUndefined()
})
