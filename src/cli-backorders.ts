/** `crossdock inventory backorders list|run`: who waits for stock, and who gets it. */
import { readFile } from 'node:fs/promises'
import { CommandFailure, type Context, EXIT, minute, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { readTyped } from './cli-typed.ts'
import type { Config } from './config-schema.ts'
import { BackorderRules, type BackorderRun } from './domains/inventory/contract/backorder-runs.ts'
import { WaitingQueue } from './domains/inventory/contract/waiting.ts'
import { systemClock } from './platform/clock.ts'
import type { Database } from './platform/database.ts'
import { somebodyWorks } from './platform/lease.ts'

const ACTOR = 'cli'
const POLL_MS = 250
const CHANGES_SHOWN = 500

const house = () => import('./app-waiting.ts')

export async function backordersList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { queue } = context.options as { queue?: string }
  const wanted = WaitingQueue.optional().safeParse(queue)
  if (!wanted.success) throw wrongUse(`"${queue}" is no queue.`, 'There are promised, unfillable and new.')
  const { database, config } = await openDatabase(context)
  const company = await companyOf(context, config, database)
  const { waitingBeside } = await house()
  const items = await waitingBeside(database, { company, queue: wanted.data, limit })
  printList(context.terminal, items, {
    ITEM: ({ sku }) => sku,
    QUEUE: ({ queue: name }) => name,
    LINES: ({ lines }) => String(lines),
    ORDERS: ({ orders }) => String(orders),
    QUANTITY: ({ quantity, unit }) => `${quantity} ${unit}`,
    WORTH: ({ value }) => value.map(({ amount, currency }) => `${amount} ${currency}`).join(', '),
    SINCE: ({ since }) => minute(new Date(since)),
    EXPECTED: ({ promisedFrom, promisedTo }) => [...new Set([promisedFrom, promisedTo])].join(' to ') || '–',
    SLIPPED: ({ slipped }) => String(slipped),
    'SHELF LIFE': ({ shelfLife }) => String(shelfLife),
  })
  if (items.length === 0) context.terminal.note('Nobody waits.')
  return EXIT.ok
}

/** With --dry-run it shows; with the number of a run it does what that has shown; with neither both, one after the other. */
export async function backordersRun(context: Context): Promise<number> {
  const { reason, dryRun = false } = context.options as { reason?: string; dryRun?: boolean }
  const named = idOf(context.args[0])
  if (!dryRun && (reason ?? '').trim().length < 3)
    throw wrongUse('Why is stock moved?', 'Say it: --reason "the big one", or look first: --dry-run')
  const rules = named === undefined ? await rulesOf(context) : undefined
  const { database, config } = await openDatabase(context)
  const id = named ?? (await planned(context, rules!, { config, database }))
  if (dryRun || named === undefined) await tell(context, database, id)
  if (dryRun) return EXIT.ok
  const { startBeside } = await house()
  await startBeside(database, { run: id, reason: reason!, actor: ACTOR })
  const run = await followed(context, database, id)
  await tell(context, database, id)
  return run.changes.changed > 0 ? EXIT.partial : EXIT.ok
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw wrongUse(`"${text}" is no number of a run.`, 'Plan one: crossdock inventory backorders run --dry-run')
}

async function planned(
  context: Context,
  rules: BackorderRules,
  { config, database }: { readonly config: Config; readonly database: Database },
): Promise<number> {
  const { item: items, location: locations } = context.options as { item?: string[]; location?: string[] }
  const company = await companyOf(context, config, database)
  const { planBeside } = await house()
  return planBeside(config, database, { company, items, locations, rules, actor: ACTOR })
}

async function rulesOf({ options }: Context): Promise<BackorderRules> {
  const path = options['rules']
  if (typeof path === 'string') return rulesIn(path)
  throw wrongUse('Who wins and who loses?', 'Say it in a file, as docs/sourcing.md shows: --rules rules.json')
}

async function rulesIn(path: string): Promise<BackorderRules> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const problem = `${path} cannot be read.`
    throw new CommandFailure({ problem, cure: 'Name a JSON file that exists.' }, EXIT.usage, error)
  })
  return readTyped(
    BackorderRules,
    orNothing(text),
    `In ${path} write, for example: {"segments": [{"class": "win", "when": {"customers": ["C-1007"]}}], "otherwise": "fill"}`,
  )
}

function orNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function companyOf({ options }: Context, config: Config, database: Database): Promise<string> {
  if (typeof options['company'] === 'string') return options['company']
  const { companiesWaiting } = await house()
  const codes = config.companies.map(({ code }) => code)
  const [only, ...others] = codes.length > 0 ? codes : await companiesWaiting(database)
  if (only !== undefined && others.length === 0) return only
  throw wrongUse('Whose orders are meant?', `Name one: --company ${only ?? 'NWF'}`)
}

/** Until the running program has done it; broken off, it goes on. */
async function followed(
  { signal, terminal }: Context,
  database: Database,
  id: number,
): Promise<BackorderRun> {
  const { runBeside } = await house()
  for (;;) {
    const { run } = await runBeside(database, id, 0)
    if (run.state === 'ended' || signal.aborted) return run
    if (!(await somebodyWorks(database)))
      throw new CommandFailure({
        problem: `Run ${id} is started, and no program is running that goes on with it.`,
        reason: 'Backorder runs are worked on by the running program.',
        cure: 'Start it: npm start',
      })
    terminal.note(
      `${run.changes.applied + run.changes.changed} changes are made or found to be out of date, ${run.changes.planned} are left`,
    )
    await systemClock.sleep(POLL_MS, signal)
  }
}

async function tell({ terminal }: Context, database: Database, id: number): Promise<void> {
  const { runBeside } = await house()
  const { run, changes } = await runBeside(database, id, CHANGES_SHOWN)
  printList(
    terminal,
    changes.map((change) => ({ run: run.id, ...change })),
    {
      ITEM: ({ sku }) => sku,
      ORDER: ({ order, line }) => `${order}/${line}`,
      CLASS: ({ class: name }) => name,
      AT: ({ location }) => location,
      MOVES: ({ quantity, state }) =>
        state === 'withheld' ? `(+${quantity})` : quantity.startsWith('-') ? quantity : `+${quantity}`,
      HAD: ({ reserved }) => reserved,
      WAITED: ({ backordered }) => backordered,
      BEFORE: ({ expectedBefore }) => expectedBefore ?? '–',
      AFTER: ({ expectedAfter }) => expectedAfter ?? '–',
      STATE: ({ state, changed, withheld }) => [state, changed ?? withheld].filter(Boolean).join(': '),
    },
  )
  for (const { source, rule, since, locations, items } of run.careful ?? []) {
    const less = items.length > 0 ? `, less than the books have of ${items.join(', ')}` : ''
    const told = `${source} has told nothing of stock since ${minute(new Date(since))}`
    terminal.note(
      `${told}: at ${locations.join(', ')} as much is gained as its rule (${rule}) leaves${less}.`,
    )
  }
  const { planned: left, applied, changed, withheld } = run.changes
  if (withheld > 0)
    terminal.note(`A silence keeps from lines what is in brackets (${withheld}): they wait on.`)
  terminal.note(
    left + applied + changed === 0
      ? 'Nothing would be moved.'
      : `Run ${id}, ${run.state}: ${left} to do, ${applied} done, ${changed} out of date`,
  )
}
