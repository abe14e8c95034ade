/** Settings of what others tell: after which silence it is asked for, and when a person is told that it never came. */
import { z } from 'zod'
import { milliseconds } from './config-values.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const Inbox = z.strictObject({
  gapAfterMs: milliseconds(
    'A message that was not told, and for which later ones wait, is asked for after this time, then told to a person',
    60_000,
  ),
  silentAfterMs: milliseconds(
    'A warehouse that has told nothing of an open request for this time is asked what it told since',
    600_000,
    DAY_MS,
  ),
  parcelSilentAfterMs: milliseconds(
    'A parcel on its way of which nothing was heard for this time is asked about at its carrier, and again after pauses that double up to a day',
    12 * HOUR_MS,
    7 * DAY_MS,
  ),
  parcelMissedAfterMs: milliseconds(
    'Of a parcel of which nothing was heard for this time, although its carrier was asked, a person is told',
    5 * DAY_MS,
    30 * DAY_MS,
  ),
  parcelUnansweredAfterMs: milliseconds(
    'Of a parcel about which its carrier, asked three times at least, has given no answer for this time, a person is told',
    2 * DAY_MS,
    30 * DAY_MS,
  ),
  shopPollMs: milliseconds('How often a shop is asked for orders of which it told nothing', 300_000),
})
