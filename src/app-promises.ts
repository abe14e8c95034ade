/** What channels may count on, with what stands behind it: availability, what is kept back, reservations. */
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { promiseRoutes } from '#domains/inventory/routes/availability.ts'
import { reservationRoutes } from '#domains/inventory/routes/reservations.ts'
import type { Door } from '#platform/batch.ts'
import type { Database } from '#platform/database.ts'
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
