/** Feed files of what can be promised to a channel: all items, at an interval and soon after changes. */
import type { StockFeed } from '#capabilities/channel.ts'
import { FORMULA } from '#domains/inventory/views/promising.ts'
import { allPublished, newestPublished } from '#domains/inventory/views/published.ts'
import { findItemsById } from '#domains/items/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { readingProgress, saveProgress } from '#platform/readings.ts'

export type FeedFile = {
  readonly name: string
  readonly company: string
  readonly channel: string
  /** With its dot. */
  readonly ending: string
  /** At the latest after this time there is a new one. */
  readonly everyMs: number
  /** After a change at the soonest after this time. */
  readonly pauseMs: number
  readonly keep: number
}

type Ports = {
  readonly database: Database
  readonly clock: Clock
  readonly text: (feed: StockFeed) => string
  readonly folder: {
    /** Appears whole or not at all. */
    leave(name: string, content: string): Promise<void>
    names(): Promise<readonly string[]>
    remove(name: string): Promise<void>
  }
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
}

const PORTION = 5_000
/** Of the time at most every tenth part goes into writing. */
const REST = 9
const UNWRITTEN_AGAIN_MS = 10_000

/** One look after the other; a file that could not be written is an exception until one is. */
export function feedFileWriter(ports: Ports, feed: FeedFile): () => Promise<void> {
  const { database, clock } = ports
  const place = { company: feed.company, source: `feed-file/${feed.name}`, resource: 'availability' }
  let restsUntilMs = 0
  return async () => {
    if (clock.monotonicMs() < restsUntilMs) return
    const [{ since, begunAsOf }, newest] = await Promise.all([
      readingProgress(database, place),
      newestPublished(database, feed),
    ])
    const now = clock.now()
    if (!newest || !isDue(feed, { since, writtenAt: begunAsOf, newest, now })) return
    const startedMs = clock.monotonicMs()
    const problem = await write(ports, feed, now)
    const tookMs = clock.monotonicMs() - startedMs
    restsUntilMs = startedMs + (problem === undefined ? tookMs * (REST + 1) : UNWRITTEN_AGAIN_MS)
    await tellPeople(ports, feed, problem)
    if (problem === undefined)
      await saveProgress(database, place, { since: newest, cursor: null, begunAsOf: now, complete: true })
  }
}

type Situation = {
  readonly since: Date | null
  readonly writtenAt: Date | null
  readonly newest: Date
  readonly now: Date
}

function isDue({ everyMs, pauseMs }: FeedFile, { since, writtenAt, newest, now }: Situation): boolean {
  if (!since || !writtenAt) return true
  const ageMs = now.getTime() - writtenAt.getTime()
  return ageMs >= everyMs || (newest > since && ageMs >= pauseMs)
}

/** What stood in its way, if anything. */
async function write(ports: Ports, feed: FeedFile, asOf: Date): Promise<string | undefined> {
  const content = ports.text(await contentOf(ports, feed, asOf))
  const name = `${feed.name}-${asOf.toISOString().replaceAll(/[-:]/g, '')}${feed.ending}`
  try {
    await ports.folder.leave(name, content)
    await tidy(ports, feed)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function contentOf(
  { database }: Ports,
  { company, channel }: FeedFile,
  asOf: Date,
): Promise<StockFeed> {
  const lines: StockFeed['lines'][number][] = []
  for await (const rows of allPublished(database, { company, channel }, PORTION)) {
    const items = await findItemsById(
      database,
      rows.map(({ itemId }) => itemId),
    )
    for (const { itemId, available, confidence, asOf: changedAt, version } of rows) {
      const item = items.get(itemId)
      if (item) lines.push({ sku: item.sku, unit: item.baseUnit, available, confidence, changedAt, version })
    }
  }
  return { company, channel, asOf, formula: FORMULA.version, lines }
}

/** Names end in their time, so the order of names is that of times; what a crash left half written goes too. */
async function tidy({ folder }: Ports, { name, ending, keep }: FeedFile): Promise<void> {
  const names = await folder.names()
  const whole = names.filter((one) => isOf(one, name) && one.endsWith(ending)).toSorted()
  const half = names.filter((one) => one.startsWith('.') && isOf(one.slice(1), name))
  for (const old of [...whole.slice(0, -keep), ...half]) await folder.remove(old)
}

/** Another feed may have a longer name that begins like this one. */
const isOf = (file: string, feed: string): boolean =>
  file.startsWith(`${feed}-`) && /^\d{8}T\d{6}\.\d{3}Z\./.test(file.slice(feed.length + 1))

async function tellPeople(
  { database, openExceptions }: Ports,
  { name, company, channel }: FeedFile,
  problem: string | undefined,
): Promise<void> {
  const cause: Cause = { company, cause: `inventory.feed_unwritten:${name}` }
  await database.transaction(async (tx) => {
    if (problem === undefined) return closeExceptions(tx, [cause], 'the file is written again')
    return openExceptions(tx, [
      {
        ...cause,
        code: 'inventory.feed_unwritten',
        title: `The feed file ${name} cannot be written: ${problem}`,
        suggestedAction: `Give its folder room and the program the right to write there. It is tried again every ten seconds; until then ${channel} has the last file.`,
        facts: { feed: name, channel, problem },
      },
    ])
  })
}
