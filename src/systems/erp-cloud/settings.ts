/** What the configuration says about an instance of the cloud ERP. */
import { z } from 'zod'
import { TimeZoneName } from '#platform/time-zone.ts'

export const CloudErpSettings = z.strictObject({
  /** Scheme and host; the version of the API belongs to the connector. */
  baseUrl: z.url(),
  timeoutMs: z.int().min(1).default(10_000),
  credentials: z.strictObject({ clientId: z.string().min(1), clientSecret: z.string().min(1) }),
  options: z.strictObject({
    /** The company inside the ERP, as it stands in its addresses. */
    company: z.string().regex(/^[A-Za-z0-9_-]{1,30}$/),
    timeZone: TimeZoneName.default('UTC'),
    /** Documents in one `$batch`; 1 sends each on its own. */
    batchMax: z.int().min(1).max(50).default(50),
    rowsPerPage: z.int().min(1).max(1_000).default(1_000),
  }),
})
export type CloudErpSettings = z.output<typeof CloudErpSettings>
