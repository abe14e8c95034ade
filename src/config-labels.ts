/** Settings of labels that are bought of a carrier for what a warehouse has packed. */
import { z } from 'zod'

const filled = (meaning: string, example: string) =>
  z
    .string()
    .min(1)
    .meta({ description: meaning, examples: [example] })

const ShipFrom = z.strictObject({
  name: filled('Who sends', 'Northern Wholesale'),
  lines: z.array(z.string().min(1)).min(1).describe('Street and number'),
  city: filled('City', 'Newark'),
  region: filled('State or province', 'NJ').optional(),
  postalCode: filled('Postal code', '07101'),
  country: filled('ISO 3166-1 code', 'US').regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two letters'),
})

export const Labels = z
  .strictObject({
    carrier: filled('The system that sells them', 'carrier-swift'),
    service: filled("The carrier's service", 'GROUND').default('GROUND'),
    shipFrom: ShipFrom.describe('The address that parcels are sent from'),
  })
  .describe('Labels that are bought for what the warehouse has packed; without it the warehouse has its own')
  .optional()
