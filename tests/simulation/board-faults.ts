/** Bad days of the counterparts themselves: which of them a seed has, until they end. */
import type { Config } from '../../src/config-schema.ts'
import type { Fault } from '#landscape/faults.ts'
import { draw } from '#landscape/random.ts'
import { CONFIGURED, type CounterpartName, type Counterparts } from './counterparts.ts'
import { SYSTEMS } from './network.ts'
import type { Day } from './day.ts'
import type { FaultScript } from './fault-script.ts'
import { timeAt } from './virtual-clock.ts'

const CALLS: Readonly<Record<string, Fault>> = {
  'rate-limit': { kind: 'rate-limit', perSecond: 4, burst: 4, retryAfterSeconds: 2 },
  'rate-limit-date': {
    kind: 'rate-limit',
    perSecond: 4,
    burst: 4,
    retryAfterSeconds: 2,
    retryAfterAs: 'date',
  },
  'server-errors': { kind: 'server-error', share: 0.15 },
  'server-errors-with-retry-after': { kind: 'server-error', share: 0.1, retryAfterSeconds: 1 },
  'outage-refused': { kind: 'outage', mode: 'unavailable', afterMs: 1_500, forMs: 5_000 },
  'outage-reset': { kind: 'outage', mode: 'reset', afterMs: 800, forMs: 3_000 },
  'no-answer-reset': { kind: 'no-answer', mode: 'reset', share: 0.1 },
  'no-answer-hang': { kind: 'no-answer', mode: 'hang', share: 0.06 },
  'html-body': { kind: 'wrong-body', body: 'html', share: 0.08 },
  'empty-body': { kind: 'wrong-body', body: 'empty', share: 0.06 },
  'truncated-body': { kind: 'wrong-body', body: 'truncated', share: 0.06 },
  'item-failure': { kind: 'item-failure', share: 0.1 },
  latency: { kind: 'latency', ms: 150, jitterMs: 900, share: 0.3 },
}
const WEBHOOKS: Readonly<Record<string, Fault>> = {
  'webhook-duplicate': { kind: 'webhook-duplicate', share: 0.3 },
  'webhook-reorder': { kind: 'webhook-reorder', window: 4 },
  'webhook-delay': { kind: 'webhook-delay', ms: 200, jitterMs: 3_000, share: 0.3 },
  'webhook-stale': { kind: 'webhook-stale', ms: 6_000, share: 0.2 },
  'webhook-drop': { kind: 'webhook-drop', share: 0.06 },
  'short-pick': { kind: 'short-pick', share: 0.1, adjust: true },
  'split-shipment': { kind: 'split-shipment', share: 0.2 },
}

const { 'short-pick': _, 'split-shipment': __, ...SCANS } = WEBHOOKS

const MAINTENANCE_MS = { afterMs: 1_000, forMs: 3_000 } as const
const MAINTENANCE: Fault = { kind: 'outage', mode: 'unavailable', ...MAINTENANCE_MS }
const localTime = (ms: number): string => timeAt(ms).toISOString().slice(0, -1)
const WINDOW = {
  timeZone: 'UTC',
  windows: [
    { from: localTime(MAINTENANCE_MS.afterMs), to: localTime(MAINTENANCE_MS.afterMs + MAINTENANCE_MS.forMs) },
  ],
}
const SHARE = 0.12

export type BadDays = {
  /** Systems that are closed for maintenance, by their names in the configuration. */
  readonly closed: readonly string[]
  /** How often each struck, by its name; one that nobody met is not there. */
  struck(): ReadonlyMap<string, number>
  end(): void
}

type Bad = Pick<Day, 'kinds' | 'without' | 'shares' | 'systems'> & {
  readonly seed: string
  readonly only?: ReadonlySet<string>
  readonly faults: FaultScript
}

/** Switches on what the seed draws for each system. */
export function boardFaults(landscape: Counterparts, bad: Bad): BadDays {
  const { seed, kinds, without = [], shares = {}, systems = SYSTEMS, only, faults } = bad
  const strikes = (system: CounterpartName, name: string): boolean => {
    const id = `board/${system}/${name}`
    const has = kinds ? kinds.includes(name) : !without.includes(name) && draw(seed, 'board', id) < SHARE
    if (!has || (only && !only.has(id))) return false
    faults.also(id)
    return true
  }
  const tally = boardTally(landscape)
  const set = (system: CounterpartName, table: typeof CALLS): void => {
    for (const [name, fault] of Object.entries(table)) {
      if (!strikes(system, name)) continue
      const share = shares[name]
      tally.set(system, name, share === undefined ? fault : { ...fault, share })
    }
  }
  for (const system of systems) set(system, CALLS)
  for (const system of ['wms', 'eastWms', 'shop', 'tradeShop'] as const)
    if (systems.includes(system)) set(system, WEBHOOKS)
  if (systems.includes('carrier')) set('carrier', SCANS)
  const closed = systems.filter((system) => strikes(system, 'maintenance'))
  for (const system of closed) tally.set(system, 'maintenance', MAINTENANCE)
  for (const erp of ['legacyErp', 'cloudErp'] as const)
    if (systems.includes(erp) && strikes(erp, 'version-change')) {
      changeCustomers(landscape, erp)
      tally.add('version-change', 1)
    }
  return {
    closed: closed.map((system) => CONFIGURED[system]),
    struck: tally.counts,
    end() {
      tally.counts()
      for (const system of SYSTEMS) landscape[system].faults.clear()
    },
  }
}

/** Counterparts count what strikes for as long as it is switched on. */
function boardTally(landscape: Counterparts) {
  const counts = new Map<string, number>()
  const on: { readonly name: string; readonly struck: () => number }[] = []
  const add = (name: string, times: number): void => {
    if (times > 0) counts.set(name, (counts.get(name) ?? 0) + times)
  }
  return {
    add,
    set(system: CounterpartName, name: string, fault: Fault): void {
      const { faults } = landscape[system]
      const [id] = faults.set(fault)
      on.push({ name, struck: () => faults.list().find((one) => one.id === id)?.struck ?? 0 })
    },
    counts(): ReadonlyMap<string, number> {
      for (const { name, struck } of on.splice(0)) add(name, struck())
      return counts
    },
  }
}

/** Somebody at the ERP works on its customers before the day's orders come: what we have read of them is old. */
function changeCustomers(landscape: Counterparts, erp: 'legacyErp' | 'cloudErp'): void {
  const company = erp === 'legacyErp' ? 'NWF' : 'NWI'
  for (const { number, name } of landscape.world.customers.filter((one) => one.company === company))
    landscape[erp].changeCustomer(number, { name: `${name} & Sons` })
}

/** Our calendar's window of a system that is closed for maintenance. */
export const withMaintenance = (config: Config, closed: readonly string[]): Config => ({
  ...config,
  systems: Object.fromEntries(
    Object.entries(config.systems).map(([name, system]) => [
      name,
      closed.includes(name) ? { ...system, policy: { ...system.policy, maintenance: WINDOW } } : system,
    ]),
  ),
})
