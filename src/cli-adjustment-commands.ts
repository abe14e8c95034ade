/** The commands with which people put stock right. */
import type { Command as Program } from 'commander'
import { decided, define, listOptions } from './cli-program.ts'

export function adjustmentCommands(inventory: Program): void {
  decided(
    define(
      inventory,
      'adjust <kind> <sku>',
      'Put stock right: counted, found, lost, moved, returned, sent, arrived or missing',
      async () => (await import('./cli-adjustments.ts')).inventoryAdjust,
    )
      .requiredOption('--location <code>', 'where')
      .requiredOption('--quantity <decimal>', 'how much; what is there, of a count')
      .requiredOption('--reference <paper>', 'the paper that shows it')
      .option('--company <code>', 'whose stock; needed where there are several')
      .option('--unit <code>', 'such as CA; the base unit when left out')
      .option('--lot <lot>', 'of items that have lots')
      .option('--status <status>', 'such as damaged; available when left out')
      .option('--to-status <status>', 'of what is moved')
      .option('--transfer <number>', 'of what is sent, arrived or missing')
      .option('--to <location>', 'of what is sent')
      .option('--note <text>', 'anything else')
      .option('--by <name>', 'who says so'),
    'count, damage, expiry, loss, quality, recall, return, transfer, outage or correction',
  )
  define(
    inventory,
    'decide <id>',
    'Decide on an adjustment that another person entered',
    async () => (await import('./cli-adjustments.ts')).inventoryDecide,
  )
    .requiredOption('--reason <text>', 'why')
    .option('--approve', 'book it')
    .option('--reject', 'do not book it')
    .option('--by <name>', 'who decides')
  listOptions(
    define(
      inventory,
      'adjustments',
      'What people said of stock, the newest first',
      async () => (await import('./cli-adjustments.ts')).inventoryAdjustments,
    ),
  ).option('--state <state>', 'pending, booked or rejected')
}
