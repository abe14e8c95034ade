/** The words of stock as sources tell it: facts in their order, and counts of all that is there. */
import type { RefusalCode } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Owned } from './owners.ts'

/** All that one source tells of an owner's stock of an item at a location, in its own numbering. */
export type FeedKey = Owned & { readonly itemId: number; readonly location: string; readonly source: string }

/** Where a fact stands in its feed. */
export type Told = {
  /** From 1, none left out; absent where the source does not number. */
  readonly sequence?: number | undefined
  /** Among all that the source tells. */
  readonly mark?: number | undefined
  readonly at: Date
}

/** A fact as far as its order is concerned; whoever gave it reads it again when its turn comes later. */
export type Fact = FeedKey & Told & { readonly company: string; readonly payload: object }

/**
 * `due`: it is to be booked now. `repeated`: it is booked already. `late`: a snapshot contains it. `waiting`: an earlier
 * one is missing.
 */
export type Standing = 'due' | 'repeated' | 'late' | 'waiting'

/** What a snapshot contains. */
export type Contained = { readonly mark: number | null; readonly at: Date | null }

/** What is in the building, by what may be done with it. */
export type Statuses = {
  readonly available: Quantity
  readonly qualityHold: Quantity
  readonly damaged: Quantity
}

/** What a source counts of an owner's stock of an item at a location, by lot; under '' what has none. */
export type Count = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lots: ReadonlyMap<string, Statuses>
  /** Of the last fact that is contained. */
  readonly sequence?: number | undefined
}

export type CountTaking = {
  readonly source: string
  /** The snapshot's own name. */
  readonly sourceKey: string
  readonly mark?: number | undefined
  readonly takenAt: Date
  /** By our clock, before it was asked for: nothing that it does not contain was booked earlier. */
  readonly askedAt: Date
}

/** One place in a snapshot against the books as they were when it was taken. */
export type Difference = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly ours: Statuses
  readonly theirs: Statuses
}

/** Less is there than is reserved. */
export type CountedBelow = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly counted: Quantity
  readonly reserved: Quantity
}

export const feedRefusals = {
  'inventory.file_unreadable': {
    status: 422,
    title: 'A file of stock cannot be read',
    cause: 'It is no CSV, or its first line does not name the columns of movements or of a snapshot.',
    fix: 'Name the columns as docs/stock-feeds.md lists them; the message says which is wrong.',
  },
  'inventory.line_malformed': {
    status: 422,
    title: 'A line of a file of stock cannot be taken',
    cause: 'A field is empty or holds something else than it should; the message names it.',
    fix: 'Correct the line and send it in another file: the good lines of this one were taken.',
  },
  'inventory.source_unknown': {
    status: 422,
    title: 'There is no such source of stock',
    cause: 'No feed of this name is configured.',
    fix: 'Name one of the feeds that the message lists, or add it under "feeds" in the configuration.',
  },
  'inventory.location_not_fed': {
    status: 422,
    title: 'The source does not tell of this location',
    cause: 'The feed is configured for other locations.',
    fix: "Correct the line, or add the location to the feed's locations.",
  },
  'inventory.snapshot_split': {
    status: 422,
    title: 'A snapshot tells of two moments',
    cause: 'Lines of one location carry different times or marks.',
    fix: 'Give all lines of a location the time and the mark of the moment at which it was counted.',
  },
  'inventory.time_ahead': {
    status: 422,
    title: 'It is said to have happened later than now',
    cause:
      'The time is mistyped, lacks its offset, or the clock of the sender is more than five minutes ahead.',
    fix: 'Send it with the time at which it happened. A message that was put aside can be corrected and replayed.',
  },
} as const satisfies Record<string, RefusalCode>
