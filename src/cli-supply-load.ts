/** `crossdock inventory supply load FILE`: what suppliers answer and ship, from a file. */
import { readFile } from 'node:fs/promises'
import { CommandFailure, type Context, EXIT } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { Refusal } from './platform/faults.ts'

const SHOWN = 20

export async function inventorySupplyLoad(context: Context): Promise<number> {
  const { args, terminal } = context
  const path = args[0]!
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const cure = 'Name a CSV file that exists; the README of src/domains/supply lists its columns.'
    throw new CommandFailure({ problem: `${path} cannot be read.`, cure }, EXIT.usage, error)
  })
  const { database } = await openDatabase(context)
  const { loadSupplyFile } = await import('./app-supply-files.ts')
  try {
    const loaded = await loadSupplyFile(database, text)
    const { messages, written, refused } = loaded
    terminal.data({ file: path, ...loaded }, () =>
      [
        refused.length > 0
          ? `${path}: nothing was taken, since ${refused.length} of its lines cannot be used`
          : `${path}: ${messages} answers and notices, ${written === 0 ? 'nothing new' : `${written} written`}`,
        ...refused.slice(0, SHOWN).map(({ line, field, message }) => `  line ${line}, ${field}: ${message}`),
        ...(refused.length > SHOWN ? [`  and ${refused.length - SHOWN} more; --json lists them all`] : []),
      ].join('\n'),
    )
    return refused.length > 0 ? EXIT.checksFailed : EXIT.ok
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const cure = 'The README of src/domains/supply lists the columns.'
    throw new CommandFailure({ problem: `${path}: ${error.message}`, cure }, EXIT.usage)
  }
}
