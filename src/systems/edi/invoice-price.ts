/** The unit price of an invoice line as an 810 can say it: quantity times price is the amount, or the rest is named. */
import { Decimal } from 'decimal.js'

/** Products of seventeen digits with ten are exact. */
const Exact = Decimal.clone({ precision: 60 })
type Exact = InstanceType<typeof Exact>

export type LinePricing = {
  /** Decimal text, as the line says it. */
  readonly quantity: string
  /** In minor units for one of the line's unit, exact: numerator by denominator; absent where only the amount is known. */
  readonly price?: { readonly numerator: number | bigint; readonly denominator: number | bigint } | undefined
  /** For how many units the partner's price basis is. */
  readonly per: number
  readonly netMinor: number
}

export type PriceTerms = {
  /** Places of the currency's minor unit. */
  readonly digits: number
  /** So many places of a price the partner takes. */
  readonly priceDecimals: number
}

export type LinePrice = {
  /** Decimal text for `per` units. */
  readonly price: string
  /** What the amount is above quantity times price. */
  readonly differenceMinor: number
}

/** A price that is not exact gets as many places as that, before it is as short as the amount allows. */
const USUAL_PLACES = 4

/** Quantity times price in minor units, rounded line by line, half away from zero, as invoices are. */
export function extensionMinor(quantity: string, price: string, per: number, digits: number): number {
  return extended(new Exact(quantity), new Exact(price), per, digits).toNumber()
}

const extended = (quantity: Exact, price: Exact, per: number, digits: number): Exact =>
  price.times(quantity).div(per).times(new Exact(10).pow(digits)).toDecimalPlaces(0, Exact.ROUND_HALF_UP)

/**
 * The agreed price, converted to the line's unit, with as few places as give the amount; else the price that the amount
 * itself comes to; else the agreed price with all places that the partner takes, and what is missing.
 */
export function priceOfLine(billed: LinePricing, { digits, priceDecimals }: PriceTerms): LinePrice {
  const { per, netMinor } = billed
  const quantity = new Exact(billed.quantity)
  const scale = new Exact(10).pow(digits)
  const even = quantity.isZero() ? new Exact(0) : new Exact(netMinor).div(scale).div(quantity).times(per)
  const agreed = billed.price
    ? new Exact(String(billed.price.numerator)).div(String(billed.price.denominator)).div(scale).times(per)
    : even
  const gives = (price: Exact): boolean => extended(quantity, price, per, digits).equals(netMinor)
  const places = placesTried(agreed, priceDecimals)
  for (const price of [
    ...places.map((at) => agreed.toDecimalPlaces(at)),
    even.toDecimalPlaces(priceDecimals),
  ])
    if (gives(price)) return { price: price.toFixed(), differenceMinor: 0 }
  const price = agreed.toDecimalPlaces(priceDecimals)
  const differenceMinor = new Exact(netMinor).minus(extended(quantity, price, per, digits)).toNumber()
  return { price: price.toFixed(), differenceMinor }
}

function placesTried(agreed: Exact, most: number): number[] {
  if (agreed.decimalPlaces() <= most) return [most]
  const least = Math.min(USUAL_PLACES, most)
  return Array.from({ length: most - least + 1 }, (_, more) => least + more)
}
