/** How fresh sources of stock are, as people see it: the rule, when it was last heard, whether the rule holds. */
import type { CarefulRule, Sources } from '#domains/inventory/contract/freshness.ts'
import { openDoubts, sourceStates } from '#domains/inventory/views/freshness.ts'
import type { Queries } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ProcessPorts } from './ports.ts'

export async function sourcesView(
  queries: Queries,
  { clock, freshness }: Pick<ProcessPorts, 'clock' | 'freshness'>,
): Promise<Sources> {
  const [states, doubts] = await Promise.all([sourceStates(queries), openDoubts(queries)])
  const nowMs = clock.now().getTime()
  return {
    items: freshness.map(({ source, flow, locations, budgetMs, rule }) => {
      const state = states.find((one) => one.source === source && one.flow === flow)
      return {
        source,
        flow,
        locations: [...locations],
        budgetSeconds: Math.round(budgetMs / 1_000),
        ...ruleWords(rule),
        state: state === undefined ? 'unknown' : state.silentSince ? 'silent' : 'heard',
        ...(state && {
          heardAt: state.heardAt.toISOString(),
          ageSeconds: Math.max(0, Math.round((nowMs - state.heardAt.getTime()) / 1_000)),
        }),
        ...(state?.silentSince && { silentSince: state.silentSince.toISOString() }),
      }
    }),
    openDoubts: doubts,
  }
}

/** In the words of the configuration. */
function ruleWords(rule: CarefulRule): Pick<Sources['items'][number], 'rule' | 'least' | 'factor' | 'most'> {
  if (rule.kind === 'buffer')
    return { rule: rule.kind, least: formatQuantity(rule.least), factor: rule.factor }
  return rule.kind === 'cap' ? { rule: rule.kind, most: formatQuantity(rule.quantity) } : { rule: rule.kind }
}
