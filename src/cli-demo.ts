/** `crossdock demo run` and `crossdock demo load DIR`. */
import {
  CommandFailure,
  type Context,
  dataFolder,
  EXIT,
  sourcesOf,
  type Terminal,
  wrongUse,
} from './cli-context.ts'
import { connect, openServer } from './cli-database.ts'
import { findRunning } from './cli-running.ts'
import { loadConfig } from './config.ts'
import { type DemoDoors, openDemoDoors } from './demo-doors.ts'
import { ENDS, type End, type Fate, followOrders } from './demo-fates.ts'
import { startDemo } from './demo-house.ts'
import { loadDemoWorld } from './demo-world.ts'
import { startHouse } from './main.ts'
import { systemClock } from './platform/clock.ts'
import type { Database } from './platform/database.ts'
import { createLog } from './platform/telemetry-log.ts'

const clock = systemClock
const MOST_ORDERS = 10_000

function numberOf({ options }: Context, flag: 'orders' | 'timeout', most: number): number {
  const number = Number(options[flag])
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw wrongUse(
    `--${flag} is a number from 1 to ${most}, not "${String(options[flag])}".`,
    `For example: --${flag} 100`,
  )
}

/** Sends orders and follows each to its end: through every door, or by API alone beside a running program. */
export async function demoRun(context: Context): Promise<number> {
  const { terminal, signal } = context
  const count = numberOf(context, 'orders', MOST_ORDERS)
  const timeoutMs = 1_000 * numberOf(context, 'timeout', 3_600)
  const { doors, database } = await openDoors(context)
  const begunMs = clock.monotonicMs()
  const orders = await doors.take(count)
  if (orders.length === 0) {
    throw new CommandFailure({
      problem: 'The world has no more orders.',
      cure: 'Begin with a new data folder: --data DIR',
    })
  }
  terminal.note(`${orders.length} orders are sent`)
  const sent = await doors.send(orders)
  terminal.note('waiting for their ends')
  const fates = await followOrders(sent, { queries: database, clock, timeoutMs, signal })
  const underWay = fates.filter(({ end }) => end === 'under_way').length
  const result = {
    orders: fates.length,
    ...countEnds(fates),
    surprises: fates
      .filter(isSurprise)
      .map(({ customerOrder, expected, end }) => ({ customerOrder, expected, end })),
    seconds: Math.round((clock.monotonicMs() - begunMs) / 100) / 10,
  }
  terminal.data(result, () => resultText(result, terminal))
  return underWay === 0 ? EXIT.ok : EXIT.partial
}

const isSurprise = ({ expected, end }: Fate): boolean => end !== 'under_way' && !expected.includes(end)

const countEnds = (fates: readonly Fate[]): Record<End, number> =>
  Object.fromEntries(ENDS.map((end) => [end, fates.filter((fate) => fate.end === end).length])) as Record<
    End,
    number
  >

type Result = Record<End, number> & {
  readonly orders: number
  readonly seconds: number
  readonly surprises: readonly { customerOrder: string; expected: readonly End[]; end: End }[]
}

function resultText(result: Result, terminal: Terminal): string {
  const ends = ENDS.filter((end) => result[end] > 0).map(
    (end) => `  ${end.replace('_', ' ').padEnd(12)} ${result[end]}`,
  )
  const surprises = result.surprises.map(
    ({ customerOrder, expected, end }) => `  ${customerOrder} is ${end}, not ${expected.join(' or ')}`,
  )
  return [
    terminal.paint('bold', `${result.orders} orders in ${result.seconds} s`),
    ...ends,
    ...(surprises.length > 0
      ? [terminal.paint('yellow', 'not as the world was planted:'), ...surprises]
      : []),
  ].join('\n')
}

async function openDoors(context: Context): Promise<{ doors: DemoDoors; database: Database }> {
  const sources = sourcesOf(context.options)
  const config = loadConfig(sources)
  const running = await findRunning(dataFolder(config))
  if (running) {
    if (!running.world) {
      throw new CommandFailure({
        problem: 'The running program trades with real systems, not with the simulated world.',
        cure: 'Start the demo on a data folder of its own: npm start -- --data DIR --port N',
      })
    }
    context.terminal.note(`sending to the running program at ${running.url}, by API`)
    const database = connect(context, config, await openServer(context, config))
    const doors = await openDemoDoors({
      url: running.url,
      source: running.world,
      dataFolder: dataFolder(config),
      clock,
    })
    context.atEnd(() => doors.close())
    return { doors, database }
  }
  context.terminal.note('no program is running; starting house and simulated systems for this command')
  const log = createLog({
    level: 'error',
    clock,
    destination: { write: (line) => void process.stderr.write(line) },
  })
  const demo = startDemo({ clock, log })
  const house = await startHouse({
    sources: { ...sources, flags: { ...sources.flags, 'http.port': 0 } },
    clock,
    log,
    counterparts: demo.counterparts,
  })
  context.atEnd(() => house.stop())
  await house.ready
  await demo.count(house, context.signal)
  const doors = demo.doors(house)
  context.atEnd(() => doors.close())
  return { doors, database: house.app.database }
}

/** Takes the world from a folder of CSV files; the next start with a new database trades in it. */
export async function demoLoad(context: Context): Promise<number> {
  const { terminal, options, args } = context
  const config = loadConfig(sourcesOf(options))
  if (await findRunning(dataFolder(config))) {
    throw new CommandFailure({
      problem: 'A program runs on this data folder, and a world cannot be changed under it.',
      cure: 'Stop it (Ctrl-C), or load into another folder: --data DIR',
    })
  }
  const loaded = await loadDemoWorld(dataFolder(config), args[0]!, clock).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const problem = `${args[0]} cannot be read as a world.`
    const cure =
      'It needs carriers, customers, items, order-lines, orders and suppliers as .csv, with the columns of Northwind.'
    throw new CommandFailure({ problem, reason, cure }, EXIT.failed, cause)
  })
  terminal.data(loaded, () => {
    const { customers, items, prices, orders } = loaded
    return `${customers} customers, ${items} items, ${prices} prices and ${orders} orders are loaded.`
  })
  terminal.note(
    loaded.known
      ? 'This data folder trades in another world already; start with a new one: npm start -- --data DIR'
      : `Start with them: npm start${typeof options['data'] === 'string' ? ` -- --data ${options['data']}` : ''}`,
  )
  return EXIT.ok
}
