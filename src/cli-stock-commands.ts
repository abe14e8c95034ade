/** The commands about what is told of stock: files, counts, shops. */
import type { Command as Program } from 'commander'
import { define, listOptions } from './cli-program.ts'

export function stockCommands(inventory: Program): void {
  define(
    inventory,
    'load <file>',
    'Take movements, or what was counted, from a CSV file',
    async () => (await import('./cli-stock.ts')).inventoryLoad,
  )
    .requiredOption('--source <feed>', 'whose file it is: a configured feed')
    .option('--whole', 'a snapshot of all that is there: what it does not name is gone')
    .option('--dry-run', 'show what would change, place by place, and write nothing')
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
    'sources',
    'How fresh sources of stock are, and which rule holds while one is silent',
    async () => (await import('./cli-sources.ts')).inventorySources,
  )

  define(
    inventory,
    'serial <serial>',
    'Where a unit is, what was told of it, and to whom it was shipped',
    async () => (await import('./cli-serials.ts')).inventorySerial,
  )
    .option('--company <code>', 'whose unit; needed where there are several companies')
    .option('--sku <sku>', 'of which item, where several have the serial')
  listOptions(
    define(
      inventory,
      'serials <sku>',
      'Units of an item that are with us, by location and serial',
      async () => (await import('./cli-serials.ts')).inventorySerials,
    ),
  )
    .option('--location <code>', 'at one location')
    .option('--status <status>', 'such as available, damaged or in_transit')
    .option('--owner <code>', 'only what is of one owner, own for ours')
  define(
    inventory,
    'publish <shop>',
    'Have a shop told everything that can be promised to it again',
    async () => (await import('./cli-publishing.ts')).inventoryPublish,
  )
}
