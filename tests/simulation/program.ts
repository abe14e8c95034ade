/** One program of ours in a simulation: the real application on simulated ports. */
import { createApp, type App } from '../../src/app.ts'
import type { Config } from '../../src/config-schema.ts'
import { hash } from '#landscape/random.ts'
import type { Connections } from '#platform/database.ts'
import type { HttpClient } from '#platform/http-client.ts'
import { applyMigrations, type Migration } from '#platform/migrations.ts'
import type { Notices, Channel } from '#platform/notices.ts'
import type { Called } from '#platform/http-server.ts'
import { secretBox } from '#platform/secret-box.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { createMetrics } from '#platform/telemetry-metrics.ts'
import type { MemoryFiles } from './memory-files.ts'
import type { Door } from './network.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import type { DatabaseServer } from './sessions.ts'
import { virtualClock } from './virtual-clock.ts'

export type ProgramParts = {
  readonly name: string
  readonly seed: string
  readonly config: Config
  readonly scheduler: Scheduler
  readonly database: DatabaseServer
  readonly http: (actor: Actor) => HttpClient
  readonly notices: NoticeBoard
  readonly files: MemoryFiles
  /** How far its clock is off, each time it is asked. */
  readonly skewMs: () => number
  readonly drowsy: number
  /** ERPs are read as often as they may be, not once. */
  readonly readsOn?: boolean
  /** Whoever subscribes is sent events. */
  readonly tellsSubscribers?: boolean
  /** These it applies before anything else. */
  readonly migrations?: readonly Migration[]
  readonly complain: (line: string) => void
}

const READINGS_MS = 1_000
/** So long a server that stops waits for those whom it is answering. */
const ANSWERED_WITHIN_MS = 10_000

export type Program = Door & {
  readonly app: App
  /** Has seen that nothing is left to migrate. */
  readonly isMigrated: boolean
  readonly isStarted: boolean
  readonly isOpen: boolean
  /** Resolves when it has ended in order. */
  stop(): Promise<void>
}

export function startProgram(parts: ProgramParts): Program {
  const { name, seed, config, scheduler, database, complain } = parts
  const actor: Actor = { name, alive: true, stalledUntilMs: 0 }
  const clock = virtualClock(scheduler, actor, parts)
  const http = parts.http(actor)
  const box = secretBox('simulation', chanceOf(`${seed}/${name}/box`))
  const app = createApp(config, {
    connections: database.pool(actor, 6),
    screens: database.pool(actor, 2),
    notices: parts.notices.of(actor),
    clock,
    chance: chanceOf(`${seed}/${name}`),
    http,
    outward: parts.tellsSubscribers ? { http, rules: { ports: [443], trusted: [] }, box } : undefined,
    files: parts.files.of(actor),
    log: createLog({
      level: 'warn',
      clock,
      destination: { write: (line) => complain(`${name} ${line.trim()}`) },
    }),
    metrics: createMetrics({ process: false }),
    openOnLoopback: true,
    checks: true,
  })
  let [isMigrated, isStarted, isOpen, isStopping] = [false, false, false, false]
  const answering = new Set<Promise<Called>>()
  async function untilDone(what: string, work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        return void (await work())
      } catch (error) {
        complain(`${name} could not ${what}: ${String(error)}`)
        await clock.sleep(500)
      }
    }
  }
  const open = async (): Promise<void> => {
    const { migrations } = parts
    if (migrations) await untilDone('migrate', () => migrateBy(database.pool(actor, 1), migrations))
    isMigrated = true
    await untilDone('start', () => app.worker.start())
    app.keepUp()
    isStarted = true
    while (!(await app.sync(() => undefined).catch(() => ({ known: false }))).known) {
      if (isStopping) return
      await clock.sleep(1_000)
    }
    if (isStopping) return
    app.edi?.watch()
    isOpen = true
    while (parts.readsOn) {
      await clock.sleep(READINGS_MS)
      if (isStopping) return
      await app
        .sync(() => undefined)
        .catch((error: unknown) => complain(`${name} could not read: ${String(error)}`))
    }
  }
  void open()
  async function answered(): Promise<void> {
    const late = new AbortController()
    await Promise.race([Promise.allSettled(answering), clock.sleep(ANSWERED_WITHIN_MS, late.signal)])
    late.abort()
  }
  return {
    actor,
    app,
    get isMigrated() {
      return isMigrated
    },
    get isStarted() {
      return isStarted
    },
    get isOpen() {
      return isOpen && !isStopping && config.role !== 'worker'
    },
    call(call) {
      // Nobody listens any more.
      if (isStopping) return new Promise(() => undefined)
      const answer = app.server.call(call)
      answering.add(answer)
      void answer.finally(() => answering.delete(answer))
      return answer
    },
    async stop() {
      isStopping = true
      await answered()
      await app.stop()
    },
  }
}

/** In a session of its own, as a program does when it starts. */
async function migrateBy(connections: Connections, migrations: readonly Migration[]): Promise<void> {
  const connection = await connections.acquire()
  try {
    await applyMigrations({ execute: connection.execute, completed: 0 }, migrations)
  } finally {
    connection.release(true)
  }
}

/** Chance out of the seed and the program's name. */
function chanceOf(site: string) {
  let nth = 0
  const next = (): number => hash(`${site}/${nth++}`)
  return {
    random: () => next() / 0x1_0000_0000,
    token: (bytes: number) =>
      Array.from({ length: Math.ceil(bytes / 4) }, () => next().toString(16).padStart(8, '0'))
        .join('')
        .slice(0, 2 * bytes),
  }
}

/** Word between programs: an action for each who hears it. */
export class NoticeBoard {
  readonly #scheduler: Scheduler
  #hearers: { readonly actor: Actor; readonly channel: Channel; readonly heard: () => void }[] = []

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  of(actor: Actor): Notices {
    return {
      on: (channel, heard) => void this.#hearers.push({ actor, channel, heard }),
      tell: (channel) => {
        this.#hearers = this.#hearers.filter((hearer) => hearer.actor.alive)
        for (const hearer of this.#hearers) {
          if (hearer.actor === actor || hearer.channel !== channel) continue
          this.#scheduler.offer({ actor: hearer.actor, label: `notice ${channel}`, run: hearer.heard })
        }
      },
    }
  }
}
