/** Every wire in the house, in one place, in order. What it cannot make itself (time, database, network) is handed in. */
import type { Config } from './config-schema.ts'
import type { ErpReader } from '#capabilities/erp.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { billingRefusals } from '#domains/billing/contract.ts'
import { customerRefusals } from '#domains/customers/contract.ts'
import { openBalances } from '#domains/inventory/operations.ts'
import { itemRefusals } from '#domains/items/contract.ts'
import { orderRefusals } from '#domains/orders/contract.ts'
import { orderRoutes } from '#domains/orders/routes.ts'
import { pricingRefusals } from '#domains/pricing/contract.ts'
import { shipmentRefusals } from '#domains/shipments/contract.ts'
import { accessRefusals, createAccess } from '#platform/access.ts'
import { keyVerifier, listKeys } from '#platform/access-keys.ts'
import { auditRefusals } from '#platform/audit-sealer.ts'
import { businessCalendar } from '#platform/calendars.ts'
import type { Clock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import { type Connections, createDatabase, type Database } from '#platform/database.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { exceptionRefusals } from '#platform/exceptions-work.ts'
import { catalogue } from '#platform/http-catalogue.ts'
import type { HttpClient } from '#platform/http-client.ts'
import { httpFaults, httpRefusals } from '#platform/http-refusals.ts'
import { createServer, type Server } from '#platform/http-server.ts'
import { databaseIds } from '#platform/ids.ts'
import { INBOUND_REFUSALS, type InboundDoor } from '#platform/inbound.ts'
import { createLane } from '#platform/lanes.ts'
import type { Lease } from '#platform/lease.ts'
import { parkingRefusals } from '#platform/parking.ts'
import { openPolicies } from '#platform/policies-exchange.ts'
import { createRunner } from '#platform/runner.ts'
import type { Log } from '#platform/telemetry-log.ts'
import { declareHouseMetrics, type Metrics } from '#platform/telemetry-metrics.ts'
import { telemetryRoutes } from '#platform/telemetry-routes.ts'
import { createWorker, type Life, type Worker } from '#platform/worker.ts'
import { orderAnswer, orderDoor, warehouseDoor } from './processes/doors.ts'
import { fulfillment } from './processes/fulfillment.ts'
import { invoice } from './processes/invoice.ts'
import { masterDataRefusals, syncMasterData, type SyncProgress } from './processes/master-data-sync.ts'
import { capturedAnswers } from './processes/order-answer.ts'
import { orderToCash } from './processes/order-to-cash.ts'
import { OWNERSHIP, parkPoison, parkEffects } from './processes/trouble.ts'
import { type ChannelWishes, type CompanyRules, type ProcessPorts } from './processes/ports.ts'
import { shipment } from './processes/shipment.ts'
import { webhookRoutes } from './processes/webhooks.ts'
import { createCloudErpConnector } from './systems/erp-cloud/connector.ts'
import { createLegacyErpConnector } from './systems/erp-legacy/connector.ts'
import { createTaxEngineConnector } from './systems/tax-engine/connector.ts'
import { createDepotConnector } from './systems/wms-depot/connector.ts'

export type AppPorts = {
  /** For what decides: plans by index only. */
  readonly connections: Connections
  /** For what is shown. */
  readonly screens: Connections
  readonly clock: Clock
  readonly http: HttpClient
  readonly log: Log
  readonly metrics: Metrics
  /** Tests check the lock order, the answers of routes and the facts that memory carries. */
  readonly checks?: boolean
}

export interface App {
  readonly server: Server
  readonly worker: Worker
  readonly database: Database
  /** Loads customers, items, prices and opening stock from the ERPs. */
  sync(onProgress: (progress: SyncProgress) => void): Promise<void>
  stop(): Promise<void>
}

type Bound = {
  readonly connectors: ReadonlyMap<string, Connector>
  readonly readers: ReadonlyMap<string, ErpReader>
  readonly warehouses: ReadonlyMap<string, InboundDoor<WarehouseMessage>>
}

/** The ranks of processes are the order in which their documents are locked: order, fulfillment, shipment, invoice. */
export function createApp(config: Config, ports: AppPorts): App {
  const { clock, log, metrics } = ports
  const checks = ports.checks ?? false
  const options = { clock, random: () => 0.5, assertLockOrder: checks }
  const database = createDatabase(ports.connections, options)
  const screens = createDatabase(ports.screens, options)
  const ids = databaseIds(database)
  const house = declareHouseMetrics(metrics)
  const bound = bindSystems(config, ports)
  const processPorts = portsOf(config, { clock, ids })
  const shipments = shipment(processPorts)
  const invoices = invoice(processPorts)
  const fulfillments = fulfillment(processPorts)
  const orders = orderToCash(processPorts, { fulfillment: fulfillments, invoice: invoices })

  function begin(epoch: number, fenced: Database, lease: Lease): Life {
    const random = () => ids.random()
    const policies = openPolicies({
      database: fenced,
      clock,
      random,
      holder: epoch,
      policies: Object.fromEntries(Object.entries(config.systems).map(([name, { policy }]) => [name, policy])),
      onError: (error) => log.warn('policies could not be exchanged', { error: String(error) }),
    })
    const lanes = new Map(
      [...bound.connectors].map(([system, connector]) => [
        system,
        createLane({
          connector,
          gate: policies.gate(system),
          clock,
          random,
          waitingMax: Math.ceil(config.worker.inFlightMax / 2),
          mayStillSend: () => lease.valid(),
          onCall: ({ outcome }) => house.systemRequests.add({ system, outcome }),
        }),
      ]),
    )
    const runner = createRunner({
      database: fenced,
      clock,
      random,
      epoch,
      processes: [orders, fulfillments, shipments, invoices],
      lanes,
      route: router(config),
      inFlightMax: config.worker.inFlightMax,
      batchMax: config.worker.batchMax,
      claimPollMs: config.worker.claimPollMs,
      verifyFacts: checks,
      parked: (tx, effects) => parkEffects(tx, processPorts, effects),
      poisoned: (tx, document) => parkPoison(tx, processPorts, document),
      onError: (message, error) => log.error(message, { error: describe(error) }),
    })
    return { runner, lanes, policies }
  }

  const worker = createWorker({
    connections: ports.connections,
    clock,
    database: { random: () => ids.random(), assertLockOrder: checks },
    name: `crossdock-${ids.token(4)}`,
    begin,
    onEvent: (message, facts) => log.warn(message, { ...facts }),
  })

  const doorPorts = { clock, queries: database, runner: () => worker.runner(), batchMax: config.worker.batchMax, ports: processPorts }
  const submissions = orderDoor(doorPorts, orders)
  const warehouse = warehouseDoor(doorPorts, shipments)
  const routes = [
    ...orderRoutes({
      async submit({ request, client, traceId, claim }) {
        const arrival = { request, sender: client, actor: client, traceId, claim }
        const answer = orderAnswer(await submissions.add(arrival, client))
        if ('replayed' in answer || answer.kind === 'new') return answer
        return { kind: 'known', answer: await capturedAnswers(database, answer.doc) }
      },
    }),
    ...webhookRoutes(bound.warehouses, (told) => warehouse.add(told)),
    ...telemetryRoutes(metrics, [{ name: 'worker', check: async () => void worker.runner() }]),
  ]
  const server = createServer(
    routes,
    {
      clock,
      ids,
      log,
      metrics,
      access: createAccess([keyVerifier(screens, clock)], { openOnLoopback: true }),
    },
    {
      info: { title: 'Crossdock', version: '1.0.0', description: 'The governed integration layer of a wholesale distributor.' },
      catalogue: houseCatalogue,
      rates: RATES,
      checkAnswers: checks,
      timeoutMs: config.http.requestTimeoutMs,
    },
  )

  async function sync(onProgress: (progress: SyncProgress) => void): Promise<void> {
    for (const company of config.companies) {
      const reader = bound.readers.get(company.erp)
      if (!reader) continue
      await syncMasterData({
        reader,
        company: company.code,
        database,
        clock,
        onProgress,
        onStock: async (tx, reading, records) => {
          const inserted = await openBalances(
            tx,
            records.map(({ itemId, location, lot, quantity }) => ({
              company: reading.company,
              itemId,
              location,
              lot: lot ?? '',
              quantity,
              source: reading.source,
              sourceKey: `opening/${reading.asOf.toISOString()}`,
              at: reading.asOf,
            })),
          )
          return { inserted, updated: 0, unchanged: records.length - inserted, superseded: 0, rejected: [] }
        },
      })
    }
  }

  return {
    server,
    worker,
    database,
    sync,
    async stop() {
      await server.close()
      await worker.stop()
    },
  }
}

const RATES = {
  orders: { perSecond: 100_000, burst: 100_000 },
  reads: { perSecond: 2_000, burst: 4_000 },
  commands: { perSecond: 500, burst: 1_000 },
  webhooks: { perSecond: 100_000, burst: 100_000 },
  page: { perSecond: 200, burst: 400 },
  probe: { perSecond: 200, burst: 400 },
} as const

export const houseCatalogue = catalogue(
  httpRefusals,
  httpFaults,
  accessRefusals,
  auditRefusals,
  exceptionRefusals,
  parkingRefusals,
  INBOUND_REFUSALS,
  masterDataRefusals,
  orderRefusals,
  shipmentRefusals,
  billingRefusals,
  customerRefusals,
  itemRefusals,
  pricingRefusals,
)

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** One connector for each configured system, and what each can do beside its operations. */
function bindSystems(config: Config, { http, clock, log }: AppPorts): Bound {
  const connectors = new Map<string, Connector>()
  const readers = new Map<string, ErpReader>()
  const warehouses = new Map<string, InboundDoor<WarehouseMessage>>()
  for (const [instance, system] of Object.entries(config.systems)) {
    const { baseUrl, credentials, options, policy } = system
    // each connector's own schema says what its credentials and options are
    const settings = { baseUrl, credentials, options, timeoutMs: policy.timeoutMs } as never
    const onUnreadable = (row: object): void => log.warn(`${instance} sent master data that cannot be read`, { ...row })
    switch (system.connector) {
      case 'erp-legacy':
      case 'erp-cloud': {
        const create = system.connector === 'erp-legacy' ? createLegacyErpConnector : createCloudErpConnector
        const erp = create({ instance, settings, http, clock, onUnreadable })
        connectors.set(instance, erp)
        readers.set(instance, erp)
        break
      }
      case 'wms-depot': {
        const wms = createDepotConnector({ instance, settings, http, clock })
        connectors.set(instance, wms)
        warehouses.set(instance, wms.inbound)
        break
      }
      case 'tax-engine':
        connectors.set(instance, createTaxEngineConnector({ instance, settings, http, clock }))
        break
      default:
        throw new Error(`systems.${instance}.connector: there is no connector "${system.connector}"`)
    }
  }
  return { connectors, readers, warehouses }
}

/** (company, capability, location) → the system instance that serves it. */
function router(config: Config): (company: string, capability: string, location: string | undefined) => string {
  const companies = new Map(config.companies.map((company) => [company.code, company]))
  const locations = new Map(config.locations.map((location) => [location.code, location]))
  return (code, capability, location) => {
    const company = companies.get(code)
    const instance =
      capability === 'erp'
        ? company?.erp
        : capability === 'tax'
          ? company?.tax
          : capability === 'wms'
            ? locations.get(location ?? '')?.wms
            : location
    if (!instance) throw new Error(`nothing serves ${capability} for company ${code} at ${location ?? 'any location'}`)
    return instance
  }
}

const NO_WISHES: ChannelWishes = { acknowledgement: false, shipNotice: false, invoice: false }

function portsOf(config: Config, { clock, ids }: Pick<ProcessPorts, 'clock' | 'ids'>): ProcessPorts {
  const rules = new Map(config.companies.map((company): [string, CompanyRules] => [company.code, rulesOf(config, company)]))
  const calendars = new Map(
    config.companies.map((company) => [company.code, businessCalendar({ ...OFFICE_HOURS, timeZone: company.timeZone })]),
  )
  const anywhere = businessCalendar({ ...OFFICE_HOURS, timeZone: 'UTC' })
  return {
    clock,
    ids,
    company(code) {
      const found = rules.get(code)
      if (!found) throw new Error(`company ${code} is not configured`)
      return found
    },
    wishes: () => NO_WISHES,
    openExceptions: exceptionOpener({ ...OWNERSHIP, calendarOf: (company) => calendars.get(company) ?? anywhere }),
  }
}

const WORKDAY = [{ from: '08:00', to: '17:00' }]
const OFFICE_HOURS = {
  week: { mon: WORKDAY, tue: WORKDAY, wed: WORKDAY, thu: WORKDAY, fri: WORKDAY },
  holidays: [],
  specialDays: {},
  cutOffs: [],
}

function rulesOf(config: Config, company: Config['companies'][number]): CompanyRules {
  return {
    code: company.code,
    currency: company.currency,
    locations: config.locations.filter((place) => (place.company ?? company.code) === company.code).map((place) => place.code),
    taxedBy: company.tax === 'erp' ? 'erp' : 'tax-system',
    credit: { staleAfterMs: 24 * 3_600_000, fallback: 'hold' },
    price: { tolerancePpm: 20_000, toleranceMinor: 0, within: 'ours', beyond: 'hold' },
  }
}

export const hasKeys = async (database: Database): Promise<boolean> => (await listKeys(database)).length > 0
