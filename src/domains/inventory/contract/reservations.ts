/** The words in which channels ask for reservations and are answered. */
import { z } from 'zod'
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation, Portion } from '../contract.ts'

/** Wide enough that what is wrong with it is told by the rules, with a cure. */
const AskedQuantity = z
  .string()
  .regex(/^-?\d{1,15}(\.\d{1,15})?$/)
  .describe('Decimal as text')
  .meta({ example: '12' })
const Decimal = z.string().describe('Decimal as text, in base units')
const Time = z.iso.datetime({ offset: true })
const Code = (max: number) => z.string().regex(new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${max - 1}}$`))

const Channel = Code(32).describe('The channel that it is kept for').meta({ example: 'portal' })
const Reference = z
  .string()
  .min(1)
  .max(80)
  .describe("The caller's own word for what it is for: a cart, a quote, a project")
  .meta({ example: 'cart-88123' })

export const ReservationClass = z.enum(['standard', 'wholesale', 'retail', 'project', 'safety'])
export type ReservationClass = z.infer<typeof ReservationClass>
export const ReservationKind = z.enum(['soft', 'firm'])
export type ReservationKind = z.infer<typeof ReservationKind>

export const ReservationRequest = z
  .strictObject({
    company: z.string().min(1).max(12).describe('The legal entity that sells').meta({ example: 'NWF' }),
    channel: Channel,
    reference: Reference,
    kind: ReservationKind.describe('A soft one expires, a firm one does not'),
    expiresAt: Time.optional().describe("When a soft one ends by itself; the company's own time when absent"),
    mode: z
      .enum(['all_or_nothing', 'what_is_available'])
      .default('all_or_nothing')
      .describe('Whether less than everything is taken'),
    class: ReservationClass.default('standard').describe('What it is for'),
    priority: z
      .int()
      .min(0)
      .max(9)
      .default(5)
      .describe('Of those that are decided at one moment the lower is served first'),
    location: z.string().min(1).max(32).optional().describe('Only from here'),
    locationGroup: z.string().min(1).max(32).optional().describe('Only from the locations of this group'),
    lines: z
      .array(
        z.strictObject({
          line: z.string().min(1).max(20).describe("The caller's own line number; unique inside the request"),
          sku: z.string().min(1).max(40).meta({ example: '10012' }),
          quantity: AskedQuantity,
          unit: z
            .string()
            .regex(/^[A-Z0-9]{2,3}$/)
            .describe('One of the units of the item')
            .meta({ example: 'EA' }),
        }),
      )
      .min(1)
      .max(500),
  })
  .meta({ id: 'ReservationRequest' })
export type ReservationRequest = z.infer<typeof ReservationRequest>

const ReservationLine = z.object({
  line: z.string(),
  sku: z.string(),
  requested: z.string().describe('As it was asked for, in the unit beside it'),
  unit: z.string(),
  baseUnit: z.string().describe('All quantities below are in it'),
  granted: Decimal.describe('What was kept of it; the sum of the four below'),
  open: Decimal,
  committed: Decimal.describe('Taken over by orders'),
  released: Decimal.describe('Given back by whoever reserved it'),
  expired: Decimal,
  places: z.array(z.object({ location: z.string(), open: Decimal })).describe('Where the open quantity lies'),
})

export const ReservationAnswer = z
  .object({
    id: z.string().meta({ example: 'R-1000060' }),
    company: z.string(),
    channel: z.string(),
    reference: z.string(),
    kind: ReservationKind,
    class: ReservationClass,
    priority: z.int(),
    state: z.enum(['open', 'ended']).describe('Ended: nothing of it is kept any more'),
    expiresAt: Time.optional(),
    createdAt: Time,
    endedAt: Time.optional(),
    version: z.int(),
    lines: z.array(ReservationLine),
  })
  .meta({ id: 'Reservation', description: 'Stock that is kept for a channel.' })
export type ReservationAnswer = z.infer<typeof ReservationAnswer>

const Part = z.array(
  z.strictObject({
    line: z.string().min(1).max(20),
    quantity: AskedQuantity.describe("So much of the line's open quantity, in base units"),
  }),
)

export const ExtendRequest = z.strictObject({ expiresAt: Time.describe('When it ends by itself instead') })
export const TransferRequest = z.strictObject({
  channel: Channel.optional(),
  reference: Reference.optional(),
})
export const SplitRequest = z.strictObject({
  channel: Channel.optional().describe('The channel of the new one; the same when absent'),
  reference: Reference,
  lines: Part.min(1).max(500),
})
export const ReleaseRequest = z.strictObject({
  lines: Part.min(1).max(500).optional().describe('Everything that is open when absent'),
})
export const CommitRequest = z.strictObject({})

export const SplitAnswer = z.object({
  kept: ReservationAnswer.describe('What is left of the one that was split'),
  split: ReservationAnswer.describe('The new one'),
})
export type SplitAnswer = z.infer<typeof SplitAnswer>
export type Parts = z.infer<typeof Part>

/** A line as it stands. */
export type ReservedLine = {
  readonly n: number
  /** The caller's own number of it. */
  readonly line: string
  readonly itemId: number
  readonly sku: string
  readonly baseUnit: string
  /** As it was asked for, in `unit`. */
  readonly requested: Quantity
  readonly unit: string
  /** In base units, as all below. */
  readonly wanted: Quantity
  readonly granted: Quantity
  readonly open: Quantity
  readonly committed: Quantity
  readonly released: Quantity
  readonly expired: Quantity
  /** Where the open quantity lies; its sum. */
  readonly places: readonly Allocation[]
}

/** A reservation as it stands. */
export type ChannelReservation = {
  readonly id: number
  readonly company: string
  readonly client: string
  /** Whose it is alone, where a partner made it. */
  readonly partner: string | null
  readonly channel: string
  readonly reference: string
  readonly class: ReservationClass
  readonly priority: number
  readonly kind: ReservationKind
  readonly expiresAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly endedAt: Date | null
  readonly lines: readonly ReservedLine[]
}

/** A quantity that a reservation claims no more. */
export type Taking = {
  readonly n: number
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
  /** How much of it was kept for its channel, as the claim has it. */
  readonly from?: readonly Portion[] | undefined
}
