/** What other systems have sold of our stock, as it is kept and told. */
import { z } from 'zod'
import type { Quantity } from '#platform/quantity.ts'

/** More than any source has of a thing. */
const QUANTITY_MAX = 1e15

/** A line of an order that its source took itself; quantities in base units. */
export const OpenOrderRecord = z.object({
  document: z.string().min(1).max(40),
  line: z.string().min(1).max(20),
  kind: z.enum(['order', 'counter']),
  owner: z.string().max(80),
  reference: z.string().max(80).optional(),
  itemId: z.int(),
  sku: z.string(),
  location: z.string().min(1),
  /** Neither gone nor cancelled. */
  wanted: z.number().min(0).max(QUANTITY_MAX),
  /** What left of it and its source tells as a movement as well: claimed until that is booked. */
  shipped: z.number().min(0).max(QUANTITY_MAX).default(0),
  changedAt: z.date(),
})
export type OpenOrderRecord = z.input<typeof OpenOrderRecord>

/** As it is kept. */
export type ExternalReservation = Omit<z.output<typeof OpenOrderRecord>, 'reference'> & {
  readonly company: string
  readonly source: string
  readonly reference: string | null
  /** What its source had of it when it was read, open or shipped. */
  readonly ordered: Quantity
  /** What left of it by movements that are booked or counted; what is wanted is the rest of what is ordered. */
  readonly gone: Quantity
  readonly claimed: Quantity
  readonly since: Date
  readonly asOf: Date
}

const Decimal = z.string().describe("Decimal as text, in the item's base unit")

export const ExternalReservationView = z
  .object({
    company: z.string(),
    source: z.string().describe('The system that sold it'),
    document: z.string().describe('The number of its order there'),
    line: z.string(),
    kind: z.enum(['order', 'counter']).describe('counter: over the counter, until it is taken away'),
    owner: z.string().describe('For whom, by the number that the source gives him'),
    reference: z.string().optional(),
    sku: z.string(),
    location: z.string(),
    wanted: Decimal.describe('What is open of it there'),
    claimed: Decimal.describe(
      'The part that is kept of our stock; less than wanted where more is claimed than there is',
    ),
    since: z.iso.datetime().describe('When it was first read'),
    changedAt: z.iso.datetime().describe("By the source's clock"),
    asOf: z.iso.datetime().describe('The reading that last named it'),
  })
  .meta({ id: 'ExternalReservation', description: 'What another system has sold of our stock.' })
export type ExternalReservationView = z.infer<typeof ExternalReservationView>
