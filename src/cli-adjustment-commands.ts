/** The commands with which people put stock right, and hold lots. */
import type { Command as Program } from 'commander'
import { decided, define, listOptions } from './cli-program.ts'

export function adjustmentCommands(inventory: Program): void {
  decided(
    define(
      inventory,
      'adjust <kind> <sku>',
      'Put stock right: counted, found, lost, moved, returned, sent, arrived, missing or handed-over',
      async () => (await import('./cli-adjustments.ts')).inventoryAdjust,
    )
      .requiredOption('--location <code>', 'where')
      .requiredOption('--quantity <decimal>', 'how much; what is there, of a count')
      .requiredOption('--reference <paper>', 'the paper that shows it')
      .option('--company <code>', 'whose stock; needed where there are several')
      .option('--unit <code>', 'such as CA; the base unit when left out')
      .option('--lot <lot>', 'of items that have lots')
      .option('--serial <serial...>', 'of items whose units have serials, one for each')
      .option('--owner <code>', 'whose stock it is; ours when left out')
      .option('--to-owner <code>', 'of what is handed over: whose it is now, own for ours')
      .option('--status <status>', 'such as damaged; available when left out')
      .option('--to-status <status>', 'of what is moved')
      .option('--transfer <number>', 'of what is sent, arrived or missing')
      .option('--to <location>', 'of what is sent')
      .option('--note <text>', 'anything else')
      .option('--by <name>', 'who says so'),
    'count, damage, expiry, loss, quality, recall, return, transfer, outage, ownership or correction',
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
  byHandCommands(inventory)
  lotCommands(inventory)
}

function lotCommands(inventory: Program): void {
  define(
    inventory,
    'lots <sku>',
    'The lots of an item, what expires first before the rest',
    async () => (await import('./cli-lots.ts')).inventoryLots,
  ).option('--company <code>', 'whose item; needed where there are several')
  define(
    inventory,
    'where-shipped <sku> <lot>',
    'To whom a lot was shipped: every shipment, the newest first',
    async () => (await import('./cli-lots.ts')).inventoryWhereShipped,
  ).option('--company <code>', 'whose item; needed where there are several')
  const acting = (command: Program): Program =>
    command
      .requiredOption('--reason <text>', 'why')
      .option('--company <code>', 'whose item; needed where there are several')
      .option('--by <name>', 'who says so')
  acting(
    define(
      inventory,
      'hold-lot <sku> <lot>',
      'Put a lot on hold wherever it lies, and say whose stock it was',
      async () => (await import('./cli-lots.ts')).inventoryHoldLot,
    ),
  )
  acting(
    define(
      inventory,
      'release-lot <sku> <lot>',
      'Let a lot go that was held',
      async () => (await import('./cli-lots.ts')).inventoryReleaseLot,
    ),
  )
}

function byHandCommands(inventory: Program): void {
  define(
    inventory,
    'by-hand <act> <request>',
    'Enter what a warehouse did while its system is away: pick or ship, of a request such as F-1000031',
    async () => (await import('./cli-by-hand.ts')).inventoryByHand,
  )
    .requiredOption('--reference <paper>', 'the paper that shows it')
    .requiredOption('--at <time>', 'when it happened, with its offset: 2026-11-20T16:10:00Z')
    .option('--line <line=quantity...>', 'such as 1=24, 1=2/CA, 1=24@L2419 or 1=2::SN-1,SN-2')
    .option('--short <line=quantity...>', 'of a pick: what was not found')
    .option('--company <code>', 'whose request; needed where there are several')
    .option('--carrier <name>', 'of a shipment')
    .option('--tracking <number>', 'of a shipment')
    .option('--sscc <number>', 'of a shipment: the label of its package')
    .option('--final', 'of a shipment: nothing more of the request leaves')
    .option('--further', 'of a shipment: it left besides an equal one that the warehouse has told')
    .option('--note <text>', 'anything else')
    .option('--by <name>', 'who says so')
    .option('--dry-run', 'only say what would come of it')
  listOptions(
    define(
      inventory,
      'by-hand-list',
      'What people entered for warehouses, the newest first',
      async () => (await import('./cli-by-hand.ts')).inventoryByHandList,
    ),
  ).option('--open', 'of which the warehouse has not told all')
  define(
    inventory,
    'by-hand-settle <document>',
    'Say that a warehouse will tell no more of what was entered',
    async () => (await import('./cli-by-hand.ts')).inventoryByHandSettle,
  )
    .requiredOption('--reason <text>', 'why')
    .option('--by <name>', 'who says so')
}
