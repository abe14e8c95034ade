/** Messages that never came: their sender is asked again, then a person is told; what comes at last closes it. */
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import {
  gapsThatAreOver,
  lastingGaps,
  MISSING,
  type StreamGap,
  type UntoldGap,
  untoldGaps,
} from '#platform/inbox-gaps.ts'
import { headersOf } from '#domains/orders/views.ts'
import { fulfillmentsOf } from '#domains/shipments/views.ts'
import type { AnyDoors } from './any-door.ts'
import { type Parkable, park, settleParked } from '#platform/parking.ts'
import { parseNumber, type ProcessPorts } from './ports.ts'

export type GapPorts = Pick<ProcessPorts, 'openExceptions'> & {
  readonly database: Database
  readonly clock: Clock
  readonly doors: AnyDoors
  /** How long a gap may last before anything is done: what overtakes on its way closes it by itself. */
  readonly afterMs: number
  readonly onError: (system: string, error: unknown) => void
}

const PAUSE_MAX_MS = 3_600_000

/** Looks once: asks for what has been missing for long, tells people what did not come, closes what is over. */
export function gapWatch(ports: GapPorts): () => Promise<void> {
  const isDue = askingPace(ports)
  return async () => {
    const gaps = await lastingGaps(ports.database, ports.afterMs)
    const due = Map.groupBy(isDue(gaps), ({ source }) => source)
    await Promise.all([...due].map(([system, missed]) => askAgain(ports, system, missed)))
    await ports.database.transaction(async (tx) => {
      const isAsked = new Set(gaps.map(nameOf))
      // one that grew old while others were asked for has its turn first
      const untold = (await untoldGaps(tx, ports.afterMs)).filter((gap) => isAsked.has(nameOf(gap)))
      const orders = await ordersBehind(tx, ports, untold)
      const told = untold.map((gap) => ({
        gap,
        occurrence: { ...tellingOf(ports, gap), ...orders.get(gap) },
      }))
      await ports.openExceptions(
        tx,
        told.map(({ occurrence }) => occurrence),
      )
      await park(tx, told.map(parkedAs))
      const over = await gapsThatAreOver(tx)
      await settleParked(
        tx,
        over.map((gap) => ({ kind: 'message', key: keyOf(gap) })),
      )
      await closeExceptions(tx, over, 'what was missing is here, or nobody waits for it any more')
    })
  }
}

const nameOf = ({ source, stream, missing }: StreamGap): string => `${source} ${stream} ${missing.from}`

/** Asks for a gap when it is first seen to last, and again after pauses that double, since a history may come late. */
function askingPace({ clock, afterMs }: GapPorts): (gaps: readonly StreamGap[]) => StreamGap[] {
  let asked = new Map<string, { readonly nextMs: number; readonly pauseMs: number }>()
  return (gaps) => {
    const nowMs = clock.monotonicMs()
    const before = asked
    asked = new Map()
    return gaps.filter((gap) => {
      const key = nameOf(gap)
      const known = before.get(key)
      const isDue = nowMs >= (known?.nextMs ?? 0)
      const pauseMs = Math.min(known ? known.pauseMs * 2 : afterMs, PAUSE_MAX_MS)
      asked.set(key, isDue || !known ? { nextMs: nowMs + pauseMs, pauseMs } : known)
      return isDue
    })
  }
}

async function askAgain({ doors, onError }: GapPorts, system: string, gaps: readonly StreamGap[]) {
  const door = doors.get(system)
  try {
    const told = (await door?.askAgain?.(gaps)) ?? []
    await Promise.all(told.map((inbound) => door!.hear(inbound)))
  } catch (error) {
    onError(system, error)
  }
}

function tellingOf({ doors }: GapPorts, gap: UntoldGap): Occurrence {
  const { company, cause, source, stream, missing, waiting, since } = gap
  const { from, to } = missing
  const which = from === to ? `message ${from}` : `messages ${from} to ${to}`
  const wasAsked = doors.get(source)?.askAgain !== undefined
  return {
    company,
    cause,
    code: MISSING,
    title: `${source}: ${which} of ${stream} ${from === to ? 'is' : 'are'} missing, and ${waiting} later ${waiting === 1 ? 'one waits' : 'ones wait'}`,
    suggestedAction: `${wasAsked ? `${source} was asked and has not told. ` : ''}Have ${source} send ${which} of ${stream} again; where it lies in quarantine, mend and replay it. What waits is then applied by itself. Where it will never come, see to what it said and replay the parked work of this gap: what waits goes on without it.`,
    facts: { source, stream, from, to, waiting, since: since.toISOString() },
  }
}

const keyOf = ({ source, cause }: Pick<UntoldGap, 'source' | 'cause'>): string => `${source}/${cause}`

/** What waits is parked work: replayed, it goes on without what is missing. */
function parkedAs({ gap, occurrence }: { gap: UntoldGap; occurrence: Occurrence }): Parkable {
  const { company, source, stream, missing } = gap
  return {
    kind: 'message',
    key: keyOf(gap),
    company,
    system: source,
    doc: occurrence.affects?.doc,
    cause: { code: MISSING, message: occurrence.title },
    context: { gap: { stream, from: missing.from } },
  }
}

/** The order that waits, by the first message in line, where that is about one. */
async function ordersBehind(
  queries: Queries,
  { doors }: GapPorts,
  gaps: readonly UntoldGap[],
): Promise<ReadonlyMap<UntoldGap, Pick<Occurrence, 'affects'>>> {
  const requests = new Map<UntoldGap, number>()
  for (const gap of gaps) {
    const door = doors.get(gap.source)
    const inbound = gap.first && door ? await door.restore(gap.first) : undefined
    const doc = parseNumber(fulfillmentNamed(inbound?.message), 'F')
    if (doc !== undefined) requests.set(gap, doc)
  }
  const fulfillments = await fulfillmentsOf(queries, [...new Set(requests.values())])
  const orderOf = new Map(fulfillments.map(({ doc, orderId }) => [doc, orderId]))
  const orders = await headersOf(queries, [...new Set(orderOf.values())])
  const headers = new Map(orders.map((order) => [order.doc, order]))
  return new Map(
    [...requests].flatMap(([gap, request]) => {
      const order = headers.get(orderOf.get(request) ?? 0)
      if (!order) return []
      const value = { amountMinor: order.totalMinor, currency: order.currency }
      return [[gap, { affects: { doc: order.doc, kind: 'order', value } }]]
    }),
  )
}

function fulfillmentNamed(message: unknown): string {
  if (typeof message !== 'object' || message === null || !('fulfillment' in message)) return ''
  return typeof message.fulfillment === 'string' ? message.fulfillment : ''
}
