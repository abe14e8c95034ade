/** Errors as a person at a terminal reads them: what, why, and the next thing to type. */
import { CommandFailure, EXIT, printable, type Terminal } from './cli-context.ts'
import { Outage, Refusal } from './platform/faults.ts'
import { type FieldError, fieldErrorsOf } from './platform/http-problem.ts'
import { Misconfiguration } from './platform/misconfiguration.ts'

type Told = {
  readonly code: string
  readonly what: string
  readonly why?: string
  /** Each field that is wrong. */
  readonly errors?: readonly FieldError[]
  readonly next: string
}

/** Writes the error to stderr and answers the exit code. */
export async function explain(error: unknown, terminal: Terminal): Promise<number> {
  const told = await tell(error)
  const fields = (told.errors ?? []).map(sentenceOf).filter((sentence) => sentence !== told.what)
  const more = [told.why, ...fields, told.next].filter(Boolean)
  const lines = [`crossdock: ${told.what}`, ...more.map((text) => `  ${text}`)]
  process.stderr.write(
    terminal.json ? `${JSON.stringify({ error: told })}\n` : `${printable(lines.join('\n'))}\n`,
  )
  return error instanceof CommandFailure ? error.exitCode : EXIT.failed
}

async function tell(error: unknown): Promise<Told> {
  if (error instanceof Misconfiguration) {
    const { problem, reason, cure } = error.explanation
    const errors = error instanceof CommandFailure ? error.errors : []
    return { code: 'setup', what: problem, ...(reason ? { why: reason } : {}), ...named(errors), next: cure }
  }
  if (error instanceof Refusal) {
    const { houseCatalogue } = await import('./app-catalogue.ts')
    const errors = fieldErrorsOf(error)
    const { cause = '' } = houseCatalogue.get(error.code) ?? {}
    const codes = new Set([error.code, ...errors.map(({ code }) => code)])
    const fixes = [...codes].flatMap((code) => houseCatalogue.get(code)?.fix ?? [])
    const next = fixes.join('\n  ') || 'Correct it and try again.'
    return { code: error.code, what: error.message, why: `${error.code}: ${cause}`, ...named(errors), next }
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

const named = (errors: readonly FieldError[]): Pick<Told, 'errors'> => (errors.length > 0 ? { errors } : {})

function sentenceOf({ pointer, message }: FieldError): string {
  const field = pointer.slice(1).replaceAll('/', '.') || 'the value'
  return message.startsWith(`${field} `) ? message : `${field}: ${message}`
}

const REPORT = 'This is a bug of ours: please report it with the lines above.'
