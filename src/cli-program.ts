/** What every command has in common: its options, its terminal, and how it ends or is interrupted. */
import type { Command as Program } from 'commander'
import { type Command, EXIT, openTerminal } from './cli-context.ts'
import { explain } from './cli-errors.ts'
import { systemClock } from './platform/clock.ts'

type Load = () => Promise<Command>

/** Every command has these; modules are loaded by the one that runs. */
export function define(parent: Program, usage: string, description: string, load: Load): Program {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'JSON instead of text; lists have one object a line')
    .option('--quiet', 'nothing on stderr but errors')
    .option('--no-color', 'plain text')
    .option('--data <dir>', 'the data folder (default: .crossdock)')
    .option('--config <file>', 'the configuration file (default: crossdock.yaml, if there)')
    .action(async (...given: unknown[]) => {
      const command = given.at(-1) as Program
      process.exitCode = await execute(load, command)
    })
}

/** Runs a command to its end, or until Ctrl-C; what it opened is closed either way. */
async function execute(load: Load, command: Program): Promise<number> {
  const options = { ...command.opts(), demoWanted: process.argv.includes('--demo') }
  const terminal = openTerminal(options)
  const interrupt = new AbortController()
  const undoing: (() => Promise<unknown>)[] = []
  const forcing: (() => Promise<unknown>)[] = []
  let leavesBehind = false
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (interrupt.signal.aborted) return force(forcing)
        interrupt.abort()
        resolve(EXIT.interrupted)
      })
    }
  })
  try {
    const run = await load()
    const context = {
      options,
      args: command.args,
      terminal,
      signal: interrupt.signal,
      atEnd: (undo: () => Promise<unknown>) => void undoing.push(undo),
      onForce: (undo: () => Promise<unknown>) => void forcing.push(undo),
      leaveBehind: () => void (leavesBehind = true),
    }
    const endsItself = command.name() === 'up'
    return await (endsItself ? run(context) : Promise.race([run(context), interrupted]))
  } catch (error) {
    return await explain(error, terminal)
  } finally {
    for (const undo of undoing.toReversed()) await undo().catch(() => undefined)
    // By then the exit code is there.
    if (leavesBehind) systemClock.soon(() => process.exit())
  }
}

const FORCED_WITHIN_MS = 3_000

function force(undoing: readonly (() => Promise<unknown>)[]): void {
  const exit = (): never => process.exit(EXIT.interrupted)
  systemClock.after(FORCED_WITHIN_MS, exit)
  void Promise.allSettled(undoing.map((undo) => undo())).then(exit)
}

export const listOptions = (command: Program): Program =>
  command.option('--company <code>', 'of one company').option('--limit <n>', 'at most so many', '50')

/** Of commands that tell what can be promised. */
export const promised = (command: Program): Program =>
  command
    .option('--company <code>', 'of one company (default: all that are configured)')
    .option('--channel <name>', 'with what is kept for it; without one only what is kept for nobody')
    .option('--location <code>', 'at one location')
    .option('--location-group <name>', 'at the locations of one group')
    .option('--date <day>', 'on the evening of that day, such as 2026-12-01 (default: now)')
    .option('--customer <number>', 'as much as an order of his would be given')

/** Of commands by which a person decides. */
export const decided = (command: Program, why: string): Program =>
  command
    .requiredOption('--reason <text>', `${why}; kept in the audit trail`)
    .option('--dry-run', 'only say what would come of it')
