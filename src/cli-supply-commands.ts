/** The commands about what suppliers are to deliver. */
import type { Command as Program } from 'commander'
import { define, listOptions } from './cli-program.ts'

export function supplyCommands(inventory: Program): void {
  const supply = listOptions(
    define(
      inventory,
      'supply',
      'What suppliers are to deliver, what is due first before the rest',
      async () => (await import('./cli-supply.ts')).inventorySupply,
    ),
  )
    .option('--item <number>', 'of one item')
    .option('--location <code>', 'to one location')
    .option('--before <date>', 'what is to come before that day, such as 2026-12-01')
  define(
    supply,
    'load <file>',
    'Take what suppliers answer and ship from a CSV file',
    async () => (await import('./cli-supply-load.ts')).inventorySupplyLoad,
  )
}
