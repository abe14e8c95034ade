/** The refusals of numbers that could only be held by rounding them. */
import type { RefusalCode } from './faults.ts'

export const numberRefusals = {
  'money.malformed': {
    status: 422,
    title: 'An amount cannot be held exactly',
    cause: 'It has more decimal places than its currency, or more digits than can be counted with.',
    fix: 'Send the amount with the places of its currency: two for USD and EUR, none for JPY.',
  },
  'quantity.malformed': {
    status: 422,
    title: 'A quantity cannot be held exactly',
    cause: 'It has more than four decimal places or more than eleven digits.',
    fix: 'Send at most four places, or order in a smaller unit.',
  },
} as const satisfies Record<string, RefusalCode>
