/** The SQL of sourcing: versions of profiles, what was decided by them, and picks that found too little. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { KeptDecision, SourcingCause, SourcingRules } from '../contract/sourcing.ts'

const profilesInForce = sql(
  'inventory.sourcing_in_force',
  `select distinct on (company, name) id, company, name, version, channel, customer_group as "customerGroup",
     in_use as "inUse", rules
   from inventory.sourcing_profile where company = any($1::text[]) and effective_from <= now()
   order by company, name, effective_from desc, version desc`,
)

export type ProfileInForce = {
  readonly id: number
  readonly company: string
  readonly name: string
  readonly version: number
  readonly channel: string | null
  readonly customerGroup: string | null
  readonly inUse: boolean
  readonly rules: SourcingRules
}

/** Of each profile of these companies the version that began last. */
export const selectInForce = (queries: Queries, companies: readonly string[]): Promise<ProfileInForce[]> =>
  queries.query<ProfileInForce>(profilesInForce, [companies])

const insertProfile = sql(
  'inventory.insert_sourcing_profile',
  `insert into inventory.sourcing_profile (company, name, version, channel, customer_group, effective_from, in_use, rules,
     reason, made_by)
   select $1, $2, coalesce(max(version), 0) + 1, $3, $4, coalesce($5::timestamptz, now()), $6, $7::jsonb, $8, $9
   from inventory.sourcing_profile where company = $1 and name = $2
   returning id`,
)
const lockProfile = sql(
  'inventory.lock_sourcing_profile',
  `select pg_advisory_xact_lock(hashtextextended('inventory.sourcing_profile ' || $1 || ' ' || $2, 0))`,
)

export type NewProfile = {
  readonly company: string
  readonly name: string
  readonly channel: string | null
  readonly customerGroup: string | null
  /** At once where null. */
  readonly effectiveFrom: Date | null
  readonly inUse: boolean
  readonly rules: SourcingRules
  readonly reason: string
  readonly madeBy: string
}

/** The next version of the profile; answers its id. Two at once are numbered one after the other. */
export async function insertProfileVersion(tx: Transaction, profile: NewProfile): Promise<number> {
  await tx.query(lockProfile, [profile.company, profile.name])
  const [row] = await tx.query<{ id: number }>(insertProfile, [
    profile.company,
    profile.name,
    profile.channel,
    profile.customerGroup,
    profile.effectiveFrom,
    profile.inUse,
    JSON.stringify(profile.rules),
    profile.reason,
    profile.madeBy,
  ])
  return row!.id
}

const insertDecisionRows = sql(
  'inventory.insert_sourcing_decisions',
  `insert into inventory.sourcing_decision (doc, cause, profile, ship_to, decision)
   select doc, cause, profile, ship_to, decision
   from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::jsonb[]) as d(doc, cause, profile, ship_to, decision)`,
)

export type NewDecision = {
  readonly doc: number
  readonly cause: SourcingCause
  /** Null where the company's own order of locations decided. */
  readonly profile: number | null
  readonly shipTo: string | null
  readonly decision: KeptDecision
}

export function insertDecisions(tx: Transaction, decisions: readonly NewDecision[]): void {
  if (decisions.length === 0) return
  tx.send(insertDecisionRows, [
    decisions.map((row) => row.doc),
    decisions.map((row) => row.cause),
    decisions.map((row) => row.profile),
    decisions.map((row) => row.shipTo),
    decisions.map((row) => JSON.stringify(row.decision)),
  ])
}

const lotsSince = sql(
  'inventory.lots_since',
  `select item_id as "itemId", location, min(since) as since from inventory.position
   where item_id = any($1::int[]) and location = any($2::text[]) and lot <> '' and owner = 'own' and available > 0
   group by item_id, location`,
)

export type LotsSince = { readonly itemId: number; readonly location: string; readonly since: Date }

/** When the oldest lot that is there came; places that hold nothing by lot are absent. */
export const selectLotsSince = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<LotsSince[]> => queries.query<LotsSince>(lotsSince, [items, locations])

const insertShortPickRows = sql(
  'inventory.insert_short_picks',
  `insert into inventory.short_pick (doc, line, location, item_id)
   select doc, line, location, item_id from unnest($1::bigint[], $2::smallint[], $3::text[], $4::int[])
     as s(doc, line, location, item_id)
   on conflict (doc, line, location) do update set at = now()`,
)

export type ShortPick = {
  readonly doc: number
  readonly line: number
  readonly location: string
  readonly itemId: number
}

export function insertShortPicks(tx: Transaction, picks: readonly ShortPick[]): void {
  if (picks.length === 0) return
  tx.send(insertShortPickRows, [
    picks.map((pick) => pick.doc),
    picks.map((pick) => pick.line),
    picks.map((pick) => pick.location),
    picks.map((pick) => pick.itemId),
  ])
}
