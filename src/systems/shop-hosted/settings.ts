/** What the configuration says about an instance of the hosted shop: several shops may stand on one platform. */
import { z } from 'zod'

const Shop = z.strictObject({
  /** Whose shop it is. */
  company: z.string().min(1),
  domain: z.string().min(1),
  /** Names among the credentials. */
  tokenCredential: z.string().min(1),
  secretCredential: z.string().min(1),
  /** Where the shop counts what it sells. */
  stockLocation: z.string().min(1).default('main'),
})

export const HostedShopSettings = z
  .strictObject({
    baseUrl: z.url(),
    timeoutMs: z.int().min(1).default(10_000),
    credentials: z.record(z.string(), z.string().min(1)),
    options: z.strictObject({ shops: z.array(Shop).min(1) }),
  })
  .transform(({ credentials, options, ...rest }, context) => ({
    ...rest,
    shops: options.shops.map(({ tokenCredential, secretCredential, ...shop }) => {
      const credential = (name: string): string => {
        const value = credentials[name]
        if (value === undefined)
          context.addIssue({ code: 'custom', message: `there is no credential "${name}"` })
        return value ?? ''
      }
      return { ...shop, token: credential(tokenCredential), secret: credential(secretCredential) }
    }),
  }))
export type HostedShopSettings = z.output<typeof HostedShopSettings>
export type ShopAccount = HostedShopSettings['shops'][number]
