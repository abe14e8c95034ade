/** The legacy ERP's words and ours, on recorded payloads. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InvoicePosting, SalesOrder } from '#capabilities/erp.ts'
import { type Fields, fieldsOf, listOf, Unexpected } from '#platform/fields.ts'
import { units } from '#platform/quantity.ts'
import {
  amount,
  toLegacyInvoice,
  toLegacyOrder,
  toLegacyPayments,
  toPostedInvoice,
} from '#systems/erp-legacy/map.ts'
import { toCredit, toCustomer, toItem, toPrice, toStock, toSupply } from '#systems/erp-legacy/master-data.ts'
import { sample } from '../samples.ts'

const rows = (name: string): Fields[] => listOf(fieldsOf(sample(`erp-legacy/${name}`)), 'ROWS', (row) => row)

const order: SalesOrder = {
  company: 'NWF',
  number: 'O-1000001',
  customer: '100106',
  customerOrder: 'PO-7781',
  currency: 'USD',
  requestedDate: '2026-11-04',
  shipTo: { code: '01' },
  lines: [{ line: 1, sku: '10000', quantity: 125_000, unit: 'CA', priceMinor: 2_840, priceUnit: 'CA' }],
}

test('an order is said in the words of the ERP', () => {
  expect(toLegacyOrder(order)).toEqual({
    BUKRS: 'NWF',
    KUNNR: '100106',
    BSTNK: 'O-1000001',
    IHREZ: 'PO-7781',
    VDATU: '20261104',
    WAERS: 'USD',
    ADRNR: '01',
    POS: [{ POSNR: '000010', MATNR: '10000', KWMENG: '12.5', VRKME: 'KAR', KBETR: '28.40', KMEIN: 'KAR' }],
  })
})

test('a position that is wanted on a day of its own says so', () => {
  const lines = [{ ...order.lines[0]!, requestedDate: '2026-11-20' }, order.lines[0]!]
  expect(toLegacyOrder({ ...order, lines }).POS.map(({ EDATU }) => EDATU)).toEqual(['20261120', undefined])
})

test('an address of its own goes along in full, and none at all means the default', () => {
  const shipTo = {
    name: 'Pop-up',
    lines: ['1 Dock', 'Gate 2'],
    city: 'Boston',
    postalCode: '02110',
    country: 'US',
  }
  expect(toLegacyOrder({ ...order, shipTo }).LIEFADR).toEqual({
    NAME1: 'Pop-up',
    STRAS: '1 Dock, Gate 2',
    ORT01: 'Boston',
    PSTLZ: '02110',
    REGIO: '',
    LAND1: 'US',
  })
  expect(toLegacyOrder({ ...order, shipTo: undefined })).not.toHaveProperty('ADRNR')
})

test('catch weight is priced by the kilogram', () => {
  const lines = [{ ...order.lines[0]!, priceUnit: 'KGM' }]
  expect(toLegacyOrder({ ...order, lines }).POS[0]).toMatchObject({ VRKME: 'KAR', KMEIN: 'KG' })
})

test.each([
  ['a reference of 36 characters', { number: 'O'.repeat(36) }, 'connector.value_unrepresentable'],
  ['a fourth decimal', { lines: [{ ...order.lines[0]!, quantity: 1 }] }, 'connector.value_unrepresentable'],
  ['a unit it does not keep', { lines: [{ ...order.lines[0]!, unit: 'MTR' }] }, 'connector.code_unmapped'],
])('%s is refused before anything is sent', (_, change, code) => {
  expect(() => toLegacyOrder({ ...order, ...change })).toThrow(expect.objectContaining({ code }))
})

const invoice: InvoicePosting = {
  company: 'NWF',
  document: 'I-2001',
  customer: '100106',
  salesOrder: '0000451234',
  shipment: 'S-4001',
  shippedAt: new Date('2026-11-03T02:30:00Z'),
  currency: 'USD',
  netMinor: 34_080,
  tax: { taxMinor: 2_130, evidence: 'TX-1', jurisdiction: 'US-MA' },
  lines: [
    {
      line: 1,
      orderLine: 3,
      sku: '10000',
      quantity: units(12),
      unit: 'CA',
      priceMinor: 2_840,
      priceUnit: 'CA',
      netMinor: 34_080,
      taxMinor: 2_130,
      taxRatePpm: 62_500,
    },
  ],
}

test('an invoice is dated by the day of the books and carries the tax that was determined', () => {
  expect(toLegacyInvoice(invoice, 'America/New_York')).toMatchObject({
    XBLNR: 'I-2001',
    VBELN: '0000451234',
    FKDAT: '20261102',
    STEUERBELEG: 'TX-1',
    POS: [{ POSNR: '000010', AUPOS: '000030', FKIMG: '12', CWMENGE: '', NETWR: '340.80' }],
    STEUER: [{ TXJCD: 'US-MA', KAWRT: '340.80', KBETR: '6.2500', MWSBK: '21.30' }],
  })
})

test('catch weight is counted in cases, weighed and priced by the kilogram', () => {
  const lines = [{ ...invoice.lines[0]!, priceUnit: 'KGM', catchWeight: 243_210 }]
  expect(toLegacyInvoice({ ...invoice, lines }, 'UTC').POS).toMatchObject([
    { FKIMG: '12', VRKME: 'KAR', CWMENGE: '24.321', KMEIN: 'KG' },
  ])
})

test('without a determination the ERP is left to tax by its own table', () => {
  expect(toLegacyInvoice({ ...invoice, tax: undefined }, 'UTC')).not.toHaveProperty('STEUER')
})

test('a payment of several invoices is a registration each, under references of their own', () => {
  const payment = {
    company: 'NWF',
    document: 'P-3001',
    customer: '100106',
    currency: 'USD',
    amountMinor: 30_000,
    receivedAt: new Date('2026-12-03T12:00:00Z'),
    invoices: [
      { number: '0090012345', amountMinor: 10_000 },
      { number: '0090012346', amountMinor: 20_000 },
    ],
  }
  expect(toLegacyPayments(payment, 'UTC').map(({ XBLNR, WRBTR }) => [XBLNR, WRBTR])).toEqual([
    ['P-3001/1', '100.00'],
    ['P-3001/2', '200.00'],
  ])
  const [only] = toLegacyPayments({ ...payment, invoices: payment.invoices.slice(0, 1) }, 'UTC')
  expect(only).toMatchObject({ XBLNR: 'P-3001', BELNR: '0090012345', VALUT: '20261203' })
})

test('a posted invoice carries the legal number and the totals that count', () => {
  const postedAt = new Date('2026-11-03T00:00:00Z')
  expect(toPostedInvoice(fieldsOf(sample('erp-legacy/invoice-posted')), 'USD', postedAt)).toEqual({
    number: '0090012345',
    netMinor: 34_080,
    taxMinor: 0,
    totalMinor: 34_080,
    postedAt,
  })
})

test('a sign behind the figure is a sign', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (minor) => {
      const text = (Math.abs(minor) / 100).toFixed(2) + (minor < 0 ? '-' : '')
      expect(amount({ BETRAG: text }, 'BETRAG', 'USD')).toBe(minor)
    }),
  )
})

test.each(['-12.50', '12,50', '1.2.3', '', '12.505'])('"%s" is no amount', (text) => {
  expect(() => amount({ BETRAG: text }, 'BETRAG', 'USD')).toThrow(Unexpected)
})

test.each([
  ['0060', 60],
  ['0000', undefined],
  ['', undefined],
])('a customer with a remaining shelf life of "%s" wants goods to live for %s days', (days, expected) => {
  expect(toCustomer({ ...rows('customers')[0]!, MHDRZ: days }).minimumShelfLifeDays).toBe(expected)
})

test('a customer is read with terms, credit and addresses', () => {
  expect(toCustomer(rows('customers')[0]!)).toMatchObject({
    number: '100100',
    name: 'North Canal Grocers',
    status: 'active',
    currency: 'USD',
    termsDays: 60,
    creditLimitMinor: 3_000_000,
    receivablesMinor: 1_169_020,
    creditHold: true,
    countsOpenOrders: true,
    defaultShipTo: '01',
  })
  expect(toCustomer(rows('customers')[0]!).addresses.map((address) => address.code)).toEqual(['01', '02'])
  expect(toCustomer({ ...rows('customers')[0]!, LOEVM: 'X' }).status).toBe('blocked')
  expect(toCustomer({ ...rows('customers')[0]!, AUFFREI: 'X' }).countsOpenOrders).toBe(false)
})

test('materials are read with units, catch weight, lots, serials and what is no longer sold', () => {
  const [beef, capers, gone] = rows('materials').map(toItem)
  expect(beef).toEqual({
    sku: '10003',
    name: 'Beef striploin',
    status: 'active',
    baseUnit: 'EA',
    units: [
      { unit: 'CA', factor: { numerator: 4, denominator: 1 } },
      { unit: 'KGM', factor: { numerator: 1_000, denominator: 4_250 } },
    ],
    catchWeight: true,
    lotControlled: false,
    serialControlled: false,
    taxClass: 'food',
    identifiers: [
      { scheme: 'gtin', value: '00614141100033' },
      { scheme: 'gtin', value: '10614141100030' },
    ],
  })
  expect(capers).toMatchObject({ lotControlled: true, catchWeight: false })
  expect(gone?.status).toBe('discontinued')
  const numbered = toItem({ ...rows('materials')[1]!, SERNP: '0001' })
  expect(numbered).toMatchObject({ lotControlled: true, serialControlled: true })
})

test('a condition is a list price or the contract of one customer', () => {
  const [list, contract] = rows('conditions')
  expect(toPrice(list!)).toEqual({
    sku: '10000',
    list: 'PR00',
    unit: 'CA',
    currency: 'USD',
    minQuantity: units(1),
    amountMinor: 877,
    validFrom: '2026-01-06',
    validTo: '2027-12-07',
  })
  expect(toPrice(contract!)).toMatchObject({ customer: '100100', amountMinor: 4_530 })
  expect(toPrice({ ...list!, KPEIN: '100', KBETR: '877.00' }).amountMinor).toBe(877)
  expect(() => toPrice({ ...list!, KPEIN: '100' })).toThrow(/no exact price/)
})

test.each([
  ['an unknown unit', toItem, 'materials', { MEINS: 'FASS' }],
  ['an unknown tax class', toItem, 'materials', { TAXM1: '7' }],
  [
    'a conversion by nothing',
    toItem,
    'materials',
    { UNITS: [{ MEINH: 'KAR', UMREZ: '0', UMREN: '1', EAN11: '' }] },
  ],
  ['unknown terms', toCustomer, 'customers', { ZTERM: 'BAR' }],
  ['no address', toCustomer, 'customers', { ADRS: [] }],
  ['a shelf life in no days', toCustomer, 'customers', { MHDRZ: '2M' }],
  ['an unknown kind of price', toPrice, 'conditions', { KSCHL: 'K007' }],
])('%s is never guessed', (_, read, name, change) => {
  expect(() => (read as (row: Fields) => unknown)({ ...rows(name)[0]!, ...change })).toThrow(Unexpected)
})

test('a line of a purchase order is read with what came of it, its date and when it was changed', () => {
  expect(toSupply(rows('receipts')[1]!)).toEqual({
    number: '45100251',
    line: 10,
    supplier: 'V10001',
    sku: '10025',
    location: 'DC1',
    unit: 'EA',
    ordered: 5_040_000,
    received: 120_000,
    cancelled: 0,
    expectedOn: '2026-11-09',
    changedAt: new Date('2026-11-27T08:44:46Z'),
  })
  expect(toSupply({ ...rows('receipts')[1]!, EINDT: '' }).expectedOn).toBeUndefined()
})

test('of a purchase order line that is marked as deleted nothing more is to come', () => {
  const deleted = toSupply({ ...rows('receipts')[1]!, LOEKZ: 'L' })
  expect(deleted.ordered - deleted.received - deleted.cancelled).toBe(0)
  expect(toSupply(rows('receipts')[2]!)).toMatchObject({ ordered: 1_320_000, cancelled: 1_320_000 })
})

test.each([
  ['no time', { AEZET: '' }, /AEZET is not a time/],
  ['an hour that no day has', { AEZET: '250000' }, /AEZET is not a time/],
  ['no line', { EBELP: '00000' }, /EBELP/],
  ['a unit of its own', { MEINS: 'FAS' }, /unit/],
])('a purchase order line with %s is never guessed', (_, change, reason) => {
  expect(() => toSupply({ ...rows('receipts')[0]!, ...change })).toThrow(reason)
})

test('stock and credit figures are read exactly', () => {
  const stock = { ...rows('stock')[0]!, LABST: '12.500-', INSME: '24', SPEME: '1.5' }
  expect(toStock(stock)).toEqual({
    sku: '10000',
    location: 'DC1',
    available: -125_000,
    qualityHold: 240_000,
    damaged: 15_000,
  })
  expect(toCredit(rows('credit')[0]!)).toEqual({
    creditLimitMinor: 2_000_000,
    receivablesMinor: 756_790,
    creditHold: false,
  })
})
