/** `npm run torture -- [--minutes M] [--seed S] [--json]`: real crashes, and what is left of every promise afterwards. */
import { parseArgs } from 'node:util'
import { undoAll } from '../../bench/undoing.ts'
import { type Figures, type Report, torture } from './torture.ts'

const USAGE = `usage: npm run torture -- [--minutes M] [--seed S] [--json]

  --minutes  how long faults strike; default 1
  --seed     the same seed plans the same faults and the same orders; default: drawn
  --json     one object on stdout; progress goes to stderr either way
`

function wanted() {
  const options = {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(process.pid * 7_919 + (Date.now() % 1_000_000)) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  const { values } = parseArgs({ options })
  return { ...values, minutes: Number(values.minutes) }
}

const linesOf = ({ proxyFaults, ...figures }: Figures): string[] =>
  Object.entries({ ...figures, ...proxyFaults }).map(([name, value]) => `${name.padEnd(20)} ${value}`)

function tableOf({ anomalies, ...figures }: Report): string {
  const lines = linesOf(figures)
  const found = anomalies.map(({ kind, documents, detail }) => `✗ ${kind}: ${documents.join(', ')} ${detail}`)
  return [...lines, ...(found.length > 0 ? found : ['no anomalies']), ''].join('\n')
}

const say = (text: string): void =>
  void process.stderr.write(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${text}\n`)

const { help, json, minutes, seed } = wanted()
if (help || !(minutes > 0)) {
  process.stderr.write(USAGE)
  process.exit(help ? 0 : 2)
}
let soFar: (() => Figures) | undefined
let leaving = false

/** Ends what was started, whatever else is still under way; the first reason counts. */
async function leave(code: number): Promise<void> {
  if (leaving) return
  leaving = true
  const figures = soFar?.()
  await undoAll()
  if (figures) {
    const { minutes: _, ...done } = figures
    process.stdout.write(
      json
        ? `${JSON.stringify({ interrupted: true, ...done }, undefined, 2)}\n`
        : [...linesOf(figures), 'interrupted: nothing was examined', ''].join('\n'),
    )
  }
  process.exit(code)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void leave(code))
}
try {
  const report = await torture({ minutes, seed, say, began: (figures) => (soFar = figures) })
  soFar = undefined
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report))
  await leave(report.exitCode)
} catch (error) {
  soFar = undefined
  if (!leaving) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  await leave(1)
}
