/** Agreement of books and counts: asked for by people, by programs and each day, done by one worker at a time. */
import { reconciliationRoutes } from '#domains/inventory/routes/reconciliations.ts'
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import {
  askReconciliation,
  giveUpReconciliation,
  nextReconciliation,
  noteMissedCounts,
} from '#domains/inventory/operations/reconciliations.ts'
import { isReconciled, reconciliationOf, stockedSince } from '#domains/inventory/views/reconciliations.ts'
import type { ErpReader } from '#capabilities/erp.ts'
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { StockPlace } from '#capabilities/wms.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Database, Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Route } from '#platform/http.ts'
import type { Job } from '#platform/schedule.ts'
import { DAY_MS, localDate, minutesOf, timeZone } from '#platform/time-zone.ts'
import { politeCounter, politeReader } from './app-polite.ts'
import type { StockWires } from './app-stock-files.ts'
import { type Bound, describeError } from './app-systems.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { type Counter, reconcile } from './processes/reconciliation.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000

type Asking = {
  readonly company: string
  readonly location: string
  readonly source?: string | undefined
  readonly dryRun: boolean
}
type Sources = Pick<Bound, 'counters' | 'readers'>
/** Whether a system can be asked what it has. */
type CanCount = (system: string) => boolean

/** By its connector, for who has the configuration alone. */
export const countsByConfig =
  ({ systems }: Config): CanCount =>
  (system) =>
    ['wms-depot', 'erp-legacy', 'erp-cloud'].includes(systems[system]?.connector ?? '')

/** Who counts there: the named one, or the system that runs the location; undefined where it cannot be asked. */
export function counterAt(
  config: Config,
  canCount: CanCount,
  { company, location, source }: Omit<Asking, 'dryRun'>,
): string | undefined {
  const known = countersAt(config, canCount, { company, location })
  const chosen = source ?? config.locations.find(({ code }) => code === location)?.wms
  return chosen !== undefined && known.includes(chosen) ? chosen : undefined
}

const countersAt = (
  { locations, companies }: Config,
  canCount: CanCount,
  { company, location }: Pick<Asking, 'company' | 'location'>,
): string[] =>
  [
    locations.find(({ code }) => code === location)?.wms,
    companies.find(({ code }) => code === company)?.erp,
  ].flatMap((name) => (name !== undefined && canCount(name) ? [name] : []))

function sourceOf(config: Config, canCount: CanCount, asking: Asking): string {
  const chosen = counterAt(config, canCount, asking)
  if (chosen !== undefined) return chosen
  const { source, location } = asking
  const known = countersAt(config, canCount, asking).join(', ') || 'none'
  const why = source === undefined ? `; ${whyUnasked(config, location)}` : ''
  const message = `${source ?? 'nobody'} cannot be asked what is at ${location}; known: ${known}${why}`
  throw new Refusal('inventory.nobody_counts', message, {}, source === undefined ? '/location' : '/source')
}

/** Who tells of a place, and counts it when it likes: the EDI partner that runs it, or a feed of files. */
const tellerOf = ({ locations, feeds }: Config, location: string): string | undefined =>
  locations.find(({ code }) => code === location)?.wms ??
  Object.keys(feeds).find((name) => feeds[name]!.locations.includes(location))

/** Why a place cannot be asked what it has, and what holds its books against a count instead. */
export function whyUnasked(config: Config, location: string): string {
  const teller = tellerOf(config, location)
  if (teller === undefined) return 'no system and no feed counts there: name an ERP that does, or add a feed'
  return config.locations.every(({ code, wms }) => code !== location || wms === undefined)
    ? `the feed ${teller} tells of it by files: load a whole count of it (crossdock inventory load FILE --source ${teller} --whole)`
    : `${teller}, which runs it, speaks EDI alone: have it send its 846, which is held against the books when it comes`
}

/** Writes it down; a worker takes it up. */
export async function ask(
  queries: Queries,
  config: Config,
  canCount: CanCount,
  { actor, now, ...asking }: Asking & { readonly actor: string; readonly now: Date },
): Promise<number> {
  const { company, location, dryRun } = asking
  const { timeZone: zone, currency } = config.companies.find(({ code }) => code === company)!
  const source = sourceOf(config, canCount, asking)
  const day = localDate(now, zone)
  return askReconciliation(queries, { company, location, source, day, dryRun, askedBy: actor, currency })
}

const countsBy =
  ({ counters, readers }: Sources): CanCount =>
  (system) =>
    counters.has(system) || readers.has(system)

type RouteWires = Pick<StockWires, 'config' | 'database' | 'bound' | 'ports'> & { readonly screens: Database }

export const reconciliationsOf = (
  { config, database, screens, bound, ports }: RouteWires,
  pages: Pages,
  doors: AvailabilityPorts,
): Route[] =>
  reconciliationRoutes({
    ...doors,
    queries: screens,
    pages,
    ask: ({ request, actor, traceId, claim: mine }) =>
      database.transaction(async (tx) => {
        const earlier = settle((await claim(tx, [mine])).get(mine)!)
        if (earlier) return earlier
        const id = await ask(tx, config, countsBy(bound), { ...request, actor, now: ports.clock.now() })
        recordAudit(tx, [
          {
            actor,
            action: 'inventory.reconcile',
            company: request.company,
            after: { id, ...request },
            traceId,
          },
        ])
        const answer = { status: 202, body: (await reconciliationOf(tx, id))! } as const
        record(tx, [{ ...mine, ...answer }])
        return answer
      }),
  })

