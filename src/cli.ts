/** The `crossdock` command: what can be typed. */
import { Command as Program, CommanderError, Option } from 'commander'
import { type Command, EXIT } from './cli-context.ts'
import { adjustmentCommands } from './cli-adjustment-commands.ts'
import { backorderCommands } from './cli-backorder-commands.ts'
import { freshnessCommands } from './cli-freshness-commands.ts'
import { decided, define, listOptions, promised } from './cli-program.ts'
import { subscriptionCommands } from './cli-subscription-commands.ts'
import type * as RepairCommands from './cli-repairs.ts'
import { stockCommands } from './cli-stock-commands.ts'
import { sourcingCommands } from './cli-sourcing-commands.ts'
import { supplyCommands } from './cli-supply-commands.ts'

const program = new Program('crossdock')
  .description('Carries orders from every channel through ERP, warehouse and carrier to the posted invoice.')
  .version('0.1.0')
  .exitOverride()
  // a command and what stands below it have options of the same names
  .enablePositionalOptions()
  .showHelpAfterError('Type crossdock --help to see what there is.')

define(program, 'up', 'Start the program; Ctrl-C stops it', async () => (await import('./cli-up.ts')).up)
  .option('--demo', 'simulated systems beside it, and orders flowing through every door')
  .option('--no-demo', 'drive no orders')
  .option('--port <n>', 'port to listen on (default: 7300)')
  .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
  .option('--orders-per-minute <n>', 'how many the demo drives (default: 60)')
  .addOption(
    new Option('--role <role>', 'what this process does (default: all)').choices(['all', 'api', 'worker']),
  )

define(
  program,
  'migrate',
  'Bring the database up to date',
  async () => (await import('./cli-migrate.ts')).migrateCommand,
).option('--dry-run', 'only say what would be applied')

define(
  program,
  'doctor',
  'Check that everything is as it must be',
  async () => (await import('./cli-doctor.ts')).doctor,
)
  .option('--invariants', 'only what must hold in the tables')
  .option('--full', 'recompute the whole audit trail, not only what came after its newest signed head')

const demo = program.command('demo').description('The simulated world')
define(
  demo,
  'run',
  'Send orders of the simulated world and wait for their ends',
  async () => (await import('./cli-demo.ts')).demoRun,
)
  .option('--orders <n>', 'how many', '100')
  .option('--timeout <seconds>', 'how long to wait for their ends', '120')
define(
  demo,
  'load <dir>',
  'Take the world from CSV files like those of Northwind',
  async () => (await import('./cli-demo.ts')).demoLoad,
)

const edi = program.command('edi').description('X12 files')
define(
  edi,
  'ingest <file...>',
  'Hand files to the running program and tell what became of them',
  async () => (await import('./cli-edi.ts')).ediIngest,
)
define(
  edi,
  'check <file...>',
  'Say what would become of files, and do nothing',
  async () => (await import('./cli-edi.ts')).ediCheck,
)

const orders = program.command('orders').description('Orders')
listOptions(
  define(orders, 'list', 'The newest orders', async () => (await import('./cli-orders.ts')).ordersList),
).addOption(new Option('--state <state>', 'only those').choices(['open', 'held', 'closed']))
decided(
  define(
    orders,
    'override <id>',
    'Decide on a step that is stuck',
    async () => (await import('./cli-overrides.ts')).ordersOverride,
  )
    .option('--step <step>', 'its name, such as postToErp')
    .option('--document <number>', 'where several documents of the order have it open')
    .option('--subject <subject>', 'where several lines or turns have it open')
    .option('--complete-with <reference>', 'it was done: the number that the system gave, or how it was done')
    .option('--fact <name=value...>', 'what else is asked for to complete it')
    .option('--skip', 'leave it out')
    .option('--restart', 'have it tried again')
    .option('--cancel', 'take the order back'),
  'why',
)

const inventory = program.command('inventory').description('Stock, and what can be promised of it')
promised(
  define(
    inventory,
    'show <sku>',
    'What is where, and what can be promised of it',
    async () => (await import('./cli-inventory.ts')).inventoryShow,
  ).option('--owner <code>', "only one owner's stock; own for ours"),
)
promised(
  define(
    inventory,
    'explain <sku>',
    'How what can be promised comes about, step by step',
    async () => (await import('./cli-inventory.ts')).inventoryExplain,
  ),
)

