/** Every wire in the house, in one place, in order. What it cannot make itself (time, database, network) is handed in. */
import type { Config } from './config-schema.ts'
import type { ErpReader } from '#capabilities/erp.ts'
import type { ChannelInbound, ChannelMessage } from '#capabilities/channel-messages.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { billingRefusals } from '#domains/billing/contract.ts'
import { billingRoutes } from '#domains/billing/routes.ts'
import { customerRefusals } from '#domains/customers/contract.ts'
import { inventoryRefusals } from '#domains/inventory/contract.ts'
import { openBalances } from '#domains/inventory/operations.ts'
import { inventoryRoutes } from '#domains/inventory/routes.ts'
import { itemRefusals } from '#domains/items/contract.ts'
import { findByIdentifier, findItems } from '#domains/items/operations.ts'
import { orderRefusals } from '#domains/orders/contract.ts'
import { orderRoutes } from '#domains/orders/routes.ts'
import { pricingRefusals } from '#domains/pricing/contract.ts'
import { shipmentRefusals } from '#domains/shipments/contract.ts'
import { accessRefusals, createAccess } from '#platform/access.ts'
import { keyVerifier, listKeys } from '#platform/access-keys.ts'
import { auditRefusals } from '#platform/audit-sealer.ts'
import { createTurnstile } from '#platform/batch.ts'
import { businessCalendar } from '#platform/calendars.ts'
import type { Clock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import { type Connections, createDatabase, type Database, type Queries } from '#platform/database.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { exceptionRefusals } from '#platform/exceptions-work.ts'
import { catalogue } from '#platform/http-catalogue.ts'
import { Outage } from '#platform/faults.ts'
import type { HttpClient } from '#platform/http-client.ts'
import { createPages } from '#platform/http-cursor.ts'
import { httpFaults, httpRefusals } from '#platform/http-refusals.ts'
import { createServer, type Server } from '#platform/http-server.ts'
import { databaseIds } from '#platform/ids.ts'
import { INBOUND_REFUSALS, type InboundDoor } from '#platform/inbound.ts'
import { createLane } from '#platform/lanes.ts'
import type { Lease } from '#platform/lease.ts'
import { numberRefusals } from '#platform/number-refusals.ts'
import { parkingRefusals } from '#platform/parking.ts'
import { replayRefusals } from '#platform/parking-replay.ts'
import { Policy } from '#platform/policies.ts'
import { openPolicies } from '#platform/policies-exchange.ts'
import { readingProgress } from '#platform/readings.ts'
import { createRunner } from '#platform/runner.ts'
import type { Log } from '#platform/telemetry-log.ts'
import { declareHouseMetrics, type Metrics } from '#platform/telemetry-metrics.ts'
import { telemetryRoutes } from '#platform/telemetry-routes.ts'
import { createWorker, type Life, type Worker } from '#platform/worker.ts'
import { controlTowerRoutes } from './experiences/control-tower/routes.ts'
import { parkChannelMessage } from './processes/channel-trouble.ts'
import { channelDoor, orderAnswer, orderDoor, warehouseDoor } from './processes/doors.ts'
import { fulfillment } from './processes/fulfillment.ts'
import { invoice } from './processes/invoice.ts'
import { masterDataRefusals, syncMasterData, type SyncProgress } from './processes/master-data-sync.ts'
import { capturedAnswers } from './processes/order-answer.ts'
import { cancelOrder, releaseHoldOf } from './processes/order-commands.ts'
import { milestonesOfOrder, orderView, storyAnswer } from './processes/order-reads.ts'
import { orderToCash } from './processes/order-to-cash.ts'
import { payment } from './processes/payment.ts'
import { paymentAnswer, paymentDoor } from './processes/payment-door.ts'
import { OWNERSHIP, parkPoison, parkEffects } from './processes/trouble.ts'
import {
  type CompanyRules,
  holdNumber,
  orderNumber,
  parseNumber,
  type ProcessPorts,
} from './processes/ports.ts'
import { shipment } from './processes/shipment.ts'
import { createSummary, type Summary } from './processes/summary.ts'
import { findOrders, storyOf, type Story as OrderStory } from './processes/story.ts'
import { shopRoutes, webhookRoutes } from './processes/webhooks.ts'
import { createEdiConnector, type EdiConnector } from './systems/edi/connector.ts'
import { EDI_REFUSALS } from './systems/edi/refusals.ts'
import { createCloudErpConnector } from './systems/erp-cloud/connector.ts'
import { createLegacyErpConnector } from './systems/erp-legacy/connector.ts'
import { createHostedShopConnector } from './systems/shop-hosted/connector.ts'
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
  /**
   * Loads customers, items, prices and opening stock from the ERPs. Doors that decide on them open with the first
   * complete reading; after a restart, at once.
   */
  sync(onProgress: (progress: SyncProgress) => void): Promise<void>
  /** How orders fare, a second old at most. */
  summary(): Promise<Summary>
  /** Absent where EDI is not configured. */
  readonly edi?: {
    /** Watches the inbox folder from now on; the worker must be at work. */
    watch(): void
    ingest(path: string): ReturnType<EdiConnector['ingest']>
    check(path: string): ReturnType<EdiConnector['check']>
  }
  stop(): Promise<void>
}

