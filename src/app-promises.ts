/** What channels may count on, with what stands behind it: availability, what is kept back, reservations. */
import { findCustomers } from '#domains/customers/operations.ts'
import type { AvailabilityAnswer, AvailabilityQuestion } from '#domains/inventory/contract/availability.ts'
import type { Sources } from '#domains/inventory/contract/freshness.ts'
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { promiseRoutes } from '#domains/inventory/routes/availability.ts'
import { reservationRoutes } from '#domains/inventory/routes/reservations.ts'
import { locationsOfItem } from '#domains/inventory/views.ts'
import { reservedByOthers } from '#domains/inventory/views/availability.ts'
import { type StockOfOther, stockOfOthers } from '#domains/inventory/views/others.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { Backlog } from '#platform/backlog.ts'
import type { Door } from '#platform/batch.ts'
import { systemClock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { freshnessOf } from './app-freshness.ts'
import { placesIn } from './app-rules.ts'
import type { Config } from './config-schema.ts'
import { setAllocationsOf } from './processes/allocation-commands.ts'
import { answerAvailability, type AvailabilitySources } from './processes/availability.ts'
import { carefully } from './processes/careful-reading.ts'
import { parseNumber, type ProcessPorts, reservationNumber } from './processes/ports.ts'
import {
  commitReservation,
  extendReservation,
  releaseReservation,
  splitOff,
  transferReservation,
} from './processes/reservation-commands.ts'
import { reservationAnswer, type ReservationReceipt } from './processes/reservation-door.ts'
import type { ReservationArrival } from './processes/reservation-request.ts'
import { type LifePorts, livesLeft } from './processes/shelf-life.ts'
import { sourcesView } from './processes/sources-view.ts'
import { stockInDatabase, type StockInMemory } from './processes/stock-in-memory.ts'

export type PromiseWires = {
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
  readonly reservations: Door<ReservationArrival, ReservationReceipt>
  readonly stock: StockInMemory
  readonly backlog: Backlog | undefined
}

export function promisesOf(
  { screens: queries, worker, processPorts: ports, reservations, stock, backlog }: PromiseWires,
  pages: Pages,
  doors: AvailabilityPorts,
): Route[] {
  const runner = () => worker.runner()
  return [
    ...promiseRoutes({
      ...doors,
      answer: (question) =>
        answerAvailability(
          {
            ...ports,
            ...explaining(queries, ports),
            stock: carefully(stock.read, ports.clock),
          },
          question,
        ),
      sources: () => sourcesView(queries, ports),
      setAllocations: (command) => setAllocationsOf(queries, { runner: runner(), ports }, command),
    }),
    ...reservationRoutes({
      queries,
      pages,
      numbers: { reservation: reservationNumber, parse: parseNumber },
      async reserve(arrival) {
        backlog?.assertRoom()
        reservations.assertRoom()
        return reservationAnswer(await reservations.add(arrival, arrival.client))
      },
      extend: (asked) => extendReservation(runner(), ports, asked),
      transfer: (asked) => transferReservation(runner(), asked),
      split: (asked) => splitOff(runner(), ports, asked),
      release: (asked) => releaseReservation(runner(), asked),
      commit: (asked) => commitReservation(runner(), asked),
    }),
  ]
}

/** Whoever answers is told of a change well within a second. */
const LOOK_MS = 400

/** Keeps the stock that a process answers from in its memory. */
export const stockWatch = (stock: StockInMemory): Job[] => [
  { name: 'stock in memory', everyMs: LOOK_MS, run: () => stock.follow() },
]

const explaining = (
  queries: Queries,
  { freshness, ...ports }: LifePorts & Pick<ProcessPorts, 'freshness'>,
): Omit<AvailabilitySources, 'clock' | 'findCompany' | 'stock'> => ({
  explained: carefully(stockInDatabase(queries, ports.clock, freshness), ports.clock),
  reserved: (items) => reservedByOthers(queries, items),
  customers: (keys) => findCustomers(queries, keys),
  lives: (items, locations) => livesLeft(queries, ports, items, locations),
})

type ItemQuestion = Pick<
  AvailabilityQuestion,
  'company' | 'channel' | 'location' | 'locationGroup' | 'customer' | 'date'
> & { readonly sku: string }

/**
 * As `availability.query` answers, for who looks into the database beside the running program; undefined where the
 * company has no such item. Of a company that is not configured, the places that have a position of it are its places.
 */
export async function explainItem(
  queries: Queries,
  config: Config,
  { company, sku, ...asked }: ItemQuestion,
): Promise<AvailabilityAnswer | undefined> {
  const item = (await findItems(queries, [{ company, sku }])).get(itemKey(company, sku))
  if (!item) return undefined
  const rules = placesIn(config, company) ?? {
    code: company,
    locations: await locationsOfItem(queries, item.id),
    locationGroups: new Map(),
    timeZone: 'UTC',
  }
  if (rules.locations.length === 0) return undefined
  const ports = { clock: systemClock, company: () => rules, freshness: freshnessOf(config) }
  const sources = { clock: systemClock, ...explaining(queries, ports), findCompany: () => rules }
  const question = { company, ...asked, explain: true, dates: true, maxAgeMs: 0, items: [{ sku }] }
  return answerAvailability({ ...sources, stock: sources.explained }, question)
}

/** What lies with companies of their items and is another's, each with what was asked. */
export async function othersOf<Asked extends Pick<ItemQuestion, 'company' | 'sku'>>(
  queries: Queries,
  asked: readonly Asked[],
): Promise<readonly (Asked & StockOfOther)[]> {
  const items = await findItems(queries, asked)
  const askedOf = new Map(
    asked.flatMap((one) => {
      const item = items.get(itemKey(one.company, one.sku))
      return item ? [[item.id, one] as const] : []
    }),
  )
  const rows = await stockOfOthers(queries, [...askedOf.keys()])
  return rows.map((row) => ({ ...askedOf.get(row.itemId)!, ...row }))
}

/** As `sources.list` answers, for who looks into the database beside the running program. */
export const sourcesBeside = (queries: Queries, config: Config): Promise<Sources> =>
  sourcesView(queries, { clock: systemClock, freshness: freshnessOf(config) })
