/** Orders that a lot on hold takes the stock from: they wait again, and warehouses are asked to stop what they ship of it. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket } from '#platform/process.ts'
import type { Quantity } from '#platform/quantity.ts'
import { giveBack, reservationsOf, reserve, stockKey } from '#domains/inventory/operations.ts'
import { ordersClaiming } from '#domains/inventory/operations/lots.ts'
import {
  type ClaimToLose,
  placesWithLot,
  shortWithoutLot,
  whoLivesTooShort,
  whoLoses,
} from '#domains/inventory/operations/lost-stock.ts'
import { type LivingLot, ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import { changeHeaders, loseAllocations } from '#domains/orders/operations.ts'
import { linesOf, lockHeaders, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import { canStop, type Fulfillment, type RequestedLot } from '#domains/shipments/contract.ts'
import { lockRequests, requestCancellations } from '#domains/shipments/operations.ts'
import { lotsOfRequests, requestsOfItem } from '#domains/shipments/operations/lots.ts'
import { wakeOrder, wakeRequest } from './order-work.ts'
import { wholePart } from './ordered-unit.ts'
import { type LifePorts, livingLots } from './shelf-life.ts'

type HeldLot = { readonly company: string; readonly itemId: number; readonly lot: string }

export type LostClaim = ClaimToLose & {
  readonly customerLine: string
  /** For how long it wants goods to live; null where any lot will do. */
  readonly days: number | null
}
/** What a warehouse was asked for, and whether it is asked to stop; what it picks already it is not. */
export type AtWarehouse = {
  readonly request: Fulfillment
  readonly quantity: Quantity
  readonly stops: boolean
}
export type MadeWay = { readonly waiting: readonly LostClaim[]; readonly requests: readonly AtWarehouse[] }

type Making = {
  readonly ports: LifePorts
  readonly held: HeldLot
  readonly reason: string
  readonly cause: Cause
  /** Throws `ClaimedMeanwhile` rather than leaving out an order that came in the same moment. */
  readonly mayRepeat: boolean
}

/**
 * To be called before the lot is put on hold. Orders that no warehouse has been asked for give way first, the latest before
 * the others; requests for the lot are stopped, and of those that name no lot as many as are still short.
 */
export async function makeWay(tx: Transaction, turn: Docket, making: Making): Promise<MadeWay> {
  const { held } = making
  const places = await placesWithLot(tx, held)
  const [claiming, asked] = await Promise.all([
    ordersClaiming(tx, held.itemId, places),
    requestsOfItem(tx, held.itemId, places),
  ])
  const concerned = asked.filter(({ lot }) => lot === held.lot || lot === '')
  const books = await lockAll(tx, claiming, concerned)
  const short = new Map(await shortWithoutLot(tx, held, places))
  if (making.mayRepeat) await refuseNewcomers(tx, held, { places, books, short })
  const waiting = claimsThatWait(books, held, {
    short,
    lots: await lotsWithout(tx, making, { places, books }),
  })
  for (const claim of waiting) count(short, claim)
  const { reason, cause } = making
  await letWait(tx, books, { waiting, data: { lot: held.lot, reason }, cause })
  const requests = requestsConcerned(books, held, short)
  const stopped = requests.flatMap(({ request, stops }) => (stops ? [request] : []))
  await stop(tx, books, { ...making, stopped })
  turn.wakeAfterwards([
    ...[...new Set([...waiting.map(({ doc }) => doc), ...stopped.map(({ orderId }) => orderId)])].map((doc) =>
      wakeOrder(books.orders.get(doc)!),
    ),
    ...stopped.map(wakeRequest),
  ])
  return { waiting, requests }
}

const count = (
  short: Map<string, Quantity>,
  { itemId, location, quantity }: Pick<ClaimToLose, 'itemId' | 'location' | 'quantity'>,
): unknown => {
  const key = stockKey(itemId, location)
  return short.set(key, (short.get(key) ?? 0) - quantity)
}

type LockedBooks = {
  readonly orders: ReadonlyMap<number, OrderHeader>
  readonly lines: ReadonlyMap<string, OrderLine>
  readonly claims: Awaited<ReturnType<typeof reservationsOf>>
  readonly requests: ReadonlyMap<number, Fulfillment>
  readonly lots: readonly RequestedLot[]
}

const sorted = (docs: readonly number[]): number[] => [...new Set(docs)].toSorted((a, b) => a - b)

/** Somebody has claimed some of what is short before its positions were locked, and his order is not. */
export class ClaimedMeanwhile extends Error {}

