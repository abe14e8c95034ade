/** `crossdock up`: the house, with or without its simulated counterparts, until somebody stops it. */
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Context, dataFolder, EXIT, printable, sourcesOf, type Terminal } from './cli-context.ts'
import { forgetRunning, noteRunning } from './cli-running.ts'
import { showSummary, type LiveSummary } from './cli-summary.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config-schema.ts'
import { type DemoHouse, startDemo } from './demo-house.ts'
import { type House, startHouse } from './main.ts'
import { systemClock } from './platform/clock.ts'
import { createLog, type Log } from './platform/telemetry-log.ts'

const clock = systemClock

export async function up(context: Context): Promise<number> {
  const { options, terminal, signal } = context
  const sources = sourcesOf(options)
  const config = loadConfig(sources)
  const folder = dataFolder(config)
  const isLive = process.stdout.isTTY && !terminal.json && !terminal.quiet
  const shown: { summary?: LiveSummary } = {}
  const log = openLog(
    config,
    folder,
    isLive ? (line) => (shown.summary ? shown.summary.tell(line) : terminal.note(line)) : undefined,
  )
  const failure = firstFailure(log)

  const wantsOrders = options['demo'] ?? config.demo.enabled
  const demo = options['demoWanted'] === true || config.demo.enabled ? startDemo({ clock, log }) : undefined
  const house = await startHouse({
    sources,
    clock,
    log,
    onProgress: unrepeated((what) => terminal.note(`crossdock: ${what}`)),
    ...(demo ? { counterparts: demo.counterparts } : {}),
  })
  context.onForce(() => house.abandon())
  try {
    await noteRunning(folder, noteOf(house, demo))
    await Promise.race([house.ready, aborted(signal)])
    if (wantsOrders && demo && !signal.aborted) demo.drive(house, signal)
    if (!terminal.quiet || terminal.json)
      shown.summary = showSummary({ app: house.app, clock, terminal, url: house.url, isLive })
    welcome(terminal, house, wantsOrders === true)
    const failed = await Promise.race([failure, aborted(signal)])
    return failed ? EXIT.failed : EXIT.ok
  } finally {
    shown.summary?.stop()
    terminal.note('crossdock: stopping (Ctrl-C again to force)')
    const [left] = await Promise.all([house.stop(), demo?.rest()])
    if (left.length > 0) context.leaveBehind()
    await forgetRunning(folder)
    terminal.note('crossdock: stopped')
  }
}

function noteOf(house: House, demo: DemoHouse | undefined) {
  const { edi, systems } = house.config
  const world = demo?.world()
  const defaults = demo?.defaults()
  return {
    pid: process.pid,
    url: house.url,
    systems: Object.fromEntries(Object.entries(systems).map(([name, { baseUrl }]) => [name, baseUrl])),
    ...(edi.enabled ? { ediInbox: edi.inboxDirectory, ediPartners: edi.partnersDirectory } : {}),
    ...(world ? { world } : {}),
    ...(defaults ? { defaults } : {}),
  }
}

/** Every page tells how far a reading is, and its end tells it again. */
function unrepeated(tell: (what: string) => void): (what: string) => void {
  let last = ''
  return (what) => {
    if (what !== last) tell(what)
    last = what
  }
}

function welcome(terminal: Terminal, { url }: House, drivesOrders: boolean): void {
  terminal.note(`crossdock: listening on ${url}${drivesOrders ? ', orders are flowing' : ''}`)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** On a terminal the log goes to a file, and what matters is said above the summary; else it goes to stderr. */
function openLog(config: Config, folder: string, tell: ((line: string) => void) | undefined): Log {
  const level = config.telemetry.logLevel
  if (!tell)
    return createLog({ level, clock, destination: { write: (line) => void process.stderr.write(line) } })
  mkdirSync(folder, { recursive: true })
  const file = createWriteStream(join(folder, 'crossdock.log'), { flags: 'a' })
  return createLog({
    level,
    clock,
    destination: {
      write(line) {
        file.write(line)
        const { level: of, message } = JSON.parse(line) as { level: string; message: string }
        if (of === 'warn' || of === 'error') tell(`  ${of}: ${printable(message)}`)
      },
    },
  })
}

/** Resolves when something failed that nobody caught: the program cannot be trusted any more, and stops in order. */
function firstFailure(log: Log): Promise<true> {
  return new Promise((resolve) => {
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (error: unknown) => {
        log.error('the program fails and stops', { error })
        resolve(true)
      })
    }
  })
}
