/** The words in which it is told what can be promised, and why. */
import { z } from 'zod'
import { Careful } from './freshness.ts'

const Decimal = z.string().describe('Decimal as text, in the unit beside it')
const Sku = z.string().min(1).max(40)

/** More are let in than are answered, so that the refusal says what to do. */
const ITEMS_READ = 5_000
export const ITEMS_MAX = 500

/** Whoever answers keeps within it by himself, so that several who answer are never further apart. */
export const MAX_AGE_MS = 1_000
export const MaxAgeMs = z
  .int()
  .min(0)
  .max(60_000)
  .describe('How old the books may be that it is answered from; 0 to see what was done just now')

export const AvailabilityQuestion = z
  .strictObject({
    company: z.string().min(1).max(12).describe('The legal entity that sells').meta({ example: 'NWF' }),
    channel: z
      .string()
      .min(1)
      .max(32)
      .optional()
      .describe('Counts what is kept for it; without one only what is kept for nobody'),
    customer: z
      .string()
      .min(1)
      .max(35)
      .optional()
      .describe('Counts only what lives as long as it wants; answered from the database where it wants that')
      .meta({ example: '100123' }),
    location: z.string().min(1).max(32).optional().describe('Only here'),
    locationGroup: z.string().min(1).max(32).optional().describe('Only at the locations of this group'),
    maxAgeMs: MaxAgeMs.default(MAX_AGE_MS),
    date: z.iso
      .date()
      .optional()
      .describe("On the evening of that day, by the company's clock; now when absent")
      .meta({ example: '2026-12-01' }),
    dates: z.boolean().default(false).describe('Whether to say on which later days there is more'),
    explain: z.boolean().default(false).describe('Whether to say which quantities led to each figure'),
    items: z
      .array(
        z.strictObject({
          sku: Sku.meta({ example: '10012' }),
          quantity: z
            .string()
            .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
            .optional()
            .describe('Decimal as text, in the unit beside it: whether so much can be promised'),
          unit: z
            .string()
            .regex(/^[A-Z0-9]{2,3}$/)
            .optional()
            .describe('The base unit when absent'),
        }),
      )
      .min(1)
      .max(ITEMS_READ)
      .describe(`Up to ${ITEMS_MAX} items`),
  })
  .meta({ id: 'AvailabilityQuestion' })
export type AvailabilityQuestion = z.infer<typeof AvailabilityQuestion>

const Figures = z.object({
  onHand: Decimal,
  onHold: Decimal.describe('On hold, in quarantine, damaged or blocked'),
  reservedByOrders: Decimal,
  reservedFirm: Decimal.describe('By channels, until released or taken over'),
  reservedSoft: Decimal.describe('By channels, until it expires'),
  reservedExternally: Decimal.describe('By orders that other systems took themselves'),
  unreconciled: Decimal.describe('Minus what left although the books could not cover it'),
  safetyStock: Decimal,
  keptForOthers: Decimal.describe('Allocated to other channels and not taken yet'),
  keptForChannel: Decimal.describe('Allocated to this channel and not taken yet'),
  coming: Decimal.describe('Expected here from today until the date that is asked about; 0 without one'),
  waiting: Decimal.describe('What orders wait for and would be given here, of what the channel may have'),
  steps: z
    .array(z.object({ what: z.string(), change: Decimal, leaves: Decimal }))
    .describe('The arithmetic, from what is on hand to what is available'),
})

export const AvailabilityAnswer = z
  .object({
    company: z.string(),
    channel: z.string().optional(),
    customer: z.string().optional(),
    minimumShelfLifeDays: z
      .int()
      .optional()
      .describe('So many days the customer wants what has lots to live; absent where any lot will do'),
    date: z.iso.date().optional(),
    formula: z.object({ version: z.int(), text: z.string() }),
    asOf: z.iso.datetime().describe('All that was booked by then is in it'),
    ageMs: z
      .int()
      .describe('How long ago that was; more than was asked for only while the database does not answer'),
    items: z.array(
      z.object({
        sku: z.string(),
        unit: z.string().describe("The item's base unit, UN/ECE Recommendation 20"),
        available: Decimal.describe('At all of these places together'),
        asked: z
          .object({ quantity: Decimal, unit: z.string(), canBePromised: z.boolean() })
          .optional()
          .describe('What was asked about, where a quantity was'),
        places: z.array(
          z.object({
            location: z.string(),
            available: Decimal,
            ageSeconds: z.int().describe('How long ago somebody last told something of the stock here'),
            confidence: z
              .enum(['normal', 'careful', 'ask'])
              .describe(
                'careful: less is promised, since its source is silent. ask: nothing without a person',
              ),
            careful: Careful.optional(),
            dates: z
              .array(z.object({ date: z.iso.date(), available: Decimal }))
              .optional()
              .describe('From the day that is asked about on, each on which supply is expected; at most 100'),
            explain: Figures.optional(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'AvailabilityAnswer', description: 'What can be promised now, by item and place.' })
export type AvailabilityAnswer = z.infer<typeof AvailabilityAnswer>
