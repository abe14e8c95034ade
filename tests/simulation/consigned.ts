/** What a warehouse has of other owners: its own count of each, and what it tells of it. */
import type { Stock } from '#landscape/world/world.ts'
import { lyingOf, OWNERS } from './owner-people.ts'

type Status = 'available' | 'hold' | 'damaged'
export type Act = { readonly reason: string; readonly quantity: number; readonly to?: Status }

/** In this order; more comes than leaves. */
export const ACTS = [
  { reason: 'receipt', quantity: 20 },
  { reason: 'quality-hold', quantity: 4, to: 'hold' },
  { reason: 'count', quantity: 5 },
  { reason: 'damage', quantity: -2, to: 'damaged' },
  { reason: 'count', quantity: -3 },
] as const satisfies readonly Act[]
export const RELEASE: Act = { reason: 'quality-release', quantity: 1, to: 'hold' }
const ONE_MORE: Act = { reason: 'count', quantity: 1 }

export type Goods = Record<Status, number> & {
  readonly owner: string
  readonly shelf: Stock
  /** How much has happened to them. */
  sequence: number
}

/** Of items of which we have some on the same shelves. */
export class Consigned {
  readonly goods: readonly Goods[]
  readonly #tell: (goods: Goods, act: Act) => void

  constructor(shelves: readonly Stock[], tell: (goods: Goods, act: Act) => void) {
    this.#tell = tell
    this.goods = OWNERS.map((owner, nth) => {
      const shelf = shelves[nth % shelves.length]!
      return { owner, shelf, available: 0, hold: 0, damaged: 0, sequence: 0 }
    })
  }

  /** What came, of which more may be known. */
  get here(): readonly Goods[] {
    return this.goods.filter(({ sequence }) => sequence > 0)
  }

  act(goods: Goods, act: Act): void {
    const { reason, quantity, to } = act
    const size = Math.abs(quantity)
    if (to === undefined) goods.available += quantity
    else {
      const [from, into]: [Status, Status] =
        reason === 'quality-release' ? [to, 'available'] : ['available', to]
      goods[from] -= size
      goods[into] += size
    }
    goods.sequence++
    this.#tell(goods, act)
  }

  countOneMore(): void {
    for (const goods of this.here) this.act(goods, ONE_MORE)
  }

  /** Who looks sees one more than he knew of: it is told by what he counts alone. */
  lookThrough(): void {
    for (const goods of this.here) goods.available++
  }

  lying(): string[] {
    return this.here.map(({ shelf, owner, available, hold, damaged }) =>
      lyingOf(shelf, owner, [available, hold, damaged]),
    )
  }

  heard(): string[] {
    return this.here.map(
      ({ shelf: { site, item }, owner, sequence }) => `${site} ${item} ${owner}: ${sequence}`,
    )
  }
}
