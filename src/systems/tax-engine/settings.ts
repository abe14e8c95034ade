/** What the configuration says about an instance of the tax engine. */
import { z } from 'zod'

const Place = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/),
  region: z.string().default(''),
  postalCode: z.string().default(''),
})

export const TaxEngineSettings = z.strictObject({
  baseUrl: z.url(),
  timeoutMs: z.int().min(1).default(10_000),
  credentials: z.strictObject({ account: z.string().min(1), license: z.string().min(1) }),
  options: z.strictObject({
    /** Where goods leave from, by our code of the location. */
    locations: z.record(z.string(), Place),
    /** Documents in one call; 1 calls the endpoint for single documents. */
    batchMax: z.int().min(1).max(50).default(50),
  }),
})
export type TaxEngineSettings = z.output<typeof TaxEngineSettings>
