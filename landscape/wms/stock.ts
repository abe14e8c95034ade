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
  /** Of each unit, where units have them. */
  serials?: string[]
}
export type Taken = Pick<Shelf, 'lot' | 'expiresOn' | 'quantity' | 'serials'>
type Goods = Pick<Shelf, 'lot' | 'expiresOn' | 'status' | 'quantity' | 'serials'>

export type Place = { site: string; owner: string; sku: string }

export type ShelvesMemory = { shelves: [string, Shelf[]][]; told: [string, number][]; named?: number }

/** What has no date is not known to live so long. */
const isPickable = ({ status, expiresOn }: Shelf, minExpiry: string | null): boolean =>
  status === 'available' && (minExpiry === null || expiresOn >= minExpiry)

/** Units that leave a shelf: those that are named, or whichever have lain there longest. */
function unitsOff(shelf: Shelf, count: number, wanted?: readonly string[]): string[] | undefined {
  const units = wanted ?? shelf.serials?.slice(0, count)
  if (shelf.serials) shelf.serials = shelf.serials.filter((serial) => !units!.includes(serial))
  return units && [...units]
}

const keyOf = ({ site, owner, sku }: Place): string => `${site}/${owner}/${sku}`

export class Shelves {
  private readonly byPlace = new Map<string, Shelf[]>()
  /** How many events have told of stock of a place. */
  private readonly told = new Map<string, number>()
  /** A benchmark may want shelves that never empty. */
  private readonly endless: boolean
  private readonly hasSerials: (sku: string) => boolean
  /** How many units were given a serial. */
  private named = 0

  constructor(opening: readonly Stock[], endless: boolean, hasSerials: (sku: string) => boolean) {
    this.endless = endless
    this.hasSerials = hasSerials
    for (const row of opening) {
      const place = { site: row.site, owner: row.company, sku: row.item }
      this.put(place, { lot: row.lot, expiresOn: row.expiresOn, status: row.status, quantity: row.quantity })
    }
  }

  available(place: Place, minExpiry: string | null = null): number {
    if (this.endless) return Number.MAX_SAFE_INTEGER
    return this.at(place).reduce((sum, shelf) => sum + (isPickable(shelf, minExpiry) ? shelf.quantity : 0), 0)
  }

  /** Answers the units that came, or that went where the quantity is a minus. */
  put(place: Place, goods: Goods): string[] | undefined {
    const shelves = this.at(place)
    let shelf = shelves.find((one) => one.lot === goods.lot && one.status === goods.status)
    if (!shelf) {
      shelf = { ...place, ...goods, quantity: 0, ...(this.hasSerials(place.sku) && { serials: [] }) }
      shelves.push(shelf)
      shelves.sort((a, b) => (a.expiresOn < b.expiresOn ? -1 : a.expiresOn > b.expiresOn ? 1 : 0))
      this.byPlace.set(keyOf(place), shelves)
    }
    shelf.quantity += goods.quantity
    if (goods.quantity < 0) return unitsOff(shelf, -goods.quantity, goods.serials)
    const units = shelf.serials && (goods.serials ?? this.newUnits(place, goods.quantity))
    shelf.serials?.push(...units!)
    return units
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
      const serials = unitsOff(shelf, part)
      taken.push({ lot: shelf.lot, expiresOn: shelf.expiresOn, quantity: part, ...(serials && { serials }) })
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

  remember = (): ShelvesMemory => ({
    shelves: [...this.byPlace],
    told: [...this.told],
    named: this.named,
  })

  recall({ shelves, told, named = 0 }: ShelvesMemory): void {
    this.named = named
    this.byPlace.clear()
    for (const [key, some] of shelves) this.byPlace.set(key, some)
    for (const [key, number] of told) this.told.set(key, number)
  }

  private newUnits({ site, sku }: Place, count: number): string[] {
    return Array.from({ length: count }, () => `${sku}-${site}-${String(++this.named).padStart(4, '0')}`)
  }

  private at(place: Place): Shelf[] {
    return this.byPlace.get(keyOf(place)) ?? []
  }
}
