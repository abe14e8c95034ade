/** What the configuration says about an instance of the legacy ERP. */
import { z } from 'zod'
import { TimeZoneName } from '#platform/time-zone.ts'

export const LegacyErpSettings = z.strictObject({
  baseUrl: z.url(),
  timeoutMs: z.int().min(1).default(10_000),
  credentials: z.strictObject({ user: z.string().min(1), password: z.string().min(1) }),
  options: z
    .strictObject({
      client: z.string().default('100'),
      /** Where its dates are made: an invoice posted at midnight belongs to the day of the books. */
      timeZone: TimeZoneName.default('UTC'),
      /** Documents in one call; 1 calls the functions for single documents. */
      batchMax: z.int().min(1).max(50).default(50),
      /** How long a new document may be missing from its look-ups. */
      visibilityLagMs: z.int().min(0).max(600_000).default(0),
      rowsPerPage: z.int().min(1).max(1_000).default(1_000),
    })
    .prefault({}),
})
export type LegacyErpSettings = z.output<typeof LegacyErpSettings>
