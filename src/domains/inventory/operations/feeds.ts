/** Puts what sources tell of stock in the order in which they number it; what is due is the caller's to book. */
import type { Transaction } from '#platform/database.ts'
import type { Fact, FeedKey, Standing } from '../contract/feeds.ts'
import { FeedLine } from '../rules/feeds.ts'
import {
  deleteHeld,
  type FeedRow,
  type HeldFact,
  feedKey,
  insertHeld,
  lockFeeds,
  selectHeld,
  updateFeeds,
} from '../store/feeds.ts'

export type PlacedFacts<F extends Fact> = {
  readonly standings: ReadonlyMap<F, Standing>
  /** What is to be booked in this transaction, in order: payloads of the given facts and of such as waited for them. */
  readonly due: readonly object[]
}

type Open<F> = {
  readonly key: FeedKey
  readonly line: FeedLine<object>
  readonly facts: F[]
  repeated: number
  late: number
}

/**
 * Locks the feeds of these facts, which comes before every other lock. A fact counts once, in the order of its feed: what
 * was told before or is in a snapshot is counted as such and nothing else; what comes too early is kept.
 */
export async function placeFacts<F extends Fact>(
  tx: Transaction,
  facts: readonly F[],
): Promise<PlacedFacts<F>> {
  if (facts.length === 0) return { standings: new Map(), due: [] }
  const feeds = await openFeeds(tx, facts)
  const standings = new Map<F, Standing>()
  const due: object[] = []
  for (const feed of feeds) {
    for (const fact of feed.facts.toSorted(bySequence)) {
      const standing = feed.line.take(fact, fact.payload)
      standings.set(fact, standing)
      if (standing === 'repeated') feed.repeated += 1
      if (standing === 'late') feed.late += 1
      if (standing === 'due') due.push(fact.payload)
      if (standing === 'due' || standing === 'late') due.push(...feed.line.release())
    }
  }
  writeFeeds(tx, feeds)
  return { standings, due }
}

/** Of counts of several places that are taken in one transaction, before anything else is locked. */
export async function holdFeeds(
  tx: Transaction,
  feeds: readonly (FeedKey & { readonly company: string })[],
): Promise<void> {
  const named = new Map(feeds.map((feed) => [feedKey(feed), feed]))
  const sorted = [...named].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, feed]) => feed)
  if (sorted.length > 0) await lockFeeds(tx, sorted)
}

/** Those without a number first, in the order in which they came. */
const bySequence = (a: Fact, b: Fact): number => (a.sequence ?? 0) - (b.sequence ?? 0)

async function openFeeds<F extends Fact>(tx: Transaction, facts: readonly F[]): Promise<Open<F>[]> {
  const groups = Map.groupBy(facts, feedKey)
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
  const rows = await lockFeeds(
    tx,
    sorted.map(([first]) => first!),
  )
  const lines = await linesOf(tx, rows)
  return sorted.map((group) => {
    const { itemId, location, source, owner } = group[0]!
    const key = { itemId, location, source, owner }
    return { key, line: lines.get(feedKey(key))!, facts: group, repeated: 0, late: 0 }
  })
}

/** As they stand, with what waits in those that miss something. */
export async function linesOf(
  tx: Transaction,
  rows: readonly FeedRow[],
): Promise<ReadonlyMap<string, FeedLine<object>>> {
  const held = await selectHeld(
    tx,
    rows.filter(({ isBlocked }) => isBlocked),
  )
  const waiting = Map.groupBy(held, feedKey)
  return new Map(
    rows.map((row) => [
      feedKey(row),
      new FeedLine<object>(
        row.lastSequence,
        { mark: row.countedMark, at: row.countedAt },
        (waiting.get(feedKey(row)) ?? []).map(({ sequence, fact }) => [sequence, fact] as const),
      ),
    ]),
  )
}

type Written = Omit<Open<unknown>, 'facts'>

/** Writes where feeds stand now, and what waits in them. */
export function writeFeeds(tx: Transaction, feeds: readonly Written[]): void {
  const fresh = feeds.flatMap(({ key, line }) =>
    line.fresh.map(([sequence, fact]): HeldFact => ({ ...key, sequence, fact })),
  )
  insertHeld(tx, fresh)
  deleteHeld(
    tx,
    feeds.flatMap(({ key, line }) => line.gone.map((sequence) => ({ ...key, sequence }))),
  )
  updateFeeds(
    tx,
    feeds.map(({ key, line, repeated, late }) => ({
      ...key,
      last: line.last,
      missing: line.missing,
      repeated,
      late,
    })),
  )
}
