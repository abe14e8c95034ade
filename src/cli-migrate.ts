/** `crossdock migrate` and `crossdock config print`. */
import { type Context, EXIT, sourcesOf } from './cli-context.ts'
import { openServer } from './cli-database.ts'
import { loadConfig } from './config.ts'
import { redacted } from './config-docs.ts'
import { migrate } from './platform/migrations.ts'

export async function migrateCommand(context: Context): Promise<number> {
  const { terminal, options } = context
  const url = await openServer(context, loadConfig(sourcesOf(options)))
  const dryRun = options['dryRun'] === true
  const { applied, pending } = await migrate(url, { dryRun })
  terminal.data({ applied, pending }, () => {
    if (dryRun)
      return pending.length === 0 ? 'The database is up to date.' : `Would apply:\n${indented(pending)}`
    return applied.length === 0 ? 'The database was up to date.' : `Applied:\n${indented(applied)}`
  })
  return EXIT.ok
}

/** YAML, as a configuration file would say it. */
export async function configPrint({ terminal, options }: Context): Promise<number> {
  const config = redacted(loadConfig(sourcesOf(options))) as object
  const { stringify } = await import('yaml')
  terminal.data(config, () => stringify(config).trimEnd())
  return EXIT.ok
}

const indented = (names: readonly string[]): string => names.map((name) => `  ${name}`).join('\n')
