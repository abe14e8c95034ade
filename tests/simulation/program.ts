/** One program of ours in a simulation: the real application on simulated ports. */
import { createApp, type App } from '../../src/app.ts'
import type { Config } from '../../src/config-schema.ts'
import { hash } from '#landscape/random.ts'
import type { HttpClient } from '#platform/http-client.ts'
import type { Notices, Channel } from '#platform/notices.ts'
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
  readonly complain: (line: string) => void
}

const READINGS_MS = 1_000

export type Program = Door & { readonly app: App; readonly isOpen: boolean }

export function startProgram(parts: ProgramParts): Program {
  const { name, seed, config, scheduler, database, complain } = parts
  const actor: Actor = { name, alive: true, stalledUntilMs: 0 }
  const clock = virtualClock(scheduler, actor, parts)
  const app = createApp(config, {
    connections: database.pool(actor, 6),
    screens: database.pool(actor, 2),
    notices: parts.notices.of(actor),
    clock,
    chance: chanceOf(`${seed}/${name}`),
    http: parts.http(actor),
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
  let isOpen = false
  const open = async (): Promise<void> => {
    for (;;) {
      try {
        await app.worker.start()
        break
      } catch (error) {
        complain(`${name} could not start: ${String(error)}`)
        await clock.sleep(500)
      }
    }
    app.keepUp()
    while (!(await app.sync(() => undefined).catch(() => ({ known: false }))).known) await clock.sleep(1_000)
    app.edi?.watch()
    isOpen = true
    while (parts.readsOn) {
      await clock.sleep(READINGS_MS)
      await app
        .sync(() => undefined)
        .catch((error: unknown) => complain(`${name} could not read: ${String(error)}`))
    }
  }
  void open()
  return {
    actor,
    app,
    get isOpen() {
      return isOpen && config.role !== 'worker'
    },
    call: (call) => app.server.call(call),
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
