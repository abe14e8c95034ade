/** What the house does by itself about messages: replays that were asked for, those that never came, those that changed. */
import type { Door } from '#platform/batch.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import { type DriftWatch, driftWatch } from '#platform/inbox-drift.ts'
import type { Job } from '#platform/schedule.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { AskingAnswer } from '#domains/shipments/contract/tracking.ts'
import type { MasterDataGate } from './app-master-data.ts'
import { politeDoors, politeTracker } from './app-polite.ts'
import { describeError } from './app-systems.ts'
import { inTurn } from './app-turns.ts'
import { lookMs as looksIn, untoldJobs, type UntoldWires } from './app-untold.ts'
import { type AnyDoor, type AnyDoors, anyDoor } from './processes/any-door.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import type { warehouseGoesOn } from './processes/doors.ts'
import type { Told } from './processes/inbound.ts'
import { gapWatch } from './processes/inbound-gaps.ts'
import { type ReadAs, readAs } from './processes/parked-work.ts'
import { reportDrift } from './processes/payload-drift.ts'
import { takeDueScans } from './processes/early-scans.ts'
import type { Heard } from './processes/message-filing.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { goOnWhereSettled, takeReplays } from './processes/replays.ts'
import { askAboutParcels, measureSilent } from './processes/silent-parcels.ts'
import type { ScanTold } from './processes/tracking.ts'

export type MessageWires = UntoldWires & {
  readonly carrier: Door<ScanTold, Heard>
  readonly masterData: MasterDataGate
  readonly processPorts: ProcessPorts
  readonly goOn: ReturnType<typeof warehouseGoesOn>
  readonly metrics: Pick<
    ReturnType<typeof declareHouseMetrics>,
    'contractViolations' | 'parcelsAsked' | 'parcelsSilent'
  >
}

export type MessageCare = {
  /** Of a process that works. */
  readonly jobs: readonly Job[]
  /** Of a process that has doors: about what came in by them. */
  readonly doorJobs: readonly Job[]
  /** Looks at what a system told, now and then. */
  notice(system: string, inbound: InboundMessage<unknown>): void
  /** What the door of a parked message makes of a payload. */
  readonly readAs: ReadAs
  /** Takes in what was asked to be replayed; parks again at once what no door here can read. */
  replay(): Promise<void>
}

const SECOND_MS = 1_000
/** Another process may have the door: EDI folders are watched by one alone. */
const PATIENCE_MS = 30_000
/** Gaps are looked at some times while they grow old, and not more often than people would notice. */
const LOOKS_AT_A_GAP = 4
const DRIFT_REPORT_MS = 5_000
const DRIFT_QUIET_MS = 10 * 60_000
const GAP_LOOKS_MS = { least: 100, most: 15_000 }

export function messageCare(wires: MessageWires): MessageCare {
  const { config, database, processPorts, masterData } = wires
  const { clock, log } = wires.ports
  const common = { clock, database, openExceptions: processPorts.openExceptions, doors: doorsOf(wires) }
  const afterMs = config.inbox.gapAfterMs
  const lookMs = Math.max(afterMs / LOOKS_AT_A_GAP, GAP_LOOKS_MS.least)
  const watches = watchesOf(wires)
  return {
    readAs: readAs(common.doors),
    notice: (system, inbound) => watches.get(system)?.notice(inbound),
    doorJobs: [driftJob(wires, watches)],
    jobs: [
      {
        name: 'replays of messages',
        everyMs: SECOND_MS,
        run: () => takeReplays({ ...common, patienceMs: PATIENCE_MS }),
      },
      {
        name: 'streams behind settled messages',
        everyMs: SECOND_MS,
        run: () => goOnWhereSettled(common),
      },
      {
        name: 'messages that never came',
        everyMs: Math.min(lookMs, GAP_LOOKS_MS.most),
        run: gapWatch({
          ...common,
          afterMs,
          onError: (system, error) =>
            log.warn(`what ${system} did not tell could not be asked for`, { error: describeError(error) }),
        }),
      },
      ...untoldJobs(wires),
      ...earlyJobs(wires),
      ...silentParcelJobs(wires),
    ],
    async replay() {
      await masterData.openIfKnown()
      await takeReplays({ ...common, patienceMs: 0 })
      await goOnWhereSettled(common)
    },
  }
}

