/** Which connector stands for which configured system, and which system serves a company's capability. */
import type { CarrierReader, TrackingMessage } from '#capabilities/carrier.ts'
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import type { ErpBooks, ErpReader } from '#capabilities/erp.ts'
import type { WarehouseMessage, WmsReader } from '#capabilities/wms.ts'
import { findByIdentifier, findItems } from '#domains/items/operations.ts'
import type { Connector } from '#platform/connector.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import type { AppPorts } from './app-ports.ts'
import { closest, ConfigError, type Problem } from './config-problems.ts'
import type { Config } from './config-schema.ts'
import { toldByPartners } from './config-stock.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { createSwiftConnector } from './systems/carrier-swift/connector.ts'
import { createEdiConnector, type EdiConnector } from './systems/edi/connector.ts'
import { diskFiles } from './systems/edi/files.ts'
import type { PartnerGuide } from './systems/edi/partner-guide.ts'
import { reasonsTold } from './systems/edi/map-warehouse.ts'
import { isWarehouseAt } from './systems/edi/shipping-orders.ts'
import { createCloudErpConnector } from './systems/erp-cloud/connector.ts'
import { createLegacyErpConnector } from './systems/erp-legacy/connector.ts'
import { createHostedShopConnector } from './systems/shop-hosted/connector.ts'
import { createTaxEngineConnector } from './systems/tax-engine/connector.ts'
import { createDepotConnector } from './systems/wms-depot/connector.ts'

export type Bound = {
  readonly connectors: ReadonlyMap<string, Connector>
  readonly readers: ReadonlyMap<string, ErpReader & ErpBooks>
  readonly warehouses: ReadonlyMap<string, InboundDoor<WarehouseMessage>>
  /** Warehouses that say what they have. */
  readonly counters: ReadonlyMap<string, WmsReader>
  readonly shops: ReadonlyMap<string, InboundDoor<ChannelMessage>>
  readonly carriers: ReadonlyMap<string, InboundDoor<TrackingMessage>>
  /** Carriers that can be asked where their parcels are. */
  readonly trackers: ReadonlyMap<string, CarrierReader>
  readonly edi: EdiConnector | undefined
}

/** One connector for each configured system, and what each can do beside its operations. */
export function bindSystems(
  config: Config,
  { http, clock, log }: AppPorts,
  edi: EdiConnector | undefined,
): Bound {
  assertWarehouses(config, edi)
  const connectors = new Map<string, Connector>(edi ? [[EDI, edi]] : [])
  const readers = new Map<string, ErpReader & ErpBooks>()
  const warehouses = new Map<string, InboundDoor<WarehouseMessage>>()
  const counters = new Map<string, WmsReader>()
  const shops = new Map<string, InboundDoor<ChannelMessage>>()
  const carriers = new Map<string, InboundDoor<TrackingMessage>>()
  const trackers = new Map<string, CarrierReader>()
  for (const [instance, system] of Object.entries(config.systems)) {
    const { baseUrl, credentials, options, policy } = system
    // each connector's own schema says what its credentials and options are
    const settings = { baseUrl, credentials, options, timeoutMs: policy.timeoutMs } as never
    const onUnreadable = (row: object): void =>
      log.warn(`${instance} sent a record that cannot be read`, { ...row })
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
        const wms = createDepotConnector({ instance, settings, http, clock, onUnreadable })
        connectors.set(instance, wms)
        warehouses.set(instance, wms.inbound)
        counters.set(instance, wms)
        break
      }
      case 'shop-hosted': {
        const shop = createHostedShopConnector({ instance, settings, http, clock })
        connectors.set(instance, shop)
        shops.set(instance, shop.inbound)
        break
      }
      case 'carrier-swift': {
        const carrier = createSwiftConnector({ instance, settings, http, clock })
        connectors.set(instance, carrier)
        carriers.set(instance, carrier.inbound)
        trackers.set(instance, carrier)
        break
      }
      case 'tax-engine':
        connectors.set(instance, createTaxEngineConnector({ instance, settings, http, clock }))
        break
      default:
        throw new Error(`systems.${instance}.connector: there is no connector "${system.connector}"`)
    }
  }
  assertLabels(config, { connectors, carriers })
  return { connectors, readers, warehouses, counters, shops, carriers, trackers, edi }
}

/** The instance that serves all partners; its folders and partner guides are configured, an address it has none. */
export const EDI = 'edi'

export function bindEdi(
  { edi: settings }: Config,
  { files = diskFiles, clock, log }: AppPorts,
  wires: Pick<Parameters<typeof createEdiConnector>[0], 'database' | 'reader' | 'openExceptions'>,
): EdiConnector | undefined {
  if (!settings.enabled) return undefined
  return createEdiConnector({
    ...wires,
    instance: EDI,
    settings,
    files,
    clock,
    findItems: (keys) => findByIdentifier(wires.database, keys),
    findUnits: (items) => findItems(wires.database, items),
    onError: (error) => log.error('the EDI folder could not be worked on', { error: describeError(error) }),
  })
}

