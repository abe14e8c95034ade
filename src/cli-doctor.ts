/** `crossdock doctor`: checks that everything is as it must be; exit code 3 when something is not. */
import { checksOfHouse } from './app-invariants.ts'
import { type Context, EXIT, sourcesOf, dataFolder } from './cli-context.ts'
import { connect, openServer } from './cli-database.ts'
import { auditChecks } from './cli-audit.ts'
import { findRunning } from './cli-running.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config-schema.ts'
import { systemClock } from './platform/clock.ts'
import type { Database } from './platform/database.ts'
import { openHttpClient } from './platform/http-client.ts'
import { FOUND_MAX } from './platform/invariants.ts'
import { migrate } from './platform/migrations.ts'
import { Misconfiguration } from './platform/misconfiguration.ts'

export type Check = {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly next?: string
  /** The name of an invariant, and where it does not hold. */
  readonly invariant?: string
  readonly found?: readonly string[]
}

const NODE_MAJOR = 24
/** Everything is looked at from the beginning. */
const PATIENCE_MS = 10 * 60_000

export async function doctor(context: Context): Promise<number> {
  const { terminal } = context
  let failed = 0
  const tell = (check: Check): void => {
    if (!check.ok) failed++
    const mark = check.ok ? terminal.paint('green', '✓') : terminal.paint('red', '✗')
    const next = check.next && !check.ok ? `\n    ${check.next}` : ''
    terminal.data(check, () => `${mark} ${check.check}: ${check.detail}${next}`)
  }
  const only = context.options['invariants'] === true
  if (!only) checkNode(tell)
  const config = loadConfig(sourcesOf(context.options))
  if (!only) checkConfig(config, tell)
  const database = await checkDatabase(context, config, only ? tellFailure(tell) : tell)
  if (!only) await checkProgram(config, tell)
  if (database) await checkInvariants(database, tell)
  const full = context.options['full'] === true
  if (database && !only) for (const check of await auditChecks(database, config.audit, { full })) tell(check)
  return failed === 0 ? EXIT.ok : EXIT.checksFailed
}

type Tell = (check: Check) => void

const tellFailure =
  (tell: Tell): Tell =>
  (check) => {
    if (!check.ok) tell(check)
  }

function checkNode(tell: Tell): void {
  const major = Number.parseInt(process.versions.node, 10)
  tell({
    check: 'node',
    ok: major >= NODE_MAJOR,
    detail: `version ${process.versions.node}`,
    next: 'Start it by npm or npx, which use the Node of the project.',
  })
}

function checkConfig(config: Config, tell: Tell): void {
  tell({
    check: 'configuration',
    ok: true,
    detail: `${Object.keys(config.systems).length} systems beside the demo's`,
  })
}

/** Version and durability are what the server is opened for; nothing else can be checked without them. */
async function checkDatabase(context: Context, config: Config, tell: Tell): Promise<Database | undefined> {
  try {
    const url = await openServer(context, config)
    tell({ check: 'database', ok: true, detail: 'reachable, recent enough, and durable' })
    const { pending } = await migrate(url, { dryRun: true })
    const detail = pending.length === 0 ? 'all applied' : `${pending.length} pending`
    tell({ check: 'migrations', ok: pending.length === 0, detail, next: 'Apply them: crossdock migrate' })
    return pending.length === 0
      ? connect(context, config, url, { statementTimeoutMs: PATIENCE_MS })
      : undefined
  } catch (error) {
    if (!(error instanceof Misconfiguration)) throw error
    const { problem, reason, cure } = error.explanation
    tell({ check: 'database', ok: false, detail: [problem, reason].filter(Boolean).join(' '), next: cure })
    return undefined
  }
}

const TIMEOUT_MS = 3_000

/** Whether the program answers, and the systems it talks to. */
async function checkProgram(config: Config, tell: Tell): Promise<void> {
  const running = await findRunning(dataFolder(config))
  if (!running) {
    tell({ check: 'program', ok: true, detail: 'not running, so the systems it talks to are not asked' })
    return
  }
  const http = openHttpClient({ clock: systemClock })
  const ask = async (url: string): Promise<{ ok: boolean; detail: string }> => {
    try {
      const { status } = await http.request({ method: 'GET', url, timeoutMs: TIMEOUT_MS })
      return { ok: status < 500, detail: status < 500 ? `${url} answers` : `${url} answers ${status}` }
    } catch (error) {
      return { ok: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }
  try {
    const ready = await ask(`${running.url}/readyz`)
    tell({ check: 'program', ...ready, next: 'Wait until master data is loaded; then see its log.' })
    for (const [name, url] of Object.entries(running.systems)) {
      const reached = await ask(url)
      tell({ check: `system ${name}`, ...reached, next: 'Orders wait for it and go on when it is back.' })
    }
  } finally {
    await http.close()
  }
}

const EXAMPLES = 3

async function checkInvariants(database: Database, tell: Tell): Promise<void> {
  for (const [invariant, check] of checksOfHouse) {
    const { violations } = await check(database)
    const found = violations.flatMap((violation) => violation.found)
    tell({
      check: invariant.means,
      invariant: invariant.name,
      ok: found.length === 0,
      detail: found.length === 0 ? 'holds' : `broken: ${wordsOf(found)}`,
      found,
      next: invariant.next,
    })
  }
}

function wordsOf(found: readonly string[]): string {
  const rest = found.length - EXAMPLES
  const more = rest > 0 ? `; and ${rest}${found.length < FOUND_MAX ? '' : ' or'} more` : ''
  return `${found.slice(0, EXAMPLES).join('; ')}${more}`
}
