/** Repairs: parked work that is selected, rehearsed, and replayed or discarded as a job. */
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { Database, Queries } from '#platform/database.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { Process } from '#platform/process.ts'
import { type Rehearse, rehearsePortion } from '#platform/repair-rehearsal.ts'
import { forgetRepairs } from '#platform/repair-selection.ts'
import { countRepairs } from '#platform/repair-views.ts'
import { workRepairs } from '#platform/repair-work.ts'
import type { Job } from '#platform/schedule.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { Worker } from '#platform/worker.ts'
import type { MasterDataGate } from './app-master-data.ts'
import type { AppPorts } from './app-ports.ts'
import type { Bound } from './app-systems.ts'
import { RepairFilter } from './experiences/control-tower/repairs-contract.ts'
import { toldItem, toldJob, toldSelection, toldSummary } from './experiences/control-tower/repairs-told.ts'
import { filterOf } from './experiences/control-tower/repairs.ts'
import { gather } from './processes/accept.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import { arrivalsOf, hearChannels } from './processes/channels.ts'
import { hearWarehouses, type Told, type WarehouseDoor } from './processes/inbound.ts'
import { goOnWithout } from './processes/message-order.ts'
import { giveUp } from './processes/parked-work.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { type RehearsedDoor, rehearsals } from './processes/rehearsals.ts'
import { type Place, stakeOf } from './processes/repair-pictures.ts'
import { type CarrierDoor, hearCarriers, type ScanTold } from './processes/tracking.ts'

export type RepairWires = {
  readonly ports: Pick<AppPorts, 'clock'>
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly bound: Bound
  readonly processPorts: ProcessPorts
  readonly masterData: MasterDataGate
  readonly metrics: Pick<ReturnType<typeof declareHouseMetrics>, 'repairJobs'>
  readonly tables: { readonly orders: Process; readonly shipments: Process }
}

const LOOK_MS = 1_000
const MINUTE_MS = 60_000
const GAUGE_MS = 15_000

/** What would become of parked work; nobody can tell before master data was read. */
export function houseRehearsals(wires: RepairWires): Rehearse {
  const { screens, worker, bound, masterData } = wires
  const rehearse = rehearsals({
    queries: screens,
    stage: () => worker.life?.runner,
    doors: rehearsedDoors(wires),
    connectors: bound.connectors,
  })
  return async (item, action) => ((await masterData.openIfKnown()) ? rehearse(item, action) : undefined)
}

export function repairJobs({ database, screens, metrics, ports }: RepairWires, rehearse: Rehearse): Job[] {
  const { clock } = ports
  return [
    {
      name: 'rehearsals of repairs',
      everyMs: LOOK_MS,
      async run() {
        while (await rehearsePortion({ database, clock, rehearse }));
      },
    },
    { name: 'repairs', everyMs: LOOK_MS, run: () => workRepairs(database, giveUp) },
    { name: 'repairs past retention', everyMs: MINUTE_MS, run: () => forgetRepairs(database) },
    { name: 'repairs at work', everyMs: GAUGE_MS, run: () => measure(screens, metrics) },
  ]
}

async function measure(queries: Queries, { repairJobs: level }: RepairWires['metrics']): Promise<void> {
  const { running, paused } = await countRepairs(queries)
  level.set({ state: 'running' }, running)
  level.set({ state: 'paused' }, paused)
}

function rehearsedDoors(wires: RepairWires): ReadonlyMap<string, RehearsedDoor> {
  const { bound } = wires
  const channels = [...bound.shops.values(), ...(bound.edi ? [bound.edi.door] : [])]
  const warehouses = [...bound.warehouses.values(), ...(bound.edi?.warehouses.values() ?? [])]
  return new Map([
    ...warehouses.map((door) => [door.instance, warehouseOf(wires, door)] as const),
    ...channels.map((door) => [door.instance, channelOf(wires, door)] as const),
    ...[...bound.carriers.values()].map((door) => [door.instance, carrierOf(wires, door)] as const),
  ])
}

function channelOf(
  { database, processPorts, tables }: RepairWires,
  door: ChannelTold['door'],
): RehearsedDoor {
  return {
    restore: (filed) => door.restore(filed),
    async prepare(inbound, parked, cause) {
      const told: ChannelTold[] = [{ door, inbound: inbound as ChannelTold['inbound'], parked }]
      const arrivals = arrivalsOf(told)
      const gathered = await gather(database, processPorts, [...arrivals.values()])
      const hearing = { told, arrivals, gathered, process: tables.orders, cause }
      return (tx, turn) => hearChannels(tx, turn, processPorts, hearing)
    },
  }
}

const carrierOf = ({ processPorts }: RepairWires, door: CarrierDoor): RehearsedDoor => ({
  restore: (filed) => door.restore(filed),
  async prepare(inbound, parked, cause) {
    const told: ScanTold[] = [{ door, inbound: inbound as ScanTold['inbound'], parked }]
    return (tx) => hearCarriers(tx, processPorts, { told, cause })
  },
})

function warehouseOf({ screens, processPorts, tables }: RepairWires, door: WarehouseDoor): RehearsedDoor {
  const { shipments: shipment } = tables
  return {
    restore: (filed) => door.restore(filed),
    async prepare(inbound, parked, cause) {
      const told: Told[] = [{ door, inbound: inbound as Told['inbound'], parked }]
      return (tx, turn) => hearWarehouses(tx, turn, processPorts, { told, shipment, cause })
    },
    skip: (gap, parked, cause) => (tx, turn) => {
      const goOn = (within: typeof tx) => goOnWithout<Told>(within, { door, ...gap, parked })
      return hearWarehouses(tx, turn, processPorts, { told: [], goOn, shipment, cause })
    },
    place: (inbound) => placeOf(screens, inbound as InboundMessage<WarehouseMessage>),
  }
}

async function placeOf(
  queries: Queries,
  { company = '', message }: InboundMessage<WarehouseMessage>,
): Promise<Place | undefined> {
  if (message?.type !== 'stock-moved') return undefined
  const { sku, location } = message
  const item = (await findItems(queries, [{ company, sku }])).get(itemKey(company, sku))
  return item && { company, itemId: item.id, sku, location }
}

/** For who selects and steers beside the running program. */
export const repairDesk = { RepairFilter, filterOf, stakeOf, toldSelection, toldSummary, toldJob, toldItem }
