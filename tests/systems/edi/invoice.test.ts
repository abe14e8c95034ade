/** The 810 read back as its partner reads it: lines, rounding and tax come to the total, to the cent. */
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InvoiceNotice } from '#capabilities/channel.ts'
import { extend, extendFraction } from '#platform/money.ts'
import { parseQuantity, type Quantity, type UnitFactor, units } from '#platform/quantity.ts'
import { buildInvoice, INVOICE, type InvoiceDocument, parseInvoice } from '#systems/edi/documents/810.ts'
import type { PurchaseOrderLine } from '#systems/edi/documents/purchase-order.ts'
import { toInvoice } from '#systems/edi/map-invoice.ts'
import type { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { DEFAULT_DELIMITERS, writeSegment } from '#systems/edi/x12-writer.ts'
import { line as lineOf, order } from './purchase-order-document.ts'
import { guide, validate } from './x12-text.ts'

type Line = InvoiceNotice['lines'][number]

/** As it was read of an order that names no price. */
const orderLine = (changes: Partial<PurchaseOrderLine> = {}): PurchaseOrderLine => {
  const { price: _, priceBasis: __, ...unpriced } = lineOf()
  return { ...unpriced, ...changes }
}

const CASE = { numerator: 12, denominator: 1 }
const ONE = { numerator: 1, denominator: 1 }

/** So many pieces of a case, billed as shipments are: whole cases as cases, else as pieces. */
function ofCase(pieces: Quantity, priceMinor: number, factor: UnitFactor = CASE): Line {
  const netMinor = extendFraction(priceMinor, pieces, {
    numerator: factor.denominator,
    denominator: factor.numerator,
  })
  const common = { line: '1', sku: 'NWF-1001', priceMinor, priceUnit: 'CA', netMinor }
  return { ...common, quantity: pieces, unit: 'EA', unitsPerPrice: factor }
}

const weighed = (weight: Quantity, priceMinor: number): Line => ({
  line: '1',
  sku: 'NWF-1001',
  quantity: units(3),
  unit: 'CA',
  priceMinor,
  priceUnit: 'KGM',
  weight,
  netMinor: extend(priceMinor, weight),
})

const notice = (lines: readonly Line[], taxMinor = 0): InvoiceNotice => {
  const netMinor = lines.reduce((sum, line) => sum + line.netMinor, 0)
  return {
    company: 'NWF',
    invoice: 'I-1',
    number: 'INV-9',
    order: 'O-1',
    customer: 'C-1',
    customerOrder: 'PO-1',
    shipment: 'S-1',
    currency: 'USD',
    netMinor,
    taxMinor,
    totalMinor: netMinor + taxMinor,
    termsDays: 30,
    issuedAt: new Date('2026-11-20T08:00:00Z'),
    shippedAt: new Date('2026-11-19T14:05:00Z'),
    lines,
  }
}

async function reread(
  told: InvoiceNotice,
  { by = guide(), lines = [orderLine()] }: { by?: PartnerGuide; lines?: PurchaseOrderLine[] } = {},
): Promise<InvoiceDocument> {
  const built = buildInvoice(toInvoice(told, order({ lines }), by))
  const { root, errors } = await validate(
    INVOICE,
    built.map((segment) => writeSegment(segment, DEFAULT_DELIMITERS)),
    '810',
  )
  expect(errors).toEqual([])
  return parseInvoice(root)
}

/** As an accounts payable system adds up: each line rounded to the cent, charges, taxes. */
function sumOf({ lines, charges, taxes }: InvoiceDocument): number {
  const extended = lines.map(({ quantity, price, per = 1 }) =>
    new Decimal(price).times(quantity).div(per).times(100).toDecimalPlaces(0, Decimal.ROUND_HALF_UP),
  )
  const signed = charges.map(({ kind, amountMinor }) => (kind === 'charge' ? amountMinor : -amountMinor))
  const rest = [...signed, ...taxes.map(({ amountMinor }) => amountMinor)]
  return Decimal.sum(0, ...extended, ...rest).toNumber()
}

const said = ({ lines }: InvoiceDocument): string[] =>
  lines.map(({ quantity, unit, price, priceBasis, shipped }) =>
    [quantity, unit, price, priceBasis, shipped && `of ${shipped.quantity} ${shipped.unit}`]
      .filter(Boolean)
      .join(' '),
  )

test('whole cases are invoiced at the price of the case, as it was ordered', async () => {
  const line = {
    ...ofCase(units(120), 2490),
    quantity: units(10),
    unit: 'CA',
    unitsPerPrice: ONE,
  }
  const invoice = await reread(notice([line], 100), { lines: [orderLine({ priceBasis: 'PE' })] })
  expect(said(invoice)).toEqual(['10 CA 24.9 PE'])
  expect(invoice.totalMinor).toBe(25_000)
})

test('a price for a hundred stays one for a hundred', async () => {
  const line = { ...ofCase(units(250), 5, ONE), unit: 'EA', priceUnit: 'EA' }
  const lines = [orderLine({ unit: 'EA', priceBasis: 'HP' })]
  const invoice = await reread(notice([line]), { lines })
  expect(said(invoice)).toEqual(['250 EA 5 HP'])
  expect(invoice.totalMinor).toBe(1250)
})

test('a part of a case is invoiced in pieces at the converted price', async () => {
  const invoice = await reread(notice([ofCase(units(5), 2500)]))
  expect(said(invoice)).toEqual(['5 EA 2.0833'])
  expect(invoice.charges).toEqual([])
  expect(invoice.totalMinor).toBe(1042)
})

test('goods sold by weight are invoiced by weight, beside the count that was shipped', async () => {
  const line = weighed(parseQuantity('27.35'), 899)
  expect(said(await reread(notice([line])))).toEqual(['27.35 KG 8.99 of 3 CA'])
  const pounds = await reread(notice([line]), { by: guide({ weightUnit: 'LB' }) })
  expect(said(pounds)).toEqual(['60.2964 LB 4.0778 of 3 CA'])
  expect(sumOf(pounds)).toBe(line.netMinor)
})

test('what a price of few places leaves over is a charge or an allowance of its own', async () => {
  const by = guide({ invoice: { priceDecimals: 2, rounding: 'D980' } })
  const above = await reread(notice([ofCase(units(7), 2500)]), { by })
  expect(said(above)).toEqual(['7 EA 2.08'])
  expect(above.charges).toEqual([{ kind: 'charge', code: 'D980', amountMinor: 2, description: 'Rounding' }])
  const below = await reread(notice([ofCase(units(7), 2495)]), { by })
  expect(below.charges).toMatchObject([{ kind: 'allowance', amountMinor: 1 }])
  for (const invoice of [above, below]) expect(sumOf(invoice)).toBe(invoice.totalMinor)
})

test('a price whose unit nothing relates to what was shipped is told by what it comes to', async () => {
  const line = { ...ofCase(units(4), 1000), priceUnit: 'XPX', netMinor: 3334, unitsPerPrice: undefined }
  expect(said(await reread(notice([line])))).toEqual(['4 EA 8.335'])
})

test('an invoice names who ordered and where it went, what was shipped when, and both order numbers', async () => {
  const parties = (['BY', 'ST', 'SU'] as const).map((role) => ({
    role,
    name: `Their * ${role}`,
    id: { qualifier: '92', value: `${role}1` },
    lines: [],
    region: 'Oregon',
    references: [],
    contacts: [],
  }))
  const built = buildInvoice(
    toInvoice(notice([ofCase(units(5), 2500)]), order({ lines: [orderLine()], parties }), guide()),
  )
  expect(built.slice(0, 10)).toEqual([
    ['BIG', '20261120', 'INV-9', '20261117', 'PO-1', undefined, '', 'DI'],
    ['CUR', 'SE', 'USD'],
    ['REF', 'VN', 'O-1', undefined],
    ['REF', 'SI', 'S-1', undefined],
    ['N1', 'SE', undefined, '91', 'NWF'],
    ['N1', 'ST', undefined, '92', 'ST1'],
    ['N1', 'BY', undefined, '92', 'BY1'],
    ['ITD', '05', '3', undefined, '', undefined, '', '30'],
    ['DTM', '011', '20261119', undefined],
    ['IT1', '001', '5', 'EA', '2.0833', undefined, 'VN', 'NWF-1001'],
  ])
})

const price = fc.integer({ min: 1, max: 10_000_000 })
const quantity = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }).map((count) => units(count)),
  fc.integer({ min: 1, max: 99_999_999 }),
)
const factor = fc.record({
  numerator: fc.integer({ min: 1, max: 288 }),
  denominator: fc.constantFrom(1, 1, 1, 2, 3, 7),
})
const line = fc.oneof(
  fc.tuple(quantity, price, factor).map((drawn) => ofCase(...drawn)),
  fc.tuple(quantity, price).map((drawn) => weighed(...drawn)),
)
const terms = fc.record({
  weightUnit: fc.constantFrom('KG', 'LB'),
  invoice: fc.record({ priceDecimals: fc.integer({ min: 2, max: 8 }) }),
})

/** In cents, at the most. */
const leftOver = ({ quantity: q, price: p }: InvoiceDocument['lines'][number], places: number) =>
  new Decimal(10).pow(-places).times(q).plus(new Decimal('0.0001').times(p)).times(50).plus(1)

test('whatever was shipped and weighed at whatever price, what the 810 says adds up to its total', async () => {
  let exact = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 100_000 }),
      terms,
      async (lines, tax, by) => {
        const invoice = await reread(notice(lines, tax), { by: guide(by) })
        expect(sumOf(invoice)).toBe(invoice.totalMinor)
        expect(invoice.totalMinor).toBe(lines.reduce((sum, { netMinor }) => sum + netMinor, tax))
        // no more is called rounding than the places of prices and of converted weights can leave over
        const most = Decimal.sum(0, ...invoice.lines.map((said) => leftOver(said, by.invoice.priceDecimals)))
        for (const { amountMinor } of invoice.charges)
          expect(amountMinor).toBeLessThanOrEqual(most.toNumber())
        if (invoice.charges.length === 0) exact++
      },
    ),
    { numRuns: 500 },
  )
  expect(exact).toBeGreaterThan(100)
})
