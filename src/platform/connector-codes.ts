/** Code lists between a vendor's words and ours, both ways; a code that is not on the list is never guessed. */
import { Unexpected } from './fields.ts'
import { Refusal, type RefusalCode } from './faults.ts'
import { formatQuantity, type Quantity, units } from './quantity.ts'

export const CONNECTOR_REFUSALS = {
  'connector.code_unmapped': {
    status: 422,
    title: 'The other system has no code for this',
    cause:
      'The document holds a unit or another code that the connector cannot say in the words of its system.',
    fix: 'Correct the code at its source, or add it to the code list of the connector.',
  },
  'connector.reference_missing': {
    status: 422,
    title: 'The document lacks the number by which the other system knows it',
    cause: 'The document did not come from that system, or the number was lost on its way.',
    fix: 'Tell the other system by hand, or skip the step.',
  },
  'connector.value_unrepresentable': {
    status: 422,
    title: 'The other system cannot hold this value',
    cause: 'The value is too long, too precise or of a kind that the other system has no field for.',
    fix: 'Correct the value at its source.',
  },
} as const satisfies Record<string, RefusalCode>

export type CodeList = {
  /** Refuses a code of ours that the other system does not know. */
  theirs(ours: string): string
  /** `Unexpected` for a code of theirs that we do not know. */
  ours(theirs: string): string
  /** Whether the other system has a code for this one of ours. */
  knows(ours: string): boolean
}

/** `pairs` are ours to theirs; of several of ours with the same code of theirs the first is read back. */
export function codeList(what: string, pairs: Readonly<Record<string, string>>): CodeList {
  const theirs = new Map(Object.entries(pairs))
  const ours = new Map(
    Object.entries(pairs)
      .toReversed()
      .map(([our, their]) => [their, our]),
  )
  return {
    theirs(code) {
      const found = theirs.get(code)
      if (found !== undefined) return found
      throw new Refusal('connector.code_unmapped', `The system has no ${what} for "${code}".`, { what, code })
    },
    ours(code) {
      const found = ours.get(code)
      if (found === undefined) throw new Unexpected(`"${code}" is no known ${what}`)
      return found
    },
    knows: (code) => theirs.has(code),
  }
}

/** Their quantities have so many places; a further one would be lost. */
export function atMostPlaces(places: 1 | 2 | 3, quantity: Quantity): Quantity {
  if (quantity % (units(1) / 10 ** places) === 0) return quantity
  throw new Refusal(
    'connector.value_unrepresentable',
    `The quantity ${formatQuantity(quantity)} has more than ${places} places.`,
  )
}

/** Their field has so many characters and not one more: a reference that is cut off would name something else. */
export function atMost(length: number, value: string, what: string): string {
  if (value.length <= length) return value
  throw new Refusal(
    'connector.value_unrepresentable',
    `The ${what} "${value}" is longer than ${length} characters.`,
  )
}