type Locked = {
  readonly places: readonly string[]
  readonly books: LockedBooks
  readonly short: ReadonlyMap<string, Quantity>
}

/** Behind the lock of the positions nobody claims any more, so whoever is missing now is there the next time. */
async function refuseNewcomers(
  tx: Transaction,
  { itemId }: HeldLot,
  { places, books, short }: Locked,
): Promise<void> {
  const lacking = places.filter((location) => short.get(stockKey(itemId, location))! > 0)
  if (lacking.length === 0) return
  const claiming = await ordersClaiming(tx, itemId, lacking)
  if (claiming.some((doc) => !books.orders.has(doc)))
    throw new ClaimedMeanwhile('an order claimed the stock of a lot that is being held')
}

async function lockAll(
  tx: Transaction,
  claiming: readonly number[],
  concerned: Awaited<ReturnType<typeof requestsOfItem>>,
): Promise<LockedBooks> {
  const orders = sorted([...claiming, ...concerned.map(({ orderId }) => orderId)])
  const docs = sorted(concerned.map(({ doc }) => doc))
  tx.locking('document', orders)
  const [headers, lines, requests, claims, lots] = await Promise.all([
    lockHeaders(tx, orders),
    linesOf(tx, orders),
    lockRequests(tx, docs),
    reservationsOf(tx, orders),
    lotsOfRequests(tx, docs),
  ])
  return {
    orders: new Map(headers.map((header) => [header.doc, header])),
    lines: new Map(lines.map((line) => [`${line.doc} ${line.n}`, line])),
    claims,
    requests: new Map(requests.map((request) => [request.doc, request])),
    lots,
  }
}

type Left = {
  /** By `stockKey`, how much of what is claimed has no stock. */
  readonly short: ReadonlyMap<string, Quantity>
  readonly lots: readonly LivingLot[]
}

function claimsThatWait(
  { orders, lines, claims }: LockedBooks,
  { itemId }: HeldLot,
  { short, lots }: Left,
): LostClaim[] {
  const mine = claims.flatMap((claim): LostClaim[] => {
    const order = orders.get(claim.doc)!
    if (claim.itemId !== itemId || order.closed || order.cancelRequested) return []
    const line = lines.get(`${claim.doc} ${claim.line}`)!
    const { customerLine, minimumShelfLifeDays: days } = line
    return [{ ...claim, customerLine, days, part: wholePart(line) }]
  })
  return withWholeLines(whoGoesWithout(mine, { short, lots }), mine, orders)
}

/** A line that is shipped whole gives up all that it keeps, wherever that is. */
export function withWholeLines<Claim extends ClaimToLose>(
  lost: readonly Claim[],
  claims: readonly Claim[],
  orders: LockedBooks['orders'],
): Claim[] {
  const whole = new Set(
    lost.flatMap(({ doc, line }) =>
      orders.get(doc)!.shippingRule === 'line-complete' ? [`${doc} ${line}`] : [],
    ),
  )
  const isWhole = ({ doc, line }: Claim): boolean => whole.has(`${doc} ${line}`)
  return [...lost.filter((claim) => !isWhole(claim)), ...claims.filter(isWhole)]
}

/** Who wants goods to live long goes without first: nothing else serves him, and what he gives up serves others. */
function whoGoesWithout(mine: readonly LostClaim[], { short, lots }: Left): LostClaim[] {
  const wanting = mine.flatMap(({ days, ...claim }) => (days === null ? [] : [{ ...claim, days }]))
  const old = new Map(
    whoLivesTooShort(wanting, new ShelfLives(lots, [])).map((claim) => [claimKey(claim), claim.quantity]),
  )
  const left = new Map(short)
  const kept = mine.flatMap((claim) => {
    const lost = old.get(claimKey(claim)) ?? 0
    count(left, { ...claim, quantity: lost })
    return claim.quantity > lost ? [{ ...claim, quantity: claim.quantity - lost }] : []
  })
  const others = new Map(whoLoses(kept, left).map((claim) => [claimKey(claim), claim.quantity]))
  const latestFirst = mine.toSorted((a, b) => b.doc - a.doc || b.line - a.line)
  return latestFirst.flatMap((claim) => {
    const quantity = (old.get(claimKey(claim)) ?? 0) + (others.get(claimKey(claim)) ?? 0)
    return quantity > 0 ? [{ ...claim, quantity }] : []
  })
}

const claimKey = ({ doc, line, location }: Pick<ClaimToLose, 'doc' | 'line' | 'location'>): string =>
  `${doc} ${line} ${location}`

