/** How fresh sources of stock must be: the rules from the configuration, and the watch over who is silent. */
import type { CarefulRule, FreshnessRule } from '#domains/inventory/contract/freshness.ts'
import type { Database } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { watchFreshness } from './processes/freshness-watch.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'
import type { ProcessPorts } from './processes/ports.ts'

const MINUTE_MS = 60_000
const LOOK_MS = 5_000

export const freshnessOf = (config: Config): FreshnessRule[] =>
  config.freshness.map((setting) => ({
    source: setting.source,
    flow: setting.flow,
    budgetMs: setting.minutes * MINUTE_MS,
    locations: setting.locations.length > 0 ? setting.locations : placesOf(config, setting.source),
    rule: ruleOf(setting),
  }))

function ruleOf({ rule, least, factor, most = 0 }: Config['freshness'][number]): CarefulRule {
  if (rule === 'buffer') return { kind: rule, least: units(least), factor }
  return rule === 'cap' ? { kind: rule, quantity: units(most) } : { kind: rule }
}

/** Of a feed those of which it tells, of a warehouse those that it runs, of an ERP those that its companies sell from. */
function placesOf({ locations, companies, feeds }: Config, source: string): readonly string[] {
  const feed = feeds[source]
  if (feed) return feed.locations
  const owners = new Set(companies.flatMap(({ code, erp }) => (erp === source ? [code] : [])))
  return locations.flatMap(({ code, wms, company }) =>
    wms === source || (company === undefined ? owners.size > 0 : owners.has(company)) ? [code] : [],
  )
}

type WatchWires = {
  readonly database: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

export function freshnessWatch(wires: WatchWires): Job {
  const { database, processPorts } = wires
  const { clock, ids, freshness: rules, care, openExceptions } = processPorts
  const watch = { database, clock, ids, rules, care, company: NO_COMPANY, openExceptions }
  return {
    name: 'sources of stock that are silent',
    everyMs: LOOK_MS,
    run:
      rules.length === 0
        ? async () => undefined
        : inTurn(wires, 'freshness', LOOK_MS / 2, () => watchFreshness(watch)),
  }
}

const HEAR_MS = 1_000

/** Each process hears for itself whether anybody is silent, so that none asks for it while all are heard. */
export const careWatch = ({
  database,
  processPorts: { care, freshness },
}: Omit<WatchWires, 'worker'>): Job[] =>
  freshness.length === 0
    ? []
    : [
        {
          name: 'whether a source of stock is silent',
          everyMs: HEAR_MS,
          run: () => care.reread(database),
        },
      ]
