/** Sources of stock that are silent for too long: a rule holds meanwhile, somebody is told, and promises are checked after. */
import type { FreshnessRule, KnownSource, SourceState } from '#domains/inventory/contract/freshness.ts'
import {
  type CheckedDoubt,
  checkPromises,
  endWithholding,
  lockSourceStates,
  markDoubts,
  type NewDoubt,
  saveSourceStates,
  saveTurns,
  type Turn,
} from '#domains/inventory/operations/freshness.ts'
import { reservationsOf } from '#domains/inventory/operations.ts'
import { rulesInForce, sourceStates } from '#domains/inventory/views/freshness.ts'
import { acceptedBetween, headersOf } from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, linesOfFulfillments } from '#domains/shipments/views.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries, Transaction } from '#platform/database.ts'
import { wakeDocuments } from '#platform/desk.ts'
import { type Cause, closeExceptions, type Occurrence, restateExceptions } from '#platform/exceptions.ts'
import { lastRead, lastTold } from '#platform/hearing.ts'
import type { Ids } from '#platform/ids.ts'
import type { Care } from './care.ts'
import { summed } from './careful-orders.ts'
import { wakeOrder } from './order-work.ts'

export type FreshnessWatch = {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Pick<Ids, 'documents'>
  /** What is configured; what people set takes its place. */
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
  const { database, clock, ids, rules: configured, care } = watch
  const now = clock.now()
  const known = byKey(await sourceStates(database))
  if (configured.length === 0 && known.size === 0) return
  const heard = await heardOf(database, rulesInForce(configured, [...known.values()]), known, now)
  const docs = await ids.documents(configured.filter((rule) => !known.has(keyOf(rule))).length)
  const { states, changed } = await database.transaction(async (tx) => {
    const locked = byKey(await lockSourceStates(tx))
    const rules = rulesInForce(configured, [...locked.values()])
    const fresh = [...docs]
    const turns = rules.map((rule) => {
      const key = keyOf(rule)
      return turnOf(rule, locked.get(key), { heardAt: heard.get(key), now, doc: () => fresh.pop()! })
    })
    if (turns.some(isSilent)) care.expect()
    const marked = await writeTurns(tx, watch, turns, now)
    const under = turns.filter(isUnderAnother)
    restateExceptions(
      tx,
      under.map((turn) => silentExceptionOf(watch.company, turn)),
    )
    await letGo(tx, watch, unruled(rules, locked))
    const places = [...new Set(turns.filter(isSilent).flatMap(({ rule }) => rule.locations))]
    const checked = await checkPromises(tx, places)
    await watch.openExceptions(tx, checked.flatMap(shortExceptionOf))
    return { states: marked, changed: under.map(({ state }) => state) }
  })
  care.learn(states)
  const silent = new Set(states.flatMap((state) => (state.silentSince === null ? [] : [keyOf(state)])))
  // also of those for which there is no rule any more, or another one
  const others = [...states, ...known.values()].filter((state) => !silent.has(keyOf(state)))
  await wakeWithheld(database, [...byKey([...others, ...changed]).values()], now)
}

const byKey = <Source extends Pick<SourceState, 'source' | 'flow'>>(
  sources: readonly Source[],
): ReadonlyMap<string, Source> => new Map(sources.map((source) => [keyOf(source), source]))

const isSilent = ({ state }: Turn): boolean => state.silentSince !== null

/** Answers how sources are now. */
async function writeTurns(
  tx: Transaction,
  { company, openExceptions }: FreshnessWatch,
  turns: readonly KnownTurn[],
  now: Date,
): Promise<readonly KnownSource[]> {
  await markOrders(
    tx,
    turns.filter((turn) => isSilent(turn) || turn.change === 'heard again'),
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
  return marked.map(({ state }) => state)
}

/** Of silent sources those for which there is no rule any more. */
function unruled(rules: readonly FreshnessRule[], locked: ReadonlyMap<string, KnownSource>): KnownSource[] {
  const ruled = byKey(rules)
  return [...locked.values()].filter((state) => state.silentSince && !ruled.has(keyOf(state)))
}

async function letGo(
  tx: Transaction,
  { company }: FreshnessWatch,
  sources: readonly KnownSource[],
): Promise<void> {
  if (sources.length === 0) return
  saveSourceStates(
    tx,
    sources.map((state) => ({ ...state, silentSince: null, markedUntil: null })),
  )
  await closeExceptions(
    tx,
    sources.map((state) => causeOf(company, state)),
    'no rule is left for it',
  )
}

/** Whether a person changed the rule of who is silent since the look before, or shortly before that. */
const isUnderAnother = ({ state: { silentSince, ruleSetAt, markedUntil } }: KnownTurn): boolean =>
  silentSince !== null &&
  ruleSetAt !== null &&
  ruleSetAt.getTime() > (markedUntil ?? silentSince).getTime() - OVERLAP_MS

const PORTION = 500

/** Orders that waited for who is heard, or is judged by another rule, have their turn again. */
async function wakeWithheld(
  database: Database,
  sources: readonly SourceState[],
  before: Date,
): Promise<void> {
  for (let count = PORTION; count === PORTION;) {
    count = await database.transaction(async (tx) => {
      const lines = await endWithholding(tx, sources, { before, limit: PORTION })
      const orders = lines.length > 0 ? await headersOf(tx, [...new Set(lines)]) : []
      await wakeDocuments(tx, null, orders.map(wakeOrder))
      return lines.length
    })
  }
}

/** How the next look would find the source under the rule. */
export async function foundUnder(
  queries: Queries,
  rule: FreshnessRule,
  state: KnownSource,
  now: Date,
): Promise<KnownSource> {
  const heard = await heardOf(queries, [rule], byKey([state]), now)
  return turnOf(rule, state, { heardAt: heard.get(keyOf(rule)), now, doc: () => state.doc }).state
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

type KnownTurn = Turn & { readonly state: KnownSource }
type Seen = { readonly heardAt: Date | undefined; readonly now: Date; readonly doc: () => number }

/** A source that nobody knows yet is given its budget from now on. */
function turnOf(rule: FreshnessRule, known: KnownSource | undefined, { heardAt, now, doc }: Seen): KnownTurn {
  const before = known ?? {
    source: rule.source,
    flow: rule.flow,
    doc: doc(),
    version: 0,
    heardAt: now,
    silentSince: null,
    markedUntil: null,
    ruleVersion: 0,
    ruleSetAt: null,
    rule: null,
  }
  const last = heardAt && (!known || heardAt > known.heardAt) ? heardAt : before.heardAt
  const isNow = now.getTime() - last.getTime() > rule.budgetMs
  const wasBefore = before.silentSince !== null
  const change = isNow === wasBefore ? 'none' : isNow ? 'fell silent' : 'heard again'
  const state = {
    ...before,
    heardAt: last,
    version: before.version + (change === 'none' ? 0 : 1),
    silentSince: isNow ? (before.silentSince ?? now) : null,
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

const causeOf = (company: string, { source, flow }: Pick<FreshnessRule, 'source' | 'flow'>): Cause => ({
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
