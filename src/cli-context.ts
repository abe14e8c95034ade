/** What every command is handed: its arguments, where to write, and what to undo when it ends or is interrupted. */
import { dirname, join } from 'node:path'
import { styleText } from 'node:util'
import type { ConfigSources } from './config.ts'
import type { Config } from './config-schema.ts'
import type { FieldError } from './platform/http-problem.ts'
import { type Explanation, Misconfiguration } from './platform/misconfiguration.ts'

/** Commands end with one of these; an interrupted one with 130. */
export const EXIT = { ok: 0, failed: 1, usage: 2, checksFailed: 3, partial: 4, interrupted: 130 } as const

/** A command cannot do what it was asked to; says what, why, and what to type next. */
export class CommandFailure extends Misconfiguration {
  readonly exitCode: number
  /** What was typed wrongly, field by field. */
  readonly errors: readonly FieldError[]

  constructor(
    { errors = [], ...explanation }: Explanation & { readonly errors?: readonly FieldError[] },
    exitCode: number = EXIT.failed,
    cause?: unknown,
  ) {
    super(explanation, cause)
    this.errors = errors
    this.exitCode = exitCode
  }
}

export const wrongUse = (problem: string, cure: string): CommandFailure =>
  new CommandFailure({ problem, cure }, EXIT.usage)

type Color = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

/** Data goes to stdout, everything else to stderr. */
export type Terminal = {
  readonly json: boolean
  readonly quiet: boolean
  /** One thing: a JSON object on a line, or what `human` makes of it. */
  data(value: object, human: () => string): void
  /** For the person who waits; silent when quiet. */
  note(text: string): void
  /** Colored where stdout is a terminal that wants colors. */
  paint(color: Color, text: string): string
}

export type Options = Readonly<Record<string, unknown>>

export type Context = {
  readonly options: Options
  readonly args: readonly string[]
  readonly terminal: Terminal
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal
  /** Runs when the command ends, however it ends; the last added first. */
  atEnd(undo: () => Promise<unknown>): void
  /** Runs when the user interrupts again, before the process ends at once. */
  onForce(undo: () => Promise<unknown>): void
  /** Once the command has ended the program does, whatever still goes on in it. */
  leaveBehind(): void
}

export type Command = (context: Context) => Promise<number>

export function openTerminal({ json, quiet, color }: Options): Terminal {
  return {
    json: json === true,
    quiet: quiet === true,
    data: (value, human) =>
      void process.stdout.write(`${json ? JSON.stringify(value) : printable(human())}\n`),
    note: (text) => void (quiet || process.stderr.write(`${printable(text)}\n`)),
    paint: (style, text) =>
      color === false || json ? text : styleText(style, text, { stream: process.stdout }),
  }
}

const COLOR = /^\u{1b}\[[\d;]{0,12}m/u

/**
 * Titles, reasons and names come from other systems: what would steer the terminal is shown as something unreadable.
 * Colors stay, since ours are among the words by then.
 */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (control, at: number) =>
    '\n\t'.includes(control) || COLOR.test(text.slice(at, at + 16)) ? control : '\ufffd',
  )

/** Rows as a table with columns as wide as they need, or one JSON object a line. */
export function printList<Row extends object>(
  terminal: Terminal,
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => string>>,
): void {
  if (terminal.json) {
    for (const row of rows) terminal.data(row, () => '')
    return
  }
  if (rows.length === 0) return
  const titles = Object.keys(columns)
  const cells = rows.map((row) =>
    Object.values(columns).map((of) => printable(of(row)).replaceAll('\n', ' ')),
  )
  const widths = titles.map((title, n) => Math.max(title.length, ...cells.map((row) => row[n]!.length)))
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, n) => cell.padEnd(widths[n]!))
      .join('  ')
      .trimEnd()
  process.stdout.write(`${terminal.paint('dim', lineOf(titles))}\n${cells.map(lineOf).join('\n')}\n`)
}

export const minute = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ')

/** Named values under a heading, one a line. */
export function fieldLines(fields: Readonly<Record<string, string>>): string[] {
  const width = Math.max(...Object.keys(fields).map((name) => name.length))
  return Object.entries(fields).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** Where the settings of a command come from: its flags over environment, file and defaults. */
export function sourcesOf(options: Options): ConfigSources {
  const data = text(options['data'])
  const inData = (...path: string[]) => (data === undefined ? undefined : join(data, ...path))
  return {
    file: text(options['config']),
    flags: {
      role: options['role'],
      'database.dataDirectory': inData('postgres'),
      'audit.headsDirectory': inData('audit'),
      'subscriptions.keyDirectory': inData('subscriptions'),
      'edi.inboxDirectory': inData('edi', 'inbox'),
      'edi.outboxDirectory': inData('edi', 'outbox'),
      'edi.archiveDirectory': inData('edi', 'archive'),
      'edi.rejectDirectory': inData('edi', 'reject'),
      'http.port': options['port'],
      'http.host': options['host'],
      'demo.ordersPerMinute': options['ordersPerMinute'],
    },
  }
}

/** The folder that holds what the program keeps beside its database. */
export const dataFolder = (config: Config): string => dirname(config.database.dataDirectory)
