/** Units of measure: X12 data element 355 and UN/ECE Recommendations 20 and 21. A guide may say otherwise. */
import { Decimal } from 'decimal.js'

/** X12 code to UN/ECE code, where the two mean the same and the meaning leaves no doubt. */
export const UNECE_UNITS: Readonly<Record<string, string>> = {
  EA: 'EA',
  CA: 'CA',
  CS: 'CA',
  BX: 'BX',
  PC: 'H87',
  PR: 'PR',
  DZ: 'DZN',
  PL: 'XPX',
  PF: 'XPX',
  CT: 'XCT',
  PK: 'XPK',
  BG: 'XBG',
  BO: 'XBO',
  DR: 'XDR',
  RL: 'XRL',
  LB: 'LBR',
  OZ: 'ONZ',
  KG: 'KGM',
  GR: 'GRM',
  FT: 'FOT',
  IN: 'INH',
  YD: 'YRD',
  MR: 'MTR',
  SF: 'FTK',
  SY: 'YDK',
  SM: 'MTK',
  GA: 'GLL',
  LT: 'LTR',
  HR: 'HUR',
}

export const toUnece = (x12: string, guideUnits: Readonly<Record<string, string>>): string | undefined =>
  guideUnits[x12] ?? UNECE_UNITS[x12]

/** The first X12 code that leads to the unit, the guide's own codes before the general ones. */
export function fromUnece(unece: string, guideUnits: Readonly<Record<string, string>>): string | undefined {
  const own = Object.entries(guideUnits).find(([, unit]) => unit === unece)
  return (
    own ?? Object.entries(UNECE_UNITS).find(([code, unit]) => unit === unece && !(code in guideUnits))
  )?.[0]
}

/** X12 355 of the weights that we write. */
export type WeightUnit = 'KG' | 'LB'

/** How many kilograms one of the unit is; the pound by its international definition. */
export const KILOGRAMS_IN: Readonly<Record<WeightUnit, string>> = { KG: '1', LB: '0.45359237' }

/** X12 639 of a price by weight, whatever unit is ordered. */
export const WEIGHT_BASIS: Readonly<Record<string, WeightUnit>> = { PK: 'KG', PP: 'LB' }

export const weightBasisOf = (unit: WeightUnit): string =>
  Object.keys(WEIGHT_BASIS).find((basis) => WEIGHT_BASIS[basis] === unit)!

export const KILOGRAM = UNECE_UNITS['KG']!

/** For how many of the ordered unit a basis is by a guide; undefined where it is by weight, or not agreed. */
export const unitsOfBasis = (
  basis: string,
  guideBasis: Readonly<Record<string, number>>,
): number | undefined => (basis in WEIGHT_BASIS ? undefined : guideBasis[basis])

const WEIGHT_PLACES = 4

/** A weight as the partner reads it, to ten-thousandths. */
export const weightIn = (unit: WeightUnit, kilograms: Decimal.Value): string =>
  new Decimal(kilograms).div(KILOGRAMS_IN[unit]).toDecimalPlaces(WEIGHT_PLACES).toFixed()

/** X12 188 of a weight in a line of its own. */
const WEIGHT_CODES: Readonly<Record<string, WeightUnit>> = { K: 'KG', L: 'LB' }

/** To ten-thousandths; undefined for an unknown unit. */
export function toKilograms(weight: Decimal.Value, code: string): string | undefined {
  const unit = WEIGHT_CODES[code]
  return unit && new Decimal(weight).times(KILOGRAMS_IN[unit]).toDecimalPlaces(WEIGHT_PLACES).toFixed()
}
