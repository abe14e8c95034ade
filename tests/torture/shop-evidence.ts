/** What the shops believe, beside what we have told them: of each order its number, each shipment, and each level of stock. */
import type { ShopHandle } from '#landscape/shop/server.ts'
import type { World } from '#landscape/world/world.ts'
import { Pool } from 'pg'
import type { Queries, Statement } from '#platform/database.ts'
import { types } from '#platform/postgres-connections.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { CONFIGURED } from '#tests/simulation/counterparts.ts'
import { levelsAmiss } from '#tests/simulation/shop-levels.ts'
import type { Anomaly, Book, Said } from './history.ts'

export const SHOPS = ['shop', 'tradeShop'] as const
export type ShopBooks = Readonly<Record<(typeof SHOPS)[number], Pick<ShopHandle, 'truth'>>>

const NAMES: readonly string[] = SHOPS.map((shop) => CONFIGURED[shop])

export async function shopBooks(query: Query, books: ShopBooks): Promise<Book[]> {
  const told = SHOPS.flatMap((shop) =>
    books[shop].truth().orders.map((order) => ({ place: `${CONFIGURED[shop]} ${order.id}`, ...order })),
  )
  return [
    {
      documents: 'acknowledgements at the shops',
      ours: await query<Said>(
        `select sender || ' ' || external_id as reference, 'O-' || id as says
         from orders.sales_order where sender = any($1) and acknowledged_turn > 0`,
        [NAMES],
      ),
      theirs: told.flatMap(({ place, note }) =>
        numbersIn(note).map((number) => ({ reference: place, says: number })),
      ),
    },
    {
      documents: 'shipments at the shops',
      ours: await query<Said>(
        `select 'S-' || s.id as reference, o.sender || ' ' || o.external_id as says
         from shipments.shipment s join orders.sales_order o on o.id = s.order_id where o.sender = any($1)`,
        [NAMES],
      ),
      theirs: told.flatMap(({ place, fulfillments }) =>
        fulfillments.map(({ external_id: reference }) => ({ reference, says: place })),
      ),
    },
  ]
}

/** Each line of a note begins with the number of the order that it tells of. */
const numbersIn = (note: string): string[] => [
  ...new Set(Array.from(note.matchAll(/^(O-\d+): /gm), ([, number]) => number!)),
]

/** Levels that are not what can be promised now, as the house itself reckons it. */
export async function wrongLevels(
  databaseUrl: string,
  world: World,
  landscape: ShopBooks,
): Promise<Anomaly[]> {
  const pool = new Pool({ connectionString: databaseUrl, application_name: 'torture', types })
  const queries: Queries = {
    query: async <Row>({ text }: Statement, values: readonly unknown[] = []) =>
      (await pool.query(text, [...values])).rows as Row[],
  }
  const locations = world.sites.map(({ code }) => code)
  try {
    const found = await levelsAmiss({ queries, world, locations, landscape })
    return found.map(({ invariant, found: detail }) => ({ kind: invariant, documents: [], detail }))
  } finally {
    await pool.end()
  }
}
