/** What other systems have sold of our stock: page by page, and where it is more than there is. */
import { sql, type Queries } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ExternalReservation, ExternalReservationView } from '../contract/external.ts'
import { stockKey } from '../rules.ts'
import { selectClaimsOfItems } from '../store/backorder-runs.ts'
import { selectExternalAt } from '../store/external.ts'

const page = sql(
  'inventory.list_external',
  `select company, source, document, line, kind, owner, reference, sku, location, wanted, claimed, since,
     changed_at as "changedAt", as_of as "asOf"
   from inventory.external_reservation
   where company = $1 and wanted > 0 and ($2::text is null or source = $2) and ($3::text is null or sku = $3)
     and (source, document, line) > ($4, $5, $6)
   order by source, document, line limit $7`,
)

export type ExternalFilter = {
  readonly company: string
  readonly source?: string | undefined
  readonly sku?: string | undefined
}

/** Those that are open, behind `after`. */
export async function listExternal(
  queries: Queries,
  { company, source, sku }: ExternalFilter,
  { after, limit }: { readonly after: readonly string[]; readonly limit: number },
): Promise<ExternalReservationView[]> {
  const [lastSource = '', document = '', line = ''] = after
  const values = [company, source ?? null, sku ?? null, lastSource, document, line, limit]
  const rows = await queries.query<Omit<ExternalReservation, 'itemId'>>(page, values)
  return rows.map(({ reference, wanted, claimed, since, changedAt, asOf, ...row }) => ({
    ...row,
    ...(reference === null ? {} : { reference }),
    wanted: formatQuantity(wanted),
    claimed: formatQuantity(claimed),
    since: since.toISOString(),
    changedAt: changedAt.toISOString(),
    asOf: asOf.toISOString(),
  }))
}

/** What is open of other systems' orders at these places, the oldest first. */
export const openExternalAt = (
  queries: Queries,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<ExternalReservation[]> =>
  places.length === 0 ? Promise.resolve([]) : selectExternalAt(queries, places)

/** Who claims more of a place than there is, and whose orders claim it beside them. */
export type Clash = {
  readonly company: string
  readonly itemId: number
  readonly sku: string
  readonly location: string
  readonly theirs: readonly ExternalReservation[]
  /** Our orders that no warehouse was asked for yet. */
  readonly ours: readonly number[]
}

/** Of these places, those where other systems have sold more than they can be given. */
export async function clashesAt(
  queries: Queries,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<Clash[]> {
  const open = await openExternalAt(queries, places)
  const byPlace = Map.groupBy(open, ({ itemId, location }) => stockKey(itemId, location))
  const short = [...byPlace.values()].filter((rows) => rows.some(({ claimed, wanted }) => claimed < wanted))
  if (short.length === 0) return []
  const claims = await selectClaimsOfItems(queries, [...new Set(short.map(([one]) => one!.itemId))])
  return short.map((theirs) => {
    const { company, itemId, sku, location } = theirs[0]!
    const here = claims.filter((one) => one.itemId === itemId && one.location === location)
    return { company, itemId, sku, location, theirs, ours: [...new Set(here.map(({ doc }) => doc))] }
  })
}
