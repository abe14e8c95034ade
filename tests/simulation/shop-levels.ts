/** Shops that are told what can be promised to them: in the end each shows our availability for its channel. */
import { Publishing } from '../../src/config-publishing.ts'
import { stockInDatabase } from '../../src/processes/stock-in-memory.ts'
import { DEFAULT_SHOPS, type ShopHandle } from '#landscape/shop/server.ts'
import type { CompanyCode, Item, World } from '#landscape/world/world.ts'
import type { Queries } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import type { Violation } from './checkers.ts'
import { CONFIGURED, TRADE } from './counterparts.ts'
import { unequal } from './supply-checkers.ts'

const CHANNEL = 'shop'

export const publishing = Publishing.parse({
  channels: [CHANNEL],
  shops: [
    { system: CONFIGURED.shop, company: 'NWF', channel: CHANNEL },
    { system: CONFIGURED.shop, company: 'NWI', channel: CHANNEL },
    { system: CONFIGURED.tradeShop, company: TRADE.company, channel: CHANNEL },
  ],
})

type Books = {
  readonly queries: Queries
  readonly world: World
  readonly locations: readonly string[]
  readonly landscape: Readonly<Record<'shop' | 'tradeShop', Pick<ShopHandle, 'truth'>>>
}

export async function levelsAmiss({ queries, world, locations, landscape }: Books): Promise<Violation[]> {
  const ours = new Map<CompanyCode, Map<string, number>>()
  for (const { code } of world.companies)
    ours.set(code, await availableOf(code, { queries, world, locations }))
  const shops = [
    ...DEFAULT_SHOPS.map(({ company, domain }) => ({ company, domain, shop: landscape.shop })),
    { ...TRADE, shop: landscape.tradeShop },
  ]
  return shops.flatMap(({ company, domain, shop }) => {
    const { levels } = shop.truth()
    const items = world.items.filter((item) => item.company === company)
    const wrong = items.flatMap((item) =>
      levelsOf(item, ours.get(company)!.get(item.number) ?? 0, levels, domain),
    )
    return unequal(
      'a shop shows what can be promised to its channel',
      wrong.map((text) => ({ text })),
      [],
    )
  })
}

/** As the books are now, without memory. */
async function availableOf(
  company: CompanyCode,
  { queries, world, locations }: Omit<Books, 'landscape'>,
): Promise<Map<string, number>> {
  const skus = world.items.filter((item) => item.company === company).map(({ number }) => number)
  const read = stockInDatabase(queries, { now: () => new Date(0) }, [])
  const { items, rows } = await read({ company, skus, locations, channel: CHANNEL, maxAgeMs: 0 })
  return new Map(
    [...items].map(([sku, { id, status }]) => [
      sku,
      status === 'blocked' ? 0 : rows.get(id)!.reduce((sum, row) => sum + row.available, 0) / units(1),
    ]),
  )
}

/** Levels that are not as many of the unit as there are whole. */
function levelsOf(
  { number, units: sold }: Item,
  available: number,
  levels: Readonly<Record<string, number>>,
  domain: string,
): string[] {
  return sold.flatMap(({ unit, numerator, denominator }) => {
    const whole = Math.floor((available * denominator) / numerator + 1e-9)
    const shown = levels[`${domain}/main/${number}-${unit}`]
    return shown === whole ? [] : [`${domain} shows ${shown} ${unit} of ${number}, there are ${whole}`]
  })
}
