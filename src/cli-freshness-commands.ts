/** The commands about how fresh sources of stock must be. */
import type { Command as Program } from 'commander'
import { decided, define } from './cli-program.ts'

export function freshnessCommands(inventory: Program): void {
  const list = async () => (await import('./cli-freshness.ts')).freshnessList
  const described = 'How fresh sources must be: what is configured, and what people set in its place'
  const freshness = define(inventory, 'freshness', described, list)
  define(freshness, 'list', described, list)
  changing(
    define(
      freshness,
      'set <source> <flow>',
      'Put a rule in the place of the configured one: of what a source tells (messages) or what is read of it (readings)',
      async () => (await import('./cli-freshness.ts')).freshnessSet,
    )
      .requiredOption('--minutes <number>', 'how long it may be silent')
      .requiredOption('--rule <name>', 'what holds then: buffer, cap, zero or ask')
      .option('--least <decimal>', 'of a buffer: so much less at once, in base units')
      .option('--factor <number>', 'of a buffer: less by so many times what the silence would have sold')
      .option('--most <decimal>', 'of a cap: so many of an item at a place, in base units')
      .option('--location <codes...>', 'where it holds (default: where the source tells of)'),
  )
  changing(
    define(
      freshness,
      'withdraw <source> <flow>',
      'Let what is configured hold again',
      async () => (await import('./cli-freshness.ts')).freshnessWithdraw,
    ),
  )
}

const changing = (command: Program): Program =>
  decided(command, 'why')
    .option('--expect-version <number>', 'only if this is the version now, as the list shows it')
    .option('--by <name>', 'who says so')
