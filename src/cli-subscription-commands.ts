/** The commands with which people see and steer who has events sent to him. */
import type { Command as Program } from 'commander'
import type { Command } from './cli-context.ts'
import { define } from './cli-program.ts'
import type * as Acts from './cli-subscription-acts.ts'

export function subscriptionCommands(subscriptions: Program): void {
  define(
    subscriptions,
    'list',
    'Every subscription with what it has not delivered',
    async () => (await import('./cli-subscriptions.ts')).subscriptionsList,
  ).option('--limit <n>', 'at most so many', '50')
  define(
    subscriptions,
    'show <id>',
    'One with its last attempts and its dead letters',
    async () => (await import('./cli-subscriptions.ts')).subscriptionsShow,
  )
  define(
    subscriptions,
    'replay <id>',
    'Send again, under the same ids',
    async () => (await import('./cli-subscriptions.ts')).subscriptionsReplay,
  )
    .option('--after <cursor>', 'everything behind a position of the log')
    .option('--since <time>', 'everything from a minute or so before a time')
    .option('--dead-letters', 'what was given up')
  actCommands(subscriptions)
}

function actCommands(subscriptions: Program): void {
  const steer = (usage: string, description: string, of: (acts: typeof Acts) => Command): Program =>
    define(subscriptions, usage, description, async () => of(await import('./cli-subscription-acts.ts')))
  steer(
    'create <url>',
    'Have events sent to an address; the secret is shown once and never again',
    (of) => of.subscriptionsCreate,
  )
    .requiredOption('--name <name>', 'how people call it')
    .option('--owner <queue>', 'who sees to what the receiver does not take')
    .option('--types <list>', 'such as order.accepted,shipment.*; all without it')
    .option('--domains <list>', 'orders, shipments, billing; all without it')
    .option('--companies <list>', 'company codes; all without it')
    .option('--payload <kind>', 'thin, or full')
    .option('--partner <name>', "only this partner's events")
    .option('--after <cursor>', 'from this position of the log on; now without it')
  steer('pause <id>', 'Send nothing until it is resumed', (of) => of.subscriptionsPause).requiredOption(
    '--reason <text>',
    'why; kept with it and in the audit trail',
  )
  steer(
    'resume <id>',
    'Go on exactly where it stood, also where it stopped by itself',
    (of) => of.subscriptionsResume,
  )
  steer(
    'rotate <id>',
    'Make a new secret, which signs beside the previous one for a while',
    (of) => of.subscriptionsRotate,
  ).option('--keep-previous-hours <n>', 'how long', '24')
  steer(
    'ping <id>',
    'Send a signed message that means nothing, and say how it went',
    (of) => of.subscriptionsPing,
  )
  steer('delete <id>', 'Delete one with its log and its dead letters', (of) => of.subscriptionsDelete)
}
