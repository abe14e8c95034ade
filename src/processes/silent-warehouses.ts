/** Requests of which a warehouse has told nothing for long: it is asked, since a last word that was lost leaves no gap. */
import type { WarehouseMessage } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { documentsOnDesk } from '#platform/desk-pages.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { streamProgress } from '#platform/inbox-progress.ts'
import { whenMade } from '#platform/log-times.ts'
import { readingProgress, saveProgress } from '#platform/readings.ts'
import { type OpenRequest, openRequestsOf } from '#domains/shipments/views/open-requests.ts'
import type { Told } from './inbound.ts'
import { fulfillmentNumber } from './ports.ts'

export type SilencePorts = {
  readonly database: Database
  readonly clock: Clock
  /** By the name of the system. */
  readonly warehouses: ReadonlyMap<string, InboundDoor<WarehouseMessage>>
  /** The system that runs a location. */
  readonly systemAt: (location: string) => string | undefined
  readonly hear: (told: Told) => Promise<unknown>
  readonly silentAfterMs: number
  readonly onError: (system: string, error: unknown) => void
}

const PAUSE_MAX_MS = 3_600_000
/** A look takes so many orders; the next one goes on behind them. */
const ORDERS_PER_LOOK = 500
const ROUND = { company: '*', source: 'warehouses', resource: 'silence' }

/**
 * One look at a page of the orders under way. A round through all of them asks for what fell due since the round before
 * it began, so that nothing has to be remembered of a request, and any process can make the next look.
 */
export async function askSilentWarehouses(ports: SilencePorts): Promise<void> {
  const { database, clock } = ports
  const { since, cursor, begunAsOf } = await readingProgress(database, ROUND)
  const until = begunAsOf ?? clock.now()
  const page = { after: Number(cursor ?? 0), limit: ORDERS_PER_LOOK }
  const orders = await documentsOnDesk(database, 'order-to-cash', page)
  const silent = await fallenDue(ports, orders, { since, until })
  const asked = Map.groupBy(silent, ({ location }) => ports.systemAt(location) ?? '')
  await Promise.all([...asked].map(([system, requests]) => ask(ports, system, requests)))
  const last = orders.length < ORDERS_PER_LOOK ? undefined : orders.at(-1)
  await saveProgress(database, ROUND, {
    ...(last === undefined
      ? { since: until, cursor: null, begunAsOf: null }
      : { since, cursor: String(last), begunAsOf: until }),
    complete: true,
  })
}

type Round = { readonly since: Date | null; readonly until: Date }

/** A request's last news is what made its version, whether the warehouse told it or we asked it. */
async function fallenDue(
  { database, silentAfterMs }: SilencePorts,
  orders: readonly number[],
  { since, until }: Round,
): Promise<OpenRequest[]> {
  const open = await openRequestsOf(database, orders, new Date(until.getTime() - silentAfterMs))
  const versions = open.map(({ doc, version, requestedAt }) => ({ doc, version, since: requestedAt }))
  const news = await whenMade(database, versions)
  return open.filter(({ doc, requestedAt }) => {
    const atMs = (news.get(doc) ?? requestedAt).getTime()
    const before = since === null ? 0 : timesToAsk(since.getTime() - atMs, silentAfterMs)
    return timesToAsk(until.getTime() - atMs, silentAfterMs) > before
  })
}

/** How often to have asked who has been silent for so long: first after `afterMs`, then after pauses that double. */
export function timesToAsk(silentMs: number, afterMs: number): number {
  let [times, nextMs, pauseMs] = [0, afterMs, afterMs]
  for (; nextMs <= silentMs && pauseMs < PAUSE_MAX_MS; pauseMs *= 2) {
    times += 1
    nextMs += pauseMs
  }
  return silentMs < nextMs ? times : times + 1 + Math.floor((silentMs - nextMs) / PAUSE_MAX_MS)
}

/** For all that follows what was applied of each request's stream, heard like anything that is told. */
async function ask(
  { database, warehouses, hear, onError }: SilencePorts,
  system: string,
  requests: readonly OpenRequest[],
): Promise<void> {
  const door = warehouses.get(system)
  if (!door?.askAgain || !door.streamOf) return
  try {
    const streams = requests.map(({ doc }) => door.streamOf!(fulfillmentNumber(doc)))
    const applied = await streamProgress(database, system, streams)
    const told = await door.askAgain(
      streams.map((stream) => {
        const from = (applied.get(stream)?.lastSequence ?? -1) + 1
        return { source: system, stream, missing: { from, to: Number.MAX_SAFE_INTEGER } }
      }),
    )
    await Promise.all(told.map((inbound) => hear({ door, inbound })))
  } catch (error) {
    onError(system, error)
  }
}
