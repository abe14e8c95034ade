/** What the configuration says about an instance of the Depot WMS. */
import { z } from 'zod'

export const DepotSettings = z.strictObject({
  baseUrl: z.url(),
  timeoutMs: z.int().min(1).default(10_000),
  credentials: z.strictObject({
    apiKey: z.string().min(1),
    webhookSecret: z.string().min(1),
    /** Still honoured while the secret is being rotated. */
    previousWebhookSecret: z.string().min(1).optional(),
  }),
  options: z
    .strictObject({
      /** Orders in one release; 1 calls the endpoint for single orders. */
      batchMax: z.int().min(1).max(50).default(50),
      /** How far the time inside a webhook's signature may be from now. */
      signatureToleranceSeconds: z.int().min(1).max(86_400).default(300),
    })
    .prefault({}),
})
export type DepotSettings = z.output<typeof DepotSettings>
