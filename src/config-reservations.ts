/** Settings of stock: for how long channels may reserve, which locations they may name together, what needs approval. */
import { z } from 'zod'

const MINUTES_OF_A_YEAR = 525_600

const minutes = (meaning: string, byDefault: number) =>
  z.number().gt(0).max(MINUTES_OF_A_YEAR).describe(meaning).default(byDefault)

export const ReservationRules = z
  .strictObject({
    softMinutes: minutes("How long a channel's soft reservation keeps stock when it names no time", 15),
    softMinutesMax: minutes('The longest that one may keep it, counted anew each time it is extended', 1_440),
  })
  .refine((set) => set.softMinutes <= set.softMinutesMax, {
    path: ['softMinutes'],
    message: 'must not be more than softMinutesMax',
  })
  .prefault({})

export const AdjustmentRules = z
  .strictObject({
    approveAbove: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .describe(
        "What people change of stock beyond this value, in whole units of the company's currency, another person approves",
      )
      .default(1_000),
  })
  .prefault({})

export const LocationGroups = z
  .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"'))
  .describe('Groups that it belongs to, by which channels may name several locations at once')
  .default([])
