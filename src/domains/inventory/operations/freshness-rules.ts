/** The verb by which a person says how fresh a source must be: a version in place of the configured rule, or its end. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { KnownSource, SetRule } from '../contract/freshness.ts'
import { ruleFrom, wordsOf } from '../rules/careful.ts'
import { countSellRates } from '../store/freshness.ts'
import { ensureSource, insertRuleVersion } from '../store/freshness-rules.ts'

export { ensureSource, ruleFrom }

export type RuleChange = {
  /** Locked, as it was before. */
  readonly source: KnownSource
  /** Null withdraws what was set. */
  readonly set: SetRule | null
  /** What holds afterwards: what is set, or what is configured, if anything is. */
  readonly inForce: SetRule | undefined
  readonly reason: string
  readonly setBy: string
}

/** Makes the next version; answers when. What a rule that begins in the middle of a silence reckons with is counted now. */
export async function changeRule(
  tx: Transaction,
  { source: state, set, inForce, reason, setBy }: RuleChange,
  company: string,
  cause: Cause,
): Promise<Date> {
  const { source, flow, doc } = state
  if (state.silentSince && inForce?.rule.kind === 'buffer') await countSellRates(tx, inForce.locations)
  const version = state.ruleVersion + 1
  const docVersion = state.version + 1
  const at = await insertRuleVersion(tx, { source, flow, version, docVersion, rule: set, reason, setBy })
  const holding = inForce && {
    budgetSeconds: Math.round(inForce.budgetMs / 1_000),
    locations: inForce.locations,
    ...wordsOf(inForce.rule),
  }
  const data = { source, flow, ruleVersion: version, ...holding, reason, setBy }
  const type = set ? 'source.rule_set' : 'source.rule_withdrawn'
  appendEvents(tx, [{ type, key: doc, keyVersion: docVersion, company, correlationId: doc, data }], cause)
  return at
}
