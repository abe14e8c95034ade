/** What is kept back of items, as people set it and as channels have taken of it. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Allocations } from '../contract/allocations.ts'
import type { KeptKind } from '../contract.ts'

const allocations = sql(
  'inventory.allocations',
  `select item_id as "itemId", location, name, kind, channels, quantity, taken, set_by as "setBy", set_at as "setAt"
   from inventory.allocation where item_id = any($1::int[]) order by item_id, location, name`,
)

type Row = {
  readonly itemId: number
  readonly location: string
  readonly name: string
  readonly kind: KeptKind
  readonly channels: readonly string[]
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
  return rows.map(({ itemId, quantity, taken, setAt, channels, ...row }) => ({
    sku: skus.get(itemId)!,
    ...row,
    channels: [...channels],
    quantity: formatQuantity(quantity),
    taken: formatQuantity(taken),
    setAt: setAt.toISOString(),
  }))
}
