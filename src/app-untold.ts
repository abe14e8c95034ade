/** Jobs that ask systems for what they told and never reached us, where nothing later shows that it is missing. */
import type { Door } from '#platform/batch.ts'
import type { Database } from '#platform/database.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import type { AppPorts } from './app-ports.ts'
import { politeDoors } from './app-polite.ts'
import { type Bound, describeError } from './app-systems.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import type { Told } from './processes/inbound.ts'
import type { Heard } from './processes/message-filing.ts'
import { askSilentWarehouses } from './processes/silent-warehouses.ts'
import { takeUntoldOrders } from './processes/untold-orders.ts'

export type UntoldWires = {
  readonly config: Config
  readonly ports: Pick<AppPorts, 'clock' | 'log'>
  readonly database: Database
  readonly worker: Worker
  readonly bound: Bound
  readonly warehouse: Door<Told, Heard>
  readonly channel: Door<ChannelTold, Heard>
}

/** Looked at some times while a silence grows, and not more often than anybody would notice. */
const LOOKS = 4
const LOOK_MS = { least: 100, most: 15_000 }
export const lookMs = (periodMs: number): number =>
  Math.min(Math.max(periodMs / LOOKS, LOOK_MS.least), LOOK_MS.most)

export function untoldJobs(wires: UntoldWires): Job[] {
  const { config, ports, database, bound, warehouse, channel } = wires
  const { silentAfterMs, shopPollMs } = config.inbox
  const systems = new Map(config.locations.map(({ code, wms }) => [code, wms]))
  const silence = {
    database,
    clock: ports.clock,
    warehouses: politeDoors(bound.warehouses, wires),
    systemAt: (location: string) => systems.get(location),
    hear: (told: Told) => warehouse.add(told),
    silentAfterMs,
    onError: (system: string, error: unknown) =>
      ports.log.warn(`${system} could not be asked about its silence`, { error: describeError(error) }),
  }
  const orders = {
    database,
    clock: ports.clock,
    hear: (told: ChannelTold) => channel.add(told),
    graceMs: lookMs(shopPollMs),
  }
  return [
    {
      name: 'warehouses that are silent',
      everyMs: lookMs(silentAfterMs),
      run: inTurn(wires, 'warehouses', lookMs(silentAfterMs) / 2, () => askSilentWarehouses(silence)),
    },
    ...[...politeDoors(bound.shops, wires).values()].map((shop) => ({
      name: `orders of which ${shop.instance} told nothing`,
      everyMs: lookMs(shopPollMs),
      run: inTurn(wires, shop.instance, shopPollMs, () => takeUntoldOrders(orders, shop)),
    })),
  ]
}
