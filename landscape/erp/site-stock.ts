/** The ERP's own view of the shelves: a figure per item and site, lots and open picks unknown. */
import type { CompanyCode, StockStatus, World } from '../world/world.ts'

export type SiteStock = { item: string; site: string } & Record<StockStatus, number>

export function siteStock(world: World, company: CompanyCode): SiteStock[] {
  const figures = new Map<string, SiteStock>()
  for (const row of world.stock) {
    if (row.company !== company) continue
    const key = `${row.item}/${row.site}`
    const figure = figures.get(key) ?? { item: row.item, site: row.site, available: 0, hold: 0, damaged: 0 }
    figure[row.status] += row.quantity
    figures.set(key, figure)
  }
  return [...figures.values()]
}
