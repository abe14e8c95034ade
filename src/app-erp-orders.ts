/** What ERPs sold by themselves: kept as claims on our stock at the locations of the configuration. */
import { units } from '#platform/quantity.ts'
import type { Config } from './config-schema.ts'
import { type ExternalPorts, retireOpenOrders, takeOpenOrders } from './processes/external-orders.ts'
import type { LoadOpenOrders } from './processes/master-data-resources.ts'
import type { ProcessPorts } from './processes/ports.ts'

export function externalPorts(
  { locations, systems }: Pick<Config, 'locations' | 'systems'>,
  { openExceptions }: Pick<ProcessPorts, 'openExceptions'>,
): ExternalPorts {
  const ours = new Set(locations.map(({ code }) => code))
  return {
    openExceptions,
    isOurs: (location) => ours.has(location),
    guardOf: (source) => units(systems[source]?.stock.guard ?? 0),
  }
}

export function erpOrders(
  config: Pick<Config, 'locations' | 'systems'>,
  wires: Pick<ProcessPorts, 'openExceptions'>,
): LoadOpenOrders {
  const ports = externalPorts(config, wires)
  return {
    load: (tx, reading, records) => takeOpenOrders(tx, ports, reading, records),
    retire: (database, reading) => retireOpenOrders(database, ports, reading),
  }
}
