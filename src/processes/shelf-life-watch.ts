/** Lots get older under a claim: what none serves any more that lives long enough waits again, before a warehouse is asked for it. */
import type { Database, Transaction } from '#platform/database.ts'
import type { Runner } from '#platform/runner.ts'
import { lockPositionsOf } from '#domains/inventory/operations.ts'
import { whoLivesTooShort } from '#domains/inventory/operations/lost-stock.ts'
import { lifeClaimedItems, ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import { linesOf, lockHeaders } from '#domains/orders/views.ts'
import { letWait, withWholeLines } from './lost-stock.ts'
import { wakeOrder } from './order-work.ts'
import { wholePart } from './ordered-unit.ts'
import { wakesOfFreed } from './order-undo.ts'
import { type LifeBooks, type LifePorts, lifeBooks } from './shelf-life.ts'

export type LifeWatch = {
  readonly database: Database
  readonly runner: () => Runner
  readonly ports: LifePorts
  /** Of all companies. */
  readonly locations: readonly string[]
}

const ITEMS = 200
const ORDERS = 100
const CAUSE = { source: 'shelf-life', actor: 'shelf-life' }

/**
 * One look at the items of which somebody keeps what is to live long; where nobody does, it asks an index and no more. It
 * remembers nothing: a look that was broken off is made good by the next.
 */
export async function watchShelfLives(watch: LifeWatch): Promise<void> {
  for (let after = 0; ;) {
    const items = await lifeClaimedItems(watch.database, after, ITEMS)
    if (items.length === 0) return
    after = items.at(-1)!
    const books = await lifeBooks(watch.database, watch.ports, items, watch.locations)
    const claims = books.claims.map((claim) => ({ ...claim, part: 1 }))
    const unserved = whoLivesTooShort(claims, servingLots(books))
    const orders = [...Map.groupBy(unserved, ({ doc }) => doc)].toSorted(([a], [b]) => a - b)
    for (let from = 0; from < orders.length; from += ORDERS) {
      const portion = orders.slice(from, from + ORDERS)
      const concerned = new Set(portion.flatMap(([, own]) => own.map(({ itemId }) => itemId)))
      const docs = portion.map(([doc]) => doc)
      await watch.runner().transaction(CAUSE, async (tx, turn) => {
        const lost = await giveUp(tx, watch, { docs, items: [...concerned] })
        turn.wakeAfterwards(lost.orders.map(wakeOrder))
        turn.wakeAfterwards(await wakesOfFreed(tx, lost.items))
      })
    }
  }
}

/** What requests without a lot are still to be picked from is theirs before all others'. */
const servingLots = ({ lots, asked }: LifeBooks): ShelfLives => new ShelfLives(lots, asked)

type Concerned = { readonly docs: readonly number[]; readonly items: readonly number[] }

/** Behind the locks of these orders and of the stock it is looked at again: the latest orders go without. */
async function giveUp(tx: Transaction, { ports, locations }: LifeWatch, { docs, items }: Concerned) {
  tx.locking('document', docs)
  const [headers, rows] = await Promise.all([lockHeaders(tx, docs), linesOf(tx, docs)])
  const orders = new Map(headers.map((header) => [header.doc, header]))
  const lines = new Map(rows.map((line) => [`${line.doc} ${line.n}`, line]))
  await lockPositionsOf(
    tx,
    items.flatMap((itemId) => locations.map((location) => ({ itemId, location }))),
  )
  const books = await lifeBooks(tx, ports, items, locations)
  const claims = books.claims.map((claim) => {
    const line = lines.get(`${claim.doc} ${claim.line}`)
    return { ...claim, part: line ? wholePart(line) : 1 }
  })
  const isMine = ({ doc }: { readonly doc: number }): boolean => {
    const order = orders.get(doc)
    return order !== undefined && !order.closed && !order.cancelRequested
  }
  const unserved = whoLivesTooShort(claims, servingLots(books)).filter(isMine)
  const waiting = withWholeLines(unserved, claims.filter(isMine), orders)
  await letWait(tx, { orders, lines }, { waiting, data: { tooOld: true }, cause: CAUSE })
  return {
    orders: [...new Set(waiting.map(({ doc }) => doc))].map((doc) => orders.get(doc)!),
    items: waiting.map(({ itemId }) => itemId),
  }
}