/** What was asked for is done in its order; each day asks by itself, at the time that its source says. */
export function reconciliationJobs(wires: StockWires): Job[] {
  return [
    {
      name: 'reconciliations',
      everyMs: SECOND_MS,
      run: inTurn(wires, 'reconciliations', SECOND_MS / 2, () => workOff(wires)),
    },
    {
      name: 'daily proof of agreement',
      everyMs: MINUTE_MS,
      run: inTurn(wires, 'daily-reconciliations', MINUTE_MS / 2, async () => {
        await askDaily(wires)
        await noteMissed(wires)
      }),
    },
  ]
}

async function workOff(wires: StockWires): Promise<void> {
  const { database, worker, processPorts, ports } = wires
  for (let next = await nextReconciliation(database); next; next = await nextReconciliation(database)) {
    const { source } = next
    try {
      await reconcile(
        {
          ...processPorts,
          queries: database,
          clock: ports.clock,
          transaction: (by, work) => worker.runner().transaction({ source: by, actor: by }, work),
        },
        { ...next, counter: counterOf(wires, source) },
      )
    } catch (error) {
      ports.log.warn(`reconciliation ${next.id} failed`, { error: describeError(error) })
      await giveUpReconciliation(database, next.id, error instanceof Error ? error.message : String(error))
    }
  }
}

function counterOf(wires: StockWires, source: string): Counter {
  const { bound, warehouse, worker, ports } = wires
  const wms = bound.counters.get(source)
  if (wms) {
    const polite = politeCounter(wms, wires)
    return {
      stockSnapshot: (place) => polite.stockSnapshot(place),
      async recover(place, missing) {
        const told = await polite.stockAgain(place, missing)
        const door = bound.warehouses.get(source)!
        const heard = await Promise.all(told.map((inbound) => warehouse.add({ door, inbound })))
        return heard.filter((one) => one === 'applied').length
      },
    }
  }
  const erp = bound.readers.get(source)!
  const reader = worker.life
    ? politeReader(erp, { system: source, gate: worker.life.policies.gate(source), clock: ports.clock })
    : erp
  return { stockSnapshot: (place) => erpSnapshot(reader, place) }
}

/** All pages of what an ERP has on hand, as of the first. */
async function erpSnapshot(reader: ErpReader, { company, location }: StockPlace): Promise<StockSnapshot> {
  let page = await reader.stock({})
  const takenAt = page.asOf
  const lines = [...page.items]
  while (page.next !== undefined) {
    page = await reader.stock({ cursor: page.next })
    lines.push(...page.items)
  }
  const here = lines.filter((line) => line.location === location)
  return { company, location, takenAt, scope: 'location', lines: here }
}

/** Of places that nobody can be asked of: yesterday none of them was counted, if so. */
async function noteMissed({ config, database, bound, ports }: StockWires): Promise<void> {
  const yesterday = new Date(ports.clock.now().getTime() - DAY_MS)
  const missed = config.companies.flatMap(({ code: company, currency, timeZone: zone }) => {
    const day = localDate(yesterday, zone)
    return config.locations.flatMap(({ code: location, company: owner = company, wms }) => {
      const source = tellerOf(config, location)
      if (owner !== company || source === undefined || (wms !== undefined && bound.counters.has(wms)))
        return []
      const problem = `no count of ${location} came on ${day}; ${whyUnasked(config, location)}`
      return [{ company, location, source, day, currency, timeZone: zone, problem }]
    })
  })
  if (missed.length > 0) await noteMissedCounts(database, missed)
}

/** Each place whose time has come today, once; of one that was opened after that, from tomorrow on. */
async function askDaily(wires: StockWires): Promise<void> {
  const { config, database, bound, ports } = wires
  const now = ports.clock.now()
  for (const { code: location, company: owner, wms: source } of config.locations) {
    // who runs it by EDI tells what it counts when it likes, and cannot be asked
    if (source === undefined || !bound.counters.has(source)) continue
    const at = config.systems[source]!.stock.reconcileAt
    if (at === 'never') continue
    for (const { code: company, timeZone: zone } of config.companies) {
      if (owner !== undefined && owner !== company) continue
      const sinceMs = (minutesOfDay(now, zone) - minutesOf(at)) * MINUTE_MS
      if (sinceMs < 0) continue
      const opened = await stockedSince(database, { company, location })
      if (!opened || opened.getTime() > now.getTime() - sinceMs) continue
      if (await isReconciled(database, { company, location, source }, localDate(now, zone))) continue
      const asking = { company, location, source, dryRun: false, actor: 'crossdock', now }
      await ask(database, config, countsBy(bound), asking)
    }
  }
}

const minutesOfDay = (now: Date, zone: string): number =>
  Math.floor((timeZone(zone).toLocalMs(now.getTime()) % DAY_MS) / MINUTE_MS)
