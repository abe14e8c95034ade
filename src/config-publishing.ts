/** Settings of which channels are told what can be promised to them. */
import { z } from 'zod'

export const Publishing = z
  .strictObject({
    channels: z
      .array(
        z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"'),
      )
      .max(20)
      .describe('Channels for which an event tells each change of what can be promised of an item')
      .meta({ example: ['shop'] })
      .default([]),
  })
  .prefault({})
  .describe('Telling channels what can be promised to them')
