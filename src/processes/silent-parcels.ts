/** Parcels on their way of which nothing was heard for long: their carrier is asked, since a last scan that was lost leaves no gap. */
import type { CarrierReader, TrackingMessage } from '#capabilities/carrier.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import { Outage } from '#platform/faults.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { Level } from '#platform/telemetry-metrics.ts'
import { type AskingAnswer, PARCELS_MISSED, type SilentParcel } from '#domains/shipments/contract/tracking.ts'
import {
  type AskedParcel,
  countSilentParcels,
  parcelsToAsk,
  recordAsking,
} from '#domains/shipments/operations/tracking.ts'
import type { ProcessPorts } from './ports.ts'
import { tellParcelTroubles } from './tracking-trouble.ts'

export type SilentParcelsPorts = Pick<ProcessPorts, 'openExceptions'> & {
  readonly clock: Clock
  readonly database: Database
  readonly tracker: CarrierReader
  /** As what the carrier tells by itself. */
  readonly hear: (inbound: InboundMessage<TrackingMessage>) => Promise<unknown>
  readonly afterMs: number
  readonly missedAfterMs: number
  readonly unansweredAfterMs: number
  /** Of each number. */
  readonly onAsked: (answer: AskingAnswer) => void
  readonly onError: (error: unknown) => void
}

const PORTION = 100
/** However long a carrier is away, it is looked at now and then whether it is back. */
const AWAY_MAX_MS = 5 * 60_000

/**
 * One look at those that are due. A full portion is followed by another, since all that was asked about is due no more.
 * Answers for how long the carrier wants to be left alone.
 */
export async function askAboutParcels(ports: SilentParcelsPorts): Promise<number> {
  const { clock, database, tracker } = ports
  for (;;) {
    const due = { system: tracker.instance, now: clock.now(), limit: PORTION }
    const parcels = await parcelsToAsk(database, due)
    const { asked, found, failure } = await ask(ports, parcels)
    await Promise.all(found.map(ports.hear))
    await takeNote(ports, asked)
    if (failure) return awayMs(failure, clock)
    if (parcels.length < PORTION) return 0
  }
}

type Asked = {
  readonly asked: readonly AskedParcel[]
  readonly found: readonly InboundMessage<TrackingMessage>[]
  readonly failure?: unknown
}

function awayMs(failure: unknown, clock: Clock): number {
  const until = failure instanceof Outage ? failure.retryAt : undefined
  return until ? Math.min(until.getTime() - clock.now().getTime(), AWAY_MAX_MS) : 0
}

/**
 * One number after the other, until one gets no answer: a carrier that is away is left alone until the next look. That
 * look begins with others, so that no single number keeps all of them from being asked about.
 */
async function ask(
  { tracker, onAsked, onError }: SilentParcelsPorts,
  parcels: readonly SilentParcel[],
): Promise<Asked> {
  const asked: AskedParcel[] = []
  const found: InboundMessage<TrackingMessage>[] = []
  for (const [tracking, pieces] of Map.groupBy(parcels, (parcel) => parcel.tracking)) {
    function note(answer: AskingAnswer): void {
      onAsked(answer)
      asked.push(...pieces.map((parcel) => ({ parcel, answer })))
    }
    try {
      const way = await tracker.track(tracking)
      const news = newIn(way ?? [], pieces)
      found.push(...news)
      note(news.length > 0 ? 'news' : way ? 'nothing_new' : 'not_known')
    } catch (error) {
      onError(error)
      note('unanswered')
      return { asked, found, failure: error }
    }
  }
  return { asked, found }
}

/** What follows the newest scan that is known of each piece under the number, and what cannot be read. */
function newIn(
  way: readonly InboundMessage<TrackingMessage>[],
  pieces: readonly SilentParcel[],
): InboundMessage<TrackingMessage>[] {
  const known = Math.min(...pieces.map(({ sequence }) => sequence ?? -Infinity))
  return way.filter(({ sequence = Infinity }) => sequence > known)
}

/** What was heard of meanwhile, by the answer or by the carrier's own word, stays where that has put it. */
async function takeNote(
  { clock, database, openExceptions, ...ports }: SilentParcelsPorts,
  asked: readonly AskedParcel[],
): Promise<void> {
  if (asked.length === 0) return
  await database.transaction(async (tx) => {
    const { afterMs, missedAfterMs, unansweredAfterMs } = ports
    const pace = { now: clock.now(), afterMs, missedAfterMs, unansweredAfterMs }
    const moved = await recordAsking(tx, asked, pace)
    await tellParcelTroubles(tx, { openExceptions }, moved)
  })
}

type Silent = {
  readonly queries: Queries
  readonly systems: readonly string[]
  readonly level: Level<'system' | 'missed'>
}

/** Every kind of each carrier each time, so that a gauge falls when its parcels are heard of. */
export async function measureSilent({ queries, systems, level }: Silent): Promise<void> {
  const counts = await countSilentParcels(queries, systems)
  for (const system of systems) {
    for (const missed of [null, ...PARCELS_MISSED]) {
      const found = counts.find((count) => count.system === system && count.missed === missed)
      level.set({ system, missed: missed ?? 'no' }, found?.parcels ?? 0)
    }
  }
}
