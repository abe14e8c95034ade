/** What the house does about messages that did not end well when they came: replays that were asked for. */
import type { Door } from '#platform/batch.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { Job } from '#platform/schedule.ts'
import type { MasterDataGate } from './app-master-data.ts'
import type { Bound } from './app-systems.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import type { Told } from './processes/inbound.ts'
import type { Heard } from './processes/message-filing.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { type ReplayDoor, replayDoor, takeReplays } from './processes/replays.ts'

export type MessageWires = {
  readonly clock: Clock
  readonly database: Database
  readonly bound: Bound
  readonly masterData: MasterDataGate
  readonly processPorts: ProcessPorts
  readonly warehouse: Door<Told, Heard>
  readonly channel: Door<ChannelTold, Heard>
}

export type MessageCare = {
  readonly jobs: readonly Job[]
  /** Takes in what was asked to be replayed; parks again at once what no door here can read. */
  replay(): Promise<void>
}

const SECOND_MS = 1_000
/** Another process may have the door: EDI folders are watched by one alone. */
const PATIENCE_MS = 30_000

export function messageCare(wires: MessageWires): MessageCare {
  const { clock, database, processPorts, masterData } = wires
  const replays = { clock, database, openExceptions: processPorts.openExceptions, doors: doorsOf(wires) }
  return {
    jobs: [
      {
        name: 'replays of messages',
        everyMs: SECOND_MS,
        run: () => takeReplays({ ...replays, patienceMs: PATIENCE_MS }),
      },
    ],
    async replay() {
      await masterData.openIfKnown()
      await takeReplays({ ...replays, patienceMs: 0 })
    },
  }
}

function doorsOf({ bound, warehouse, channel }: MessageWires): ReadonlyMap<string, ReplayDoor> {
  const channels = [...bound.shops.values(), ...(bound.edi ? [bound.edi.door] : [])]
  return new Map([
    ...[...bound.warehouses.values()].map((door) => replayDoor(door, (told: Told) => warehouse.add(told))),
    ...channels.map((door) => replayDoor(door, (told: ChannelTold) => channel.add(told))),
  ])
}
