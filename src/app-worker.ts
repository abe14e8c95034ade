/** What lives as long as an epoch: policies, a lane for each system, and the runner of all processes. */
import { REST_MS } from '#platform/batch.ts'
import type { FollowingClock } from '#platform/clock.ts'
import type { Connector } from '#platform/connector.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import { databaseTime } from '#platform/database-time.ts'
import type { Ids } from '#platform/ids.ts'
import { createLane } from '#platform/lanes.ts'
import type { CalledBack } from '#platform/lanes-recall.ts'
import type { Lease } from '#platform/lease.ts'
import { Policy } from '#platform/policies.ts'
import { openPolicies, type Policies } from '#platform/policies-exchange.ts'
import type { Process } from '#platform/process.ts'
import { createTurns } from '#platform/reading-turns.ts'
import { createReception } from '#platform/reception.ts'
import { createRunner } from '#platform/runner.ts'
import type { Job } from '#platform/schedule.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import { createWorker, type Life, type Worker } from '#platform/worker.ts'
import type { AppPorts } from './app-ports.ts'
import { type Bound, describeError, EDI, router } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { overrideSteps } from './processes/override-steps.ts'
import { supersede } from './processes/superseded.ts'
import { parkEffects, parkPoison } from './processes/trouble.ts'

export type WorkerWires = {
  readonly config: Config
  readonly ports: AppPorts & { readonly clock: FollowingClock }
  readonly ids: Ids
  readonly metrics: ReturnType<typeof declareHouseMetrics>
  readonly bound: Bound
  readonly processPorts: ProcessPorts
  readonly processes: readonly Process[]
}

const TIME_MS = 10_000

export function houseWorker(wires: WorkerWires): Worker {
  const { ports, ids } = wires
  const { clock, connections, log, checks = false } = ports
  const random = (): number => ids.random()
  if (wires.config.role === 'api') return receptionOf(ports, random)
  const calls = wires.metrics.systemRequests
  const steps = overrideSteps(wires.processPorts.wishes)

  function begin(epoch: number, database: Database, lease: Lease): Life {
    const policies = policiesOf(wires, lease, database)
    const mayStillSend = (): boolean => lease.valid()
    const lanes = new Map(
      [...wires.bound.connectors].map(([system, connector]) => {
        const onCall = ({ outcome }: { outcome: string }): void => calls.add({ system, outcome })
        const callBack = (limit: number): Promise<CalledBack> => runner.callBack(system, limit)
        return [system, laneOf(wires, { connector, policies, mayStillSend, onCall, callBack })]
      }),
    )
    const runner = createRunner({
      restMs: REST_MS,
      database,
      clock,
      random,
      epoch,
      lanes,
      processes: wires.processes,
      route: router(wires.config, wires.bound.edi),
      ...wires.config.worker,
      verifyFacts: checks,
      claimed: () => policies.reread(),
      leftDue: () => ports.notices.tell('desk'),
      parked: (tx, effects) => parkEffects(tx, wires.processPorts, effects),
      spokenLate: (tx, late) => supersede(tx, wires.processPorts, steps, late),
      poisoned: (tx, document) => parkPoison(tx, wires.processPorts, document),
      inDoubt: (error) => void lease.release(error.message),
      onError: (message, error) => log.error(message, { error: describeError(error) }),
    })
    const turns = createTurns({ database, clock, holder: epoch })
    return { epoch, runner, lanes, policies, turns, mayStillSend }
  }

  const worker = createWorker({
    connections,
    clock,
    database: { random, assertLockOrder: checks },
    name: `crossdock-${ids.token(4)}`,
    onTime: (now) => clock.follow(now),
    begin,
    onEvent: (message, facts) => log.warn(message, { ...facts }),
  })
  ports.notices.on('desk', () => worker.life?.runner.claimNow())
  ports.notices.on('policies', () => worker.life?.policies.noticed())
  return worker
}

type TimePorts = { readonly ports: { readonly clock: FollowingClock }; readonly database: Database }

/** Keeps a process that holds no lease at the database's time; a heartbeat tells it to the others. */
export const timeWatch = ({ ports: { clock }, database }: TimePorts): Job => ({
  name: 'time',
  everyMs: TIME_MS,
  run: async () => clock.follow(await databaseTime(database)),
})

/** In place of a worker, in a process that leaves the work to others. */
function receptionOf(ports: WorkerWires['ports'], random: () => number): Worker {
  const { clock, connections, notices, checks = false } = ports
  const database = createDatabase(connections, { clock, random, assertLockOrder: checks })
  const runner = createReception(database, () => notices.tell('desk'))
  const start = async (): Promise<void> => void (await timeWatch({ ports, database }).run())
  return { runner: () => runner, life: undefined, start, stop: async () => undefined }
}

function policiesOf({ config, ports, ids }: WorkerWires, lease: Lease, database: Database): Policies {
  const { clock, log } = ports
  const configured = Object.entries(config.systems).map(([name, { policy }]) => [name, policy])
  return openPolicies({
    database,
    clock,
    random: () => ids.random(),
    holder: lease.epoch,
    workers: () => lease.workers,
    policies: { [EDI]: Policy.parse({}), ...Object.fromEntries(configured) } as Record<string, Policy>,
    onError: (error) => log.warn('policies could not be exchanged', { error: String(error) }),
  })
}

type LaneParts = {
  readonly connector: Connector
  readonly policies: Policies
  readonly mayStillSend: () => boolean
  readonly onCall: (call: { outcome: string }) => void
  readonly callBack: (limit: number) => Promise<CalledBack>
}

/** At most half of what the process may have under way is in one lane, so that no system fills it alone. */
function laneOf(
  { config, ports, ids }: WorkerWires,
  { connector, policies, mayStillSend, onCall, callBack }: LaneParts,
) {
  return createLane({
    connector,
    gate: policies.gate(connector.instance),
    clock: ports.clock,
    random: () => ids.random(),
    openMax: Math.ceil(config.worker.inFlightMax / 2),
    callBack,
    mayStillSend,
    onCall,
  })
}
