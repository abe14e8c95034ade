/** The live summary of a running program: a block rewritten each second on a terminal, else a line each few seconds. */
import type { App } from './app.ts'
import type { Terminal } from './cli-context.ts'
import type { Clock } from './platform/clock.ts'

type Figures = Awaited<ReturnType<App['summary']>>

export type SummaryOptions = {
  readonly app: App
  readonly clock: Clock
  readonly terminal: Terminal
  readonly url: string
  readonly isLive: boolean
}

export interface LiveSummary {
  /** Shows a line of text above the block, where it stays. */
  tell(line: string): void
  stop(): void
}

const LIVE_MS = 1_000
const LINE_MS = 5_000
const MINUTE_MS = 60_000

export function showSummary({ app, clock, terminal, url, isLive }: SummaryOptions): LiveSummary {
  const begunMs = clock.monotonicMs()
  const screen = rewritten(process.stdout)
  const pace = perMinute(clock)
  let stopped = false
  let cancel = (): void => undefined

  async function show(): Promise<void> {
    try {
      const figures = await app.summary()
      if (stopped) return
      const ordersPerMinute = pace(figures.accepted)
      const told = {
        at: clock.now().toISOString(),
        url,
        ...figures,
        p95Ms: figures.p95Ms ?? null,
        ordersPerMinute,
      }
      if (isLive) screen.draw(block(terminal, told, clock.monotonicMs() - begunMs))
      else terminal.data(told, () => line(told))
    } catch {
      // The log says what is wrong with the database; the figures come back with it.
    }
    if (!stopped) cancel = clock.after(isLive ? LIVE_MS : LINE_MS, () => void show())
  }
  void show()
  return {
    tell(text) {
      screen.erase()
      process.stderr.write(`${text}\n`)
    },
    stop() {
      stopped = true
      cancel()
    },
  }
}

/** Orders accepted in the last minute, from what the counter said then and now. */
function perMinute(clock: Clock): (accepted: number) => number {
  let seen: { readonly atMs: number; readonly accepted: number }[] = []
  return (accepted) => {
    const nowMs = clock.monotonicMs()
    seen = [...seen.filter(({ atMs }) => nowMs - atMs <= MINUTE_MS), { atMs: nowMs, accepted }]
    const first = seen[0]!
    const elapsedMs = nowMs - first.atMs
    return elapsedMs === 0
      ? 0
      : Math.max(0, Math.round(((accepted - first.accepted) * MINUTE_MS) / elapsedMs))
  }
}

type Told = Omit<Figures, 'p95Ms'> & {
  readonly url: string
  readonly p95Ms: number | null
  readonly ordersPerMinute: number
}

const seconds = (ms: number | null): string =>
  ms === null ? '–' : ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`

function line(told: Told): string {
  const { accepted, held, backordered, shipped, invoiced, exceptions, p95Ms, ordersPerMinute, url } = told
  return [
    `accepted ${accepted}`,
    `held ${held}`,
    `backordered ${backordered}`,
    `shipped ${shipped}`,
    `invoiced ${invoiced}`,
    `exceptions ${exceptions}`,
    `p95 accepted → posted ${seconds(p95Ms)}`,
    `${ordersPerMinute} orders/min`,
    url,
  ].join('  ')
}

function block(terminal: Terminal, told: Told, upMs: number): string[] {
  const figure = (name: string, value: number | string) =>
    `${terminal.paint('dim', name)} ${terminal.paint('bold', String(value))}`
  const { accepted, held, backordered, shipped, invoiced, exceptions, p95Ms, ordersPerMinute, url } = told
  return [
    '',
    `  ${terminal.paint('bold', 'crossdock')}  ${terminal.paint('cyan', url)}  ${terminal.paint('dim', `up ${duration(upMs)} · Ctrl-C stops`)}`,
    `  ${[figure('accepted', accepted), figure('held', held), figure('backordered', backordered), figure('shipped', shipped), figure('invoiced', invoiced), figure('exceptions', exceptions)].join('   ')}`,
    `  ${figure('orders a minute', ordersPerMinute)}   ${figure('accepted → posted, p95', seconds(p95Ms))}`,
    '',
  ]
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS)
  if (minutes === 0) return `${Math.floor(ms / 1_000)} s`
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Draws over what it drew before. */
function rewritten(stream: NodeJS.WriteStream): { draw(lines: readonly string[]): void; erase(): void } {
  let height = 0
  const erase = (): void => {
    if (height > 0) stream.write(`\u001b[${height}A\u001b[0J`)
    height = 0
  }
  return {
    draw(lines) {
      erase()
      stream.write(`${lines.join('\n')}\n`)
      height = lines.length
    },
    erase,
  }
}
