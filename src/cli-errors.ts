/** Errors as a person at a terminal reads them: what, why, and the next thing to type. */
import { CommandFailure, EXIT, printable, type Terminal } from './cli-context.ts'
import { Outage, Refusal } from './platform/faults.ts'
import { Misconfiguration } from './platform/misconfiguration.ts'

type Told = { readonly code: string; readonly what: string; readonly why?: string; readonly next: string }

/** Writes the error to stderr and answers the exit code. */
export async function explain(error: unknown, terminal: Terminal): Promise<number> {
  const told = await tell(error)
  const lines = [`crossdock: ${told.what}`, told.why && `  ${told.why}`, `  ${told.next}`].filter(Boolean)
  process.stderr.write(
    terminal.json ? `${JSON.stringify({ error: told })}\n` : `${printable(lines.join('\n'))}\n`,
  )
  return error instanceof CommandFailure ? error.exitCode : EXIT.failed
}

async function tell(error: unknown): Promise<Told> {
  if (error instanceof Misconfiguration) {
    const { problem, reason, cure } = error.explanation
    return { code: 'setup', what: problem, ...(reason ? { why: reason } : {}), next: cure }
  }
  if (error instanceof Refusal) {
    const { houseCatalogue } = await import('./app-catalogue.ts')
    const { cause = '', fix = 'Correct it and try again.' } = houseCatalogue.get(error.code) ?? {}
    return { code: error.code, what: error.message, why: `${error.code}: ${cause}`, next: fix }
  }
  if (error instanceof Outage) {
    return {
      code: 'outage',
      what: error.message,
      why: `${error.system} does not answer`,
      next: 'Try again, or ask: crossdock doctor',
    }
  }
  if (!(error instanceof Error)) return { code: 'bug', what: String(error), next: REPORT }
  return { code: 'bug', what: error.message, why: error.stack ?? '', next: REPORT }
}

const REPORT = 'This is a bug of ours: please report it with the lines above.'
