/** How fresh sources of stock must be: the rules from the configuration, what people set, the watch over who is silent. */
import type { CarefulRule, FreshnessRule } from '#domains/inventory/contract/freshness.ts'
import type { FreshnessRules } from '#domains/inventory/contract/freshness-rules.ts'
import { freshnessRoutes } from '#domains/inventory/routes/freshness.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import { units } from '#platform/quantity.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import { freshnessProblems } from './config-freshness.ts'
import type { Config } from './config-schema.ts'
import {
  type KnownSources,
  type RuleReached,
  setFreshnessRule,
  type SetRuleCommand,
  withdrawFreshnessRule,
  type WithdrawRuleCommand,
} from './processes/freshness-commands.ts'
import { type FreshnessWatch, watchFreshness } from './processes/freshness-watch.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { freshnessRules } from './processes/sources-view.ts'

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

const knownSources = (config: Config): KnownSources => ({
  problems({ source, flow, locations }) {
    // what it says beside these is the door's to read
    const rule = { minutes: 1, rule: 'zero' as const, least: 0, factor: 1 }
    const asked = { source, flow, locations: [...locations], ...rule }
    return freshnessProblems({ ...config, freshness: [asked] }).map(({ path: [, , field, nth], message }) =>
      nth === undefined
        ? { field: String(field), message: `${field} ${message}` }
        : { field: `${field}/${nth}`, message: `${locations[Number(nth)]} ${message}` },
    )
  },
  placesOf: (source) => placesOf(config, source),
})

type WatchWires = {
  readonly database: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

const watchOf = ({ database, processPorts }: Omit<WatchWires, 'worker'>): FreshnessWatch => {
  const { clock, ids, freshness: rules, care, openExceptions } = processPorts
  return { database, clock, ids, rules, care, company: NO_COMPANY, openExceptions }
}

export function freshnessWatch(wires: WatchWires): Job {
  const watch = watchOf(wires)
  return {
    name: 'sources of stock that are silent',
    everyMs: LOOK_MS,
    run: inTurn(wires, 'freshness', LOOK_MS / 2, () => watchFreshness(watch)),
  }
}

const HEAR_MS = 1_000

/** Each process hears for itself whether anybody is silent, so that none asks for it while all are heard. */
export const careWatch = ({ database, processPorts: { care } }: Omit<WatchWires, 'worker'>): Job => ({
  name: 'whether a source of stock is silent',
  everyMs: HEAR_MS,
  run: () => care.reread(database),
})

// What people say -------------------------------------------------------------------------------------------------------

export type FreshnessHands = {
  setFreshnessRule(command: SetRuleCommand): Promise<RuleReached>
  withdrawFreshnessRule(command: WithdrawRuleCommand): Promise<RuleReached>
}

export type FreshnessWires = WatchWires & { readonly config: Config; readonly screens: Database }

export function freshnessHands(wires: FreshnessWires): FreshnessHands {
  const { config, screens: queries, worker, processPorts: ports } = wires
  const watch = watchOf(wires)
  const known = knownSources(config)
  const acting = () => ({ queries, runner: worker.runner(), ports, known, look: () => watchFreshness(watch) })
  return {
    setFreshnessRule: (command) => setFreshnessRule(acting(), command),
    withdrawFreshnessRule: (command) => withdrawFreshnessRule(acting(), command),
  }
}

export const freshnessDoors = (wires: FreshnessWires, pages: Pages): Route[] =>
  freshnessRoutes({
    queries: wires.screens,
    pages,
    rules: () => freshnessRules(wires.screens, wires.processPorts),
    ...freshnessHands(wires),
  })

/** For who looks into the database beside the running program. */
export const freshnessBeside = (queries: Queries, config: Config): Promise<FreshnessRules> =>
  freshnessRules(queries, { freshness: freshnessOf(config) })
