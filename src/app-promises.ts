/** What channels may count on, with what stands behind it: availability, what is kept back, reservations. */
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { promiseRoutes } from '#domains/inventory/routes/availability.ts'
import { reservationRoutes } from '#domains/inventory/routes/reservations.ts'
import { locationsOfItem } from '#domains/inventory/views.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { Door } from '#platform/batch.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Worker } from '#platform/worker.ts'
import { setAllocationsOf } from './processes/allocation-commands.ts'
import { answerAvailability } from './processes/availability.ts'
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

export type PromiseWires = {
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
  readonly reservations: Door<ReservationArrival, ReservationReceipt>
}

export function promisesOf(
  { screens: queries, worker, processPorts: ports, reservations }: PromiseWires,
  pages: Pages,
  stock: AvailabilityPorts,
): Route[] {
  const runner = () => worker.runner()
  return [
    ...promiseRoutes({
      ...stock,
      answer: (question) => answerAvailability(queries, ports, question),
      setAllocations: (command) => setAllocationsOf(queries, { runner: runner(), ports }, command),
    }),
    ...reservationRoutes({
      queries,
      pages,
      numbers: { reservation: reservationNumber, parse: parseNumber },
      reserve: async (arrival) => reservationAnswer(await reservations.add(arrival, arrival.client)),
      extend: (asked) => extendReservation(runner(), ports, asked),
      transfer: (asked) => transferReservation(runner(), asked),
      split: (asked) => splitOff(runner(), ports, asked),
      release: (asked) => releaseReservation(runner(), asked),
      commit: (asked) => commitReservation(runner(), asked),
    }),
  ]
}

type ItemQuestion = {
  readonly company: string
  readonly sku: string
  readonly channel: string | undefined
  readonly location: string | undefined
}

/** For who looks into the database beside the running program; undefined where the company has nothing of it. */
export async function explainItem(
  queries: Queries,
  { company, sku, channel, location }: ItemQuestion,
): Promise<AvailabilityAnswer | undefined> {
  const item = (await findItems(queries, [{ company, sku }])).get(itemKey(company, sku))
  if (!item) return undefined
  const locations = await locationsOfItem(queries, item.id)
  if (locations.length === 0) return undefined
  const rules = { code: company, locations, locationGroups: new Map() }
  const question = { company, channel, location, explain: true, items: [{ sku }] }
  return answerAvailability(queries, { findCompany: () => rules }, question)
}
