/** The words in which lots are held, released and read. */
import { z } from 'zod'

const Sku = z.string().min(1).max(40).meta({ example: '10012' })
const Lot = z.string().trim().min(1).max(40).meta({ example: 'L2419' })
const Decimal = z.string().describe('Decimal as text, in the base unit')

export const LotRequest = z.strictObject({
  company: z.string().min(1).max(12).meta({ example: 'NWF' }),
  sku: Sku,
  lot: Lot,
  reason: z.string().trim().min(1).max(200).describe('Kept with the lot and in the audit trail'),
})
export type LotRequest = z.infer<typeof LotRequest>

export const LotDescription = z.strictObject({
  company: z.string().min(1).max(12).meta({ example: 'NWF' }),
  sku: Sku,
  lot: Lot,
  expiresOn: z.iso.date().describe('The last day on which it may be sold'),
})
export type LotDescription = z.infer<typeof LotDescription>

export const LotAnswer = z
  .object({
    company: z.string(),
    sku: z.string(),
    lot: z.string(),
    held: z.boolean(),
    moved: z
      .array(z.object({ location: z.string(), quantity: Decimal }))
      .describe('What changed its status now'),
    atRisk: z
      .array(
        z.object({
          location: z.string(),
          quantity: Decimal.describe('So much of what is claimed there has no stock any more'),
          documents: z
            .array(z.string())
            .describe('Orders, requests and reservations that claim the item there'),
        }),
      )
      .describe('Where claims lost their stock'),
    waiting: z
      .array(
        z.object({
          order: z.string(),
          line: z.string().describe("The customer's line"),
          location: z.string(),
          quantity: Decimal,
        }),
      )
      .describe('Orders that lost their stock and wait for other'),
    requests: z
      .array(
        z.object({
          request: z.string(),
          order: z.string(),
          location: z.string(),
          quantity: Decimal,
          stops: z.boolean().describe('The warehouse is asked to stop; else it picks already'),
        }),
      )
      .describe('What warehouses were to ship of it'),
    unit: z.string().describe('The base unit'),
  })
  .meta({ id: 'HeldLot' })
export type LotAnswer = z.infer<typeof LotAnswer>

export const LotView = z
  .object({
    lot: z.string(),
    location: z.string(),
    expiresOn: z.iso.date().optional(),
    held: z.boolean(),
    available: Decimal,
    qualityHold: Decimal,
    take: Decimal.optional().describe('How much of the quantity that was asked about comes out of this lot'),
  })
  .meta({ id: 'Lot' })
export type LotView = z.infer<typeof LotView>

export const LotShipment = z
  .object({
    shipment: z.string(),
    order: z.string(),
    customer: z.string(),
    customerOrder: z.string(),
    location: z.string(),
    shippedAt: z.iso.datetime(),
    carrier: z.string(),
    number: z.string().describe("The warehouse's own number of the shipment"),
    quantity: Decimal,
    expiresOn: z.iso.date().optional(),
  })
  .meta({ id: 'LotShipment' })
export type LotShipment = z.infer<typeof LotShipment>
