/** What a backorder run keeps from lines while a source of stock is silent, and why; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { NewMove } from '#domains/inventory/operations/backorder-runs.ts'
import type { Silent } from '#domains/inventory/views/freshness.ts'
import { silenceOf } from './careful-orders.ts'

type Withholding = {
  /** Whose rules leave less of the item than the books have. */
  readonly silent: readonly Silent[]
  /** From where the run may take. */
  readonly locations: readonly string[]
}

/** What each line would gain if all were heard, without what it is given; by whose silence it waits for that. */
export function withheldFrom(
  given: readonly NewMove[],
  ifHeard: readonly NewMove[],
  { silent, locations }: Withholding,
): NewMove[] {
  const has = new Map([...gainsOf(given)].map(([key, own]) => [key, sumOf(own)]))
  const silentAt = (location: string): readonly Silent[] =>
    silent.filter((one) => one.locations.includes(location))
  const isSilent = (location: string): boolean => silentAt(location).length > 0
  return [...gainsOf(ifHeard)].flatMap(([key, own]) => {
    const quantity = sumOf(own) - (has.get(key) ?? 0)
    const places = [...own.map((move) => move.location), ...locations]
    const location = places.find(isSilent)
    if (quantity <= 0 || location === undefined) return []
    const withheld = silentAt(location)
      .map((one) => `${silenceOf(one)}: ${ruleWords(one, location)}`)
      .join('; ')
    return [{ ...own[0]!, location, quantity, withheld }]
  })
}

const gainsOf = (moves: readonly NewMove[]): ReadonlyMap<string, NewMove[]> =>
  Map.groupBy(
    moves.filter(({ quantity }) => quantity > 0),
    ({ doc, line }) => `${doc} ${line}`,
  )

const sumOf = (moves: readonly NewMove[]): Quantity => moves.reduce((sum, { quantity }) => sum + quantity, 0)

const ruleWords = ({ rule: { kind } }: Silent, location: string): string =>
  kind === 'ask'
    ? `a person has to look before anything of ${location} is given (ask)`
    : `its rule (${kind}) leaves no more at ${location}`
