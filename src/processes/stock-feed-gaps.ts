/** Stock facts that never came: their source is asked again, then for what it has, then a person is told. */
import type { WarehouseMessage, WmsReader } from '#capabilities/wms.ts'
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import { isOwn, ownerOf } from '#domains/inventory/contract/owners.ts'
import { type BlockedFeed, blockedFeeds } from '#domains/inventory/views/feeds.ts'
import type { CountThatCame } from './reconciliation-given.ts'

export type FeedGapPorts = {
  readonly database: Database
  readonly clock: Clock
  readonly companies: readonly string[]
  /** Who can be asked, by the name of the system. */
  readonly readers: ReadonlyMap<string, WmsReader>
  readonly hear: (system: string, inbound: InboundMessage<WarehouseMessage>) => Promise<unknown>
  /** Holds what was counted against the books. */
  readonly held: (count: CountThatCame) => Promise<unknown>
  readonly openExceptions: OpenExceptions
  /** How long something may be missing before anything is done: what overtakes on its way closes it by itself. */
  readonly afterMs: number
  readonly onError: (system: string, error: unknown) => void
}

export const FACTS_MISSING = 'inventory.facts_missing'
const PAUSE_MAX_MS = 3_600_000

type Asked = { readonly times: number; readonly nextMs: number; readonly pauseMs: number }

/**
 * One look. First what is missing is asked for; where that brought nothing, or where nobody ever told of the item, the
 * source says what it has, and the feed goes on behind that. Of others' stock no reader can be asked: a person is told.
 */
export function feedGapWatch(ports: FeedGapPorts): () => Promise<void> {
  let asked: ReadonlyMap<string, Asked> = new Map()
  return async () => {
    const blocked = await blockedFeeds(ports.database, ports.afterMs)
    const { due, next } = paced(ports, blocked, asked)
    asked = next
    const timesOf = (feed: BlockedFeed): number => asked.get(keyOf(feed))?.times ?? 0
    await forEachPlace(
      ports,
      due.filter((feed) => feed.lastSequence > 0 && isOwn(feed)),
      askAgain,
    )
    const counted = due.filter((feed) => isOwn(feed) && (feed.lastSequence === 0 || timesOf(feed) > 1))
    await forEachPlace(ports, await stillBlocked(ports, counted), count)
    await tell(ports, (feed) => timesOf(feed) > 1 || !isOwn(feed) || !ports.readers.has(feed.source))
  }
}

const keyOf = ({ source, itemId, location, missing, ...of }: BlockedFeed): string =>
  `${source} ${itemId} ${location} ${ownerOf(of)} ${missing.from}`

/** When it is first seen to last, and again after pauses that double. */
function paced(
  { clock, afterMs }: FeedGapPorts,
  blocked: readonly BlockedFeed[],
  before: ReadonlyMap<string, Asked>,
): { readonly due: BlockedFeed[]; readonly next: ReadonlyMap<string, Asked> } {
  const nowMs = clock.monotonicMs()
  const next = new Map<string, Asked>()
  const due = blocked.filter((feed) => {
    const known = before.get(keyOf(feed)) ?? { times: 0, nextMs: 0, pauseMs: afterMs / 2 }
    const isDue = nowMs >= known.nextMs
    const pauseMs = Math.min(known.pauseMs * 2, PAUSE_MAX_MS)
    next.set(keyOf(feed), isDue ? { times: known.times + 1, nextMs: nowMs + pauseMs, pauseMs } : known)
    return isDue
  })
  return { due, next }
}

async function stillBlocked(
  { database, afterMs }: FeedGapPorts,
  feeds: readonly BlockedFeed[],
): Promise<BlockedFeed[]> {
  if (feeds.length === 0) return []
  const keys = new Set(feeds.map(keyOf))
  return (await blockedFeeds(database, afterMs)).filter((feed) => keys.has(keyOf(feed)))
}

type Place = { readonly company: string; readonly location: string }
type Work = (
  ports: FeedGapPorts,
  reader: WmsReader,
  place: Place,
  feeds: readonly BlockedFeed[],
) => Promise<void>

async function forEachPlace(ports: FeedGapPorts, feeds: readonly BlockedFeed[], work: Work): Promise<void> {
  const places = Map.groupBy(feeds, ({ source, company, location }) =>
    JSON.stringify([source, company, location]),
  )
  for (const group of places.values()) {
    const { source, company, location } = group[0]!
    const reader = ports.readers.get(source)
    try {
      if (reader) await work(ports, reader, { company, location }, group)
    } catch (error) {
      ports.onError(source, error)
    }
  }
}

const askAgain: Work = async ({ hear }, reader, place, feeds) => {
  const missing = new Map(feeds.map((feed) => [feed.sku, feed.missing]))
  const told = await reader.stockAgain(place, missing)
  await Promise.all(told.map((inbound) => hear(reader.instance, inbound)))
}

/** Only of the items that miss something; of the others nothing is in doubt. */
const count: Work = async ({ clock, held }, reader, place, feeds) => {
  const askedAt = clock.now()
  const all = await reader.stockSnapshot(place)
  const wanted = new Set(feeds.map(({ sku }) => sku))
  const snapshot: StockSnapshot = {
    ...all,
    scope: 'items',
    lines: all.lines.filter(({ sku }) => wanted.has(sku)),
  }
  if (snapshot.lines.length > 0)
    await held({ source: reader.instance, snapshot, askedAt, askedBy: 'crossdock' })
}

/** The open exceptions become what is blocked now, as far as it was asked for in vain. */
async function tell(ports: FeedGapPorts, isTold: (feed: BlockedFeed) => boolean): Promise<void> {
  const { database, companies, openExceptions, afterMs } = ports
  const wrong = (await blockedFeeds(database, afterMs)).filter(isTold).map(occurrenceOf)
  const known = await openCausesOf(database, companies, [FACTS_MISSING])
  const isSame = (a: Cause, b: Cause): boolean => a.company === b.company && a.cause === b.cause
  const fresh = wrong.filter((one) => !known.some((other) => isSame(one, other)))
  const over = known.filter((one) => !wrong.some((other) => isSame(one, other)))
  if (fresh.length === 0 && over.length === 0) return
  await database.transaction(async (tx) => {
    await openExceptions(tx, fresh)
    await closeExceptions(tx, over, 'what was missing is here, or was counted')
  })
}

function occurrenceOf(feed: BlockedFeed): Occurrence {
  const { company, source, itemId, location, sku, missing, waiting, since } = feed
  const { from, to } = missing
  const whose = isOwn(feed) ? '' : ` of ${feed.owner}`
  const which = from === to ? `fact ${from}` : `facts ${from} to ${to}`
  return {
    company,
    cause: `${FACTS_MISSING}:${source}:${itemId}${whose && `@${feed.owner}`}:${location}:${from}`,
    code: FACTS_MISSING,
    title: `${source}: ${which} of ${sku}${whose} at ${location} ${from === to ? 'is' : 'are'} missing, and ${waiting} later ${waiting === 1 ? 'one waits' : 'ones wait'}`,
    suggestedAction: `Have ${source} tell ${which} of ${sku}${whose} again, or take a snapshot of it: what waits is then booked by itself.`,
    facts: {
      source,
      itemId,
      sku,
      location,
      owner: feed.owner,
      from,
      to,
      waiting,
      since: since.toISOString(),
    },
  }
}
