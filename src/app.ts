/** Every wire in the house, in order. What it cannot make itself (time, database, network) is handed in. */
import { createAccess, type Verifier } from '#platform/access.ts'
import { keyVerifier, listKeys } from '#platform/access-keys.ts'
import { tokenVerifier } from '#platform/access-tokens.ts'
import { createTurnstile } from '#platform/batch.ts'
import { followingClock } from '#platform/clock.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import type { DiskRoom } from '#platform/disk-room.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import { createServer, type Server } from '#platform/http-server.ts'
import type { Route } from '#platform/http.ts'
import { databaseIds, type Ids } from '#platform/ids.ts'
import type { Job } from '#platform/schedule.ts'
import { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { Worker } from '#platform/worker.ts'
import { houseCatalogue, RATES } from './app-catalogue.ts'
import { certificateWatch } from './app-certificates.ts'
import { masterDataGate, masterDataSync, type Reading } from './app-master-data.ts'
import { type PartnerDoor, partnerDoor } from './app-edi.ts'
import { type MessageCare, messageCare } from './app-messages.ts'
import { handWatch, type WarehouseHands, warehouseHands } from './app-by-hand.ts'
import { type StockHands, stockHands } from './app-ledger.ts'
import type { AppPorts } from './app-ports.ts'
import { stockWatch } from './app-promises.ts'
import { houseRehearsals, repairJobs } from './app-repairs.ts'
import {
  careWatch,
  type FreshnessHands,
  freshnessHands,
  freshnessWatch,
  type FreshnessWires,
} from './app-freshness.ts'
import { publishing } from './app-publishing.ts'
import { houseRoutes } from './app-routes.ts'
import { exceptionsOf, portsOf } from './app-rules.ts'
import { slaOf, slaWatch } from './app-sla.ts'
import { stockJobs } from './app-stock.ts'
import { doublePostJobs } from './app-double-posts.ts'
import { supplyWatch } from './app-supply.ts'
import { deliveriesOf } from './app-subscriptions.ts'
import { bindEdi, bindSystems, type Bound, othersIn } from './app-systems.ts'
import { waitingJobs } from './app-waiting.ts'
import { comeRound, keepUp, type UpkeepWires } from './app-upkeep.ts'
import { houseWorker, timeWatch, type WorkerWires } from './app-worker.ts'
import type { Config } from './config-schema.ts'
import {
  carrierDoor,
  channelDoor,
  type DoorPorts,
  orderDoor,
  warehouseDoor,
  warehouseGoesOn,
} from './processes/doors.ts'
import { fulfillment } from './processes/fulfillment.ts'
import { invoice } from './processes/invoice.ts'
import type { SyncProgress } from './processes/master-data-sync.ts'
import { orderToCash } from './processes/order-to-cash.ts'
import { type OverrideCommand, overrideStep } from './processes/override-door.ts'
import { overrideSteps } from './processes/override-steps.ts'
import type { ReadAs } from './processes/parked-work.ts'
import { payment } from './processes/payment.ts'
import { paymentDoor } from './processes/payment-door.ts'
import { numberOf, type ProcessPorts } from './processes/ports.ts'
import { shipment } from './processes/shipment.ts'
import { findOrders, type Story as OrderStory, storyOf } from './processes/story.ts'
import { StockInMemory } from './processes/stock-in-memory.ts'
import { createSummary, type Summary } from './processes/summary.ts'
import { reservationDoor } from './processes/reservation-door.ts'
import { tryAgain } from './processes/refusals.ts'
import { QUEUES } from './processes/trouble.ts'
import { CreateRequest, PauseRequest, RotateRequest } from './experiences/events/contract.ts'
import * as steering from './experiences/events/steering.ts'
import { eventWords } from './experiences/events/told.ts'

export interface App extends StockHands, FreshnessHands, WarehouseHands {
  readonly server: Server
  readonly worker: Worker
  readonly database: Database
  /**
   * Reads what the ERPs own whose turn it is. Doors that decide on customers, items, prices and opening stock open
   * with the first complete reading, by whichever process; after a restart, at once.
   */
  sync(onProgress: (progress: SyncProgress) => void): Promise<Reading>
  /** How orders fare, a second old while counting is quick. */
  summary(): Promise<Summary>
  /** Absent where EDI is not configured, and in a process that has nothing but doors. */
  readonly edi?: PartnerDoor
  /** Takes what a person decides on a step of an order. */
  override(command: OverrideCommand): ReturnType<typeof overrideStep>
  /** What the door of a parked message makes of a payload. */
  readonly readAs: ReadAs
  /** Takes in the parked messages that somebody wants replayed. */
  replayMessages(): Promise<void>
  /** Partitions, retention, seals, gauges, replays: from now on, until the house stops. */
  keepUp(): void
  stop(): Promise<void>
}

export function createApp(config: Config, outside: AppPorts): App {
  // Times that several processes compare are the database's.
  const clock = followingClock(outside.clock)
  const ports = { ...outside, clock }
  const options = { clock, random: (): number => ids.random(), assertLockOrder: ports.checks ?? false }
  const database = createDatabase(ports.connections, options)
  const screens = createDatabase(ports.screens, options)
  const ids = databaseIds(database, ports.chance)
  const openExceptions = exceptionsOf(config)
  const edi = bindEdi(config, ports, { database, reader: ids.token(4), openExceptions })
  const bound = bindSystems(config, ports, edi)
  const metrics = declareHouseMetrics(ports.metrics)
  const sla = slaOf(config, clock, metrics)
  const processPorts = portsOf(config, { clock, ids, openExceptions, sla, ...othersIn(bound, config) })
  const tables = houseProcesses(processPorts)
  const worker = houseWorker({ config, ports, ids, metrics, bound, processPorts, processes: tables.all })
  const masterData = masterDataGate(config, bound, database)
  const doors = houseDoors(tables, worker, {
    clock,
    queries: database,
    disk: ports.disk,
    runner: () => (masterData.check(), worker.runner()),
    batchMax: config.worker.batchMax,
    ports: processPorts,
  })
  const wires = {
    config,
    ports,
    ids,
    database,
    screens,
    worker,
    bound,
    processPorts,
    masterData,
    ...shown(screens, processPorts),
    metrics,
    ...doors,
  }
  const messages = messageCare(wires)
  const deliveries = deliveriesOf({ ...wires, openExceptions })
  const rehearse = houseRehearsals({ ...wires, tables })
  const routes = houseRoutes({ ...wires, notice: messages.notice, readAs: messages.readAs, rehearse })
  const server = houseServer(config, ports, { routes, ids, screens })
  let endUpkeep = async (): Promise<void> => undefined
  return {
    server,
    worker,
    database,
    sync: masterDataSync(config, { ...wires, gate: masterData, clock }),
    summary: wires.summary,
    ...(edi && config.role !== 'api' ? { edi: partnerDoor(edi, { ...doors, database, processPorts }) } : {}),
    override: doors.override,
    ...handsOf(wires),
    readAs: messages.readAs,
    replayMessages: () => messages.replay(),
    keepUp() {
      const care = { ...wires, openExceptions }
      const others = [...deliveries.jobs, ...repairJobs({ ...wires, tables }, rehearse), ...stockJobs(care)]
      endUpkeep = beginUpkeep(care, messages, others)
    },
    async stop() {
      await edi?.stop()
      await server.close()
      await deliveries.stop()
      await worker.stop()
      await endUpkeep()
    },
  }
}

/** What is told from memory. */
const shown = (screens: Database, { clock, freshness }: ProcessPorts) => ({
  summary: createSummary(screens, clock),
  stock: new StockInMemory(screens, clock, freshness),
})

type UpkeepOf = Omit<UpkeepWires, 'companies' | 'jobs'> & {
  readonly config: Config
  readonly openExceptions: OpenExceptions
  readonly stock: StockInMemory
  readonly processPorts: ProcessPorts
  readonly bound: Bound
  readonly ports: WorkerWires['ports']
}

/** A process that only opens doors looks after these alone. */
function beginUpkeep(wires: UpkeepOf, { jobs, doorJobs }: MessageCare, others: readonly Job[]) {
  const { config, ports, stock } = wires
  const everywhere = [...doorJobs, careWatch(wires)]
  const atDoors = config.role === 'worker' ? everywhere : [...everywhere, ...stockWatch(stock)]
  if (config.role === 'api') return comeRound([timeWatch(wires), ...atDoors], ports)
  const companies = config.companies.map((company) => company.code)
  return keepUp({
    ...wires,
    companies,
    jobs: [
      ...atDoors,
      ...jobs,
      ...others,
      slaWatch(wires),
      supplyWatch(wires),
      ...doublePostJobs(wires),
      handWatch(wires),
      freshnessWatch(wires),
      ...publishing(wires),
      ...waitingJobs(wires),
      ...certificateWatch(wires),
    ],
  })
}

/** The tables of steps; their ranks are the order in which their documents are locked. */
function houseProcesses(ports: ProcessPorts) {
  const children = { fulfillment: fulfillment(ports), invoice: invoice(ports) }
  const orders = orderToCash(ports, children)
  const shipments = shipment(ports)
  const payments = payment(ports)
  return {
    orders,
    shipments,
    payments,
    all: [orders, children.fulfillment, shipments, children.invoice, payments],
  }
}

function houseDoors(
  tables: ReturnType<typeof houseProcesses>,
  worker: Worker,
  { disk, ...given }: Omit<DoorPorts, 'turnstile'> & { readonly disk: DiskRoom | undefined },
) {
  const ports = { ...given, turnstile: createTurnstile() }
  // What warehouses tell ends work; what orders begins some.
  const beginning = { ...ports, runner: () => (disk?.assert(), ports.runner()) }
  const overrides = {
    ports: ports.ports,
    processes: new Map(tables.all.map((process) => [process.kind, process])),
    steps: overrideSteps(ports.ports.wishes),
  }
  return {
    orders: orderDoor(beginning, tables.orders),
    channel: channelDoor(beginning, tables.orders),
    warehouse: warehouseDoor(ports, tables.shipments),
    goOn: warehouseGoesOn(ports, tables.shipments),
    carrier: carrierDoor(ports),
    payments: paymentDoor(ports, tables.payments),
    reservations: reservationDoor(beginning),
    override: (command: OverrideCommand) => overrideStep(worker.runner(), overrides, command),
    ...warehouseHands({ screens: given.queries, worker, processPorts: given.ports }, tables.shipments),
  }
}

/** What people say of stock and for warehouses. */
const handsOf = (wires: FreshnessWires & WarehouseHands): StockHands & FreshnessHands & WarehouseHands => ({
  ...stockHands(wires),
  ...freshnessHands(wires),
  enterByHand: (command) => wires.enterByHand(command),
  settleByHand: (command) => wires.settleByHand(command),
})

type ServerWires = { readonly routes: readonly Route[]; readonly ids: Ids; readonly screens: Database }

function houseServer(config: Config, ports: AppPorts, { routes, ids, screens }: ServerWires): Server {
  const { clock, log, metrics, checks = false, openOnLoopback } = ports
  const access = createAccess(verifiersOf(config, ports, screens), { openOnLoopback })
  return createServer(
    routes,
    { clock, ids, log, metrics, access },
    {
      info: {
        title: 'Crossdock',
        version: '1.0.0',
        description: 'The governed integration layer of a wholesale distributor.',
      },
      catalogue: houseCatalogue,
      rates: RATES,
      checkAnswers: checks,
      timeoutMs: config.http.requestTimeoutMs,
      reference: config.role !== 'worker',
    },
  )
}

const JWKS_TIMEOUT_MS = 5_000

/** API keys, and the tokens of an identity provider where one is configured. */
function verifiersOf({ access }: Config, { clock, http }: AppPorts, screens: Database): Verifier[] {
  const keys = keyVerifier(screens, clock)
  if (!access.jwt) return [keys]
  const fetchJwks = async (url: string): Promise<unknown> => {
    const answer = await http.request({ method: 'GET', url, timeoutMs: JWKS_TIMEOUT_MS })
    return answer.json()
  }
  return [keys, tokenVerifier(access.jwt, fetchJwks, clock)]
}

export const hasKeys = async (database: Database): Promise<boolean> => (await listKeys(database)).length > 0

/** For who looks into the database beside the running program. */
export const orderStories = { find: findOrders, tell: storyOf }
export type Story = OrderStory
export const subscriptionSteering = { ...steering, CreateRequest, PauseRequest, RotateRequest, eventWords }
export const exceptionWork = { queues: QUEUES, numberOf, tryAgain }
