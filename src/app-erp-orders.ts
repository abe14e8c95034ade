/** What ERPs and warehouses sold by themselves: kept as claims on our stock at the locations of the configuration. */
import { units } from '#platform/quantity.ts'
import type { Bound } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import { type ExternalPorts, retireOpenOrders, takeOpenOrders } from './processes/external-orders.ts'
import type { LoadOpenOrders } from './processes/master-data-resources.ts'
import type { ProcessPorts } from './processes/ports.ts'

type ExternalWires = Pick<ProcessPorts, 'openExceptions' | 'countsStock'>

type Selling = Pick<Config, 'companies' | 'locations' | 'systems'>

export function externalPorts(
  { companies, locations, systems }: Selling,
  { openExceptions, countsStock }: ExternalWires,
): ExternalPorts {
  const ours = new Set(locations.map(({ code }) => code))
  return {
    openExceptions,
    countsStock,
    isOurs: (location) => ours.has(location),
    guardOf: (source) => units(systems[source]?.stock.guard ?? 0),
    erpOf: (company) => companies.find(({ code }) => code === company)?.erp,
  }
}

export function erpOrders(config: Selling, wires: ExternalWires): LoadOpenOrders {
  const ports = externalPorts(config, wires)
  return {
    load: (tx, reading, records) => takeOpenOrders(tx, ports, reading, records),
    retire: (database, reading) => retireOpenOrders(database, ports, reading),
  }
}

/** Whose own orders at which warehouse system: of each company at the locations that the system runs. */
export function warehouseSellers(
  { companies, locations }: Pick<Config, 'companies' | 'locations'>,
  counters: Bound['counters'],
): { readonly company: string; readonly source: string }[] {
  return companies.flatMap(({ code: company }) => {
    const here = locations.filter((place) => (place.company ?? company) === company)
    const systems = new Set(here.flatMap(({ wms }) => (wms !== undefined && counters.has(wms) ? [wms] : [])))
    return [...systems].map((source) => ({ company, source }))
  })
}
