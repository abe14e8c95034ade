/** The words in which people put stock right: what they say of it, what is booked of that, and who agrees. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import { STATUSES, type StockStatus } from '../contract.ts'
import { Owner } from './owners.ts'
import { Serials } from './serials.ts'

export const ADJUSTMENT_KINDS = [
  'counted',
  'found',
  'lost',
  'moved',
  'returned',
  'sent',
  'arrived',
  'missing',
  'handed-over',
] as const
export type AdjustmentKind = (typeof ADJUSTMENT_KINDS)[number]

export const ADJUSTMENT_REASONS = [
  'count',
  'damage',
  'expiry',
  'loss',
  'quality',
  'recall',
  'return',
  'transfer',
  'outage',
  'ownership',
  'correction',
] as const

const Text = (max: number) => z.string().trim().min(1).max(max)
const Sku = z.string().min(1).max(40).meta({ example: '10012' })
const Location = z.string().min(1).max(32).meta({ example: 'CHI-1' })
const Status = z.enum(STATUSES)

const AdjustmentLine = z.strictObject({
  kind: z
    .enum(ADJUSTMENT_KINDS)
    .describe(
      'counted: so much is there. found, lost: more or less than the books. moved: into another status. returned: came ' +
        'back, into quarantine. sent, arrived, missing: of a transfer between two places. handed-over: to another owner',
    ),
  sku: Sku,
  location: Location.describe('Where it happened; of what is missing, where it was to arrive'),
  lot: z.string().min(1).max(40).optional(),
  owner: Owner.optional(),
  toOwner: Owner.optional().describe('Of what is handed over: whose it is from now on; own for ours'),
  status: Status.optional().describe('Which stock; available when absent. Of what arrived, as what'),
  toStatus: Status.optional().describe('Of what is moved'),
  transfer: Text(40).optional().describe('The number of the transfer, of what is sent, arrived or missing'),
  to: Location.optional().describe('Where it is sent'),
  quantity: z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
    .describe('Decimal as text, in the unit beside it; 0 where nothing was counted'),
  unit: z
    .string()
    .regex(/^[A-Z0-9]{2,3}$/)
    .optional()
    .describe('UN/ECE Recommendation 20; the base unit when absent'),
  serials: Serials,
})

export const AdjustmentRequest = z
  .strictObject({
    company: z.string().min(1).max(12).meta({ example: 'NWF' }),
    reason: z.enum(ADJUSTMENT_REASONS),
    reference: Text(80).describe('The paper that shows it: a count sheet, a delivery note'),
    note: Text(500).optional(),
    dryRun: z.boolean().default(false).describe('Only answers what would be'),
    lines: z.array(AdjustmentLine).min(1).max(500),
  })
  .meta({ id: 'AdjustmentRequest' })
export type AdjustmentRequest = z.infer<typeof AdjustmentRequest>

export const AdjustmentDecision = z.strictObject({
  reason: Text(500).describe('Why, for the audit trail'),
})

const Decimal = z.string().describe('Decimal as text, in the base unit')

export const AdjustmentAnswer = z
  .object({
    id: z.string().meta({ example: 'A-1000071' }),
    company: z.string(),
    state: z
      .enum(['pending', 'booked', 'rejected'])
      .describe('pending: it is booked when another person agrees'),
    reason: z.enum(ADJUSTMENT_REASONS),
    reference: z.string(),
    note: z.string().optional(),
    value: z
      .string()
      .optional()
      .describe("Of what it changes, at each item's highest price; absent where an item has none"),
    currency: z.string(),
    requestedBy: z.string(),
    requestedAt: z.iso.datetime(),
    decidedBy: z.string().optional(),
    decidedAt: z.iso.datetime().optional(),
    decision: z.string().optional(),
    version: z.int(),
    lines: z.array(
      z.object({
        n: z.int(),
        kind: z.enum(ADJUSTMENT_KINDS),
        sku: z.string(),
        location: z.string(),
        lot: z.string().optional(),
        serials: z.array(z.string()).optional(),
        owner: z.string().optional().describe('Absent: ours'),
        toOwner: z.string().optional(),
        status: Status,
        toStatus: Status.optional(),
        transfer: z.string().optional(),
        place: z.string().optional().describe('The other end of the transfer'),
        quantity: Decimal,
        unit: z.string().describe('The base unit'),
        difference: Decimal.optional().describe('Of a count: more or less than the books had'),
        explained: Decimal.optional().describe('Of a count: how much of what was in doubt it explains'),
      }),
    ),
    dryRun: z.boolean().describe('Nothing was changed'),
  })
  .meta({ id: 'Adjustment', description: 'What people said of stock, and what became of it.' })
export type AdjustmentAnswer = z.infer<typeof AdjustmentAnswer>

/** A line in base units, read and checked. */
export type AdjustedLine = {
  readonly n: number
  readonly kind: AdjustmentKind
  readonly itemId: number
  readonly sku: string
  readonly location: string
  /** '' for the item as a whole. */
  readonly lot: string
  /** Of an item whose units have serials. */
  readonly serials: readonly string[]
  readonly owner: string
  /** Of what is handed over. */
  readonly toOwner: string | null
  readonly status: StockStatus
  readonly toStatus: StockStatus | null
  readonly transfer: string | null
  readonly place: string | null
  readonly quantity: Quantity
  readonly baseUnit: string
  readonly asked: Quantity
  readonly unit: string
  /** Of a count alone. */
  readonly difference: Quantity | null
  readonly explained: Quantity | null
}

export type Adjustment = {
  readonly id: number
  readonly company: string
  readonly state: AdjustmentAnswer['state']
  readonly reason: (typeof ADJUSTMENT_REASONS)[number]
  readonly reference: string
  readonly note: string | null
  /** Null: of an item that has no price. */
  readonly valueMinor: number | null
  readonly currency: string
  readonly requestedBy: string
  readonly requestedAt: Date
  readonly decidedBy: string | null
  readonly decidedAt: Date | null
  readonly decision: string | null
  readonly version: number
  readonly lines: readonly AdjustedLine[]
}

export const adjustmentRefusals = {
  'inventory.adjustment_contradicts': {
    status: 422,
    title: 'A line does not say what its kind needs, or says more',
    cause: 'A status, a transfer or a place is missing, or stands where it has no meaning.',
    fix: 'The errors name the fields: add them, or leave them out.',
  },
  'inventory.lot_required': {
    status: 422,
    title: 'The item is known by its lots',
    cause: 'The line names an item with lots, and none of them.',
    fix: 'Send a line for each lot.',
  },
  'inventory.lot_unknown': {
    status: 422,
    title: 'There is no such lot at the location',
    cause: 'Stock of a lot was never there, so nothing of it can be lost, moved or sent.',
    fix: 'Read the positions of the item; they name the lots of each location. A lot that was found is told as found.',
  },
  'inventory.adjustment_unknown': {
    status: 404,
    title: 'There is no such adjustment',
    cause: 'No adjustment has this number.',
    fix: 'List the adjustments of the company.',
  },
  'inventory.adjustment_decided': {
    status: 409,
    title: 'The adjustment has been decided on',
    cause: 'It was booked or rejected before.',
    fix: 'Read it: it says by whom. What is still wrong is another adjustment.',
  },
  'inventory.second_person_needed': {
    status: 403,
    title: 'Another person has to decide',
    cause: 'Above the value that the company has set, nobody approves what he has entered himself.',
    fix: 'Have it approved with the key of somebody else.',
  },
} as const satisfies Record<string, RefusalCode>
