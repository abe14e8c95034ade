/** What a line costs as an 855 says it: by the basis of the order, or by weight where the goods are sold so. Pure. */
import { Decimal } from 'decimal.js'
import { minorDigits } from '#platform/money.ts'
import type { PurchaseOrderLine } from './documents/purchase-order.ts'
import { priceOf } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { KILOGRAM, KILOGRAMS_IN, toUnece, unitsOfBasis, WEIGHT_BASIS, weightBasisOf } from './units.ts'

/** PO104 and PO105. */
export type SaidPrice = { readonly price?: string | undefined; readonly priceBasis?: string | undefined }

type OurPrice = { readonly priceMinor: number; readonly priceUnit: string; readonly currency: string }

export function acknowledgedPrice(
  line: PurchaseOrderLine,
  { priceMinor, priceUnit, currency }: OurPrice,
  guide: PartnerGuide,
): SaidPrice & { readonly isAsAsked: boolean } {
  const { price: asked, priceBasis } = line
  const price = new Decimal(priceMinor).div(new Decimal(10).pow(minorDigits(currency)))
  const askedWeight = priceBasis === undefined ? undefined : WEIGHT_BASIS[priceBasis]
  const isOrderedByWeight = line.unit !== undefined && toUnece(line.unit, guide.units) === KILOGRAM
  if (priceUnit === KILOGRAM && (askedWeight || !isOrderedByWeight)) {
    const unit = askedWeight ?? guide.weightUnit
    const said = price.times(KILOGRAMS_IN[unit]).toDecimalPlaces(guide.invoice.priceDecimals)
    const isAsAsked = askedWeight && asked ? isRounded(said, asked) : isEqual(price, priceOf(line, guide))
    return { price: said.toFixed(), priceBasis: weightBasisOf(unit), isAsAsked }
  }
  if (askedWeight) return { price: price.toFixed(), isAsAsked: asked === undefined }
  const per = (priceBasis && unitsOfBasis(priceBasis, guide.priceBasis)) || 1
  return { price: price.times(per).toFixed(), priceBasis, isAsAsked: isEqual(price, priceOf(line, guide)) }
}

const isEqual = (price: Decimal, asked: string | undefined): boolean =>
  asked === undefined || price.equals(asked)

/** A price for a pound is seldom written as exactly as ours comes out. */
function isRounded(price: Decimal, asked: string): boolean {
  const written = new Decimal(asked)
  return price.toDecimalPlaces(written.decimalPlaces()).equals(written)
}
