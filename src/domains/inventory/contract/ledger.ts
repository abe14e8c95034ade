/** The words in which positions and movements are read. */
import { z } from 'zod'

const Decimal = z.string().describe('Decimal as text, in the unit beside it')

export const PositionView = z
  .object({
    sku: z.string(),
    location: z.string(),
    owner: z.string().describe('Whose stock it is: own for ours; what is of others is never promised'),
    lot: z.string().optional().describe('Absent on the position as a whole, of which lots are the breakdown'),
    available: Decimal,
    reserved: Decimal.describe('Of what is available; 0 on lots'),
    qualityHold: Decimal,
    quarantine: Decimal,
    damaged: Decimal,
    blocked: Decimal,
    inTransit: Decimal.describe('On its way here from another place of ours'),
    unreconciled: Decimal,
    unit: z.string().describe('The base unit'),
    toldAt: z.iso.datetime().describe('When a source last told something of it'),
  })
  .meta({ id: 'Position' })
export type PositionView = z.infer<typeof PositionView>

export const MovementView = z
  .object({
    id: z.string(),
    sku: z.string(),
    location: z.string(),
    owner: z.string().describe('Whose stock it is: own for ours'),
    lot: z.string().optional(),
    from: z.string().describe('The bucket that it leaves'),
    to: z.string().describe('The bucket that it enters'),
    quantity: Decimal,
    unit: z.string().describe('The base unit'),
    reason: z.string(),
    source: z.string(),
    sourceKey: z.string().describe("The source's own number of it"),
    document: z.string().optional().describe('Our document that it is of'),
    at: z.iso.datetime().describe('When it happened'),
    recordedAt: z.iso.datetime(),
  })
  .meta({ id: 'Movement' })
export type MovementView = z.infer<typeof MovementView>
