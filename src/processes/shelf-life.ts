/** Customers who want goods to live for long: how much of what is there does, and what their new orders are given of it. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { DAY_MS, localDate } from '#platform/time-zone.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import type { Taking } from '#domains/inventory/contract/reservations.ts'
import { allocateOrder, type FreeStock, type Sharing, stockKey } from '#domains/inventory/operations.ts'
import { cutTaking } from '#domains/inventory/operations/reservations.ts'
import {
  datedStock,
  type LifeAwaited,
  lifeAwaited,
  lifeClaims,
  ShelfLives,
} from '#domains/inventory/operations/shelf-life.ts'
import { requestedOfLots } from '#domains/shipments/operations/lots.ts'
import type { Candidate } from './captured-order.ts'
import type { ProcessPorts } from './ports.ts'

type LifePorts = Pick<ProcessPorts, 'clock' | 'company'>

/** The first day on which goods may expire that ship today and are to live for so many days. */
export const expiringFrom = (today: string, days: number): string =>
  new Date(Date.parse(today) + days * DAY_MS).toISOString().slice(0, 10)

/** In the order of the queue, item by item. */
export type Lives = { readonly lives: ShelfLives; readonly awaited: readonly LifeAwaited[] }

/**
 * What is there of these items by how long it lives, and who has claimed it. What is claimed is read before what is asked
 * for, so that a claim which is asked for meanwhile is counted twice rather than not at all.
 */
export async function readLives(
  queries: Queries,
  { clock, company }: LifePorts,
  items: Iterable<number>,
  locations: readonly string[],
): Promise<Lives> {
  const distinct = [...new Set(items)]
  const [lots, claims, awaited, asked] = await Promise.all([
    datedStock(queries, distinct, locations),
    lifeClaims(queries, distinct, locations),
    lifeAwaited(queries, distinct),
    requestedOfLots(queries, distinct, locations),
  ])
  const named = new Map(asked.map((row) => [`${row.itemId} ${row.location} ${row.lot}`, row.quantity]))
  const living = lots.map(({ lot, expiresOn, quantity, ...at }) => {
    const today = Date.parse(localDate(clock.now(), company(at.company).timeZone))
    const left = quantity - (named.get(`${at.itemId} ${at.location} ${lot}`) ?? 0)
    return { ...at, days: (Date.parse(expiresOn) - today) / DAY_MS, quantity: Math.max(0, left) }
  })
  return { lives: new ShelfLives(living, claims), awaited }
}

/** By item; what is not known by lots can be anything. */
function wantedDays({ valued: { customer, lines } }: Candidate): ReadonlyMap<number, number> {
  const { minimumShelfLifeDays: days } = customer
  if (days === null) return new Map()
  return new Map(
    lines.flatMap((line) =>
      line.kind === 'sold' && line.item.lotControlled ? [[line.item.id, days] as const] : [],
    ),
  )
}

/** Reads what new orders need to know; undefined, and nothing asked of the database, where none wants a long life. */
export async function livesForNew(
  queries: Queries,
  ports: LifePorts,
  candidates: readonly Candidate[],
): Promise<LivesForNew | undefined> {
  const wanting = candidates.filter((candidate) => wantedDays(candidate).size > 0)
  if (wanting.length === 0) return undefined
  const locations = [
    ...new Set(wanting.flatMap(({ arrival }) => ports.company(arrival.request.company).locations)),
  ]
  const items = wanting.flatMap((candidate) => [...wantedDays(candidate).keys()])
  const { lives, awaited } = await readLives(queries, ports, items, locations)
  keepForWaiting(lives, awaited, locations)
  return new LivesForNew(lives)
}

/** Who waits for a long life has what comes before anybody new who wants one. */
export function keepForWaiting(
  lives: ShelfLives,
  awaited: readonly LifeAwaited[],
  locations: readonly string[],
): void {
  for (const { itemId, days, quantity: wanted } of awaited) {
    let missing = wanted
    for (const location of locations) {
      const quantity = Math.min(missing, lives.at(itemId, location, days))
      lives.claim({ itemId, location, days, quantity })
      missing -= quantity
    }
  }
}

type Asked = { readonly itemId: number; readonly quantity: Quantity; readonly part: Quantity }

/** Counts down what new orders of one list are given, one after the other. */
export class LivesForNew {
  readonly #lives: ShelfLives

  constructor(lives: ShelfLives) {
    this.#lives = lives
  }

  /** Undefined where nothing of the order has to live long. */
  of(candidate: Candidate): OrderLives | undefined {
    const days = wantedDays(candidate)
    return days.size > 0 ? new OrderLives(this.#lives, days) : undefined
  }
}

export class OrderLives {
  readonly #lives: ShelfLives
  readonly #days: ReadonlyMap<number, number>
  /** By item: where something is free that does not live long enough. */
  readonly #short = new Map<number, Set<string>>()

  constructor(lives: ShelfLives, days: ReadonlyMap<number, number>) {
    this.#lives = lives
    this.#days = days
  }

  /** What of takings out of a reservation lives long enough; the rest stays with the reservation. */
  within(takings: readonly Taking[]): Taking[] {
    return takings.flatMap((taking) => {
      const days = this.#days.get(taking.itemId)
      if (days === undefined) return [taking]
      const cut = cutTaking(taking, this.#lives.at(taking.itemId, taking.location, days))
      this.#lives.claim({ ...cut, days })
      return cut.quantity > 0 ? [cut] : []
    })
  }

  /** Shares out what lives long enough as `share` shares it out. */
  sharing(
    lines: readonly Asked[],
    locations: readonly string[],
    share: Sharing = (free) => allocateOrder(free, lines, locations),
  ): Sharing {
    return (free) => {
      const wanted = [...this.#days].map(([itemId, days]) => ({ itemId, days }))
      const given = share(this.#lives.lowered(free, wanted, locations))
      for (const [at, some] of given.entries())
        for (const one of some) this.#give(free, lines[at]!.itemId, one)
      for (const { itemId, days } of wanted) this.#noteShort(free, { itemId, days, locations })
      return given
    }
  }

  /** Why a line is not given what is there; undefined where nothing else is. */
  shortOf(itemId: number, today: string): string | undefined {
    const places = [...(this.#short.get(itemId) ?? [])]
    const days = this.#days.get(itemId)
    if (days === undefined || places.length === 0) return undefined
    return `what else is at ${places.join(', ')} is not known to live until ${expiringFrom(today, days)}; the customer wants ${days} days from the day it ships`
  }

  #give(free: FreeStock, itemId: number, { location, quantity }: Allocation): void {
    const key = stockKey(itemId, location)
    free.set(key, (free.get(key) ?? 0) - quantity)
    const days = this.#days.get(itemId)
    if (days !== undefined) this.#lives.claim({ itemId, location, days, quantity })
  }

  #noteShort(
    free: FreeStock,
    { itemId, days, locations }: { itemId: number; days: number; locations: readonly string[] },
  ): void {
    const short = locations.filter((location) => {
      const here = free.get(stockKey(itemId, location)) ?? 0
      return here > this.#lives.at(itemId, location, days)
    })
    this.#short.set(itemId, new Set(short))
  }
}
