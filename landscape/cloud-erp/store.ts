/** What the cloud ERP keeps: its books with its number ranges, price lists, tokens and answered idempotency keys. */
import { Books, type BooksMemory, type NumberRanges } from '../erp/books.ts'
import { type PurchaseLine, PurchaseOrders } from '../erp/purchase-orders.ts'
import { type BookOrder } from '../erp/documents.ts'
import { siteStock, type SiteStock } from '../erp/site-stock.ts'
import { kept, type Kept, refill } from '../kept.ts'
import { hash } from '../random.ts'
import type { Reply, ServerOptions } from '../server.ts'
import type { CompanyCode, Price, World } from '../world/world.ts'
import { orderId } from './shapes.ts'

const NUMBERS: NumberRanges = {
  order: { prefix: 'SO-', first: 104_512, width: 6 },
  invoice: { prefix: 'SI-', first: 203_345, width: 6 },
  posting: { prefix: 'GL-', first: 700_123, width: 6 },
  payment: { prefix: 'CP-', first: 900_001, width: 6 },
}
export const TOKEN_SECONDS = 3_600
const OWN_TAX_MICRO: Record<string, number> = { GENERAL: 190_000, FOOD: 70_000 }

type Answered = { bodyHash: number; reply: Reply }
export type CloudMemory = { books: BooksMemory; purchases: PurchaseLine[]; answered: [string, Answered][] }

export type CloudStore = {
  books: Books
  purchases: PurchaseOrders
  prices: Price[]
  stock: SiteStock[]
  ordersById: Kept<BookOrder>
  /** Answers by idempotency key, with the hash of the body that earned them. */
  answered: Kept<Answered>
  tokens: Map<string, number>
  newToken(): string
}

export const rememberCloud = ({ books, purchases, answered }: CloudStore): CloudMemory => ({
  books: books.remember(),
  purchases: purchases.lines(),
  answered: [...answered.entries()],
})

/** Tokens are not remembered: a restart ends them. */
export function recallCloud(store: CloudStore, { books, purchases, answered }: CloudMemory): void {
  store.books.recall(books)
  store.purchases.recall(purchases)
  for (const order of books.orders) store.ordersById.set(orderId(order), order)
  refill(store.answered, answered)
}

export function cloudStore(world: World, company: CompanyCode, options: ServerOptions): CloudStore {
  const { clock, keep, visibilityLagMs, seed } = options
  const ownTax = (item: { taxClass: string }): { jurisdiction: string; rateMicro: number } => ({
    jurisdiction: 'OWN',
    rateMicro: OWN_TAX_MICRO[item.taxClass] ?? 0,
  })
  const tokens = new Map<string, number>()
  return {
    books: new Books({ clock, world, company, keep, visibilityLagMs, numbers: NUMBERS, ownTax }),
    purchases: new PurchaseOrders(clock, world, company),
    prices: world.prices.filter((price) => price.company === company),
    stock: siteStock(world, company),
    ordersById: kept(keep),
    answered: kept(keep),
    tokens,
    newToken() {
      const token = `eyJ${hash(`${seed}/token/${tokens.size}/${clock.now().getTime()}`).toString(36)}${tokens.size}`
      tokens.set(token, clock.monotonicMs() + TOKEN_SECONDS * 1_000)
      return token
    },
  }
}
