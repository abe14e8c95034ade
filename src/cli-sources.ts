/** `crossdock inventory sources`: when sources of stock were last heard, and what holds while one is silent. */
import { type Context, EXIT, minute, printList } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import type { RuleWords } from './domains/inventory/contract/freshness.ts'

export async function inventorySources(context: Context): Promise<number> {
  const { database, config } = await openDatabase(context)
  const { sourcesBeside } = await import('./app-promises.ts')
  const { items, openDoubts } = await sourcesBeside(database, config)
  printList(context.terminal, items, {
    SOURCE: ({ source }) => source,
    FLOW: ({ flow }) => flow,
    LOCATIONS: ({ locations }) => locations.join(', ') || '–',
    'MAY BE SILENT': ({ budgetSeconds }) => `${budgetSeconds} s`,
    'HEARD AGO': ({ ageSeconds }) => (ageSeconds === undefined ? 'never' : `${ageSeconds} s`),
    RULE: ruleOf,
    'CAREFUL NOW': ({ silentSince }) =>
      silentSince === undefined ? 'no' : `since ${minute(new Date(silentSince))}`,
  })
  context.terminal.note(
    items.length === 0
      ? 'No source has a rule: set one, or say it under "freshness" in the configuration.'
      : `${openDoubts} promises made while a source was silent are not checked yet.`,
  )
  return EXIT.ok
}

export function ruleOf({ rule, least, factor, most }: RuleWords): string {
  if (rule === 'buffer') return `buffer: ${least} less, and ${factor} times what would have sold`
  return rule === 'cap' ? `cap: ${most} at most` : rule
}