stockCommands(inventory)
freshnessCommands(inventory)
supplyCommands(inventory)
adjustmentCommands(inventory)
backorderCommands(inventory)
sourcingCommands(inventory)

define(
  program,
  'trace <any-id>',
  'The whole story of an order, by any of its numbers',
  async () => (await import('./cli-orders.ts')).trace,
)

const exceptions = program.command('exceptions').description('What waits for a person')
listOptions(
  define(
    exceptions,
    'list',
    'Open exceptions, the gravest first',
    async () => (await import('./cli-exceptions.ts')).exceptionsList,
  ),
).option('--owner <queue>', 'of one owner')
define(
  exceptions,
  'show <id>',
  'One with its documents and history',
  async () => (await import('./cli-exceptions.ts')).exceptionsShow,
)
define(
  exceptions,
  'assign <id>',
  'Give it to a queue or a person',
  async () => (await import('./cli-exceptions.ts')).exceptionsAssign,
)
  .requiredOption('--to <queue-or-person>', 'a queue that is known, else a person')
  .option('--text <text>', 'kept in its history')
define(
  exceptions,
  'comment <id> <text>',
  'Add to its history',
  async () => (await import('./cli-exceptions.ts')).exceptionsComment,
)
define(
  exceptions,
  'retry <id>',
  'Have what systems refused of its documents tried again',
  async () => (await import('./cli-exceptions.ts')).exceptionsRetry,
).requiredOption('--reason <text>', 'why it will go well now; kept in the audit trail')
define(
  exceptions,
  'resolve <id>',
  'Close it; it opens anew when its cause is seen again',
  async () => (await import('./cli-exceptions.ts')).exceptionsResolve,
)
  .requiredOption('--reason <text>', 'what was done about it')
  .option('--wont-fix', 'nothing will be done: it does not open again for the same documents')

const parking = program.command('parking').description('Work that ended neither well nor refused')
listOptions(
  define(
    parking,
    'list',
    'Parked work, the newest first',
    async () => (await import('./cli-parking.ts')).parkingList,
  ),
)
  .addOption(
    new Option('--state <state>', 'only those (default: what still waits)').choices([
      'parked',
      'replaying',
      'replayed',
      'discarded',
    ]),
  )
  .addOption(new Option('--kind <kind>', 'only those').choices(['message', 'document', 'effect']))
  .option('--system <name>', 'of one system')
  .option('--cause <code>', 'parked for this')
  .option('--document <number>', 'of one document, such as O-1000017')
  .option('--poison', 'failed again after a replay')
define(
  parking,
  'show <id>',
  'One with its payload, its edits and what waits behind it',
  async () => (await import('./cli-parking.ts')).parkingShow,
)
decided(
  define(
    parking,
    'edit <id>',
    'Replace the payload of a message by one that its door can read',
    async () => (await import('./cli-parking.ts')).parkingEdit,
  ).requiredOption('--file <path>', 'the whole message; - for standard input'),
  'why it is right like this',
)
decided(
  define(
    parking,
    'replay <id...>',
    'Work on it again, and tell what became of it',
    async () => (await import('./cli-replay.ts')).parkingReplay,
  ),
  'why it will go well now',
)
decided(
  define(
    parking,
    'discard <id...>',
    'Give messages up; what waits behind them goes on',
    async () => (await import('./cli-parking.ts')).parkingDiscard,
  ),
  'why nobody needs it',
)

const effects = program.command('effects').description('Calls to other systems that are not answered')
listOptions(
  define(effects, 'list', 'By document', async () => (await import('./cli-effects.ts')).effectsList),
)
  .addOption(
    new Option('--state <state>', 'only those').choices([
      'intended',
      'retry',
      'unknown',
      'parked',
      'resolved',
    ]),
  )
  .option('--system <name>', 'to one system')
  .option('--operation <name>', 'such as erp.createSalesOrder')
  .option('--document <number>', 'of one document, such as O-1000017')