/** Only where carriers tell anything. */
function earlyJobs({ bound, database, worker, processPorts, ports: { clock } }: MessageWires): Job[] {
  if (bound.carriers.size === 0) return []
  const early = { clock, queries: database, runner: () => worker.runner(), ports: processPorts }
  return [{ name: 'scans before their shipment', everyMs: SECOND_MS, run: () => takeDueScans(early) }]
}

/** Of each carrier that can be asked. */
function silentParcelJobs(wires: MessageWires): Job[] {
  const { config, database, bound, carrier, processPorts, ports, metrics } = wires
  const { parcelSilentAfterMs: afterMs, parcelMissedAfterMs, parcelUnansweredAfterMs } = config.inbox
  const everyMs = looksIn(afterMs)
  const jobs = [...bound.trackers.values()].map((tracker) => {
    const system = tracker.instance
    const door = bound.carriers.get(system)!
    const asking = {
      clock: ports.clock,
      database,
      tracker: politeTracker(tracker, wires),
      hear: (inbound: ScanTold['inbound']) => carrier.add({ door, inbound }),
      openExceptions: processPorts.openExceptions,
      afterMs,
      missedAfterMs: parcelMissedAfterMs,
      unansweredAfterMs: parcelUnansweredAfterMs,
      onAsked: (outcome: AskingAnswer) => metrics.parcelsAsked.add({ system, outcome }),
      onError: (error: unknown) =>
        ports.log.warn(`${system} could not be asked about its parcels`, { error: describeError(error) }),
    }
    return {
      name: `parcels of which ${system} told nothing`,
      everyMs,
      run: inTurn(wires, system, everyMs / 2, () => askAboutParcels(asking)),
    }
  })
  if (jobs.length === 0) return []
  const counted = { queries: database, systems: [...bound.trackers.keys()], level: metrics.parcelsSilent }
  return [
    ...jobs,
    { name: 'parcels that are silent', everyMs: 15 * SECOND_MS, run: () => measureSilent(counted) },
  ]
}

const watchesOf = ({ bound, ports }: MessageWires): ReadonlyMap<string, DriftWatch> =>
  new Map(
    [...bound.warehouses.values(), ...bound.shops.values(), ...bound.carriers.values()].map(
      ({ instance, samples }) => [instance, driftWatch(samples, ports.clock)],
    ),
  )

function driftJob(wires: MessageWires, watches: ReadonlyMap<string, DriftWatch>): Job {
  const { database, processPorts, metrics, ports } = wires
  return {
    name: 'messages that changed',
    everyMs: DRIFT_REPORT_MS,
    run: () =>
      reportDrift({
        database,
        openExceptions: processPorts.openExceptions,
        watches,
        quietAfterMs: DRIFT_QUIET_MS,
        onDrift: (system, type, times) => metrics.contractViolations.add({ system, type }, times),
        onNewDrift: (words, facts) => ports.log.warn(words, { ...facts }),
      }),
  }
}

function doorsOf(wires: MessageWires): AnyDoors {
  const { bound, warehouse, goOn, channel, carrier } = wires
  const channels = [...politeDoors(bound.shops, wires).values(), ...(bound.edi ? [bound.edi.door] : [])]
  return new Map([
    ...[...politeDoors(bound.warehouses, wires).values()].map((door): [string, AnyDoor] => {
      const [name, any] = anyDoor(door, (told: Told) => warehouse.add(told))
      const goingOn: Pick<AnyDoor, 'goOn' | 'goOnBehind'> = {
        goOn: (gap, parked) => goOn({ ...gap, door, parked }),
        goOnBehind: (stop) => goOn({ ...stop, door }),
      }
      return [name, { ...any, ...goingOn }]
    }),
    ...channels.map((door) => anyDoor(door, (told: ChannelTold) => channel.add(told))),
    ...[...bound.carriers.values()].map((door) => anyDoor(door, (told: ScanTold) => carrier.add(told))),
    ...[...(bound.edi?.warehouses.values() ?? [])].map((door) =>
      anyDoor(door, (told: Told) => warehouse.add(told)),
    ),
  ])
}
