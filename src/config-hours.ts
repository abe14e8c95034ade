/** Settings of working hours. */
import { z } from 'zod'
import { Weekday } from './platform/calendars.ts'
import { LocalTime } from './platform/time-zone.ts'

export const WorkingHours = z
  .strictObject({
    days: z
      .array(Weekday)
      .min(1)
      .describe('Days on which people work')
      .default(['mon', 'tue', 'wed', 'thu', 'fri']),
    from: LocalTime.describe("From when, by the company's clock").default('08:00'),
    to: LocalTime.describe('Until when; at or before "from" it is on the next day').default('17:00'),
    holidays: z.array(z.iso.date()).describe('Dates on which nobody works').default([]),
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'working hours must have a length' })
