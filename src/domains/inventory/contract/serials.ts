/** The words of single units that are known by a number of their own: where each is, and what was told of it. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'
import { type Bucket, STATUSES } from '../contract.ts'
import type { Owned } from './owners.ts'

/** Where a serial is while it is with us. */
export const SERIAL_BUCKETS = [...STATUSES, 'in_transit'] as const
export type SerialBucket = (typeof SERIAL_BUCKETS)[number]

/** As people and systems write it; no two units of an item have the same. */
export const Serial = z.string().trim().min(1).max(60).meta({ example: 'SN-20431' })
export const Serials = z
  .array(Serial)
  .max(10_000)
  .optional()
  .describe('Of an item that is known by its serials: those of the quantity, each once')

/**
 * Among whose stock it lies, and where. Without a location it is not with us, and in nobody's stock here. Of what is in
 * transit, the location is where it is to arrive.
 */
export type SerialPlace = Owned & { readonly bucket: Bucket; readonly location: string | null }

/**
 * elsewhere: another place, or the stock of another owner, has it as well. never-here: it left or moved where it had not
 * come. here-already: it came where it was.
 */
export type SerialDoubt = 'elsewhere' | 'never-here' | 'here-already'

export type SerialKey = { readonly company: string; readonly itemId: number; readonly serial: string }

export type SerialState = SerialPlace & {
  /** Of what is not with us, of whose stock it was told last. */
  readonly owner: string
  readonly lot: string
  readonly shipmentId: number | null
  readonly orderId: number | null
  /** When what moved it last happened; null: nothing was told of it before. */
  readonly toldAt: Date | null
  readonly doubt: SerialDoubt | null
  /** The place that has to explain it. */
  readonly doubtLocation: string | null
  /** Of whose stock there; ours where nothing is in doubt. */
  readonly doubtOwner: string
}
export type SerialRow = SerialKey & SerialState

/** What somebody told of a serial. Where both places are the same, that it is there. */
export type SerialTold = SerialKey & {
  readonly from: SerialPlace
  readonly to: SerialPlace
  /** '' where none is told. */
  readonly lot: string
  readonly reason: string
  readonly source: string
  readonly sourceKey: string
  readonly doc: number | null
  readonly at: Date
  /** With which it left. */
  readonly shipment?: { readonly id: number; readonly orderId: number } | undefined
  /** People may have entered it before: where it is so already, it is known. */
  readonly again?: boolean | undefined
}

export const SerialView = z
  .object({
    serial: z.string(),
    sku: z.string(),
    state: z
      .enum(['here', 'in_transit', 'shipped', 'gone'])
      .describe('gone: it was taken back, lost or written off'),
    location: z.string().optional().describe('Where it is; of what is in transit, where it is to arrive'),
    owner: z
      .string()
      .optional()
      .describe('Of what is with us: whose it is, own for ours; what is of others is never promised'),
    status: z.enum(STATUSES).optional().describe('Of what is here'),
    lot: z.string().optional(),
    shipment: z.string().optional(),
    order: z.string().optional(),
    doubt: z
      .object({
        kind: z.enum(['elsewhere', 'never-here', 'here-already']),
        location: z.string().describe('The place that has to explain it'),
        owner: z.string().describe('Of whose stock there, own for ours'),
      })
      .optional()
      .describe('What was told last contradicts what was told before'),
    toldAt: z.iso.datetime().describe('When what moved it last happened'),
  })
  .meta({ id: 'Serial' })
export type SerialView = z.infer<typeof SerialView>

export const SerialStory = SerialView.extend({
  company: z.string(),
  customer: z.string().optional(),
  customerOrder: z.string().optional(),
  shippedAt: z.iso.datetime().optional(),
  carrier: z.string().optional(),
  number: z.string().optional().describe("The warehouse's own number of the shipment"),
  history: z
    .array(
      z.object({
        from: z.string().describe('The status or bucket that it left'),
        fromLocation: z.string().optional(),
        fromOwner: z.string().describe('Of whose stock it was told, own for ours'),
        to: z.string(),
        toLocation: z.string().optional(),
        toOwner: z.string().describe('Of whose stock it is since: another where it was handed over'),
        lot: z.string().optional(),
        reason: z.string(),
        source: z.string(),
        sourceKey: z.string(),
        document: z.string().optional(),
        at: z.iso.datetime().describe('When it happened'),
        recordedAt: z.iso.datetime(),
        moved: z.boolean().describe('False: it was told late, or is explained by what is known'),
      }),
    )
    .describe('What was told of it, the newest first; at most a hundred'),
}).meta({ id: 'SerialStory' })
export type SerialStory = z.infer<typeof SerialStory>

export const serialRefusals = {
  'inventory.serials_required': {
    status: 422,
    title: 'The item is known by its serials',
    cause: 'The line names an item of which each unit has a serial, and not exactly one for each of them.',
    fix: 'Send as many serials as the quantity is in base units, which is a whole number.',
  },
  'inventory.serials_not_kept': {
    status: 422,
    title: 'The item has no serials',
    cause: 'The line names serials of an item whose units are not told apart.',
    fix: 'Leave them out, or have the item marked in its ERP as one whose units have serials.',
  },
  'inventory.serial_repeated': {
    status: 422,
    title: 'A serial stands twice',
    cause: 'A unit can be told of once in a request.',
    fix: 'Leave the repetition out, and send another serial where two units were meant.',
  },
  'inventory.serial_not_there': {
    status: 422,
    title: 'The serial is not where it is taken from',
    cause:
      'By what was told of it the unit is elsewhere, of another owner, or in another status or lot; or nobody has told of it.',
    fix: 'Read where it is: GET /process/inventory/v1/serials/{serial}. What was not told yet is entered first; a count that names its serials puts a place right.',
  },
  'inventory.serial_has_place': {
    status: 422,
    title: 'The serial is somewhere already',
    cause:
      'By what was told of it the unit is in a place or has been shipped, so it cannot come here unsaid.',
    fix: 'Read where it is: GET /process/inventory/v1/serials/{serial}. Enter first how it left that place; what was shipped comes back as returned.',
  },
  'inventory.serial_unknown': {
    status: 404,
    title: 'There is no such serial',
    cause: 'Nothing was told of a unit with this serial.',
    fix: 'Send it as it stands on the unit; upper and lower case count.',
  },
  'inventory.serial_of_several': {
    status: 422,
    title: 'Several items have this serial',
    cause: 'Makers number their units by themselves, so two items may have the same number.',
    fix: 'Send sku as well; the message lists the items.',
  },
} as const satisfies Record<string, RefusalCode>
