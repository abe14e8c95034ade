/** What stands on the shelves: per site, owner, item, lot and status, always in base units. */
import type { Stock, StockStatus } from '../world/world.ts'

export type Shelf = {
  site: string
  owner: string
  sku: string
  lot: string
  expiresOn: string
  status: StockStatus
  quantity: number
}
export type Taken = { lot: string; expiresOn: string; quantity: number }

export type Place = { site: string; owner: string; sku: string }

export type ShelvesMemory = { shelves: [string, Shelf[]][]; told: [string, number][] }

/** What has no date is not known to live so long. */
const isPickable = ({ status, expiresOn }: Shelf, minExpiry: string | null): boolean =>
  status === 'available' && (minExpiry === null || expiresOn >= minExpiry)

const keyOf = ({ site, owner, sku }: Place): string => `${site}/${owner}/${sku}`

export class Shelves {
  private readonly byPlace = new Map<string, Shelf[]>()
  /** How many events have told of stock of a place. */
  private readonly told = new Map<string, number>()
  /** A benchmark may want shelves that never empty. */
  private readonly endless: boolean

  constructor(opening: readonly Stock[], endless: boolean) {
    this.endless = endless
    for (const row of opening) {
      const place = { site: row.site, owner: row.company, sku: row.item }
      this.put(place, { lot: row.lot, expiresOn: row.expiresOn, status: row.status, quantity: row.quantity })
    }
  }

  available(place: Place, minExpiry: string | null = null): number {
    if (this.endless) return Number.MAX_SAFE_INTEGER
    return this.at(place).reduce((sum, shelf) => sum + (isPickable(shelf, minExpiry) ? shelf.quantity : 0), 0)
  }

  put(place: Place, goods: { lot: string; expiresOn: string; status: StockStatus; quantity: number }): void {
    const shelves = this.at(place)
    const same = shelves.find((shelf) => shelf.lot === goods.lot && shelf.status === goods.status)
    if (same) same.quantity += goods.quantity
    else {
      shelves.push({ ...place, ...goods })
      shelves.sort((a, b) => (a.expiresOn < b.expiresOn ? -1 : a.expiresOn > b.expiresOn ? 1 : 0))
      this.byPlace.set(keyOf(place), shelves)
    }
  }

  /** Takes up to `quantity` of available stock: of the lot that is named, then what expires first. */
  take(
    place: Place,
    quantity: number,
    { lot = null, min_expiry: minExpiry = null }: { lot?: string | null; min_expiry?: string | null } = {},
  ): Taken[] {
    if (this.endless) {
      const [first] = this.at(place)
      return [{ lot: first?.lot ?? '', expiresOn: first?.expiresOn ?? '', quantity }]
    }
    const taken: Taken[] = []
    let left = quantity
    const shelves = this.at(place)
    const named = shelves.filter((shelf) => shelf.lot === lot)
    for (const shelf of [...named, ...shelves.filter((other) => !named.includes(other))]) {
      const part = isPickable(shelf, minExpiry) ? Math.min(left, shelf.quantity) : 0
      if (part <= 0) continue
      shelf.quantity -= part
      left -= part
      taken.push({ lot: shelf.lot, expiresOn: shelf.expiresOn, quantity: part })
    }
    return taken
  }

  rows(site: string | null, owner: string | null): Shelf[] {
    const rows: Shelf[] = []
    for (const shelves of this.byPlace.values()) {
      for (const shelf of shelves) {
        if ((site === null || shelf.site === site) && (owner === null || shelf.owner === owner))
          rows.push(shelf)
      }
    }
    return rows
  }

  /** The number of the next event about a place. */
  tell(place: Place): number {
    const number = this.lastTold(place) + 1
    this.told.set(keyOf(place), number)
    return number
  }

  lastTold = (place: Place): number => this.told.get(keyOf(place)) ?? 0

  remember = (): ShelvesMemory => ({ shelves: [...this.byPlace], told: [...this.told] })

  recall({ shelves, told }: ShelvesMemory): void {
    this.byPlace.clear()
    for (const [key, some] of shelves) this.byPlace.set(key, some)
    for (const [key, number] of told) this.told.set(key, number)
  }

  private at(place: Place): Shelf[] {
    return this.byPlace.get(keyOf(place)) ?? []
  }
}
