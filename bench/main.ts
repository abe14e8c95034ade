/** `npm run bench -- [SCENARIO…] [--quick] [--mode batch|single] [--json]`: figures, each beside its ceiling. */
import { parseArgs } from 'node:util'
import { accept } from './accept.ts'
import { availability } from './availability.ts'
import type { Mode } from './config.ts'
import { hotItem } from './hot-item.ts'
import { orderToCash } from './order-to-cash.ts'
import { type Findings, reportOf, tableOf } from './report.ts'
import type { Run } from './run.ts'
import { slowSystem } from './slow-system.ts'
import { openStage, type Stage } from './stage.ts'
import { stockFeed } from './stock-feed.ts'
import { undoAll } from './undoing.ts'
import { QUICK_ITEMS } from './world.ts'

type Scenario = (stage: Stage, run: Run) => Promise<Findings>

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'order-to-cash': async (...given) => ({ results: await orderToCash(...given) }),
  accept: async (...given) => ({ results: await accept(...given) }),
  'slow-system': async (...given) => ({ slowSystem: await slowSystem(...given) }),
  'hot-item': async (...given) => ({ results: await hotItem(...given) }),
  availability: async (...given) => ({ results: await availability(...given) }),
  'stock-feed': async (...given) => ({ results: await stockFeed(...given) }),
}
/** Those that are held against a baseline; the others run when they are named. */
const USUAL = ['order-to-cash', 'accept']
const MODES: readonly Mode[] = ['batch', 'single']

const USAGE = `usage: npm run bench -- [SCENARIO…] [--mode batch|single] [--quick] [--json]

  order-to-cash  orders from the API to the posted invoice, in both modes unless one is named
  accept         orders until they are answered
  slow-system    orders of one company while the ERP of the other is 100 times slower; runs when it is named
  hot-item       10,000 buyers of 100 units, and carts that share an item, beside a bare conditional update; runs when it
                 is named
  availability   what can be promised of one item and of 50, beside a constant; runs when it is named
  stock-feed     movements of stock from files, beside a bare upsert; runs when it is named

  --mode   batch: targets take 50 documents in a call; single: one each
  --quick  short runs with few items and without orders in flight, for a first impression
  --json   one object on stdout; progress goes to stderr either way
`

type Wanted = Run & { readonly scenarios: readonly string[]; readonly json: boolean }

class UsageError extends Error {}

function wantedOf(args: readonly string[]): Wanted {
  const { values, positionals } = parse(args)
  const unknown = positionals.find((name) => !Object.hasOwn(SCENARIOS, name))
  if (unknown !== undefined) throw new UsageError(`there is no scenario ${unknown}`)
  const mode = MODES.find((known) => known === values.mode)
  if (values.mode !== undefined && !mode) throw new UsageError(`there is no mode ${values.mode}`)
  return {
    scenarios: positionals.length > 0 ? [...new Set(positionals)] : USUAL,
    modes: mode ? [mode] : MODES,
    quick: values.quick === true,
    json: values.json === true,
    say: (text) =>
      void process.stderr.write(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}\n`),
  }
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  const options = {
    mode: { type: 'string' },
    quick: flag,
    json: flag,
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true })
    if (parsed.values.help) throw new UsageError()
    return parsed
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message)
  }
}

const MINUTE_MS = 60_000
const SCENARIO_MS_MAX = 5 * MINUTE_MS

let tellFindings = (): void => undefined

async function runAll(wanted: Wanted): Promise<void> {
  const findings: Findings[] = []
  let postgres = ''
  tellFindings = () => {
    if (findings.length === 0) return
    const report = reportOf(findings, postgres, wanted.quick)
    process.stdout.write(wanted.json ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report))
  }
  for (const name of wanted.scenarios) {
    const tooLong = setTimeout(() => void leave(1, `${name} takes too long and is given up`), SCENARIO_MS_MAX)
    const stage = await openStage(wanted.quick ? QUICK_ITEMS : undefined)
    postgres = stage.postgresVersion
    findings.push(await SCENARIOS[name]!(stage, wanted))
    await stage.end()
    clearTimeout(tooLong)
  }
  tellFindings()
}

let leaving = false

/** Tells what whole scenarios have found, and ends what was started, whatever is under way; the first reason counts. */
async function leave(code: number, why = ''): Promise<void> {
  if (leaving) return
  leaving = true
  process.stderr.write(why && `${why}\n`)
  tellFindings()
  await undoAll()
  process.exit(code)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => void leave(code))
}

try {
  await runAll(wantedOf(process.argv.slice(2)))
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message ? `${error.message}\n\n` : ''}${USAGE}`)
    process.exitCode = error.message ? 2 : 0
  } else await leave(1, error instanceof Error ? error.stack : String(error))
}
