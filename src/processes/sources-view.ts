/** How fresh sources of stock are, as people see it: the rule and whose it is, when it was last heard, whether it holds. */
import type { FreshnessRule, KnownSource, SetRule, Sources } from '#domains/inventory/contract/freshness.ts'
import type { FreshnessRules, FreshnessRuleView } from '#domains/inventory/contract/freshness-rules.ts'
import { openDoubts, rulesInForce, sourceStates, wordsOf } from '#domains/inventory/views/freshness.ts'
import { lastRules, type RuleVersion, type SourceKey } from '#domains/inventory/views/freshness-rules.ts'
import type { Queries } from '#platform/database.ts'
import type { ProcessPorts } from './ports.ts'

type Ports = Pick<ProcessPorts, 'clock' | 'freshness'>

export async function sourcesView(queries: Queries, { clock, freshness }: Ports): Promise<Sources> {
  const [states, doubts] = await Promise.all([sourceStates(queries), openDoubts(queries)])
  const nowMs = clock.now().getTime()
  return {
    items: rulesInForce(freshness, states).map((rule) => {
      const state = states.find(isOf(rule))
      return {
        source: rule.source,
        flow: rule.flow,
        ...holding(rule),
        origin: originOf(state),
        ...heardView(state),
        ...(state && { ageSeconds: Math.max(0, Math.round((nowMs - state.heardAt.getTime()) / 1_000)) }),
      }
    }),
    openDoubts: doubts,
  }
}

/** Each rule that is in force, with whoever set it. */
export async function freshnessRules(
  queries: Queries,
  { freshness }: Pick<Ports, 'freshness'>,
): Promise<FreshnessRules> {
  const [states, made] = await Promise.all([sourceStates(queries), lastRules(queries)])
  return {
    items: rulesInForce(freshness, states).flatMap(
      (rule) =>
        ruleView(freshness, rule, { state: states.find(isOf(rule)), made: made.find(isOf(rule)) }) ?? [],
    ),
  }
}

export const isOf =
  ({ source, flow }: SourceKey) =>
  (other: SourceKey): boolean =>
    other.source === source && other.flow === flow

export type Situation = {
  /** Undefined while nobody has looked at the source. */
  readonly state: KnownSource | undefined
  /** What a person said last. */
  readonly made: Pick<RuleVersion, 'reason' | 'setBy' | 'setAt'> | undefined
}

/** Undefined where there is no rule for the source and flow. */
export function ruleView(
  configured: readonly FreshnessRule[],
  of: SourceKey,
  { state, made }: Situation,
): FreshnessRuleView | undefined {
  const rule = rulesInForce(configured, state ? [state] : []).find(isOf(of))
  if (!rule) return undefined
  const replaced = state?.rule ? configured.find(isOf(of)) : undefined
  return {
    source: of.source,
    flow: of.flow,
    origin: originOf(state),
    version: state?.ruleVersion ?? 0,
    ...holding(rule),
    ...(state?.rule && made && { setBy: made.setBy, reason: made.reason, since: made.setAt.toISOString() }),
    ...(replaced && { configured: holding(replaced) }),
    ...heardView(state),
  }
}

const originOf = (state: KnownSource | undefined) => (state?.rule ? 'set' : 'configured')

/** In the words of the configuration. */
export const holding = ({ locations, budgetMs, rule }: SetRule) => ({
  locations: [...locations],
  budgetSeconds: Math.round(budgetMs / 1_000),
  ...wordsOf(rule),
})

const heardView = (state: KnownSource | undefined) => ({
  state:
    state === undefined ? ('unknown' as const) : state.silentSince ? ('silent' as const) : ('heard' as const),
  ...(state && { heardAt: state.heardAt.toISOString() }),
  ...(state?.silentSince && { silentSince: state.silentSince.toISOString() }),
})
