/** Structured logs, one JSON object a line, in which no secret survives. */
import { pino } from 'pino'
import type { DestinationStream } from 'pino'
import type { Clock } from './clock.ts'

export type LogFacts = Readonly<Record<string, unknown>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** An error among the facts is written with its stack and causes. */
export interface Log {
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
  /** The same log with these facts on every line. */
  with(facts: LogFacts): Log
}

const REDACTED = '[redacted]'
const MAX_DEPTH = 8
const MAX_ITEMS = 100
const MAX_TEXT = 8_192

const SECRET_NAME =
  /^(?:.*[-_.])?(?:authorization|cookie|set-cookie|pass(?:word|wd|phrase)?|secrets?|tokens?|api-?_?keys?|credentials?|private-?_?key|signature)$|(?:password|secret|token|apikey|authorization|credential|privatekey)s?$/i

/** Secrets inside text: bearer credentials, keys of ours, JSON web tokens, passwords in connection strings. */
const SECRET_TEXT: readonly [RegExp, string][] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\bxdk_[0-9a-f]{12}_[0-9a-f]{16,}/g, REDACTED],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, REDACTED],
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]{0,256}:)[^\s@/]{1,512}@/gi, `$1${REDACTED}@`],
]

/** Writes lines of `level` and above to `destination`, with time from the clock. */
export function createLog(options: { level: LogLevel; clock: Clock; destination: DestinationStream }): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${options.clock.now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination,
  )
  const bind = (bound: LogFacts): Log => {
    const write = (level: LogLevel) => (message: string, facts?: LogFacts) => {
      if (!logger.isLevelEnabled(level)) return
      logger[level](redact({ ...bound, ...facts }) as object, redactText(message))
    }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      with: (facts) => bind({ ...bound, ...facts }),
    }
  }
  return bind({})
}

/** A copy without secrets: by the name of the field, and by the look of the text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Date) return value
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1))
  const copy: Record<string, unknown> = Object.create(null)
  for (const [name, item] of Object.entries(value)) {
    copy[name] = SECRET_NAME.test(name) && !isHarmless(item) ? REDACTED : redact(item, depth + 1)
  }
  return copy
}

/** Counts and flags under a secret's name ("tokens: 12") tell nothing. */
const isHarmless = (value: unknown) =>
  value === null || ['number', 'boolean', 'undefined'].includes(typeof value)

function redactError(error: Error, depth: number): unknown {
  const { name, message, stack, cause, ...rest } = error
  return redact(
    { name, message, ...rest, stack: stack ?? '', ...(cause === undefined ? {} : { cause }) },
    depth + 1,
  )
}

export function redactText(text: string): string {
  let clean = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  for (const [pattern, replacement] of SECRET_TEXT) clean = clean.replace(pattern, replacement)
  return clean
}
