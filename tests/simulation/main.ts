/** `npm run simulate`: many seeded days of a distributor's life, with every fault, and what was found wrong. */
import { parseArgs } from 'node:util'
import { systemClock } from '#platform/clock.ts'
import { shortDayOf } from './day.ts'
import { openCluster } from './cluster.ts'
import { type LaneHandle, type Search, startLanes } from './lanes.ts'
import { outage, type OutagePlan } from './outage.ts'
import { bugsCalled, plantEach } from './planted.ts'
import { createReport } from './report.ts'
import type { Mode } from './simulate.ts'

const USAGE = `npm run simulate -- [options]
  --seeds N       as many seeds (default 200, unless --minutes)
  --minutes M     for so long
  --from S        the first of them (default 0)
  --seed S        this seed alone
  --mode MODE     safety or liveness; by turns unless given
  --short         short days: one order or two, one program or two, faults for a moment
  --planted       plants each known bug and requires that it is caught
  --bug NAME      plants this one alone
  --outage-hours H --orders N --calls-per-minute C
                  instead: an ERP that is away for H hours while N orders arrive, then takes C calls a minute
  --lanes N       clusters at work side by side (default: one for each core, at most 2)
  --json          one object on stdout`

class Usage extends Error {}

type Numeric = 'seeds' | 'from' | 'minutes' | 'lanes' | 'outage-hours' | 'orders' | 'calls-per-minute'

function optionsOf(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        mode: { type: 'string' },
        short: { type: 'boolean', default: false },
        planted: { type: 'boolean', default: false },
        bug: { type: 'string' },
        lanes: { type: 'string' },
        'outage-hours': { type: 'string' },
        orders: { type: 'string' },
        'calls-per-minute': { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const positive = (name: Numeric): number | undefined => {
      const text = values[name]
      if (text === undefined) return undefined
      if (!(Number(text) > 0)) throw new Usage(`--${name} ${text}: give a number above 0`)
      return Number(text)
    }
    if (values.mode !== undefined && values.mode !== 'safety' && values.mode !== 'liveness')
      throw new Usage(`--mode ${values.mode}: give safety or liveness`)
    const mode: Mode | undefined = values.mode
    return {
      ...values,
      mode,
      seeds: positive('seeds'),
      from: positive('from'),
      minutes: positive('minutes'),
      lanes: positive('lanes') ?? 2,
      outageHours: positive('outage-hours'),
      orders: positive('orders') ?? 30_000,
      callsPerMinute: positive('calls-per-minute') ?? 300,
    }
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error))
  }
}

/** Resolves with the exit code when somebody wants us to end before we are done. */
const interrupted = new Promise<number>((resolve) => {
  process.once('SIGINT', () => resolve(130))
  process.once('SIGTERM', () => resolve(143))
})

type Options = ReturnType<typeof optionsOf>

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const { outageHours: hours } = options
  if (hours !== undefined) return runOutage({ ...options, hours })
  const search =
    options.planted || options.bug ? plantEach(wantedBugs(options), options.json) : seeds(options)
  const lanes = startLanes(options.seed === undefined ? options.lanes : 1)
  try {
    const done = lanes.opened.then((opened) => search.run(opened))
    const code = await Promise.race([interrupted, done.then(() => undefined)])
    const found = search.end()
    return code ?? found
  } finally {
    await lanes.end()
  }
}

function wantedBugs({ bug }: Options): ReturnType<typeof bugsCalled> {
  const bugs = bugsCalled(bug)
  if (bugs.length > 0) return bugs
  const names = bugsCalled(undefined).map(({ name }) => `  ${name}`)
  throw new Usage([`no bug is called "${bug}"; there are:`, ...names].join('\n'))
}

function seeds(options: Options): Search {
  let report = createReport(options.json)
  let endMs = Infinity
  const count = options.seed === undefined ? (options.seeds ?? (options.minutes ? Infinity : 200)) : 1
  const first = options.from ?? 0
  let next = first
  async function runOn(lane: LaneHandle): Promise<void> {
    while (next - first < count && systemClock.monotonicMs() < endMs) {
      const nth = next++
      // One in four without an end of faults: whatever happens later must not hide what is wrong in between.
      const mode = options.mode ?? (nth % 4 === 3 ? 'safety' : 'liveness')
      const seed = options.seed ?? String(nth)
      report.add(await lane.run({ ...(options.short ? shortDayOf(seed) : {}), seed, mode }))
    }
  }
  return {
    run(lanes) {
      // What opening the lanes took is not the seeds'.
      report = createReport(options.json)
      if (options.minutes) endMs = systemClock.monotonicMs() + options.minutes * 60_000
      return Promise.all(lanes.map(runOn))
    },
    end: () => report.end(),
  }
}

async function runOutage(wanted: Omit<OutagePlan, 'checks' | 'say'> & { json: boolean }): Promise<number> {
  const say = (text: string): void =>
    void process.stderr.write(`${Math.round(systemClock.monotonicMs() / 1_000)} s  ${text}\n`)
  const cluster = await openCluster(0)
  try {
    await cluster.keepBaseline()
    const report = await Promise.race([interrupted, outage(cluster, { ...wanted, checks: false, say })])
    if (typeof report === 'number') return report
    process.stdout.write(`${JSON.stringify(report, undefined, wanted.json ? 0 : 2)}\n`)
    return report.violations.length > 0 ? 1 : 0
  } finally {
    await cluster.end()
  }
}

try {
  process.exit(await main())
} catch (error) {
  if (!(error instanceof Usage)) throw error
  process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  process.exit(2)
}
