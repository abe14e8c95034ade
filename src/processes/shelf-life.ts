/** Customers who want goods to live for long: how much of what is there does, and what that leaves of a new order. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { DAY_MS, localDate } from '#platform/time-zone.ts'
import type { SellingCustomer } from '#domains/customers/contract.ts'
import type { Taking } from '#domains/inventory/contract/reservations.ts'
import type { ChannelStock } from '#domains/inventory/operations.ts'
import { cutTaking } from '#domains/inventory/operations/reservations.ts'
import {
  datedStock,
  type LifeAwaited,
  lifeAwaited,
  type LifeClaim,
  lifeClaims,
  type LivingLot,
  ShelfLives,
} from '#domains/inventory/operations/shelf-life.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { requestedLives, requestedOfLots } from '#domains/shipments/operations/lots.ts'
import type { ValuedOrder } from './order-pricing.ts'
import type { CompanyRules } from './ports.ts'

export type LifePorts = {
  readonly clock: Pick<Clock, 'now'>
  readonly company: (code: string) => Pick<CompanyRules, 'timeZone' | 'locations'>
}

/** For how long what ships of an item must live; only of what is known by lots it can be said. */
export const lifeWanted = (
  { minimumShelfLifeDays }: Pick<SellingCustomer, 'minimumShelfLifeDays'>,
  { lotControlled }: Pick<SellingItem, 'lotControlled'>,
): number | null => (lotControlled ? minimumShelfLifeDays : null)

/** The first day on which goods may expire that ship today and are to live for so many days. */
export const expiringFrom = (today: string, days: number): string =>
  new Date(Date.parse(today) + days * DAY_MS).toISOString().slice(0, 10)

/**
 * What is there of these items by how long it lives, without what orders have claimed. Claims are read before what
 * warehouses are asked for, so that a claim which is asked for meanwhile is counted twice rather than not at all.
 */
export async function readLives(
  queries: Queries,
  ports: LifePorts,
  items: readonly number[],
  locations: readonly string[],
): Promise<ShelfLives> {
  const { lots, claims, asked } = await lifeBooks(queries, ports, items, locations)
  return new ShelfLives(lots, [...claims, ...asked])
}

export type LifeBooks = {
  readonly lots: readonly LivingLot[]
  /** What orders keep and no warehouse was asked for. */
  readonly claims: readonly LifeClaim[]
  /** What warehouses were asked for without a lot. */
  readonly asked: readonly LivingLot[]
}

/** What there is of these items and who has claimed it. */
export async function lifeBooks(
  queries: Queries,
  ports: LifePorts,
  items: readonly number[],
  locations: readonly string[],
): Promise<LifeBooks> {
  const [claims, lots, asked] = await Promise.all([
    lifeClaims(queries, items, locations),
    livingLots(queries, ports, items, locations),
    requestedLives(queries, items, locations),
  ])
  const ofRequests = asked.map(({ company, minimumExpiry, ...at }) => ({
    ...at,
    days: daysUntil(ports, company, minimumExpiry),
  }))
  return { lots, claims, asked: ofRequests }
}

function daysUntil({ clock, company }: LifePorts, code: string, day: string): number {
  return (Date.parse(day) - Date.parse(localDate(clock.now(), company(code).timeZone))) / DAY_MS
}

/** What is there of these items, and named to no warehouse, by how long it lives. */
export async function livingLots(
  queries: Queries,
  ports: LifePorts,
  items: readonly number[],
  locations: readonly string[],
): Promise<(LivingLot & { readonly lot: string })[]> {
  const [lots, asked] = await Promise.all([
    datedStock(queries, items, locations),
    requestedOfLots(queries, items, locations),
  ])
  const named = new Map(asked.map((row) => [`${row.itemId} ${row.location} ${row.lot}`, row.quantity]))
  return lots.map(({ expiresOn, quantity, ...at }) => {
    const left = quantity - (named.get(`${at.itemId} ${at.location} ${at.lot}`) ?? 0)
    return { ...at, days: daysUntil(ports, at.company, expiresOn), quantity: Math.max(0, left) }
  })
}

/** What new orders may have; undefined, and nothing asked of the database, where none wants goods to live long. */
export async function livesForNew(
  queries: Queries,
  ports: LifePorts,
  orders: readonly ValuedOrder[],
): Promise<ShelfLives | undefined> {
  const wanting = orders.flatMap(({ request: { company }, customer, lines }) =>
    lines.flatMap((line) =>
      line.kind === 'sold' && lifeWanted(customer, line.item) !== null
        ? [{ company, itemId: line.item.id }]
        : [],
    ),
  )
  if (wanting.length === 0) return undefined
  const locations = [...new Set(wanting.flatMap(({ company }) => ports.company(company).locations))]
  const items = [...new Set(wanting.map(({ itemId }) => itemId))]
  return livesLeft(queries, ports, items, locations)
}

/** As `readLives`, for who comes new: without what those who wait will be given. */
export async function livesLeft(
  queries: Queries,
  ports: LifePorts,
  items: readonly number[],
  locations: readonly string[],
): Promise<ShelfLives> {
  const [lives, awaited] = await Promise.all([
    readLives(queries, ports, items, locations),
    lifeAwaited(queries, items),
  ])
  keepForWaiting(lives, awaited, locations)
  return lives
}

/** Who waits for goods that live long has what comes before anybody new who wants them. */
function keepForWaiting(
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

type Wanting = {
  readonly itemId: number
  readonly quantity: Quantity
  readonly minimumShelfLifeDays: number | null
}

/** What a reservation keeps for a line, as far as it lives long enough; counts down. The rest stays with the reservation. */
export const livingOf = (
  lives: ShelfLives,
  { minimumShelfLifeDays: days }: Wanting,
  takings: readonly Taking[],
): readonly Taking[] =>
  days === null
    ? takings
    : takings.flatMap((taking) => {
        const cut = cutTaking(taking, lives.at(taking.itemId, taking.location, days))
        lives.claim({ ...cut, days })
        return cut.quantity > 0 ? [cut] : []
      })

type Left = {
  readonly free: ChannelStock
  readonly lives: ShelfLives
  readonly channel: string
  readonly locations: readonly string[]
  readonly today: string
}

/** Why a line is not given what else is there; undefined where nothing is, or any lot would do. */
export function tooOldFor(
  { itemId, minimumShelfLifeDays: days }: Wanting,
  { free, lives, channel, locations, today }: Left,
): string | undefined {
  if (days === null) return undefined
  const places = locations.filter(
    (location) => free.at(channel, itemId, location) > lives.at(itemId, location, days),
  )
  if (places.length === 0) return undefined
  return `what else is at ${places.join(', ')} is not known to live until ${expiringFrom(today, days)}: the customer wants ${days} days from the day it ships`
}
