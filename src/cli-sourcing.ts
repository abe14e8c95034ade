/** `crossdock inventory sourcing compare`: what other rules would have decided of past orders. */
import { readFile } from 'node:fs/promises'
import { CommandFailure, type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { readTyped } from './cli-typed.ts'
import type { FieldError } from './platform/http-problem.ts'
import { systemClock } from './platform/clock.ts'
import {
  type Served,
  type SourcingComparison,
  SourcingComparisonQuestion,
} from './domains/inventory/contract/sourcing-comparison.ts'

type Options = {
  readonly company?: string
  readonly rules?: string
  readonly profile?: string
  readonly decidedBy?: string
  readonly from?: string
  readonly until?: string
  readonly orders?: string
  readonly after?: string
  readonly sample?: string
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
const OPTION_OF: Readonly<Record<string, string>> = { decidedBy: 'decided-by' }

export async function sourcingCompare(context: Context): Promise<number> {
  const { rules: path, company, ...options } = context.options as Options
  const rules = path === undefined ? undefined : await jsonIn(path)
  const { database, config } = await openDatabase(context)
  const codes = config.companies.map(({ code }) => code)
  const code = company ?? (codes.length === 1 ? codes[0] : undefined)
  if (code === undefined)
    throw wrongUse('Whose orders are meant?', `Name one: --company ${codes[0] ?? 'NWF'}`)
  const typed = {
    company: code,
    rules,
    profile: numberOf(options.profile),
    decidedBy: options.decidedBy,
    from: timeOf(options.from) ?? '1970-01-01T00:00:00.000Z',
    until: timeOf(options.until) ?? systemClock.now().toISOString(),
    after: options.after,
    orders: numberOf(options.orders),
    sample: numberOf(options.sample),
  }
  const asked = readTyped(SourcingComparisonQuestion, typed, CURE, optionOf)
  const { compareBeside } = await import('./app-sourcing.ts')
  tell(context, await compareBeside(config, database, asked))
  return EXIT.ok
}

const CURE =
  'crossdock inventory sourcing compare --help shows what each option takes; docs/sourcing.md shows rules.'

function optionOf({ pointer, message }: FieldError): string {
  const [name = 'rules', ...more] = pointer.split('/').slice(1)
  const place = more.length > 0 ? `, ${more.join('.')}` : ''
  return `--${OPTION_OF[name] ?? name}${place}: ${message}`
}

/** What is no number is left for the schema to refuse. */
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

/** A day is its beginning, by the clock of UTC. */
const timeOf = (text: string | undefined): string | undefined =>
  text !== undefined && DAY.test(text) ? `${text}T00:00:00.000Z` : text

async function jsonIn(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const problem = `${path} cannot be read.`
    throw new CommandFailure({ problem, cure: 'Name a JSON file that exists.' }, EXIT.usage, error)
  })
  try {
    return JSON.parse(text)
  } catch {
    throw wrongUse(`${path} is no JSON.`, 'docs/sourcing.md shows rules.')
  }
}

function tell({ terminal }: Context, comparison: SourcingComparison): void {
  const { orders, decisions, before, after, sample, next } = comparison
  if (terminal.json) return terminal.data(comparison, () => '')
  printList(terminal, sample, {
    ORDER: ({ order }) => order,
    CAUSE: ({ cause }) => cause,
    'SHIP TO': ({ shipTo }) => shipTo ?? '–',
    WAS: (row) => placesOf(row.before),
    WOULD: (row) => placesOf(row.after),
    SPLITS: (row) => changeOf(row.before.splits, row.after.splits),
    COST: (row) => changeOf(row.before.cost, row.after.cost),
    WHY: ({ why, whyNotBefore }) => whyNotBefore ?? why,
  })
  terminal.note(
    `${orders} orders: ${decisions.changed} of ${decisions.compared} decisions would differ, ${decisions.notComparable} cannot be compared.`,
  )
  terminal.note(
    `Splits ${changeOf(before.splits, after.splits)}, distance ${changeOf(before.distance, after.distance)}, cost ${changeOf(before.cost, after.cost)}, served ${changeOf(before.worth, after.worth)}.`,
  )
  if (next !== undefined) terminal.note(`There may be more: --after ${next}`)
}

const placesOf = ({ given }: Served): string =>
  given.map(({ location, quantity }) => `${location} ${quantity}`).join(', ') || 'nothing'

const changeOf = (before: number | string | undefined, after: number | string | undefined): string =>
  before === after ? String(before ?? '–') : `${before ?? '–'} → ${after ?? '–'}`
