/** The commands about who waits for stock. */
import type { Command as Program } from 'commander'
import { define, listOptions } from './cli-program.ts'

export function backorderCommands(inventory: Program): void {
  const backorders = inventory.command('backorders').description('Who waits for stock, and who gets it')
  listOptions(
    define(
      backorders,
      'list',
      'Who waits, by item and queue: how much, worth what, since when, until when',
      async () => (await import('./cli-backorders.ts')).backordersList,
    ),
  ).option('--queue <name>', 'promised, unfillable or new')
  define(
    backorders,
    'run [run]',
    'Show who would win and who would lose; then, with the number of the run, do it',
    async () => (await import('./cli-backorders.ts')).backordersRun,
  )
    .option('--dry-run', 'only show what would be moved')
    .option('--company <code>', 'whose orders; needed where there are several')
    .option('--rules <file>', 'a JSON file that says who wins and who loses')
    .option('--item <numbers...>', 'of these items (default: all that somebody waits for)')
    .option('--location <codes...>', 'at these locations')
    .option('--reason <text>', 'why; kept with the run, its events and in the audit trail')
}
