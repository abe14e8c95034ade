import { expect, test } from 'vitest'
import { askedLine } from '../../src/cli-orders.ts'

const at = '2026-11-27T08:05:33.000Z'

test.each([
  ['news', null, 'it told news'],
  ['nothing_new', null, 'nothing new'],
  ['not_known', null, 'it does not know the parcel'],
  ['unanswered', '2026-11-25T17:30:00.000Z', 'no answer since 2026-11-25 17:30'],
] as const)(
  'trace says when a carrier was last asked about a parcel: %s',
  (answer, unansweredSince, told) => {
    expect(askedLine({ tracking: 'SW1', at, answer, unansweredSince })).toBe(
      `parcel SW1, its carrier was last asked at 2026-11-27 08:05: ${told}`,
    )
  },
)
