/** What a run found, as data and as a table. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { CpuSeconds } from './stage.ts'

/** One scenario in one mode. Null: not measured in this run. */
export type Result = {
  readonly scenario: string
  readonly mode: string
  readonly perSecond: number
  readonly ceilingPerSecond: number
  readonly ratioToCeiling: number
  readonly smallCeilingPerSecond?: number
  /** Answers to the submission: at saturation, or at the arrival rate where there is one. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly arrivalsPerSecond?: number
  readonly transactionsPerOrder: number
  readonly walBytesPerOrder: number
  readonly cpuSecondsPer1000: CpuSeconds
  readonly halfSaturation?: {
    readonly arrivalsPerSecond: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly afterCheckpointP99Ms: number
  }
  /** From the acceptance to the posted invoice; `counterpartsMs` of it is the warehouse's own pace. */
  readonly acceptedToPosted?: {
    readonly arrivalsPerSecond: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly counterpartsMs: number
    readonly oursP50Ms: number
  }
  readonly memory?: {
    readonly ordersInFlight: number
    readonly beforeMb: number
    readonly peakMb: number
    readonly heldMb: number
  }
  readonly ceilingRowsPerOrder: Readonly<Record<string, number>>
}

/** What the orders of a company notice while one system is slow that they do not use. */
export type SlowSystem = {
  /** Of each company. */
  readonly arrivalsPerSecond: number
  /** Of every system but the slow one. */
  readonly answersMs: number
  readonly timesSlower: number
  readonly usual: UnderLoad
  readonly slowed: UnderLoad
  readonly changePercent: {
    readonly postedPerSecond: number
    readonly acceptP99: number
    readonly postedP50: number
    readonly postedP99: number
  }
}

export type UnderLoad = {
  readonly postedPerSecond: number
  readonly acceptP50Ms: number
  readonly acceptP99Ms: number
  /** From the acceptance to the posted invoice. */
  readonly postedP50Ms: number
  readonly postedP99Ms: number
}

