/** Stock as people read it and put it right, with what stands behind it. */
import type { AvailabilityPorts } from '#domains/inventory/routes.ts'
import { adjustmentRoutes } from '#domains/inventory/routes/adjustments.ts'
import { lotRoutes, type ShippedAfter } from '#domains/inventory/routes/lots.ts'
import { ledgerRoutes } from '#domains/inventory/routes/ledger.ts'
import {
  type AdjustmentFilter,
  adjustmentOf,
  listAdjustments,
} from '#domains/inventory/operations/adjustments.ts'
import { tellAdjustment } from '#domains/inventory/views/adjustments.ts'
import type { AdjustmentAnswer } from '#domains/inventory/contract/adjustments.ts'
import type { LotAnswer, LotView } from '#domains/inventory/contract/lots.ts'
import { findItemsById } from '#domains/items/operations.ts'
import { headersOf } from '#domains/orders/views.ts'
import { linesOfShipments, shipmentsOf, shippedOfLot } from '#domains/shipments/views.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import type { Worker } from '#platform/worker.ts'
import {
  type AdjustmentCommand,
  type AdjustmentReached,
  adjustStock,
  decideOnAdjustment,
  type DecisionCommand,
} from './processes/adjustment-commands.ts'
import { serialsOf } from './app-serials.ts'
import {
  describeLot,
  itemNamed,
  listLots,
  type LotCommand,
  type LotReached,
  moveLot,
} from './processes/lot-commands.ts'
import {
  adjustmentNumber,
  orderNumber,
  parseNumber,
  type ProcessPorts,
  shipmentNumber,
} from './processes/ports.ts'

export type LedgerWires = {
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

/** What people say of stock, and what others decide on that. */
export type StockHands = {
  adjust(command: AdjustmentCommand): Promise<AdjustmentReached>
  decide(command: DecisionCommand): Promise<AdjustmentReached>
  moveLot(command: LotCommand): LotReached<LotAnswer>
  /** What expires first before the rest. */
  lots(of: ItemOf): Promise<LotView[]>
  /** Where a lot was shipped, a page from the newest on. */
  lotShipments(
    of: ItemOf & { readonly lot: string },
    after: ShippedAfter | undefined,
    limit: number,
  ): ReturnType<typeof shipmentsOfLot>
}
type ItemOf = { readonly company: string; readonly sku: string }

export function stockHands({ screens, worker, processPorts: ports }: LedgerWires): StockHands {
  const wires = () => ({ runner: worker.runner(), ports })
  return {
    adjust: (command) => adjustStock(screens, wires(), command),
    decide: (command) => decideOnAdjustment(wires(), command),
    moveLot: (command) => moveLot(screens, wires(), command),
    lots: (of) => listLots(screens, ports, of),
    lotShipments: async ({ lot, ...of }, after, limit) =>
      shipmentsOfLot(screens, { itemId: (await itemNamed(screens, { ports }, of)).id, lot }, after, limit),
  }
}

export function ledgerOf(wires: LedgerWires, pages: Pages, stock: AvailabilityPorts): Route[] {
  const { screens: queries } = wires
  return [
    ...ledgerRoutes({
      ...stock,
      pages,
      itemsById: (ids) => findItemsById(queries, ids),
      movedBy: (company, number) => movedBy(queries, company, number),
      documentNumber: (source, doc) =>
        source === 'adjustment' ? adjustmentNumber(doc) : shipmentNumber(doc),
    }),
    ...lotsOf(wires, pages, stock),
    ...serialsOf(queries, pages, stock),
    ...adjustmentRoutes({
      ...stock,
      pages,
      numbers: { adjustment: adjustmentNumber, parse: parseNumber },
      ...stockHands(wires),
    }),
  ]
}

function lotsOf(wires: LedgerWires, pages: Pages, stock: AvailabilityPorts): Route[] {
  const { screens: queries, worker, processPorts: ports } = wires
  const acting = () => ({ runner: worker.runner(), ports })
  return lotRoutes({
    ...stock,
    pages,
    today: (company) => localDate(ports.clock.now(), ports.company(company).timeZone),
    move: (command) => moveLot(queries, acting(), command),
    describe: (command) => describeLot(queries, acting(), command),
    shipments: (asked, after, limit) => shipmentsOfLot(queries, asked, after, limit),
  })
}

/** With the order and the customer of each, who are told of a recall. */
async function shipmentsOfLot(
  queries: Queries,
  lot: { readonly itemId: number; readonly lot: string },
  after: ShippedAfter | undefined,
  limit: number,
) {
  const found = await shippedOfLot(queries, lot, after, limit + 1)
  const page = found.slice(0, limit)
  const orders = await headersOf(queries, [...new Set(page.map(({ orderId }) => orderId))])
  const orderOf = new Map(orders.map((order) => [order.doc, order]))
  const last = found.length > limit ? page.at(-1)! : undefined
  return {
    next: last && ([last.doc, last.n] as const),
    items: page.map(({ doc, orderId, quantity, expiresOn, shippedAt, n: _, ...row }) => ({
      ...row,
      shipment: shipmentNumber(doc),
      order: orderNumber(orderId),
      customer: orderOf.get(orderId)!.customer,
      customerOrder: orderOf.get(orderId)!.customerOrder,
      shippedAt: shippedAt.toISOString(),
      quantity: formatQuantity(quantity),
      ...(expiresOn !== null && { expiresOn }),
    })),
  }
}

/** A shipment or an adjustment of the company, and where it moved stock. */
async function movedBy(queries: Queries, company: string, number: string) {
  const adjusted = parseNumber(number, 'A')
  if (adjusted !== undefined) {
    const found = await adjustmentOf(queries, adjusted)
    if (found?.company !== company) return undefined
    const places = found.lines.flatMap(({ itemId, location, place }) =>
      [location, ...(place === null ? [] : [place])].map((at) => ({ itemId, location: at })),
    )
    return { doc: adjusted, places: distinct(places) }
  }
  const shipped = parseNumber(number, 'S')
  if (shipped === undefined) return undefined
  const [[header], lines] = await Promise.all([
    shipmentsOf(queries, [shipped]),
    linesOfShipments(queries, [shipped]),
  ])
  if (header?.company !== company) return undefined
  const { location } = header
  return { doc: shipped, places: distinct(lines.map(({ itemId }) => ({ itemId, location }))) }
}

type Place = { readonly itemId: number; readonly location: string }
const distinct = (places: readonly Place[]): Place[] => [
  ...new Map(places.map((place) => [`${place.itemId} ${place.location}`, place])).values(),
]

/** For who looks into the database beside the running program; the newest first. */
export async function listedAdjustments(
  queries: Queries,
  filter: AdjustmentFilter,
  limit: number,
): Promise<AdjustmentAnswer[]> {
  const found = await listAdjustments(queries, filter, undefined, limit)
  return found.map((one) => tellAdjustment(one, adjustmentNumber, false))
}
