/** What people said of how fresh sources must be: the last of each, and all that was said of one. */
import type { Queries } from '#platform/database.ts'
import type { FreshnessRuleVersion } from '../contract/freshness-rules.ts'
import { wordsOf } from '../rules/careful.ts'
import {
  type RuleVersion,
  selectLastRules,
  selectRuleVersions,
  type SourceKey,
} from '../store/freshness-rules.ts'

export type { RuleVersion, SourceKey }
export const lastRules = selectLastRules

/** The newest first. */
export async function ruleVersions(
  queries: Queries,
  of: SourceKey,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<FreshnessRuleVersion[]> {
  const rows = await selectRuleVersions(queries, of, page)
  return rows.map(({ version, rule, reason, setBy, setAt }) => ({
    version,
    withdrawn: rule === null,
    ...(rule && {
      locations: [...rule.locations],
      budgetSeconds: Math.round(rule.budgetMs / 1_000),
      ...wordsOf(rule.rule),
    }),
    reason,
    setBy,
    setAt: setAt.toISOString(),
  }))
}
