/**
 * The working life of a process: a lease, a runner with its lanes, and a new start with a new epoch when the lease is
 * lost. Doors ask for the runner of the moment.
 */
import type { Clock } from './clock.ts'
import { type Connections, createDatabase, type Database, type DatabaseOptions } from './database.ts'
import { awaitedSystems } from './effects-held.ts'
import { Outage } from './faults.ts'
import { fenceStatement, type Lease, openLease, takeOver } from './lease.ts'
import type { Lane } from './lanes.ts'
import type { Policies } from './policies-exchange.ts'
import type { Stage } from './rehearsal.ts'
import type { Turns } from './reading-turns.ts'
import type { Runner } from './runner.ts'

/** What lives as long as an epoch. */
export type Life = {
  readonly epoch: number
  readonly runner: Runner & Stage
  readonly lanes: ReadonlyMap<string, Lane>
  readonly policies: Policies
  readonly turns: Turns
  /** False once others may have taken over. */
  readonly mayStillSend: () => boolean
}

export type WorkerOptions = {
  readonly connections: Connections
  readonly clock: Clock
  readonly database: Omit<DatabaseOptions, 'clock' | 'fence'>
  readonly name: string
  /** Hears what time it is at the database. */
  readonly onTime?: (now: Date) => void
  readonly begin: (epoch: number, database: Database, lease: Lease) => Life
  readonly onEvent: (message: string, facts: object) => void
}

export interface Worker {
  /** The runner of the moment; an outage while there is none. */
  runner(): Runner
  /** Undefined between two lives. */
  readonly life: Life | undefined
  start(): Promise<void>
  stop(): Promise<void>
}

const TAKEOVER_EVERY_MS = 1_000
const RETRY_MS = 500

export function createWorker(options: WorkerOptions): Worker {
  return new SupervisedWorker(options)
}

class SupervisedWorker implements Worker {
  life: Life | undefined
  readonly #options: WorkerOptions
  #lease: Lease | undefined
  #stopped = false
  #ended: Promise<void> = Promise.resolve()
  #policiesRun = new AbortController()

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  runner(): Runner {
    if (!this.life)
      throw new Outage('database', 'the program is getting ready to work again; ask again in a second')
    return this.life.runner
  }

  async start(): Promise<void> {
    await this.#begin()
    this.#ended = this.#live()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const life = this.life
    if (life) {
      await life.runner.stop('drain')
      this.life = undefined
      for (const lane of life.lanes.values()) lane.stop()
      this.#policiesRun.abort()
      await life.policies.release().catch(() => undefined)
    }
    await this.#lease?.release()
    await this.#ended
  }

  /** Lives one life after the other until stopped. */
  async #live(): Promise<void> {
    while (!this.#stopped) {
      const reason = await this.#lease!.lost
      if (this.#stopped) return
      this.#options.onEvent('the lease was lost; starting anew', { reason })
      await this.#end()
      await this.#beginAgain()
    }
  }

  async #end(): Promise<void> {
    const life = this.life
    this.life = undefined
    this.#policiesRun.abort()
    for (const lane of life?.lanes.values() ?? []) lane.stop()
    await life?.runner.stop('forget')
  }

  async #beginAgain(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#begin()
      } catch (error) {
        this.#options.onEvent('the database does not answer; trying again', { error: String(error) })
        await this.#options.clock.sleep(RETRY_MS)
      }
    }
  }

  async #begin(): Promise<void> {
    const { connections, clock, name, onTime } = this.#options
    const lease = await openLease(connections, clock, name, onTime)
    this.#lease = lease
    try {
      await this.#beginUnder(lease)
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  async #beginUnder(lease: Lease): Promise<void> {
    const { connections, clock } = this.#options
    const fence = { statement: fenceStatement, values: [lease.epoch] }
    const database = createDatabase(connections, { ...this.#options.database, clock, fence })
    await this.#takeOver(database, lease)
    const life = this.#options.begin(lease.epoch, database, lease)
    await life.policies.refresh()
    const awaited = await awaitedSystems(database, [...life.lanes.keys()])
    // Whoever stops the worker in the meantime has no life to end.
    if (this.#stopped) return lease.release()
    this.#policiesRun = new AbortController()
    void life.policies.run(this.#policiesRun.signal)
    life.runner.start()
    this.life = life
    for (const system of awaited) life.lanes.get(system)!.recall()
    this.#watch(database, lease)
  }

  async #takeOver(database: Database, { epoch }: Lease): Promise<void> {
    const epochs = await takeOver(database, epoch)
    if (epochs.length === 0) return
    this.#options.onEvent('took over from processes that are gone', { epochs })
    this.life?.runner.claimNow()
    for (const lane of this.life?.lanes.values() ?? []) lane.recall()
  }

  /** Looks each second whether another process is gone. */
  #watch(database: Database, lease: Lease): void {
    const again = (): void => {
      if (this.#stopped || this.#lease !== lease || !this.life) return
      this.#takeOver(database, lease)
        .catch((error: unknown) => this.#options.onEvent('takeover failed', { error: String(error) }))
        .finally(() => this.#options.clock.after(TAKEOVER_EVERY_MS, again))
    }
    this.#options.clock.after(TAKEOVER_EVERY_MS, again)
  }
}