/** What lives how long once the lot is on hold; nothing is asked where nobody wants anything to. */
async function lotsWithout(
  tx: Transaction,
  { held: { itemId, lot }, ports }: Making,
  { places, books }: { readonly places: readonly string[]; readonly books: LockedBooks },
): Promise<readonly LivingLot[]> {
  const isWanted = books.claims.some(
    ({ doc, line }) => books.lines.get(`${doc} ${line}`)!.minimumShelfLifeDays !== null,
  )
  if (!isWanted) return []
  return (await livingLots(tx, ports, [itemId], places)).filter((one) => one.lot !== lot)
}

type Lost = { readonly waiting: readonly ClaimToLose[]; readonly data: object; readonly cause: Cause }

/** Orders wait again for what they kept, and are told why. */
export async function letWait(
  tx: Transaction,
  { orders, lines }: Pick<LockedBooks, 'orders' | 'lines'>,
  { waiting, data, cause }: Lost,
): Promise<void> {
  if (waiting.length === 0) return
  await giveBack(
    tx,
    waiting.map(({ doc, line, itemId, location, quantity }) => {
      const { company } = orders.get(doc)!
      return { doc, line, itemId, location, quantity, company }
    }),
  )
  const lost = [...Map.groupBy(waiting, ({ doc, line }) => `${doc} ${line}`)].map(([key, own]) => ({
    order: orders.get(own[0]!.doc)!,
    line: lines.get(key)!,
    quantity: own.reduce((sum, claim) => sum + claim.quantity, 0),
  }))
  queueLost(tx, lost)
  const told = [...Map.groupBy(lost, ({ line }) => line.doc)].map(([doc, own]) => ({
    ...orders.get(doc)!,
    data: { ...data, lines: own.map(({ line }) => line.n) },
    lines: own.map(({ line: { n }, quantity }) => ({ n, reserved: -quantity, backordered: quantity })),
  }))
  await loseAllocations(tx, told, cause)
}

/** Lines wait for so much more than they did. */
export const queueLost = (
  tx: Transaction,
  lost: readonly {
    readonly order: Pick<OrderHeader, 'company' | 'channel'>
    readonly line: Pick<OrderLine, 'doc' | 'n' | 'itemId' | 'backordered' | 'minimumShelfLifeDays'>
    readonly quantity: Quantity
  }[],
): void =>
  reserve(
    tx,
    lost.map(({ order: { company, channel }, line: { n, ...line }, quantity }) => ({
      ...line,
      line: n,
      company,
      channel,
      allocations: [],
      backordered: line.backordered + quantity,
      waited: line.backordered > 0,
    })),
  )

/** Those that are to come from the lot; then, while a place is short, the latest of those that may. */
function requestsConcerned(
  { requests, lots }: LockedBooks,
  { itemId, lot }: HeldLot,
  short: Map<string, Quantity>,
): AtWarehouse[] {
  const mine = lots.filter((row) => row.itemId === itemId)
  const concerned = new Map<number, AtWarehouse>()
  const add = ({ doc, quantity }: RequestedLot): void => {
    const request = requests.get(doc)!
    const before = concerned.get(doc)?.quantity ?? 0
    concerned.set(doc, { request, quantity: before + quantity, stops: canStop(request) })
  }
  for (const row of mine) {
    if (row.lot !== lot) continue
    add(row)
    count(short, row)
  }
  for (const row of mine.toReversed()) {
    const isShort = (short.get(stockKey(itemId, row.location)) ?? 0) > 0
    if (row.lot !== '' || !isShort) continue
    add(row)
    count(short, row)
  }
  return [...concerned.values()].toSorted((a, b) => a.request.doc - b.request.doc)
}

async function stop(
  tx: Transaction,
  { orders }: LockedBooks,
  { held, reason, cause, stopped }: Making & { readonly stopped: readonly Fulfillment[] },
): Promise<void> {
  const words = `lot ${held.lot} is held: ${reason}`
  const fresh = stopped.filter(({ cancelRequested }) => !cancelRequested)
  await requestCancellations(
    tx,
    fresh.map((request) => ({ ...request, reason: words })),
    true,
    cause,
  )
  const told = [...Map.groupBy(fresh, ({ orderId }) => orderId)].map(([doc, own]) => ({
    ...orders.get(doc)!,
    data: { lot: held.lot, reason, fulfillments: own.map(({ doc: id, location }) => ({ id, location })) },
  }))
  await changeHeaders(tx, told, { change: 'touched', type: 'order.release_stopped' }, cause)
}
