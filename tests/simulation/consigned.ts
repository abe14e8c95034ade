/** What a warehouse that tells by files has of other owners: its own count of each, and the lines that tell of it. */
import type { Stock } from '#landscape/world/world.ts'
import { lyingOf, OWNERS } from './owner-people.ts'
import { timeAt } from './virtual-clock.ts'

type Status = 'available' | 'hold' | 'damaged'
type Act = { readonly reason: string; readonly quantity: number; readonly to?: Status }

/** In this order; more comes than leaves. */
const ACTS: readonly Act[] = [
  { reason: 'receipt', quantity: 20 },
  { reason: 'quality-hold', quantity: 4, to: 'hold' },
  { reason: 'count', quantity: 5 },
  { reason: 'damage', quantity: -2, to: 'damaged' },
  { reason: 'count', quantity: -3 },
  { reason: 'quality-release', quantity: 1, to: 'hold' },
]
const ONE_MORE: Act = { reason: 'count', quantity: 1 }

type Goods = Record<Status, number> & {
  readonly owner: string
  readonly shelf: Stock
  readonly acts: readonly Act[]
  sequence: number
}

/** Of items of which we have some on the same shelves. */
export class Consigned {
  readonly goods: readonly Goods[]
  /** Lines for the next file. */
  readonly untold: string[] = []

  constructor(shelves: readonly Stock[]) {
    this.goods = OWNERS.flatMap((owner, nth) => {
      const shelf = shelves[nth % shelves.length]!
      return [{ owner, shelf, acts: ACTS, available: 0, hold: 0, damaged: 0, sequence: 0 }]
    })
  }

  /** The next of them, whichever of two at one moment comes first. */
  act(goods: Goods, nowMs: number): void {
    this.#move(goods, goods.acts[goods.sequence]!, nowMs)
  }

  countOneMore(nowMs: number): void {
    for (const goods of this.goods) if (goods.sequence > 0) this.#move(goods, ONE_MORE, nowMs)
  }

  lying(): string[] {
    return this.goods
      .filter(({ sequence }) => sequence > 0)
      .map(({ shelf, owner, available, hold, damaged }) => lyingOf(shelf, owner, [available, hold, damaged]))
  }

  heard(): string[] {
    return this.goods
      .filter(({ sequence }) => sequence > 0)
      .map(({ shelf: { site, item }, owner, sequence }) => `${site} ${item} ${owner}: ${sequence}`)
  }

  #move(goods: Goods, { reason, quantity, to }: Act, nowMs: number): void {
    const size = Math.abs(quantity)
    if (to === undefined) goods.available += quantity
    else {
      const [from, into]: [Status, Status] =
        reason === 'quality-release' ? [to, 'available'] : ['available', to]
      goods[from] -= size
      goods[into] += size
    }
    goods.sequence++
    const { company, site, item } = goods.shelf
    const at = timeAt(nowMs).toISOString()
    this.untold.push(
      [company, site, item, goods.owner, '', reason, quantity, goods.sequence, '', '', '', at].join(','),
    )
  }
}
