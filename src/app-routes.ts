/** Every door that HTTP opens, with what stands behind it. */
import { billingRoutes } from '#domains/billing/routes.ts'
import { externalRoutes } from '#domains/inventory/routes/external.ts'
import { type AvailabilityPorts, inventoryRoutes } from '#domains/inventory/routes.ts'
import { findItems } from '#domains/items/operations.ts'
import { orderRoutes } from '#domains/orders/routes.ts'
import { supplyRoutes } from '#domains/supply/routes.ts'
import { type Backlog, createBacklog } from '#platform/backlog.ts'
import type { Door } from '#platform/batch.ts'
import { type Database, ping } from '#platform/database.ts'
import type { Route } from '#platform/http.ts'
import { createPages, type Pages } from '#platform/http-cursor.ts'
import type { Ids } from '#platform/ids.ts'
import { telemetryRoutes } from '#platform/telemetry-routes.ts'
import type { Worker } from '#platform/worker.ts'
import { byHandOf, type WarehouseHands } from './app-by-hand.ts'
import { freshnessDoors } from './app-freshness.ts'
import { ledgerOf } from './app-ledger.ts'
import type { MasterDataGate } from './app-master-data.ts'
import type { AppPorts } from './app-ports.ts'
import { type PromiseWires, promisesOf } from './app-promises.ts'
import { reconciliationsOf } from './app-reconciliation.ts'
import { sourcingOf } from './app-sourcing.ts'
import { eventRoutes } from './app-subscriptions.ts'
import type { Bound } from './app-systems.ts'
import { waitingDoors } from './app-waiting.ts'
import type { Config } from './config-schema.ts'
import { effectRoutes } from './experiences/control-tower/effects.ts'
import { exceptionRoutes } from './experiences/control-tower/exceptions.ts'
import { type ParkingPorts, parkingRoutes } from './experiences/control-tower/parking.ts'
import { repairRoutes } from './experiences/control-tower/repairs.ts'
import { type OverridePorts, overrideRoutes } from './experiences/control-tower/overrides.ts'
import { controlTowerRoutes } from './experiences/control-tower/routes.ts'
import { carefully } from './processes/careful-reading.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import { orderAnswer, type Submission, type Submitted } from './processes/doors.ts'
import type { Told } from './processes/inbound.ts'
import type { Heard } from './processes/message-filing.ts'
import { capturedAnswers } from './processes/order-answer.ts'
import { cancelOrder, releaseHoldOf } from './processes/order-commands.ts'
import { milestonesOfOrder, orderView, storyAnswer } from './processes/order-reads.ts'
import { paymentAnswer, type PaymentArrival, type PaymentReceipt } from './processes/payment-door.ts'
import { reversePayment } from './processes/payment-reversal.ts'
import { holdNumber, orderNumber, parseNumber, type ProcessPorts } from './processes/ports.ts'
import { findOrders } from './processes/story.ts'
import type { Summary } from './processes/summary.ts'
import type { ScanTold } from './processes/tracking.ts'
import { carrierRoutes, type Ear, type Notice, shopRoutes, webhookRoutes } from './processes/webhooks.ts'

export type RouteWires = {
  readonly config: Config
  readonly ports: AppPorts
  readonly ids: Ids
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly bound: Bound
  readonly processPorts: ProcessPorts
  readonly masterData: MasterDataGate
  readonly summary: () => Promise<Summary>
  readonly orders: Door<Submission, Submitted>
  readonly warehouse: Door<Told, Heard>
  readonly channel: Door<ChannelTold, Heard>
  readonly carrier: Door<ScanTold, Heard>
  readonly notice: Notice
  readonly payments: Door<PaymentArrival, PaymentReceipt>
} & OverridePorts &
  WarehouseHands &
  Pick<PromiseWires, 'reservations' | 'stock'> &
  Pick<ParkingPorts, 'readAs' | 'rehearse'>

export function houseRoutes(wires: RouteWires): Route[] {
  const { config, ports, ids, screens, bound } = wires
  if (config.role === 'worker') return probesOf(wires)
  const pages = createPages(config.access.pageTokenSecret ?? ids.token(32))
  const companies = config.companies.map((company) => company.code)
  const backlog = backlogOf(wires)
  return [
    ...ordersOf(wires, pages, backlog),
    ...billingRoutes({
      receivePayment: async (arrival) => paymentAnswer(await takenAt(wires.payments, arrival)),
      reversePayment: (command) => reversePayment(wires.worker.runner(), command),
    }),
    ...stockOf(wires, { companies, pages, backlog }),
    ...sourcingOf(wires, pages, companies),
    ...waitingDoors(wires, pages, companies),
    ...webhookRoutes(bound.warehouses, earAt(wires.warehouse), wires.notice),
    ...shopRoutes(bound.shops, shopEar(wires, backlog), wires.notice),
    ...carrierRoutes(bound.carriers, earAt(wires.carrier), wires.notice),
    ...controlTowerRoutes({ queries: screens, clock: ports.clock, pages, companies, summary: wires.summary }),
    ...eventRoutes(wires, pages),
    ...exceptionRoutes({ queries: screens, database: wires.database, pages }),
    ...parkingRoutes({ ...wires, queries: screens, pages }),
    ...effectRoutes({ ...wires, queries: screens, pages, recoveryOf: recoveryOf(bound) }),
    ...overrideRoutes({ override: wires.override }),
    ...repairRoutes({ queries: screens, database: wires.database, pages, clock: ports.clock }),
    ...probesOf(wires),
  ]
}

