/** The posted invoice in a partner's words: an 810 whose lines, rounding and tax come to its total. Pure. */
import { Decimal } from 'decimal.js'
import type { InvoiceNotice } from '#capabilities/channel.ts'
import { minorDigits } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { InvoiceCharge, InvoiceDocument, InvoiceLine } from './documents/810.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import { descriptionOf, linesByNumber, ourParty, partiesOf, productIdsOf, unitOf } from './echo.ts'
import { type LinePricing, priceOfLine } from './invoice-price.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { KILOGRAMS_IN, unitsOfBasis, weightIn } from './units.ts'
import { wallClock } from './wall-clock.ts'

type BilledLine = InvoiceNotice['lines'][number]
type Context = {
  readonly guide: PartnerGuide
  readonly digits: number
  readonly ordered: PurchaseOrderLine | undefined
}

export function toInvoice(
  notice: InvoiceNotice,
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
): InvoiceDocument {
  const ordered = linesByNumber(document)
  const digits = minorDigits(notice.currency)
  const billed = notice.lines.map((line) =>
    billedLine(line, { guide, digits, ordered: ordered.get(line.line) }),
  )
  return {
    number: notice.number,
    date: wallClock(notice.issuedAt, guide).date,
    orderNumber: document.number,
    orderDate: document.date,
    ...(document.release ? { release: document.release } : {}),
    type: notice.totalMinor < 0 ? 'CR' : 'DI',
    currency: notice.currency,
    references: [
      { qualifier: 'VN', value: notice.order },
      { qualifier: 'SI', value: notice.shipment },
    ],
    parties: [
      ...ourParty('SE', notice.company, guide),
      ...partiesOf(document, guide, [guide.shipTo.role, 'BT', 'BY']),
    ],
    terms: { netDays: String(notice.termsDays) },
    dates: [{ qualifier: '011', date: wallClock(notice.shippedAt, guide).date }],
    lines: billed.map(({ line }) => line),
    charges: roundingOf(
      billed.reduce((sum, { differenceMinor }) => sum + differenceMinor, 0),
      guide,
    ),
    taxes: notice.taxMinor === 0 ? [] : [{ type: 'TX', amountMinor: notice.taxMinor }],
    totalMinor: notice.totalMinor,
  }
}

type Billed = { readonly line: InvoiceLine; readonly differenceMinor: number }

function billedLine(billed: BilledLine, context: Context): Billed {
  const { guide, digits, ordered } = context
  const counted = billed.weight === undefined ? byCount(billed, context) : byWeight(billed, context)
  const { price, ...said } = counted
  const { quantity, per = 1 } = said
  const priced = priceOfLine(
    { quantity, price, per, netMinor: billed.netMinor },
    { ...guide.invoice, digits },
  )
  const line: InvoiceLine = {
    ...(ordered?.assignedId ? { assignedId: ordered.assignedId } : {}),
    ...said,
    price: priced.price,
    productIds: productIdsOf(ordered, billed.sku),
    ...descriptionOf(ordered, guide),
  }
  return { line, differenceMinor: priced.differenceMinor }
}

type Counted = Pick<InvoiceLine, 'quantity' | 'unit' | 'priceBasis' | 'per' | 'shipped'> & {
  readonly price: LinePricing['price']
}

/** In the unit that was ordered the price keeps the order's basis; in another it is converted, and is for one. */
function byCount(
  { quantity, unit: unece, priceMinor, unitsPerPrice }: BilledLine,
  { guide, ordered }: Context,
): Counted {
  const unit = unitOf(unece, guide, ordered?.unit)
  const basis = unit === ordered?.unit ? ordered.priceBasis : undefined
  const per = basis && unitsOfBasis(basis, guide.priceBasis)
  const price = unitsPerPrice && {
    numerator: BigInt(priceMinor) * BigInt(unitsPerPrice.denominator),
    denominator: unitsPerPrice.numerator,
  }
  return {
    quantity: formatQuantity(quantity),
    unit,
    price,
    ...(basis && per ? { priceBasis: basis } : {}),
    ...(per && per > 1 ? { per } : {}),
  }
}

/** What quantity times price leaves over because the partner takes no longer prices. */
function roundingOf(differenceMinor: number, { invoice }: PartnerGuide): InvoiceCharge[] {
  if (differenceMinor === 0) return []
  const kind = differenceMinor > 0 ? 'charge' : 'allowance'
  return [{ kind, code: invoice.rounding, amountMinor: Math.abs(differenceMinor), description: 'Rounding' }]
}

/** What is sold by weight is invoiced by weight, beside the count that was shipped. */
function byWeight(billed: BilledLine, { guide, ordered }: Context): Counted {
  const { weightUnit } = guide
  const kilograms = new Decimal(formatQuantity(billed.weight ?? 0))
  const [, places = ''] = KILOGRAMS_IN[weightUnit].split('.')
  const scale = 10n ** BigInt(places.length)
  return {
    quantity: weightIn(weightUnit, kilograms),
    unit: weightUnit,
    price: {
      numerator: BigInt(billed.priceMinor) * BigInt(KILOGRAMS_IN[weightUnit].replace('.', '')),
      denominator: scale,
    },
    shipped: {
      quantity: formatQuantity(billed.quantity),
      unit: unitOf(billed.unit, guide, ordered?.unit),
    },
  }
}
