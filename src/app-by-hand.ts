/** What people enter for warehouses whose systems are away, with what stands behind it. */
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { handRoutes } from '#domains/inventory/routes/by-hand.ts'
import type { HandView } from '#domains/inventory/contract/by-hand.ts'
import { listByHand } from '#domains/inventory/operations/by-hand.ts'
import { tellByHand } from '#domains/inventory/views/by-hand.ts'
import { findItemsById } from '#domains/items/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Process } from '#platform/process.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import {
  enterByHand,
  type HandCommand,
  type HandReached,
  settleByHand,
  type SettlingCommand,
} from './processes/by-hand-commands.ts'
import { watchByHand } from './processes/by-hand-watch.ts'
import { handDocument } from './processes/hand-telling.ts'
import { fulfillmentNumber, type ProcessPorts } from './processes/ports.ts'

/** What people say for warehouses. */
export type WarehouseHands = {
  enterByHand(command: HandCommand): Promise<HandReached>
  settleByHand(command: SettlingCommand): ReturnType<typeof settleByHand>
}

type HandsOf = {
  readonly screens: Queries
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

export function warehouseHands(
  { screens, worker, processPorts: ports }: HandsOf,
  shipment: Process,
): WarehouseHands {
  const wires = () => ({ runner: worker.runner(), ports, shipment })
  return {
    enterByHand: (command) => enterByHand(screens, wires(), command),
    settleByHand: (command) => settleByHand(wires(), command),
  }
}

const NUMBERS = { document: handDocument, request: fulfillmentNumber }

export const byHandOf = (
  { screens: queries, ...hands }: WarehouseHands & Pick<HandsOf, 'screens'>,
  pages: Pages,
  stock: AvailabilityPorts,
): Route[] =>
  handRoutes({
    ...stock,
    pages,
    itemsById: (ids) => findItemsById(queries, ids),
    numbers: NUMBERS,
    enterByHand: (command) => hands.enterByHand(command),
    settleByHand: (command) => hands.settleByHand(command),
  })

/** For who looks into the database beside the running program; the newest first. */
export async function listedByHand(
  queries: Queries,
  filter: { readonly company: string; readonly open: boolean },
  limit: number,
): Promise<HandView[]> {
  const found = await listByHand(queries, filter, undefined, limit)
  const items = await findItemsById(queries, [...new Set(found.map(({ itemId }) => itemId))])
  return found.map((row) => tellByHand(row, NUMBERS, items.get(row.itemId)!))
}

const EVERY_MS = 60_000

export const handWatch = (wires: {
  readonly database: Database
  readonly ports: { readonly clock: Clock }
  readonly openExceptions: OpenExceptions
}): Job => ({
  name: 'what was entered by hand',
  everyMs: EVERY_MS,
  run: () => watchByHand({ ...wires, clock: wires.ports.clock }),
})