/** Buyers who want the same scarce item at one moment. */
export type Rush = {
  readonly buyers: number
  readonly units: number
  readonly granted: number
  readonly refused: number
  readonly oversold: number
  /** Until the last of them is answered. */
  readonly seconds: number
  readonly answersPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** `carts`: of five lines, of which the scarce item is one. */
export type HotItem = { readonly oneItem: Rush; readonly carts: Rush }

/** Questions of so many items, and a constant of the same size from the same kind of server. */
export type Asked = {
  readonly items: number
  /** Of an answer. */
  readonly bytes: number
  readonly answersPerSecond: number
  readonly constantsPerSecond: number
  readonly ratioToConstant: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type Availability = { readonly oneItem: Asked; readonly manyItems: Asked }

/** Movements that come as files of a thousand, each in one transaction. */
export type StockFeed = {
  readonly movements: number
  readonly perSecond: number
  /** The same rows written by one bare statement a file. */
  readonly upsertsPerSecond: number
  readonly ratioToUpsert: number
  /** From handing in a file until an answer from memory, of the default age, shows what is in it. */
  readonly promisedP50Ms: number
  readonly promisedP99Ms: number
}

export type Findings = {
  readonly results?: readonly Result[]
  readonly slowSystem?: SlowSystem
  readonly hotItem?: HotItem
  readonly availability?: Availability
  readonly stockFeed?: StockFeed
}

export type Report = {
  readonly date: string
  readonly quick: boolean
  readonly machine: {
    readonly cpus: number
    readonly model: string
    readonly memoryGb: number
    readonly platform: string
    /** Of the minute before the run: above nothing, others were at work too. */
    readonly loadBefore: number
  }
  readonly versions: { readonly node: string; readonly postgres: string }
  readonly results: readonly Result[]
  readonly slowSystem?: SlowSystem
  readonly hotItem?: HotItem
  readonly availability?: Availability
  readonly stockFeed?: StockFeed
}

const loadBefore = Number(loadavg()[0]!.toFixed(2))

export function reportOf(findings: readonly Findings[], postgres: string, quick: boolean): Report {
  const slowSystem = findings.find((found) => found.slowSystem)?.slowSystem
  const hotItem = findings.find((found) => found.hotItem)?.hotItem
  const availability = findings.find((found) => found.availability)?.availability
  const stockFeed = findings.find((found) => found.stockFeed)?.stockFeed
  const [first] = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    quick,
    machine: {
      cpus: cpus().length,
      model: first?.model.trim() ?? 'unknown',
      memoryGb: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
      loadBefore,
    },
    versions: { node: process.version, postgres },
    results: findings.flatMap(({ results = [] }) => results),
    ...(slowSystem ? { slowSystem } : {}),
    ...(hotItem ? { hotItem } : {}),
    ...(availability ? { availability } : {}),
    ...(stockFeed ? { stockFeed } : {}),
  }
}

export function tableOf({ machine, versions, quick, results, ...found }: Report): string {
  const head = [
    `${machine.cpus} × ${machine.model}, ${machine.memoryGb} GB, ${machine.platform}`,
    `Node ${versions.node}, PostgreSQL ${versions.postgres}${quick ? ', quick' : ''}`,
    `driver, program, counterparts and PostgreSQL share this machine; load before: ${machine.loadBefore}`,
  ]
  return [
    ...head,
    ...results.flatMap((result) => ['', ...linesOf(result)]),
    ...slowLines(found.slowSystem),
    ...hotLines(found.hotItem),
    ...askedLines(found.availability),
    ...feedLines(found.stockFeed),
    '',
  ].join('\n')
}

type Line = readonly [what: string, figure: string]

function linesOf(result: Result): string[] {
  const { scenario, mode, perSecond, ceilingPerSecond, ratioToCeiling, smallCeilingPerSecond } = result
  const { postgres, app, counterparts, driver } = result.cpuSecondsPer1000
  const lines: Line[] = [
    [scenario === 'accept' ? 'accepted' : 'end to end', `${whole(perSecond)} orders/s`],
    ['ceiling, rows below', `${whole(ceilingPerSecond)} orders/s`],
    ['ratio to ceiling', ratioToCeiling.toFixed(2)],
    ...(smallCeilingPerSecond === undefined
      ? []
      : [['small ceiling', `${whole(smallCeilingPerSecond)} orders/s`] as const]),
    [
      `accept p50 / p99 ${result.arrivalsPerSecond ? `at ${whole(result.arrivalsPerSecond)}/s` : 'at saturation'}`,
      `${millis(result.p50Ms)} / ${millis(result.p99Ms)} ms`,
    ],
    ['transactions an order', result.transactionsPerOrder.toFixed(2)],
    ['WAL an order', `${whole(result.walBytesPerOrder)} bytes`],
    ['CPU s / 1,000: PostgreSQL', postgres === null ? 'not told here' : postgres.toFixed(3)],
    ['CPU s / 1,000: app', app.toFixed(3)],
    ['CPU s / 1,000: counterparts', counterparts.toFixed(3)],
    ['CPU s / 1,000: driver', driver.toFixed(3)],
    ...furtherLines(result),
  ]
  const rows = Object.entries(result.ceilingRowsPerOrder).map(
    ([table, count]) => `${table} ${Number(count.toFixed(2))}`,
  )
  return [
    `${scenario}, ${mode}`,
    ...lines.map(([what, figure]) => `  ${what.padEnd(36)}${figure.padStart(24)}`),
    ...wrapped(`ceiling rows an order: ${rows.join(', ')}`),
  ]
}

function furtherLines({ halfSaturation, acceptedToPosted, memory }: Result): Line[] {
  const lines: Line[] = []
  if (halfSaturation) {
    const { arrivalsPerSecond, p50Ms, p99Ms, afterCheckpointP99Ms } = halfSaturation
    lines.push([
      `accept p50 / p99 at ${whole(arrivalsPerSecond)}/s`,
      `${millis(p50Ms)} / ${millis(p99Ms)} ms; p99 right after a checkpoint ${millis(afterCheckpointP99Ms)} ms`,
    ])
  }
  if (acceptedToPosted) {
    const { arrivalsPerSecond, p50Ms, p99Ms, counterpartsMs, oursP50Ms } = acceptedToPosted
    lines.push([
      `accepted → posted p50 / p99 at ${arrivalsPerSecond}/s`,
      `${millis(p50Ms)} / ${millis(p99Ms)} ms`,
    ])
    lines.push([`  without the warehouse's ${counterpartsMs} ms`, `p50 ${millis(oursP50Ms)} ms`])
  }
  if (memory) {
    const { ordersInFlight, beforeMb, peakMb, heldMb } = memory
    lines.push([
      `memory with ${ordersInFlight.toLocaleString('en')} in flight`,
      `${beforeMb} → ${heldMb}, peak ${peakMb} MB`,
    ])
  }
  return lines
}

function slowLines(found: SlowSystem | undefined): string[] {
  if (!found) return []
  const { arrivalsPerSecond, timesSlower, usual, slowed, changePercent } = found
  const row = (what: string, of: (load: UnderLoad) => number, percent: number): string =>
    `  ${what.padEnd(36)}${millis(of(usual)).padStart(8)} → ${millis(of(slowed)).padStart(6)}${`${percent} %`.padStart(10)}`
  return [
    '',
    `slow-system: orders of one company at ${arrivalsPerSecond}/s while the ERP of the other is ${timesSlower} times slower`,
    row('posted a second', (load) => load.postedPerSecond, changePercent.postedPerSecond),
    row('accept p99, ms', (load) => load.acceptP99Ms, changePercent.acceptP99),
    row('accepted → posted p50, ms', (load) => load.postedP50Ms, changePercent.postedP50),
    row('accepted → posted p99, ms', (load) => load.postedP99Ms, changePercent.postedP99),
  ]
}

function hotLines(found: HotItem | undefined): string[] {
  if (!found) return []
  const rush = (what: string, one: Rush): string =>
    `  ${`${whole(one.buyers)} ${what} of ${whole(one.units)} units`.padEnd(36)} ${whole(one.granted)} granted, ${one.oversold} oversold, ` +
    `${one.seconds.toFixed(1)} s, p50 / p99 ${millis(one.p50Ms)} / ${millis(one.p99Ms)} ms`
  return ['', 'hot-item', rush('buyers', found.oneItem), rush('carts', found.carts)]
}

function askedLines(found: Availability | undefined): string[] {
  if (!found) return []
  const asked = (one: Asked): string =>
    `  ${`${one.items} item${one.items === 1 ? '' : 's'}, ${one.bytes} bytes`.padEnd(36)} ${whole(one.answersPerSecond)} answers/s, ` +
    `${one.ratioToConstant.toFixed(2)} of a constant (${whole(one.constantsPerSecond)}/s), p50 / p99 ${millis(one.p50Ms)} / ${millis(one.p99Ms)} ms`
  return ['', 'availability', asked(found.oneItem), asked(found.manyItems)]
}

function feedLines(found: StockFeed | undefined): string[] {
  if (!found) return []
  const { movements, perSecond, upsertsPerSecond, ratioToUpsert, promisedP50Ms, promisedP99Ms } = found
  return [
    '',
    `stock-feed: ${whole(movements)} movements in files`,
    `  ${whole(perSecond)} movements/s, ${ratioToUpsert.toFixed(2)} of a bare upsert (${whole(upsertsPerSecond)} rows/s)`,
    `  change → promised p50 / p99 ${millis(promisedP50Ms)} / ${millis(promisedP99Ms)} ms`,
  ]
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const millis = (value: number): string => value.toFixed(value < 10 ? 1 : 0)

const WIDTH = 100

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ' '
  for (const word of text.split(' ')) {
    if (line.length + word.length >= WIDTH) {
      lines.push(line)
      line = '   '
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
