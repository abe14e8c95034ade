/** The words in which people say what is kept back of an item. */
import { z } from 'zod'

const Channel = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/)
const Sku = z.string().min(1).max(40).meta({ example: '10012' })
const Location = z.string().min(1).max(32).meta({ example: 'CHI-1' })

const KeptKind = z
  .enum(['safety', 'wall', 'minimum', 'pool'])
  .describe(
    'safety: for nobody. wall: for one channel, which is granted nothing beyond it. minimum: for one channel, beside what is ' +
      'kept for nobody. pool: the same for several channels together',
  )

export const AllocationsRequest = z
  .strictObject({
    company: z.string().min(1).max(12).meta({ example: 'NWF' }),
    reason: z.string().min(1).max(200).describe('Kept in the audit trail'),
    places: z
      .array(
        z.strictObject({
          sku: Sku,
          location: Location,
          allocations: z
            .array(
              z.strictObject({
                name: z.string().min(1).max(40).describe('Unique at the place').meta({ example: 'shop' }),
                kind: KeptKind,
                channels: z.array(Channel).max(20).describe('Whose it is; none of safety stock'),
                within: z
                  .string()
                  .min(1)
                  .max(40)
                  .optional()
                  .describe(
                    'The name of the pool at the same place of which this is a part, for some of its channels',
                  ),
                quantity: z
                  .string()
                  .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
                  .describe('Decimal as text, in base units; of a pool with all that is within it'),
              }),
            )
            .max(20)
            .describe('All that is kept back there from now on; empty for nothing'),
        }),
      )
      .min(1)
      .max(500),
  })
  .meta({ id: 'AllocationsRequest' })
export type AllocationsRequest = z.infer<typeof AllocationsRequest>

export const AllocationView = z.object({
  sku: Sku,
  location: Location,
  name: z.string(),
  kind: KeptKind,
  channels: z.array(z.string()),
  within: z.string().optional().describe('The pool of which it is a part'),
  quantity: z.string().describe('With all that is within it'),
  taken: z.string().describe('Granted of it to its channels since it was set, with all that is within it'),
  setBy: z.string(),
  setAt: z.iso.datetime(),
})

export const Allocations = z
  .object({ company: z.string(), items: z.array(AllocationView) })
  .meta({ id: 'Allocations', description: 'What is kept back, by item and location.' })
export type Allocations = z.infer<typeof Allocations>
