/** What a run found, as data and as a table. */
import { cpus, loadavg, totalmem } from 'node:os'
import type { CpuSeconds } from './stage.ts'

/** One scenario in one mode. */
type Measured = {
  readonly mode: string
  readonly perSecond: number
  /** By whoever does nothing but what cannot be left out, on the same machine in the same run. */
  readonly ceilingPerSecond: number
  readonly ratioToCeiling: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Percentiles are of answers to the submission: at saturation, or at the arrival rate where there is one. */
export type OrdersResult = Measured & {
  readonly scenario: 'order-to-cash' | 'accept'
  readonly smallCeilingPerSecond?: number
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

/**
 * Buyers who want the same scarce item at one moment, or carts of five lines of which it is one; answers a second beside
 * one client who takes one unit after the other by a bare conditional update.
 */
export type HotItemResult = Measured & {
  readonly scenario: 'hot-item'
  readonly buyers: number
  /** Units that there are. */
  readonly supply: number
  readonly granted: number
  readonly refused: number
  readonly oversold: number
  /** Until the last of them is answered. */
  readonly drainSeconds: number
}

/** Questions of so many items, beside the same kind of server that answers a constant of the same size. */
export type AvailabilityResult = Measured & {
  readonly scenario: 'availability'
  readonly items: number
  /** Of an answer. */
  readonly bytes: number
}

/**
 * Movements that come as files of a thousand, each in one transaction, beside the same rows written by one bare statement
 * a file. Percentiles are from handing in a file until an answer from memory, of the default age, shows what is in it.
 */
export type StockFeedResult = Measured & { readonly scenario: 'stock-feed'; readonly movements: number }

export type Result = OrdersResult | HotItemResult | AvailabilityResult | StockFeedResult

export type Findings = {
  readonly results?: readonly Result[]
  readonly slowSystem?: SlowSystem
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
}

const loadBefore = Number(loadavg()[0]!.toFixed(2))

export function reportOf(findings: readonly Findings[], postgres: string, quick: boolean): Report {
  const slowSystem = findings.find((found) => found.slowSystem)?.slowSystem
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
  }
}

export function tableOf({ machine, versions, quick, results, slowSystem }: Report): string {
  const head = [
    `${machine.cpus} × ${machine.model}, ${machine.memoryGb} GB, ${machine.platform}`,
    `Node ${versions.node}, PostgreSQL ${versions.postgres}${quick ? ', quick' : ''}`,
    `driver, program, counterparts and PostgreSQL share this machine; load before: ${machine.loadBefore}`,
  ]
  return [
    ...head,
    ...results.flatMap((result) => ['', ...linesOf(result)]),
    ...slowLines(slowSystem),
    '',
  ].join('\n')
}

type Line = readonly [what: string, figure: string]

function linesOf(result: Result): string[] {
  switch (result.scenario) {
    case 'hot-item':
      return hotLines(result)
    case 'availability':
      return askedLines(result)
    case 'stock-feed':
      return feedLines(result)
    case 'order-to-cash':
    case 'accept':
      return orderLines(result)
  }
}

function orderLines(result: OrdersResult): string[] {
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

function furtherLines({ halfSaturation, acceptedToPosted, memory }: OrdersResult): Line[] {
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

function hotLines(found: HotItemResult): string[] {
  const { mode, buyers, supply, granted, oversold, drainSeconds } = found
  return [
    `hot-item, ${mode}: ${whole(buyers)} for ${whole(supply)} units`,
    `  ${whole(granted)} granted, ${oversold} oversold, drained in ${drainSeconds.toFixed(1)} s`,
    `  ${besideCeiling(found, 'answers', 'one conditional update after the other')}`,
    `  p50 / p99 ${percentilesOf(found)}`,
  ]
}

function askedLines(found: AvailabilityResult): string[] {
  const { mode, bytes } = found
  return [
    `availability, ${mode}: ${bytes} bytes`,
    `  ${besideCeiling(found, 'answers', 'a constant')}`,
    `  p50 / p99 ${percentilesOf(found)}`,
  ]
}

function feedLines(found: StockFeedResult): string[] {
  return [
    `stock-feed, ${found.mode}: ${whole(found.movements)} movements`,
    `  ${besideCeiling(found, 'movements', 'a bare upsert')}`,
    `  change → promised p50 / p99 ${percentilesOf(found)}`,
  ]
}

const besideCeiling = (found: Measured, what: string, ceiling: string): string =>
  `${whole(found.perSecond)} ${what}/s, ${found.ratioToCeiling.toFixed(2)} of ${ceiling} (${whole(found.ceilingPerSecond)}/s)`
const percentilesOf = ({ p50Ms, p99Ms }: Measured): string => `${millis(p50Ms)} / ${millis(p99Ms)} ms`
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
