/** What the configuration says about an instance of the Swift carrier. */
import { z } from 'zod'

export const SwiftSettings = z.strictObject({
  baseUrl: z.url(),
  timeoutMs: z.int().min(1).default(10_000),
  credentials: z.strictObject({
    user: z.string().min(1),
    password: z.string().min(1),
    webhookSecret: z.string().min(1),
    /** Still honoured while the secret is being rotated. */
    previousWebhookSecret: z.string().min(1).optional(),
  }),
  options: z
    .strictObject({
      /** What shipments call this carrier. Where two instances have a name, the first is asked about its parcels. */
      names: z.array(z.string().min(1)).min(1).default(['SWIFT']),
    })
    .prefault({}),
})
export type SwiftSettings = z.output<typeof SwiftSettings>
