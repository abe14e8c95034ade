/** Sources of stock that are silent for too long: a rule holds meanwhile, somebody is told, and promises are checked after. */
import type { FreshnessRule, SourceState } from '#domains/inventory/contract/freshness.ts'
import {
  type CheckedDoubt,
  checkPromises,
  endWithholding,
  lockSourceStates,
  markDoubts,
  type NewDoubt,
  saveTurns,
  type Turn,
} from '#domains/inventory/operations/freshness.ts'
import { reservationsOf } from '#domains/inventory/operations.ts'
import { sourceStates } from '#domains/inventory/views/freshness.ts'
import { acceptedBetween, headersOf } from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, linesOfFulfillments } from '#domains/shipments/views.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { wakeDocuments } from '#platform/desk.ts'
import { type Cause, closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { lastRead, lastTold } from '#platform/hearing.ts'
import type { Ids } from '#platform/ids.ts'
import type { Care } from './care.ts'
import { summed } from './careful-orders.ts'
import { wakeOrder } from './order-work.ts'

export type FreshnessWatch = {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Pick<Ids, 'documents'>
  readonly rules: readonly FreshnessRule[]
  readonly care: Pick<Care, 'expect' | 'learn'>
  /** Under which exceptions of systems are opened. */
  readonly company: string
  readonly openExceptions: (tx: Transaction, occurrences: readonly Occurrence[]) => Promise<unknown>
}

const CAUSE = { source: 'freshness', actor: 'freshness' }
/** Longer than any transaction lasts: an order may be written that began before the look that marked. */
const OVERLAP_MS = 10_000
const keyOf = ({ source, flow }: Pick<SourceState, 'source' | 'flow'>): string => `${source}\0${flow}`

/**
 * One look: who was heard when, whose rule holds from now on and whose no more, which orders were promised stock of
 * silent places since the look before. What was promised of places that are heard again is checked.
 */
export async function watchFreshness(watch: FreshnessWatch): Promise<void> {
  const { database, clock, ids, rules, care, company, openExceptions } = watch
  if (rules.length === 0) return
  const now = clock.now()
  const known = new Map((await sourceStates(database)).map((state) => [keyOf(state), state]))
  const heard = await heardOf(database, rules, known, now)
  const docs = await ids.documents(rules.filter((rule) => !known.has(keyOf(rule))).length)
  const states = await database.transaction(async (tx) => {
    const locked = new Map((await lockSourceStates(tx)).map((state) => [keyOf(state), state]))
    const fresh = [...docs]
    const turns = rules.map((rule) => {
      const key = keyOf(rule)
      return turnOf(rule, locked.get(key), { heardAt: heard.get(key), now, doc: () => fresh.pop()! })
    })
    const silent = turns.filter(({ state }) => state.silentSince !== null)
    if (silent.length > 0) care.expect()
    await markOrders(
      tx,
      turns.filter(({ state, change }) => state.silentSince !== null || change === 'heard again'),
      now,
    )
    const marked = turns.map(({ state, ...turn }) => ({
      ...turn,
      state: { ...state, markedUntil: state.silentSince && now },
    }))
    await saveTurns(tx, marked, company, CAUSE)
    await openExceptions(
      tx,
      turns.flatMap((turn) => (turn.change === 'fell silent' ? silentExceptionOf(company, turn) : [])),
    )
    await closeExceptions(
      tx,
      turns.flatMap(({ change, rule }) => (change === 'heard again' ? causeOf(company, rule) : [])),
      'it is heard again',
    )
    const places = [...new Set(silent.flatMap(({ rule }) => rule.locations))]
    const checked = await checkPromises(tx, places)
    await openExceptions(tx, checked.flatMap(shortExceptionOf))
    return marked.map(({ state }) => state)
  })
  care.learn(states)
  const silent = new Set(states.flatMap((state) => (state.silentSince === null ? [] : [keyOf(state)])))
  // also of those for which there is no rule any more
  const others = [...states, ...known.values()].filter((state) => !silent.has(keyOf(state)))
  await wakeWithheld(database, [...new Map(others.map((state) => [keyOf(state), state])).values()])
}

const PORTION = 500

/** Orders that waited for who is heard have their turn again. */
async function wakeWithheld(database: Database, heard: readonly SourceState[]): Promise<void> {
  for (let count = PORTION; count === PORTION;) {
    count = await database.transaction(async (tx) => {
      const lines = await endWithholding(tx, heard, PORTION)
      const orders = lines.length > 0 ? await headersOf(tx, [...new Set(lines)]) : []
      await wakeDocuments(tx, null, orders.map(wakeOrder))
      return lines.length
    })
  }
}

/** By source and flow; what has told nothing since it was last known to be heard is absent. */
async function heardOf(
  queries: Queries,
  rules: readonly FreshnessRule[],
  known: ReadonlyMap<string, SourceState>,
  now: Date,
): Promise<ReadonlyMap<string, Date>> {
  const since = (rule: FreshnessRule): Date => {
    const budget = new Date(now.getTime() - rule.budgetMs)
    const last = known.get(keyOf(rule))?.heardAt
    return last && last > budget ? last : budget
  }
  const [told, read] = await Promise.all([
    lastTold(
      queries,
      rules.flatMap((rule) =>
        rule.flow === 'messages' ? [{ source: rule.source, since: since(rule) }] : [],
      ),
    ),
    lastRead(
      queries,
      rules.flatMap((rule) => (rule.flow === 'readings' ? [rule.source] : [])),
    ),
  ])
  return new Map(
    rules.flatMap((rule) => {
      const at = (rule.flow === 'messages' ? told : read).get(rule.source)
      return at ? [[keyOf(rule), at] as const] : []
    }),
  )
}

type Seen = { readonly heardAt: Date | undefined; readonly now: Date; readonly doc: () => number }

/** A source that nobody knows yet is given its budget from now on. */
function turnOf(rule: FreshnessRule, known: SourceState | undefined, { heardAt, now, doc }: Seen): Turn {
  const before = known ?? {
    source: rule.source,
    flow: rule.flow,
    doc: doc(),
    version: 0,
    heardAt: now,
    silentSince: null,
    markedUntil: null,
  }
  const last = heardAt && (!known || heardAt > known.heardAt) ? heardAt : before.heardAt
  const isSilent = now.getTime() - last.getTime() > rule.budgetMs
  const wasSilent = before.silentSince !== null
  const change = isSilent === wasSilent ? 'none' : isSilent ? 'fell silent' : 'heard again'
  const state = {
    ...before,
    heardAt: last,
    version: before.version + (change === 'none' ? 0 : 1),
    silentSince: isSilent ? (before.silentSince ?? now) : null,
  }
  return { state, rule, change }
}

/** Orders that were promised stock of silent places since they were marked last: by their claims, and what was requested. */
async function markOrders(tx: Transaction, silent: readonly Turn[], now: Date): Promise<void> {
  if (silent.length === 0) return
  const starts = silent.map(({ state }) => (state.markedUntil ?? now).getTime())
  const orders = await acceptedBetween(tx, new Date(Math.min(...starts) - OVERLAP_MS), now)
  if (orders.length === 0) return
  const places = new Set(silent.flatMap(({ rule }) => rule.locations))
  const [claims, requests] = await Promise.all([reservationsOf(tx, orders), fulfillmentsOfOrders(tx, orders)])
  const byRequest = new Map(requests.map((request) => [request.doc, request]))
  const lines = await linesOfFulfillments(tx, [...byRequest.keys()])
  const promised = [
    ...claims.map(({ doc, company, itemId, location, quantity }) => ({
      doc,
      company,
      itemId,
      location,
      quantity,
    })),
    ...lines.map(({ doc, itemId, quantity }) => {
      const { orderId, company, location } = byRequest.get(doc)!
      return { doc: orderId, company, itemId, location, quantity }
    }),
  ]
  const doubts = promised.filter(({ location }) => places.has(location))
  markDoubts(tx, summed(doubts.map((one): NewDoubt => ({ ...one, kind: 'order' }))))
}

const causeOf = (company: string, { source, flow }: FreshnessRule): Cause => ({
  company,
  cause: `inventory.source_silent:${source}:${flow}`,
})

const silentExceptionOf = (company: string, { state, rule }: Turn): Occurrence => ({
  ...causeOf(company, rule),
  code: 'inventory.source_silent',
  title: `${rule.source} has told nothing of stock since ${state.heardAt.toISOString()}`,
  suggestedAction: `See whether ${rule.source} works and reaches us. Until it is heard, less is promised of ${rule.locations.join(', ')} by the rule "${rule.rule.kind}"; what was promised meanwhile is checked afterwards.`,
  facts: {
    source: rule.source,
    flow: rule.flow,
    rule: rule.rule.kind,
    locations: rule.locations,
    heardAt: state.heardAt.toISOString(),
  },
})

function shortExceptionOf({ doc, itemId, location, kind, company, outcome }: CheckedDoubt): Occurrence[] {
  if (outcome === 'kept') return []
  return [
    {
      company,
      cause: `inventory.promise_short:${itemId}:${location}`,
      code: 'inventory.promise_short',
      title: `More was promised of an item at ${location} than is there, while nothing was heard of it`,
      suggestedAction: `Count item ${itemId} at ${location}. If it is missing, serve the documents from elsewhere or tell who waits for them.`,
      facts: { item: itemId, location },
      affects: { doc, kind },
    },
  ]
}