define(
  effects,
  'show <key>',
  'One with its attempts and what was heard of it',
  async () => (await import('./cli-effects.ts')).effectsShow,
)
decided(
  define(
    effects,
    'resolve <key>',
    'Say what became of a call in doubt: its document goes on from that',
    async () => (await import('./cli-effects.ts')).effectsResolve,
  )
    .addOption(
      new Option('--outcome <outcome>', 'it was done, the system says no, or it has nothing of it')
        .choices(['confirmed', 'refused', 'absent'])
        .makeOptionMandatory(),
    )
    .option('--reference <text>', "the system's own number of what it did")
    .option('--fact <name=value...>', 'what else its step goes on with, such as netMinor=10000'),
  'who looked, and where; of a refusal what the system says',
)
decided(
  define(
    effects,
    'retry <key>',
    'Have a call that waits made now; one in doubt is looked up first',
    async () => (await import('./cli-effects.ts')).effectsRetry,
  ),
  'why now',
)

const repairs = program
  .command('repairs')
  .description('Many parked things replayed or discarded as one job, rehearsed first')
const repair = (
  usage: string,
  description: string,
  of: (commands: typeof RepairCommands) => Command,
): Program => define(repairs, usage, description, async () => of(await import('./cli-repairs.ts')))
repair(
  'select [id...]',
  'Freeze what meets every condition, and say what would become of it',
  (of) => of.repairsSelect,
)
  .addOption(
    new Option('--action <action>', 'what is to be done').choices(['replay', 'discard']).default('replay'),
  )
  .addOption(new Option('--kind <kind>', 'only those').choices(['message', 'document', 'effect']))
  .option('--company <code>', 'of one company')
  .option('--system <name>', 'from or for one system')
  .option('--cause <code>', 'a code, or its beginning up to a dot')
  .option('--step <name>', 'of one step')
  .option('--poison', 'failed again after a replay')
  .option('--failed-after <time>', 'by the last failure')
  .option('--failed-before <time>', 'by the last failure')
  .option('--order <number>', 'of an order and what came of it')
  .option('--text <text>', 'part of the key')
  .option('--failed-of <job>', 'what failed of a job and is still parked')
repair('start <id>', 'Start a selection whose rehearsal has ended, and follow it', (of) => of.repairsStart)
  .requiredOption('--count <n>', 'how many items you have seen that it has')
  .requiredOption('--name <name>', 'by which the job is found')
  .requiredOption('--reason <text>', 'why it will go well now; kept in the audit trail')
  .option('--per-second <n>', 'at most so many items', '20')
repair('list', 'Jobs, the newest first', (of) => of.repairsList)
  .option('--limit <n>', 'at most so many', '50')
  .addOption(new Option('--state <state>', 'only those').choices(['running', 'paused', 'aborted', 'ended']))
repair('show <id>', 'A selection with its rehearsal, or a job with its progress', (of) => of.repairsShow)
repair('items <id>', 'What was expected of each item, and what became of it', (of) => of.repairsItems)
  .option('--limit <n>', 'at most so many', '50')
  .addOption(new Option('--state <state>', 'only those').choices(['waiting', 'replaying', 'done', 'failed']))
repair('pause <id>', 'Let a job hand over nothing more', (of) => of.repairsPause)
repair('resume <id>', 'Let a job go on exactly where it was', (of) => of.repairsResume)
repair('abort <id>', 'End a job where it is', (of) => of.repairsAbort)
repair('pace <id>', 'Make a job slower or faster', (of) => of.repairsPace).requiredOption(
  '--per-second <n>',
  'at most so many items',
)

subscriptionCommands(program.command('subscriptions').description('Who has events sent to him'))

const keys = program.command('keys').description('API keys of those who call the doors')
define(
  keys,
  'create <client>',
  'Make a key; it is shown once and never again',
  async () => (await import('./cli-keys.ts')).keysCreate,
)
  .requiredOption('--scopes <list>', 'what it may do, such as process.orders:read,process.orders:write')
  .option('--partner <name>', 'sees only what is its own')
  .option('--days <n>', 'how long it is good for (default: until it is revoked)')
define(keys, 'list', 'Every key, without its secret', async () => (await import('./cli-keys.ts')).keysList)
define(
  keys,
  'revoke <prefix>',
  'Refuse a key from now on',
  async () => (await import('./cli-keys.ts')).keysRevoke,
)

const config = program.command('config').description('Settings')
define(
  config,
  'print',
  'The settings in force, without secrets',
  async () => (await import('./cli-migrate.ts')).configPrint,
)

// A reader that has seen enough, such as head, closes the pipe; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
}
