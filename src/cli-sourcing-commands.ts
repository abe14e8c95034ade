/** The commands about from where orders are served. */
import type { Command as Program } from 'commander'
import { define } from './cli-program.ts'

export function sourcingCommands(inventory: Program): void {
  const sourcing = inventory.command('sourcing').description('From where orders are served')
  define(
    sourcing,
    'compare',
    'What other rules would have decided of past orders; it changes nothing',
    async () => (await import('./cli-sourcing.ts')).sourcingCompare,
  )
    .option('--company <code>', 'whose orders; needed where there are several')
    .option('--rules <file>', 'a JSON file with the rules to try')
    .option('--profile <number>', 'or the number of a version that there is')
    .option('--decided-by <name>', 'only decisions of versions of this profile')
    .option('--from <time>', 'orders accepted from then on, such as 2026-11-01 or 2026-11-01T06:00:00Z')
    .option('--until <time>', 'and before then')
    .option('--orders <number>', 'so many orders are read at most (default: 500)')
    .option('--after <order>', 'go on behind this order, as the answer before says')
    .option('--sample <number>', 'so many changed decisions are shown (default: 10)')
}
