/** Jurisdictions and their rates, in millionths, by tax code; close to the real ones, promised to nobody. */

export type Rate = { jurisdiction: string; name: string; rateMicro: number }
type Entry = { name: string; general: number; food: number }

const entry = (name: string, general: number, food: number): Entry => ({ name, general, food })

const STATES: Record<string, Entry> = {
  MA: entry('Massachusetts', 62_500, 0),
  CT: entry('Connecticut', 63_500, 0),
  NJ: entry('New Jersey', 66_250, 0),
  NY: entry('New York', 40_000, 0),
  PA: entry('Pennsylvania', 60_000, 0),
  OH: entry('Ohio', 57_500, 0),
  IL: entry('Illinois', 62_500, 10_000),
  OR: entry('Oregon', 0, 0),
}

/** Local taxes beside the state's, by the first three digits of the postal code. */
const LOCAL: Record<string, Entry> = {
  '122': entry('Albany County', 40_000, 0),
  '142': entry('Erie County', 47_500, 0),
  '191': entry('Philadelphia', 20_000, 0),
  '152': entry('Allegheny County', 10_000, 0),
  '441': entry('Cuyahoga County', 22_500, 0),
  '432': entry('Franklin County', 17_500, 0),
  '606': entry('Chicago', 40_000, 12_500),
}

const COUNTRIES: Record<string, Entry> = {
  DE: entry('Germany', 190_000, 70_000),
  FR: entry('France', 200_000, 55_000),
  NL: entry('Netherlands', 210_000, 90_000),
  BE: entry('Belgium', 210_000, 60_000),
  AT: entry('Austria', 200_000, 100_000),
  IT: entry('Italy', 220_000, 100_000),
  PT: entry('Portugal', 230_000, 60_000),
  PL: entry('Poland', 230_000, 50_000),
}

const KNOWN_CODES = new Set(['FOOD', 'GENERAL', 'EXEMPT'])
export const isTaxCode = (code: unknown): code is string => typeof code === 'string' && KNOWN_CODES.has(code)

const rateOf = (found: Entry, code: string): number =>
  code === 'GENERAL' ? found.general : code === 'FOOD' ? found.food : 0
const rate = (jurisdiction: string, found: Entry, code: string): Rate => ({
  jurisdiction,
  name: found.name,
  rateMicro: rateOf(found, code),
})

export type Places = {
  from: string
  to: { country: string; region: string; postal_code: string }
  vatNumber: string | null
}

/** Undefined when the place is nowhere we know. A country without a table of its own is an export at rate 0. */
export function ratesFor({ from, to, vatNumber }: Places, code: string): Rate[] | undefined {
  if (to.country === 'US') {
    const state = STATES[to.region]
    if (!state)
      return /^[A-Z]{2}$/.test(to.region)
        ? [{ jurisdiction: `US-${to.region}`, name: to.region, rateMicro: 0 }]
        : undefined
    const local = LOCAL[to.postal_code.slice(0, 3)]
    const rates = [rate(`US-${to.region}`, state, code)]
    return local ? [...rates, rate(`US-${to.region}-${to.postal_code.slice(0, 3)}`, local, code)] : rates
  }
  const country = COUNTRIES[to.country]
  if (!country)
    return /^[A-Z]{2}$/.test(to.country)
      ? [{ jurisdiction: to.country, name: `${to.country}, export`, rateMicro: 0 }]
      : undefined
  const reverse =
    vatNumber !== null && vatNumber !== '' && to.country !== from && COUNTRIES[from] !== undefined
  if (reverse) return [{ jurisdiction: to.country, name: `${country.name}, reverse charge`, rateMicro: 0 }]
  return [rate(to.country, country, code)]
}
