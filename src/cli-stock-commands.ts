/** The commands about what is told of stock: files, counts, shops. */
import type { Command as Program } from 'commander'
import { define } from './cli-program.ts'

export function stockCommands(inventory: Program): void {
  define(
    inventory,
    'load <file>',
    'Take movements, or what was counted, from a CSV file',
    async () => (await import('./cli-stock.ts')).inventoryLoad,
  )
    .requiredOption('--source <feed>', 'whose file it is: a configured feed')
    .option('--whole', 'a snapshot of all that is there: what it does not name is gone')
  define(
    inventory,
    'reconcile',
    'Hold the books against what warehouses count',
    async () => (await import('./cli-reconcile.ts')).inventoryReconcile,
  )
    .option('--company <code>', 'of one company')
    .option('--location <code>', 'at one location')
    .option('--source <system>', 'who counts; the warehouse when left out')
    .option('--dry-run', 'show what differs, and change and tell nothing')

  define(
    inventory,
    'publish <shop>',
    'Have a shop told everything that can be promised to it again',
    async () => (await import('./cli-publishing.ts')).inventoryPublish,
  )
}
