/** What the legacy ERP keeps: its books with its number ranges, its conditions, its sessions. */
import type { Clock } from '#platform/clock.ts'
import { Books, type BooksMemory, type NumberRanges } from '../erp/books.ts'
import { type PurchaseLine, PurchaseOrders } from '../erp/purchase-orders.ts'
import { siteStock, type SiteStock } from '../erp/site-stock.ts'
import { hash } from '../random.ts'
import type { ServerOptions } from '../server.ts'
import type { CompanyCode, Price, World } from '../world/world.ts'

const NUMBERS: NumberRanges = {
  order: { prefix: '', first: 451_234, width: 10 },
  invoice: { prefix: '', first: 90_012_345, width: 10 },
  posting: { prefix: '', first: 1_900_004_711, width: 10 },
  payment: { prefix: '', first: 1_400_000_123, width: 10 },
}
export const SESSION_SECONDS = 1_800
const OWN_TAX_MICRO = 62_500

export type LegacyStore = {
  books: Books
  purchases: PurchaseOrders
  prices: Price[]
  stock: SiteStock[]
  sessions: Sessions
}

export type LegacyMemory = { books: BooksMemory; purchases: PurchaseLine[] }

export const rememberLegacy = ({ books, purchases }: LegacyStore): LegacyMemory => ({
  books: books.remember(),
  purchases: purchases.lines(),
})

/** Sessions are not remembered: a restart ends them. */
export function recallLegacy(store: LegacyStore, { books, purchases }: LegacyMemory): void {
  store.books.recall(books)
  store.purchases.recall(purchases)
}

export function legacyStore(world: World, company: CompanyCode, options: ServerOptions): LegacyStore {
  const { clock, keep, visibilityLagMs } = options
  const ownTax = (item: { taxClass: string }): { jurisdiction: string; rateMicro: number } => ({
    jurisdiction: 'OWN',
    rateMicro: item.taxClass === 'GENERAL' ? OWN_TAX_MICRO : 0,
  })
  return {
    books: new Books({ clock, world, company, keep, visibilityLagMs, numbers: NUMBERS, ownTax }),
    purchases: new PurchaseOrders(clock, world, company),
    prices: world.prices.filter((price) => price.company === company),
    stock: siteStock(world, company),
    sessions: new Sessions(clock, options.seed),
  }
}

/** Sessions end when nobody used them for half an hour; a restart ends all. */
export class Sessions {
  private readonly clock: Clock
  private readonly seed: string
  private readonly lastUsedMs = new Map<string, number>()
  constructor(clock: Clock, seed: string) {
    this.clock = clock
    this.seed = seed
  }

  open(): string {
    const nth = this.lastUsedMs.size
    const sid = hash(`${this.seed}/${this.clock.now().getTime()}/${nth}`).toString(16).padStart(8, '0') + nth
    this.lastUsedMs.set(sid, this.clock.monotonicMs())
    return sid
  }

  isOpen(sid: unknown): boolean {
    const nowMs = this.clock.monotonicMs()
    const usedMs = typeof sid === 'string' ? this.lastUsedMs.get(sid) : undefined
    if (usedMs === undefined || nowMs - usedMs > SESSION_SECONDS * 1_000) return false
    this.lastUsedMs.set(sid as string, nowMs)
    return true
  }

  endAll(): void {
    this.lastUsedMs.clear()
  }
}
