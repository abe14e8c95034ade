/** `crossdock inventory load FILE`: movements, or what was counted, from a file. */
import { readFile } from 'node:fs/promises'
import { CommandFailure, type Context, EXIT, type Terminal, wrongUse } from './cli-context.ts'
import type { loadBeside } from './app-stock-files.ts'
import { openDatabase } from './cli-database.ts'
import { Refusal } from './platform/faults.ts'
import { systemClock } from './platform/clock.ts'
import { formatQuantity, type Quantity } from './platform/quantity.ts'

const SHOWN = 20

type FileReport = Awaited<ReturnType<typeof loadBeside>>

/** Ends with "partial" where lines were refused; the good ones are taken all the same. */
export async function inventoryLoad(context: Context): Promise<number> {
  const { args, options, terminal } = context
  const [path] = args as [string]
  const source = options['source']
  if (typeof source !== 'string')
    throw wrongUse('Whose file is it?', 'Name a configured feed: --source counts-chicago')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandFailure(
      { problem: `${path} cannot be read.`, cure: 'Name a CSV file that exists.' },
      EXIT.usage,
      error,
    )
  })
  const { config, database } = await openDatabase(context)
  const files = await import('./app-stock-files.ts')
  const given = {
    source,
    text,
    whole: options['whole'] === true,
    dryRun: options['dryRun'] === true,
    onProgress: (done: number, lines: number) => terminal.note(`${done} of ${lines} lines`),
  }
  try {
    const report = await files.loadBeside(config, database, systemClock, given)
    terminal.data(asData(report), () => words(path, report, terminal))
    return report.refused.length > 0 ? EXIT.partial : EXIT.ok
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new CommandFailure(
      {
        problem: error.message,
        reason: error.code,
        cure: 'docs/stock-feeds.md says what a feed and its files are.',
      },
      EXIT.usage,
    )
  }
}

function words(path: string, report: FileReport, { paint }: Terminal): string {
  const { lines, refused, changes, reconciliations, notConcluded, ...became } = report
  const { taken, repeated, late, waiting, corrected, told } = became
  const figures = { taken, repeated, late, waiting, corrected, told, refused: refused.length }
  const counts = Object.entries(figures).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  return [
    `${paint('bold', path)}: ${lines} lines, ${counts.join(', ') || 'nothing in it'}`,
    ...(changes ? changesOf(changes) : []),
    ...reconciliations.map((id) => `  held against the books: reconciliation ${id}`),
    ...notConcluded.map(
      ({ location, notSaid, lines: unread }) =>
        `  ${location}: what the file does not name stays (items with stock: ${notSaid}), since ${unread.length === 1 ? 'a line was' : `${unread.length} lines were`} not understood; hand it in again corrected`,
    ),
    ...refused
      .slice(0, SHOWN)
      .map(({ line, field, message }) => paint('yellow', `  line ${line}, ${field}: ${message}`)),
    ...(refused.length > SHOWN ? [`  and ${refused.length - SHOWN} more; --json lists them all`] : []),
  ].join('\n')
}

type Changes = NonNullable<FileReport['changes']>
type Statuses = Changes[number]['before']

const STATUSES = { available: 'available', qualityHold: 'on hold', damaged: 'damaged' } as const

const figures = (statuses: Statuses) => ({
  available: formatQuantity(statuses.available),
  qualityHold: formatQuantity(statuses.qualityHold),
  damaged: formatQuantity(statuses.damaged),
})

/** As programs read it. */
const asData = ({ changes, ...report }: FileReport) => ({
  ...report,
  ...(changes && {
    changes: changes.map(({ before, after, ...place }) => ({
      ...place,
      before: figures(before),
      after: figures(after),
    })),
  }),
})

function changesOf(changes: Changes): string[] {
  const lines = changes.slice(0, SHOWN).map(({ location, sku, owner, before, after }) => {
    const moved = (Object.keys(STATUSES) as (keyof Statuses)[]).flatMap((field) =>
      before[field] === after[field] ? [] : [`${STATUSES[field]} ${arrow(before[field], after[field])}`],
    )
    const whose = owner === undefined ? '' : ` of ${owner}`
    return `  ${location} ${sku}${whose}: ${moved.join(', ')}`
  })
  const more = changes.length > SHOWN ? [`  and ${changes.length - SHOWN} more; --json lists them all`] : []
  const head =
    changes.length === 0
      ? 'Nothing would change.'
      : `${changes.length} ${changes.length === 1 ? 'place' : 'places'} would change:`
  return [`Nothing is written. ${head}`, ...lines, ...more]
}

const arrow = (before: Quantity, after: Quantity): string =>
  `${formatQuantity(before)} → ${formatQuantity(after)}`
