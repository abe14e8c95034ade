/** The words of agreement between our books and what a source counts. */
import { z } from 'zod'
import type { Money } from '#platform/money.ts'
import type { RefusalCode } from '#platform/faults.ts'
import type { Difference } from './feeds.ts'

export const ReconciliationRequest = z.object({
  company: z.string().min(1).max(12),
  location: z.string().min(1).max(20).describe('Whose stock is compared'),
  source: z
    .string()
    .min(1)
    .max(32)
    .optional()
    .describe('Who counts; the system that runs the location when absent'),
  dryRun: z.boolean().default(false).describe('Shows what differs, and changes and tells nothing'),
})
export type ReconciliationRequest = z.infer<typeof ReconciliationRequest>

const Decimal = z.string().describe("Decimal as text, in the item's base unit")
const Statuses = z.object({ available: Decimal, qualityHold: Decimal, damaged: Decimal })

/** A line of a count that was not understood, so that it may be of anything there. */
export const UnreadLine = z.object({
  line: z.int().describe('Which of those that were sent'),
  item: z.string().optional().describe('What it is of, as far as that can be read: its number, or its ids'),
  text: z.string().describe('As it was sent'),
  reason: z.string(),
  cure: z.string(),
})
export type UnreadLine = z.infer<typeof UnreadLine>

/** One that says what it is of. */
export type UnreadItem = UnreadLine & { readonly item: string }

export const ReconciliationView = z
  .object({
    id: z.int(),
    company: z.string(),
    location: z.string(),
    source: z.string(),
    day: z.iso.date().describe("By the company's clock"),
    dryRun: z.boolean(),
    state: z.enum(['asked', 'done', 'failed']),
    askedBy: z.string().describe('The source itself where its count came unasked'),
    askedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().optional(),
    takenAt: z.iso.datetime().optional().describe('Of which moment of the source it is'),
    mark: z.int().optional().describe('The last of all that the source told by then'),
    whole: z
      .boolean()
      .describe(
        'Whether all that is there was counted; else the named items alone, and nothing is proven of others',
      ),
    matched: z.int().describe('Places on which both agree'),
    differing: z.int(),
    missingHere: z.int().describe('The source has something of it, our books have not'),
    missingThere: z.int().describe('Our books have something of it, the source has not'),
    recovered: z.int().describe('Facts that never came, until they were asked for'),
    adjusted: z.int().describe('Within the tolerance, and booked'),
    told: z.int().describe('Beyond it: an exception for each cause'),
    notSaid: z
      .int()
      .describe(
        'Items of which our books have something and a count of all that is there says nothing: they stay, since lines of it were not understood',
      ),
    unread: z.int().describe('Lines of it that were not understood'),
    unreadLines: z.array(UnreadLine).optional().describe('The first fifty of them'),
    value: z.string().describe('Of what differs and has a price, at the highest price of that day'),
    currency: z.string(),
    problem: z.string().optional(),
  })
  .meta({ id: 'Reconciliation', description: 'Our books against what a source counts at a location.' })
export type ReconciliationView = z.infer<typeof ReconciliationView>

export const ReconciliationDifference = z
  .object({
    sku: z.string(),
    kind: z.enum(['differing', 'missing_here', 'missing_there']),
    ours: Statuses,
    theirs: Statuses,
    value: z.string().optional().describe('Absent where the item has no price'),
    outcome: z.enum(['shown', 'adjusted', 'told']),
  })
  .meta({ id: 'ReconciliationDifference', description: 'One item of which books and count differ.' })
export type ReconciliationDifference = z.infer<typeof ReconciliationDifference>

/** How far a count may differ from the books and still be taken by itself: by so much, or by so many percent. */
export type Tolerance = {
  readonly units: number
  readonly percent: number
  /** And by what is worth no more; whatever it is worth where absent. */
  readonly mostMinor?: number | undefined
}

export type DifferenceFound = Difference & {
  readonly sku: string
  readonly kind: ReconciliationDifference['kind']
  readonly valueMinor: number | null
  readonly outcome: ReconciliationDifference['outcome']
}

/** Whose count the books of a place are held against. */
export type CountedPlace = Pick<ReconciliationView, 'company' | 'location' | 'source'>

export type ReasonedDifference = Pick<DifferenceFound, 'itemId'> & {
  /** What it may come of, by which differences are told together. */
  readonly reason: string
}

/** Told to somebody, and not explained yet. */
export type StandingDifference = Difference &
  ReasonedDifference &
  Pick<DifferenceFound, 'sku' | 'valueMinor'> & {
    /** The reconciliation since which it differs for this reason. */
    readonly firstId: number
    /** Of which moment the last count is that found it. */
    readonly takenAt: Date
  }

export type ReconciliationFound = {
  readonly takenAt: Date
  readonly mark: number | undefined
  readonly whole: boolean
  readonly matched: number
  readonly recovered: number
  readonly differences: readonly DifferenceFound[]
  /** Items that a count with unread lines does not name. */
  readonly notSaid: number
  readonly unread: readonly UnreadLine[]
  readonly value: Money
}

export const reconciliationRefusals = {
  'inventory.nobody_counts': {
    status: 422,
    title: 'Nobody can say what is there',
    cause: 'The location is run by no system that answers what it has, or the named source is none.',
    fix: 'Name a source that the message lists, or load what was counted from a file.',
  },
  'inventory.reconciliation_unknown': {
    status: 404,
    title: 'There is no such reconciliation',
    cause: 'None of the company has this number.',
    fix: 'List the reconciliations of the company.',
  },
} as const satisfies Record<string, RefusalCode>
