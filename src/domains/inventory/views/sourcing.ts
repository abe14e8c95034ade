/** What is read of sourcing: profiles with all their versions, and what was decided of orders. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type {
  KeptDecision,
  SourcingCause,
  SourcingDecision,
  SourcingProfile,
  SourcingRules,
} from '../contract/sourcing.ts'

const COLUMNS = `id, company, name, version, channel, customer_group as "customerGroup",
  effective_from as "effectiveFrom", in_use as "inUse", rules, reason, made_by as "madeBy", made_at as "madeAt"`

const profiles = sql(
  'inventory.sourcing_profiles',
  `select ${COLUMNS} from inventory.sourcing_profile
   where company = $1 and ($2::text is null or name = $2) and (name, version) > ($3::text, $4::int)
   order by company, name, version limit $5`,
)
const profile = sql(
  'inventory.sourcing_profile',
  `select ${COLUMNS} from inventory.sourcing_profile where id = $1`,
)

type Row = {
  readonly id: number
  readonly company: string
  readonly name: string
  readonly version: number
  readonly channel: string | null
  readonly customerGroup: string | null
  readonly effectiveFrom: Date
  readonly inUse: boolean
  readonly rules: SourcingRules
  readonly reason: string
  readonly madeBy: string
  readonly madeAt: Date
}

const told = ({ channel, customerGroup, effectiveFrom, madeAt, ...row }: Row): SourcingProfile => ({
  ...row,
  ...(channel !== null && { channel }),
  ...(customerGroup !== null && { customerGroup }),
  effectiveFrom: effectiveFrom.toISOString(),
  madeAt: madeAt.toISOString(),
})

/** Where a page of the list ended. */
export type ProfilePlace = { readonly name: string; readonly version: number }

export async function listProfiles(
  queries: Queries,
  { company, name }: { readonly company: string; readonly name?: string | undefined },
  { after, limit }: { readonly after?: ProfilePlace | undefined; readonly limit: number },
): Promise<SourcingProfile[]> {
  const place = [after?.name ?? '', after?.version ?? 0]
  return (await queries.query<Row>(profiles, [company, name ?? null, ...place, limit])).map(told)
}

export async function profileOf(queries: Queries, id: number): Promise<SourcingProfile | undefined> {
  const [row] = await queries.query<Row>(profile, [id])
  return row && told(row)
}

const decisions = sql(
  'inventory.sourcing_decisions',
  `select d.cause, d.at, d.ship_to as "shipTo", d.decision, d.profile, p.name, p.version
   from inventory.sourcing_decision d
   left join lateral (
     select name, version from inventory.sourcing_profile where id = d.profile offset 0) p on true
   where d.doc = $1 order by d.id`,
)

type DecisionRow = {
  readonly cause: SourcingCause
  readonly at: Date
  readonly shipTo: string | null
  readonly decision: KeptDecision
  readonly profile: number | null
  readonly name: string | null
  readonly version: number | null
}

/** What was decided of an order, oldest first. */
export async function decisionsOf(queries: Queries, doc: number): Promise<SourcingDecision[]> {
  return (await queries.query<DecisionRow>(decisions, [doc])).map(toldDecision)
}

const toldDecision = ({
  cause,
  at,
  shipTo,
  decision,
  profile: id,
  name,
  version,
}: DecisionRow): SourcingDecision => ({
  cause,
  at: at.toISOString(),
  ...(id !== null && { profile: { id, name: name!, version: version! } }),
  ...(shipTo !== null && { shipTo }),
  ...decision,
})

const ofOrders = sql(
  'inventory.sourcing_decisions_of_orders',
  `select o.doc, d.cause, d.at, d.ship_to as "shipTo", d.decision, d.profile, p.name, p.version
   from unnest($1::bigint[]) with ordinality as o(doc, n)
   cross join lateral (
     select id, cause, at, ship_to, decision, profile from inventory.sourcing_decision
     where doc = o.doc order by id limit $3 offset 0) d
   left join lateral (
     select name, version from inventory.sourcing_profile where id = d.profile offset 0) p on true
   where $2::text is null or p.name = $2 order by o.n, d.id`,
)

const DECISIONS_EACH_MAX = 20

/** What was decided of orders, in their order; of each the first decisions, and where a name is given those of that profile. */
export async function decisionsOfOrders(
  queries: Queries,
  docs: readonly number[],
  name: string | undefined,
): Promise<(SourcingDecision & { readonly doc: number })[]> {
  const rows = await queries.query<DecisionRow & { readonly doc: number }>(ofOrders, [
    docs,
    name ?? null,
    DECISIONS_EACH_MAX,
  ])
  return rows.map(({ doc, ...row }) => ({ doc, ...toldDecision(row) }))
}
