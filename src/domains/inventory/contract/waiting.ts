/** The words in which is told who waits for what, since when, and until when. */
import { z } from 'zod'

export const WaitingQueue = z
  .enum(['promised', 'unfillable', 'new'])
  .describe(
    'promised: supply reaches it on a day. unfillable: none does, or nobody knows when. new: nobody has looked yet',
  )
export type WaitingQueue = z.infer<typeof WaitingQueue>

const Values = z
  .array(z.object({ amount: z.string(), currency: z.string() }))
  .describe('What waits is worth, by currency')

export const WaitingItem = z
  .object({
    company: z.string(),
    sku: z.string(),
    queue: WaitingQueue,
    lines: z.int(),
    orders: z.int(),
    quantity: z.string().describe("Decimal as text, in the item's base unit"),
    unit: z.string(),
    value: Values,
    since: z.iso.datetime().describe('The one that has waited longest'),
    ageSeconds: z.int(),
    promisedFrom: z.iso.date().optional(),
    promisedTo: z.iso.date().optional(),
    slipped: z.int().describe('Lines that were promised an earlier day'),
    shelfLife: z.int().describe('Lines that wait for lots which live long enough, whatever else is there'),
  })
  .meta({ id: 'WaitingItem', description: 'Lines that wait for an item, in one queue.' })
export type WaitingItem = z.infer<typeof WaitingItem>
