/** Goods priced by their weight, and customers that are not taxed: both sides agree to the cent, at either ERP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompanyCode } from '#landscape/world/world.ts'
import { type Buyer, CATCH_WEIGHT, openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const US = {
  code: '01',
  name: 'X',
  street: '1 Main',
  city: 'Chicago',
  region: 'IL',
  postalCode: '60601',
  country: 'US',
  gln: '',
}
const FR = { ...US, city: 'Lyon', region: '', postalCode: '69001', country: 'FR' }
const GENERAL = { taxClass: 'GENERAL' } as const

const goods = [
  { number: '30001', priceMinor: 1_733, stock: { DC1: 400 }, item: CATCH_WEIGHT },
  { number: '30002', priceMinor: 999, stock: { DC1: 400 }, item: GENERAL },
  {
    number: '40001',
    company: 'NWI',
    priceMinor: 2_149,
    stock: { DC3: 400 },
    item: { ...CATCH_WEIGHT, ...GENERAL },
  },
  { number: '40002', company: 'NWI', priceMinor: 777, stock: { DC3: 400 }, item: GENERAL },
] as const
const buyers: Buyer[] = [
  { number: '500001', addresses: [US] },
  { number: '500002', addresses: [US], resale: true },
  { number: 'C60001', company: 'NWI', addresses: [{ ...FR, country: 'DE' }], vatNumber: '' },
  { number: 'C60002', company: 'NWI', addresses: [{ ...FR, country: 'DE' }], vatNumber: '', resale: true },
  { number: 'C60003', company: 'NWI', addresses: [FR], vatNumber: 'FR123456789' },
]

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(goods, buyers)
}, 60_000)
afterAll(() => house.end())

type Ours = { net: number; tax: number; number: string; jurisdiction: string }

async function invoiceOf({ doc }: Placed): Promise<Ours> {
  const rows = () =>
    house.query<Ours>(
      `select net_minor as net, tax_minor as tax, number, tax_jurisdiction as jurisdiction
       from billing.invoice where order_id = $1 and posted_at is not null`,
      [doc],
    )
  await expect.poll(rows, { timeout: 10_000 }).toHaveLength(1)
  return (await rows())[0]!
}

const booksOf = (company: CompanyCode) =>
  (company === 'NWF' ? house.landscape.legacyErp : house.landscape.cloudErp).truth()

async function expectSameTotals(order: Placed, company: CompanyCode): Promise<Ours> {
  const ours = await invoiceOf(order)
  const theirs = booksOf(company).invoices.find(({ number }) => number === ours.number)!
  expect({ net: theirs.netMinor, tax: theirs.taxMinor }).toEqual({ net: ours.net, tax: ours.tax })
  return ours
}

describe.each([
  ['the legacy ERP', 'NWF', '30001', '500001', 1_733],
  ['the cloud ERP', 'NWI', '40001', 'C60001', 2_149],
] as const)('goods by weight at %s', (...row) => {
  const [, company, sku, customer, priceMinor] = row
  test('are ordered in cases, reserved in pieces and invoiced by what was weighed', async () => {
    const order = await house.order({ company, customer, lines: [[sku, 3, 'CA']] })
    expect(order.body).toMatchObject({
      outcome: 'accepted',
      lines: [{ reserved: '3', unit: 'CA', priceUnit: 'KGM' }],
    })
    const nominal = await house.query(
      'select ordered, price_unit, net_minor from orders.line where order_id = $1',
      [order.doc],
    )
    expect(nominal).toEqual([{ ordered: 12, price_unit: 'KGM', net_minor: 30 * priceMinor }])
    const ours = await expectSameTotals(order, company)
    const [line] = await house.query<{
      catch_weight: number
      quantity: number
      unit: string
      price_unit: string
    }>(
      'select catch_weight, quantity, unit, price_unit from billing.invoice_line where shipment_id in (select id from shipments.shipment where order_id = $1)',
      [order.doc],
    )
    expect(line).toMatchObject({ quantity: 3, unit: 'CA', price_unit: 'KGM' })
    expect(line!.catch_weight).not.toBe(30)
    expect(Math.round((line!.catch_weight * 1_000 * priceMinor) / 1_000)).toBe(ours.net)
    const theirs = booksOf(company).orders.find((one) => one.reference === order.body.id)!
    expect(theirs.lines[0]).toMatchObject({
      unit: 'CA',
      priceUnit: 'KG',
      quantityMilli: 3_000,
      invoicedMilli: 3_000,
    })
    expect(theirs.netMinor).toBe(30 * priceMinor)
  })

  test('that leave in less than a case are counted in pieces, still by weight', async () => {
    house.landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
    const order = await house.order({
      company,
      customer,
      shippingRule: 'cancel-rest',
      lines: [
        [sku, 1, 'CA'],
        [sku, 7],
      ],
    })
    await house.closed(order)
    await expectSameTotals(order, company)
    const lines = await house.query(
      'select l.quantity, l.unit from billing.invoice_line l join billing.invoice i on i.id = l.invoice_id where i.order_id = $1 order by n',
      [order.doc],
    )
    expect(lines).toEqual([
      { quantity: 2, unit: 'EA' },
      { quantity: 7, unit: 'EA' },
    ])
  })
})

describe('tax', () => {
  test.each([
    ['a customer with a resale certificate', 'NWF', '500002', '30002'],
    ['a customer that the cloud ERP does not tax', 'NWI', 'C60002', '40002'],
    ['a customer in another country of the union, by its number', 'NWI', 'C60003', '40002'],
  ] as const)('is not charged to %s', async (...row) => {
    const [, company, customer, sku] = row
    const order = await house.order({ company, customer, lines: [[sku, 2, 'CA']] })
    expect((await expectSameTotals(order, company)).tax).toBe(0)
  })

  test.each([
    ['the legacy ERP', 'NWF', '500001', '30002', 'US-IL+US-IL-606', 0.1025],
    ['the cloud ERP', 'NWI', 'C60001', '40002', 'DE', 0.19],
  ] as const)(
    'is charged to everybody else as the tax system says, with its jurisdiction, at %s',
    async (...row) => {
      const [, company, customer, sku, jurisdiction, rate] = row
      const order = await house.order({ company, customer, lines: [[sku, 5, 'CA']] })
      const ours = await expectSameTotals(order, company)
      expect(ours.jurisdiction).toBe(jurisdiction)
      expect(Math.abs(ours.tax - ours.net * rate)).toBeLessThanOrEqual(1)
      const { taxes } = booksOf(company).invoices.find(({ number }) => number === ours.number)!
      expect(taxes).toMatchObject([{ jurisdiction, rateMicro: Math.round(rate * 1_000_000) }])
    },
  )
})

test('no invoice differs from its posting, and nobody complains', async () => {
  expect(await house.openExceptions('billing.totals_differ')).toEqual([])
  expect(house.complaints).toEqual([])
})
