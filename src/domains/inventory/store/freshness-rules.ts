/** The SQL of freshness rules that people set: versions that never change, the last one beside its source. */
import { type Queries, sql, type Transaction } from '#platform/database.ts'
import type { Flow, RuleWords, SetRule } from '../contract/freshness.ts'
import { ruleFrom, wordsOf } from '../rules/careful.ts'

/** As it stands in the tables: quantities as decimals. */
export type KeptRule = RuleWords & Pick<SetRule, 'budgetMs' | 'locations'>

export const setRule = ({ budgetMs, locations, ...words }: KeptRule): SetRule => ({
  budgetMs,
  locations,
  rule: ruleFrom(words),
})
const keptRule = ({ budgetMs, locations, rule }: SetRule): KeptRule => ({
  budgetMs,
  locations,
  ...wordsOf(rule),
})

export type SourceKey = { readonly source: string; readonly flow: Flow }

const ensure = sql(
  'inventory.ensure_source',
  `insert into inventory.source_state (source, flow, doc, version, heard_at) values ($1, $2, $3, 0, $4)
   on conflict (source, flow) do nothing`,
)

/** A source that nobody has looked at yet is given its time from then on. */
export const ensureSource = (
  tx: Transaction,
  { source, flow, doc, heardAt }: SourceKey & { readonly doc: number; readonly heardAt: Date },
): void => tx.send(ensure, [source, flow, doc, heardAt])

const insert = sql(
  'inventory.insert_freshness_rule',
  `insert into inventory.freshness_rule (source, flow, version, rule, reason, set_by)
   values ($1, $2, $3, $4::jsonb, $5, $6) returning set_at as "setAt"`,
)
const keep = sql(
  'inventory.keep_freshness_rule',
  `update inventory.source_state set version = $3, rule_version = $4, rule = $5::jsonb, rule_set_at = $6
   where source = $1 and flow = $2`,
)

export type NewRuleVersion = SourceKey & {
  /** Of the document that the source's events are about. */
  readonly docVersion: number
  readonly version: number
  /** Null where what was set is withdrawn. */
  readonly rule: SetRule | null
  readonly reason: string
  readonly setBy: string
}

/** Of a source that is locked; answers when. */
export async function insertRuleVersion(tx: Transaction, made: NewRuleVersion): Promise<Date> {
  const { source, flow, version, docVersion, reason, setBy } = made
  const rule = made.rule && JSON.stringify(keptRule(made.rule))
  const [row] = await tx.query<{ setAt: Date }>(insert, [source, flow, version, rule, reason, setBy])
  tx.send(keep, [source, flow, docVersion, version, rule, row!.setAt])
  return row!.setAt
}

const COLUMNS = 'version, rule, reason, set_by as "setBy", set_at as "setAt"'
const last = sql(
  'inventory.last_freshness_rules',
  `select s.source, s.flow, r.* from inventory.source_state s cross join lateral (
     select ${COLUMNS} from inventory.freshness_rule
     where source = s.source and flow = s.flow and version = s.rule_version offset 0) r`,
)
const versions = sql(
  'inventory.freshness_rule_versions',
  `select ${COLUMNS} from inventory.freshness_rule
   where source = $1 and flow = $2 and version < coalesce($3::int, 2147483647) order by version desc limit $4`,
)

export type RuleVersion = {
  readonly version: number
  readonly rule: SetRule | null
  readonly reason: string
  readonly setBy: string
  readonly setAt: Date
}

type Row = Omit<RuleVersion, 'rule'> & { readonly rule: KeptRule | null }
const versionOf = <One extends Row>(row: One) => ({ ...row, rule: row.rule && setRule(row.rule) })

/** The last of each source and flow. */
export const selectLastRules = async (queries: Queries): Promise<(RuleVersion & SourceKey)[]> =>
  (await queries.query<Row & SourceKey>(last)).map(versionOf)

/** The newest first. */
export async function selectRuleVersions(
  queries: Queries,
  { source, flow }: SourceKey,
  { before, limit }: { readonly before: number | undefined; readonly limit: number },
): Promise<RuleVersion[]> {
  const rows = await queries.query<Row>(versions, [source, flow, before ?? null, limit])
  return rows.map(versionOf)
}
