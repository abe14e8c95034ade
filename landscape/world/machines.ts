/** Machines: few, sold by the piece, each with a serial of its own. None is there before the first have come. */
import { drawInteger, drawOne } from '../random.ts'
import { gtin14 } from './gs1.ts'
import { MACHINES, MACHINE_SIZES } from './words.ts'
import type { Item } from './world.ts'

const COMPANY = 'NWI'
const FIRST_NUMBER = 25_000
const SITES = ['DC1', 'DC3']
const KILOGRAMS: [number, number] = [18, 95]

function machineOf(seed: string, nth: number): Item {
  const number = FIRST_NUMBER + nth
  const name = `${drawOne(seed, 'machine/name', nth, MACHINES)} ${drawOne(seed, 'machine/size', nth, MACHINE_SIZES)}`
  return {
    company: COMPANY,
    number: String(number),
    name,
    baseUnit: 'EA',
    salesUnit: 'EA',
    units: [{ unit: 'EA', numerator: 1, denominator: 1, gtin: gtin14(0, number) }],
    priceUnit: 'EA',
    discontinued: false,
    lotControlled: false,
    serialControlled: true,
    catchWeight: false,
    nominalGrams: drawInteger(seed, 'machine/grams', nth, KILOGRAMS) * 1_000,
    taxClass: 'GENERAL',
    supply: 'awaited',
    sites: SITES,
  }
}

export const machinesOf = (seed: string, count: number): Item[] =>
  Array.from({ length: count }, (_, nth) => machineOf(seed, nth))