type Bound = {
  readonly connectors: ReadonlyMap<string, Connector>
  readonly readers: ReadonlyMap<string, ErpReader>
  readonly warehouses: ReadonlyMap<string, InboundDoor<WarehouseMessage>>
  readonly shops: ReadonlyMap<string, InboundDoor<ChannelMessage>>
  readonly edi: EdiConnector | undefined
}

/** The ranks of processes are the order in which their documents are locked: order, fulfillment, shipment, invoice, payment. */
export function createApp(config: Config, ports: AppPorts): App {
  const { clock, log, metrics } = ports
  const checks = ports.checks ?? false
  const options = { clock, random: () => 0.5, assertLockOrder: checks }
  const database = createDatabase(ports.connections, options)
  const screens = createDatabase(ports.screens, options)
  const ids = databaseIds(database)
  const house = declareHouseMetrics(metrics)
  const openExceptions = exceptionsOf(config)
  const edi = config.edi.enabled ? bindEdi(config, ports, { database, reader: ids.token(4), openExceptions }) : undefined
  const bound = bindSystems(config, ports, edi)
  const turnstile = createTurnstile()
  const processPorts = portsOf(config, { clock, ids, openExceptions, wishes: wishesOf(bound) })
  const shipments = shipment(processPorts)
  const invoices = invoice(processPorts)
  const payments = payment(processPorts)
  const fulfillments = fulfillment(processPorts)
  const orders = orderToCash(processPorts, { fulfillment: fulfillments, invoice: invoices })

  function begin(epoch: number, fenced: Database, lease: Lease): Life {
    const random = () => ids.random()
    const policies = openPolicies({
      database: fenced,
      clock,
      random,
      holder: epoch,
      policies: {
        [EDI]: Policy.parse({}),
        ...Object.fromEntries(Object.entries(config.systems).map(([name, { policy }]) => [name, policy])),
      },
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
      processes: [orders, fulfillments, shipments, invoices, payments],
      lanes,
      route: router(config, edi),
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

  const masterData = masterDataGate(config, database)
  const summary = createSummary(screens, clock)
  const doorPorts = { clock, queries: database, runner: () => (masterData.check(), worker.runner()), batchMax: config.worker.batchMax, turnstile, ports: processPorts }
  const submissions = orderDoor(doorPorts, orders)
  const warehouse = warehouseDoor(doorPorts, shipments)
  const channel = channelDoor(doorPorts, orders)
  const partners = edi && {
    hear: (inbound: ChannelInbound) => channel.add({ door: edi.door, inbound }, inbound.company),
    park: (inbound: ChannelInbound, error: unknown) =>
      database.transaction((tx) => parkChannelMessage(tx, processPorts, { door: edi.door, inbound }, error)),
  }
  const receipts = paymentDoor(doorPorts, payments)
  const pages = createPages(config.access.pageTokenSecret ?? ids.token(32))
  const routes = [
    ...orderRoutes({
      queries: screens,
      pages,
      numbers: { order: orderNumber, hold: holdNumber, parse: parseNumber },
      read: (doc) => orderView(screens, doc),
      milestones: (doc) => milestonesOfOrder(screens, doc),
      story: (doc) => storyAnswer(screens, doc),
      find: (anyId) => findOrders(screens, anyId),
      cancel: (asked) => cancelOrder(worker.runner(), asked),
      releaseHold: (asked) => releaseHoldOf(worker.runner(), asked),
      async submit({ request, client, traceId, claim }) {
        const arrival = { request, sender: client, actor: client, traceId, claim }
        const answer = orderAnswer(await submissions.add(arrival, client))
        if ('replayed' in answer || answer.kind === 'new') return answer
        return { kind: 'known', answer: await capturedAnswers(database, answer.doc) }
      },
    }),
    ...billingRoutes({
      receivePayment: async (arrival) => paymentAnswer(await receipts.add(arrival, arrival.client)),
    }),
    ...inventoryRoutes({
      queries: screens,
      companies: () => config.companies.map((company) => company.code),
      locations: (code) =>
        config.companies.some((company) => company.code === code) ? processPorts.company(code).locations : undefined,
      async items(company, skus) {
        const found = await findItems(screens, skus.map((sku) => ({ company, sku })))
        return new Map([...found.values()].map((item) => [item.sku, item]))
      },
    }),
    ...webhookRoutes(bound.warehouses, (told) => warehouse.add(told)),
    ...shopRoutes(bound.shops, (told) => channel.add(told)),
    ...controlTowerRoutes({
      queries: screens,
      clock,
      pages,
      companies: config.companies.map((company) => company.code),
      summary,
    }),
    ...telemetryRoutes(metrics, [
      { name: 'worker', check: async () => void worker.runner() },
      { name: 'master-data', check: async () => masterData.check() },
    ]),
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
    await masterData.openIfKnown()
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
    masterData.open()
  }

  return {
    server,
    worker,
    database,
    sync,
    summary,
    ...(edi && partners
      ? { edi: { watch: () => edi.watch(partners), ingest: (path) => edi.ingest(path, partners), check: edi.check } }
      : {}),
    async stop() {
      await edi?.stop()
      await server.close()
      await worker.stop()
    },
  }
}

/** Without copies of master data every order would be refused for good; so nobody decides before they are there. */
function masterDataGate(config: Config, queries: Queries) {
  let isOpen = false
  const last = config.companies.map(({ code, erp }) => ({ company: code, source: erp, resource: 'stock' }))
  return {
    open: () => void (isOpen = true),
    async openIfKnown() {
      const readings = await Promise.all(last.map((source) => readingProgress(queries, source)))
      isOpen ||= readings.every(({ since }) => since !== null)
    },
    check() {
      if (!isOpen) throw new Outage('crossdock', 'master data is being loaded; ask again in a few seconds')
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
  replayRefusals,
  INBOUND_REFUSALS,
  masterDataRefusals,
  inventoryRefusals,
  numberRefusals,
  orderRefusals,
  shipmentRefusals,
  billingRefusals,
  customerRefusals,
  itemRefusals,
  pricingRefusals,
  EDI_REFUSALS,
)

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** One connector for each configured system, and what each can do beside its operations. */
function bindSystems(config: Config, { http, clock, log }: AppPorts, edi: EdiConnector | undefined): Bound {
  const connectors = new Map<string, Connector>(edi ? [[EDI, edi]] : [])
  const readers = new Map<string, ErpReader>()
  const warehouses = new Map<string, InboundDoor<WarehouseMessage>>()
  const shops = new Map<string, InboundDoor<ChannelMessage>>()
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
      case 'shop-hosted': {
        const shop = createHostedShopConnector({ instance, settings, http, clock })
        connectors.set(instance, shop)
        shops.set(instance, shop.inbound)
        break
      }
      case 'tax-engine':
        connectors.set(instance, createTaxEngineConnector({ instance, settings, http, clock }))
        break
      default:
        throw new Error(`systems.${instance}.connector: there is no connector "${system.connector}"`)
    }
  }
  return { connectors, readers, warehouses, shops, edi }
}

/** The instance that serves all partners; its folders and partner guides are configured, an address it has none. */
const EDI = 'edi'

function bindEdi(
  { edi: settings }: Config,
  { clock, log }: AppPorts,
  wires: Pick<Parameters<typeof createEdiConnector>[0], 'database' | 'reader' | 'openExceptions'>,
): EdiConnector {
  return createEdiConnector({
    ...wires,
    instance: EDI,
    settings,
    clock,
    findItems: (keys) => findByIdentifier(wires.database, keys),
    onError: (error) => log.error('the EDI folder could not be worked on', { error: describe(error) }),
  })
}

/** Shops want to know what becomes of an order and of its goods; partners what their guides say; clients of the API ask. */
function wishesOf({ shops, edi }: Bound): ProcessPorts['wishes'] {
  return ({ channel, sender }) => {
    if (channel === 'shop' && shops.has(sender)) return { acknowledgement: true, shipNotice: true, invoice: false }
    const sends = channel === 'edi' ? (edi?.partners.get(sender)?.sends ?? []) : []
    return { acknowledgement: sends.includes('855'), shipNotice: sends.includes('856'), invoice: sends.includes('810') }
  }
}

/** (company, capability, location) → the system instance that serves it; a channel's location is who sent the order. */
function router(
  config: Config,
  edi: EdiConnector | undefined,
): (company: string, capability: string, location: string | undefined) => string {
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
            : edi?.partners.has(location ?? '')
              ? EDI
              : location
    if (!instance) throw new Error(`nothing serves ${capability} for company ${code} at ${location ?? 'any location'}`)
    return instance
  }
}

function portsOf(config: Config, ports: Omit<ProcessPorts, 'company'>): ProcessPorts {
  const rules = new Map(config.companies.map((company): [string, CompanyRules] => [company.code, rulesOf(config, company)]))
  return {
    ...ports,
    company(code) {
      const found = rules.get(code)
      if (!found) throw new Error(`company ${code} is not configured`)
      return found
    },
  }
}

function exceptionsOf(config: Config): ReturnType<typeof exceptionOpener> {
  const calendars = new Map(
    config.companies.map((company) => [company.code, businessCalendar({ ...OFFICE_HOURS, timeZone: company.timeZone })]),
  )
  const anywhere = businessCalendar({ ...OFFICE_HOURS, timeZone: 'UTC' })
  return exceptionOpener({ ...OWNERSHIP, calendarOf: (company) => calendars.get(company) ?? anywhere })
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

/** For who looks into the database beside the running program. */
export const orderStories = { find: findOrders, tell: storyOf }
export type Story = OrderStory
