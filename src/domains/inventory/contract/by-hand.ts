/** The words in which people tell what a warehouse did while its system was away, and what that system said of it later. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import { Serials } from './serials.ts'

export const HAND_KINDS = ['ship', 'pick', 'short', 'count', 'return'] as const
export type HandKind = (typeof HAND_KINDS)[number]

export const HAND_OUTCOMES = ['known', 'differs', 'counted', 'settled'] as const
export type HandOutcome = (typeof HAND_OUTCOMES)[number]

const Text = (max: number) => z.string().trim().min(1).max(max)
const Quantity = z
  .string()
  .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
  .describe('Decimal as text, in the unit beside it')

const HandLine = z.strictObject({
  line: z.int().min(1).max(32_767).describe("The order's line"),
  quantity: Quantity,
  unit: z
    .string()
    .regex(/^[A-Z0-9]{2,3}$/)
    .optional()
    .describe('UN/ECE Recommendation 20; the base unit when absent'),
  short: z.boolean().optional().describe('Of a pick: so much was not found'),
  lot: Text(40).optional(),
  serials: Serials,
  expiresOn: z.iso.date().optional().describe('Of a shipment'),
  catchWeight: z
    .string()
    .regex(/^\d{1,11}(\.\d{1,4})?$/)
    .optional()
    .describe('Kilograms, of a shipment of an item that is sold by its actual weight'),
})

export const HandRequest = z
  .strictObject({
    company: z.string().min(1).max(12).meta({ example: 'NWF' }),
    kind: z
      .enum(['picked', 'shipped'])
      .describe('picked: in all, not since the last paper. shipped: left the building'),
    request: Text(40).describe('Our fulfillment request').meta({ example: 'F-1000031' }),
    reference: Text(80).describe('The paper that shows it: a delivery note, a pick list'),
    at: z.iso.datetime({ offset: true }).describe('When it happened, by the paper; not later than now'),
    note: Text(500).optional(),
    carrier: Text(40).optional().describe('Of a shipment; "by hand" when absent'),
    tracking: Text(60).optional().describe('Of a shipment'),
    sscc: z
      .string()
      .regex(/^\d{18}$/)
      .optional()
      .describe('Of a shipment: the label of its package, which partners are told by EDI'),
    final: z
      .boolean()
      .optional()
      .describe('Of a shipment: nothing more of the request leaves, and what is missing was short'),
    further: z
      .boolean()
      .optional()
      .describe('Of a shipment: it left besides an equal one that the warehouse has told'),
    dryRun: z.boolean().default(false).describe('Only answers what would be'),
    lines: z.array(HandLine).max(500),
  })
  .meta({ id: 'ByHandRequest' })
export type HandRequest = z.infer<typeof HandRequest>

export const HandView = z
  .object({
    kind: z.enum(HAND_KINDS),
    document: z.string().describe('The shipment, the request that was picked, or the adjustment'),
    request: z.string().optional(),
    line: z.int().optional(),
    sku: z.string(),
    location: z.string(),
    lot: z.string().optional(),
    quantity: z
      .string()
      .describe('As it was entered, in the base unit; of a count that found less with a minus'),
    open: z.string().describe("What the warehouse's own system has not told of it"),
    unit: z.string().describe('The base unit'),
    reference: z.string(),
    actor: z.string(),
    at: z.iso.datetime().describe('When it happened, by the paper'),
    enteredAt: z.iso.datetime(),
    outcome: z
      .enum(HAND_OUTCOMES)
      .optional()
      .describe(
        'Absent while the warehouse has not told of all of it. known: told as it was entered. differs: told otherwise, ' +
          'with an exception. counted: a snapshot took its place. settled: a person says that no more is told of it',
      ),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({
    id: 'ByHand',
    description: 'What people entered of one line of a request, or of an item at a place.',
  })
export type HandView = z.infer<typeof HandView>

export const HandAnswer = z
  .object({
    document: z.string().describe('The shipment, or the request that was picked'),
    request: z.string(),
    order: z.string(),
    lines: z.array(
      z.object({
        line: z.int(),
        sku: z.string(),
        quantity: z.string().describe('In the base unit'),
        unit: z.string(),
        lot: z.string().optional(),
        serials: z.array(z.string()).optional(),
        short: z.boolean(),
      }),
    ),
    dryRun: z.boolean().describe('Nothing was changed'),
  })
  .meta({ id: 'ByHandAnswer' })
export type HandAnswer = z.infer<typeof HandAnswer>

export const HandSettling = z.strictObject({ reason: Text(500).describe('Why no more is told of it') })

/** What was entered of one line, or of an item at a place; quantities in the base unit. */
export type HandRow = {
  readonly id: number
  readonly kind: HandKind
  readonly company: string
  readonly location: string
  readonly itemId: number
  /** '' where the paper names none. */
  readonly lot: string
  readonly doc: number
  readonly fulfillmentId: number | null
  readonly line: number | null
  readonly quantity: Quantity
  readonly open: Quantity
  /** False while it waits for another person. */
  readonly booked: boolean
  readonly reference: string
  readonly actor: string
  readonly happenedAt: Date
  readonly enteredAt: Date
  readonly outcome: HandOutcome | null
  readonly endedAt: Date | null
}

export type NewHandRow = Omit<HandRow, 'id' | 'open' | 'enteredAt' | 'outcome' | 'endedAt'>

export const handRefusals = {
  'inventory.request_unknown': {
    status: 422,
    title: 'There is no such fulfillment request',
    cause: 'No request of the company has this number.',
    fix: 'Read the order: it names its requests.',
  },
  'inventory.request_line_unknown': {
    status: 422,
    title: 'The request has no such line',
    cause: 'The order has no line with this number, or the request does not ask for it.',
    fix: 'Read the order: it names the lines of each request.',
  },
  'inventory.more_than_requested': {
    status: 422,
    title: 'The request leaves less of the line open',
    cause: 'So much of it was not asked for, has left, or was short.',
    fix: 'Read the request. What left beyond it is put right as an adjustment.',
  },
  'inventory.paper_known': {
    status: 409,
    title: 'The paper says nothing new',
    cause: 'It was entered before, or the request had come further already.',
    fix: 'Read what was entered by hand. Another paper has another reference.',
  },
  'inventory.told_by_warehouse': {
    status: 409,
    title: 'The warehouse has told of it itself',
    cause: 'A shipment of the request with the same lines is booked, told by its system.',
    fix: 'Leave the paper out. If this left besides that shipment, send it with `further`.',
  },
  'inventory.hand_line_contradicts': {
    status: 422,
    title: 'A line does not fit what the paper tells',
    cause: 'A shipment says what was short, or a pick what only a shipment knows; or nothing is said at all.',
    fix: 'The errors name the fields: leave them out.',
  },
  'inventory.sscc_invalid': {
    status: 422,
    title: 'The label of the package does not check',
    cause: 'The last digit of an SSCC is reckoned from the others, and this one is not.',
    fix: 'Read the label again: it has 18 digits.',
  },
  'inventory.by_hand_unknown': {
    status: 404,
    title: 'Nothing that was entered by hand is open of this document',
    cause: 'No paper was entered under this number, or the warehouse has told of all of it.',
    fix: 'List what is open: GET /process/inventory/v1/by-hand.',
  },
} as const satisfies Record<string, RefusalCode>
