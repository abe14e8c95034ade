/** What is kept back of items, as people set it and as channels have taken of it. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Allocations } from '../contract/allocations.ts'
import type { KeptKind } from '../contract.ts'

const allocations = sql(
  'inventory.allocations',
  `select item_id as "itemId", location, name, kind, channels, within, quantity, taken, set_by as "setBy", set_at as "setAt"
   from inventory.allocation where item_id = any($1::int[]) order by item_id, location, name`,
)

type Row = {
  readonly itemId: number
  readonly location: string
  readonly name: string
  readonly kind: KeptKind
  readonly channels: readonly string[]
  readonly within: string | null
  readonly quantity: Quantity
  readonly taken: Quantity
  readonly setBy: string
  readonly setAt: Date
}

/** By item number, whose ids these are. */
export async function allocationsOf(
  queries: Queries,
  skus: ReadonlyMap<number, string>,
): Promise<Allocations['items']> {
  const rows = await queries.query<Row>(allocations, [[...skus.keys()]])
  return rows.map((row) => {
    const { itemId, location, name, kind, channels, within, setBy, setAt } = row
    const all = withThoseWithin(row, rows)
    const sum = (of: 'quantity' | 'taken'): string =>
      formatQuantity(all.reduce((total, one) => total + one[of], 0))
    return {
      sku: skus.get(itemId)!,
      location,
      name,
      kind,
      channels: [...channels],
      ...(within === null ? {} : { within }),
      quantity: sum('quantity'),
      taken: sum('taken'),
      setBy,
      setAt: setAt.toISOString(),
    }
  })
}

/** A row counts what it does not pass on; people count all of it. */
function withThoseWithin(row: Row, rows: readonly Row[]): Row[] {
  const within = rows.filter(
    (one) => one.itemId === row.itemId && one.location === row.location && one.within === row.name,
  )
  return [row, ...within.flatMap((one) => withThoseWithin(one, rows))]
}
