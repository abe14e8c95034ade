/** How many of each sku the shop shows as available: of two figures the one of the later time stands. */
import type { Clock } from '#platform/clock.ts'
import type { Fields } from '../fields.ts'
import { refill } from '../kept.ts'
import type { World } from '../world/world.ts'
import { type Shop, ShopRefusal } from './shapes.ts'

type Level = { available: number; asOf: string }

/** `stale`: the shop has a later figure, which the answer shows. */
type Status = 'set' | 'stale' | 'not_found' | 'failed'

const LARGEST_PAGE = 250

export class ShopLevels {
  private readonly levels = new Map<string, Level>()
  private readonly skus: Set<string>
  private readonly clock: Pick<Clock, 'now'>

  constructor(world: World, clock: Pick<Clock, 'now'>) {
    this.clock = clock
    this.skus = new Set(
      world.items.flatMap(({ company, number, units }) =>
        units.map(({ unit }) => `${company}/${number}-${unit}`),
      ),
    )
  }

  /** Each level is answered by itself; `fails` says which of them the shop has a bad moment with. */
  set(shop: Shop, fields: Fields, fails: (sku: string) => boolean): Fields[] {
    const asked = Array.isArray(fields['inventory_levels'])
      ? (fields['inventory_levels'] as Fields[])
      : [fields]
    if (asked.length > LARGEST_PAGE || !asked.every(isLevel))
      throw new ShopRefusal(422, { inventory_level: ['is invalid'] })
    return asked.map((level) => ({ ...level, ...this.setOne(shop, level, fails) }))
  }

  /** The shop sells it under this number, or does not. */
  sells(shop: Shop, sku: string, isSold: boolean): void {
    this.skus[isSold ? 'add' : 'delete'](`${shop.company}/${sku}`)
  }

  /** As after a restored backup. */
  lose(): void {
    this.levels.clear()
  }

  truth(): Record<string, number> {
    return Object.fromEntries([...this.levels].map(([key, { available }]) => [key, available]))
  }

  remember(): [string, Level][] {
    return [...this.levels]
  }

  recall(levels: [string, Level][]): void {
    refill(this.levels, levels)
  }

  private setOne(
    shop: Shop,
    level: Fields,
    fails: (sku: string) => boolean,
  ): { status: Status; available?: number; as_of?: string } {
    const sku = String(level['inventory_item_id'])
    if (!this.skus.has(`${shop.company}/${sku}`)) return { status: 'not_found' }
    if (fails(sku)) return { status: 'failed' }
    const key = `${shop.domain}/${String(level['location_id'])}/${sku}`
    const available = Number(level['available'])
    const asOf = typeof level['as_of'] === 'string' ? level['as_of'] : this.clock.now().toISOString()
    const known = this.levels.get(key)
    const isSame = known?.asOf === asOf && known.available === available
    if (known && Date.parse(known.asOf) >= Date.parse(asOf) && !isSame)
      return { status: 'stale', available: known.available, as_of: known.asOf }
    this.levels.set(key, { available, asOf })
    return { status: 'set', available, as_of: asOf }
  }
}

const isLevel = ({ inventory_item_id: sku, available, as_of: asOf }: Fields): boolean =>
  typeof sku === 'string' &&
  Number.isInteger(available) &&
  (asOf === undefined || (typeof asOf === 'string' && Number.isFinite(Date.parse(asOf))))