/** What processes must know of who else there is. */
export const othersIn = (
  bound: Bound,
  { inbox }: Config,
): Pick<ProcessPorts, 'wishes' | 'tracksParcels' | 'parcelsAsked'> => ({
  wishes: wishesOf(bound),
  tracksParcels: bound.carriers.size > 0,
  parcelsAsked: { afterMs: inbox.parcelSilentAfterMs, ...askedBy(bound) },
})

/** Of two systems of one name the first is asked. */
function askedBy({ trackers }: Bound): Pick<ProcessPorts['parcelsAsked'], 'systemOf' | 'canAsk'> {
  const named = [...trackers.values()].toReversed()
  const systems = new Map(
    named.flatMap(({ instance, names }) => names.map((name) => [name.toUpperCase(), instance])),
  )
  return {
    systemOf: (carrier) => systems.get(carrier.toUpperCase()),
    canAsk: (system) => trackers.has(system),
  }
}

/** Shops want to know what becomes of an order and of its goods; partners what their guides say; clients of the API ask. */
function wishesOf({ shops, edi }: Bound): ProcessPorts['wishes'] {
  return ({ channel, sender }) => {
    if (channel === 'shop' && shops.has(sender))
      return { acknowledgement: true, shipNotice: true, invoice: false }
    const sends = channel === 'edi' ? (edi?.partners.get(sender)?.sends ?? []) : []
    return {
      acknowledgement: sends.includes('855'),
      shipNotice: sends.includes('856'),
      invoice: sends.includes('810'),
    }
  }
}

/** (company, capability, location) → the system instance that serves it; a channel's location is who sent the order. */
export function router(
  config: Config,
  edi: EdiConnector | undefined,
): (company: string, capability: string, location: string | undefined) => string {
  const companies = new Map(config.companies.map((company) => [company.code, company]))
  const locations = new Map(config.locations.map((location) => [location.code, location]))
  const partnerOr = (name: string | undefined): string | undefined =>
    edi?.partners.has(name ?? '') ? EDI : name
  return (code, capability, location) => {
    const company = companies.get(code)
    const instance =
      capability === 'erp'
        ? company?.erp
        : capability === 'tax'
          ? company?.tax
          : partnerOr(capability === 'wms' ? locations.get(location ?? '')?.wms : location)
    if (!instance)
      throw new Error(`nothing serves ${capability} for company ${code} at ${location ?? 'any location'}`)
    return instance
  }
}

/**
 * Refuses to start where a location is run by somebody who is neither a system nor a partner that takes a 940 there, and
 * where a feed moves what the partner tells.
 */
export function assertWarehouses(
  { locations, systems, feeds }: Pick<Config, 'locations' | 'systems' | 'feeds'>,
  edi: Pick<EdiConnector, 'partners'> | undefined,
): void {
  const partners = edi?.partners ?? new Map<string, PartnerGuide>()
  const problems = locations.flatMap(({ code, company, wms }, at): Problem[] => {
    if (wms === undefined || wms in systems) return []
    const guide = partners.get(wms)
    const known = [...Object.keys(systems), ...partners.keys()]
    const message = guide ? whyNot(guide, { code, company }) : neither(wms, known)
    return message === undefined ? [] : [{ path: ['locations', at, 'wms'], message }]
  })
  problems.push(
    ...toldByPartners({ feeds, locations }, (wms) => {
      const guide = wms in systems ? undefined : partners.get(wms)
      return guide ? reasonsTold(guide) : new Set()
    }),
  )
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Refuses to start where labels would be bought of somebody who sells none, or for somebody who takes none. */
export function assertLabels(
  { locations }: Pick<Config, 'locations'>,
  { connectors, carriers }: Pick<Bound, 'connectors' | 'carriers'>,
): void {
  const problems = locations.flatMap(({ wms, labels }, at): Problem[] => {
    if (!labels) return []
    const path = ['locations', at, 'labels']
    const known = [...carriers.keys()].join(', ') || 'none'
    const noSeller = `names "${labels.carrier}", which is no carrier among the systems; carriers: ${known}`
    const noTaker = `needs a warehouse that takes labels; wms is ${wms ?? 'not set'}`
    const isTaken = connectors.get(wms ?? '')?.operations['wms.giveLabels'] !== undefined
    return [
      ...(carriers.has(labels.carrier) ? [] : [{ path: [...path, 'carrier'], message: noSeller }]),
      ...(isTaken ? [] : [{ path, message: noTaker }]),
    ]
  })
  if (problems.length > 0) throw new ConfigError(problems)
}

function neither(name: string, known: readonly string[]): string {
  const meant = closest(name, known)
  const hint = meant ? `did you mean "${meant}"?` : `known: ${known.join(', ') || 'none'}`
  return `names "${name}", which is neither a system nor an EDI partner; ${hint}`
}

function whyNot(
  guide: PartnerGuide,
  { code, company }: Pick<Config['locations'][number], 'code' | 'company'>,
): string | undefined {
  const { partner } = guide
  if (!isWarehouseAt(guide, code))
    return `names the EDI partner "${partner}", whose guide must have role: warehouse, location: ${code} and 940 among sends`
  if (guide.company !== company)
    return `names the EDI partner "${partner}", which keeps goods of ${guide.company}; the location must be of that company`
  return undefined
}

export const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