/** Everybody else accepts as fast as he works: his own documents in flight are bounded. */
function backlogOf({ config, ports, screens }: RouteWires): Backlog | undefined {
  if (config.role !== 'api') return undefined
  return createBacklog({ queries: screens, clock: ports.clock, max: config.worker.backlogMax })
}

/** Turned away at a full door, before anything of it is kept. */
function takenAt<Item extends { readonly client: string }, Answer>(
  door: Door<Item, Answer>,
  item: Item,
): Promise<Answer> {
  door.assertRoom()
  return door.add(item, item.client)
}

const earAt = <Told>(door: Door<Told, Heard>): Ear<Told> => ({
  assertRoom: () => door.assertRoom(),
  hear: (told) => door.add(told),
})

/** What takes an order back, or counts stock, makes no work that waits. */
const shopEar = ({ channel }: RouteWires, backlog: Backlog | undefined): Ear<ChannelTold> => ({
  assertRoom(told) {
    channel.assertRoom()
    if (told.some(({ inbound }) => inbound.message?.type === 'order-placed')) backlog?.assertRoom()
  },
  hear: (told) => channel.add(told),
})

const recoveryOf =
  ({ connectors }: Bound) =>
  (system: string, operation: string) =>
    connectors.get(system)?.operations[operation]?.recovery

/** Who owns nothing is ready with its database; everyone else with a lease, which needs the database too. */
function probesOf({ config, ports, database, worker, masterData, stock }: RouteWires): Route[] {
  const isReception = config.role === 'api'
  return telemetryRoutes(ports.metrics, [
    isReception
      ? { name: 'database', check: () => ping(database) }
      : { name: 'worker', check: async () => void worker.runner() },
    { name: 'master-data', check: async () => masterData.check() },
    { name: 'stock', check: async () => stock.assertRead() },
  ])
}

function ordersOf(wires: RouteWires, pages: Pages, backlog: Backlog | undefined): Route[] {
  const { database, screens, worker, orders, processPorts } = wires
  return orderRoutes({
    queries: screens,
    pages,
    numbers: { order: orderNumber, hold: holdNumber, parse: parseNumber },
    read: (doc) => orderView(screens, doc),
    milestones: (doc) => milestonesOfOrder(screens, doc),
    story: (doc) => storyAnswer(screens, doc),
    find: (anyId) => findOrders(screens, anyId),
    cancel: (asked) => cancelOrder(worker.runner(), asked),
    releaseHold: (asked) => releaseHoldOf(worker.runner(), processPorts.sla, asked),
    async submit({ request, client, partner, traceId, claim }) {
      backlog?.assertRoom()
      orders.assertRoom()
      const arrival = { request, sender: client, partner, actor: client, traceId, claim }
      const answer = orderAnswer(await orders.add(arrival, client))
      if ('replayed' in answer || answer.kind === 'new') return answer
      return { kind: 'known', answer: await capturedAnswers(database, answer.doc) }
    },
  })
}

type StockWires = {
  readonly companies: readonly string[]
  readonly pages: Pages
  readonly backlog: Backlog | undefined
}

function stockOf(wires: RouteWires, { companies, pages, backlog }: StockWires): Route[] {
  const { screens, processPorts, stock } = wires
  const ports: AvailabilityPorts = {
    queries: screens,
    stock: carefully(stock.read, processPorts.clock),
    companies: () => companies,
    locations: (code) => (companies.includes(code) ? processPorts.company(code).locations : undefined),
    async items(company, skus) {
      const keys = skus.map((sku) => ({ company, sku }))
      const found = await findItems(screens, keys)
      return new Map([...found.values()].map((item) => [item.sku, item]))
    },
  }
  return [
    ...inventoryRoutes(ports),
    ...promisesOf({ ...wires, backlog }, pages, ports),
    ...freshnessDoors(wires, pages),
    ...ledgerOf(wires, pages, ports),
    ...byHandOf(wires, pages, ports),
    ...supplyRoutes({ ...ports, pages }),
    ...reconciliationsOf(wires, pages, ports),
    ...externalRoutes({ ...ports, pages }),
  ]
}
