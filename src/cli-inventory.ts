/** `crossdock inventory show|explain SKU`: what can be promised of an item at each place, and the arithmetic of it. */
import { z } from 'zod'
import { onlyCompany } from './cli-adjustments.ts'
import { CommandFailure, type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import type { AvailabilityAnswer } from './domains/inventory/contract/availability.ts'
import { OWN } from './domains/inventory/contract/owners.ts'
import type { Queries } from './platform/database.ts'
import { formatQuantity } from './platform/quantity.ts'

type Options = {
  readonly company?: string
  readonly channel?: string
  readonly location?: string
  readonly owner?: string
  readonly locationGroup?: string
  readonly customer?: string
  readonly date?: string
}

type Place = AvailabilityAnswer['items'][number]['places'][number]

/** A row for each place, and one for what each other owner has there: of that nothing can be promised. */
export async function inventoryShow(context: Context): Promise<number> {
  const { answers, database } = await ask(context)
  const { location, locationGroup, owner: wanted } = context.options as Options
  const ours = answers.flatMap(({ company, customer, minimumShelfLifeDays, items }) =>
    items.flatMap(({ sku, unit, places }) =>
      places.map(({ explain, ...place }) => {
        const { steps: _, ...figures } = explain!
        return { company, customer, minimumShelfLifeDays, sku, unit, owner: OWN, ...place, ...figures }
      }),
    ),
  )
  const places = new Set(ours.map((row) => row.location))
  const isEverywhere = location === undefined && locationGroup === undefined
  const rows = [...ours, ...(await ofOthers(database, answers))].filter(
    (row) => (wanted ?? row.owner) === row.owner && (isEverywhere || places.has(row.location)),
  )
  printList(context.terminal, rows, {
    COMPANY: ({ company }) => company,
    LOCATION: ({ location }) => location,
    'ON HAND': ({ onHand }) => onHand,
    'ON HOLD': ({ onHold }) => onHold,
    ORDERS: ({ reservedByOrders }) => reservedByOrders,
    FIRM: ({ reservedFirm }) => reservedFirm,
    SOFT: ({ reservedSoft }) => reservedSoft,
    ELSEWHERE: ({ reservedExternally }) => reservedExternally,
    SAFETY: ({ safetyStock }) => safetyStock,
    'FOR OTHERS': ({ keptForOthers }) => keptForOthers,
    WAITING: ({ waiting }) => waiting,
    AVAILABLE: ({ available, unit }) => `${available} ${unit}`,
    CONFIDENCE: ({ confidence }) => confidence,
    'TOLD AGO': ({ ageSeconds }) => `${ageSeconds} s`,
    OWNER: ({ owner }) => owner,
  })
  return EXIT.ok
}

const NOT_OURS = {
  available: '0',
  reservedByOrders: '0',
  reservedFirm: '0',
  reservedSoft: '0',
  reservedExternally: '0',
  safetyStock: '0',
  keptForOthers: '0',
  waiting: '0',
  confidence: 'normal',
} as const

async function ofOthers(database: Queries, answers: readonly AvailabilityAnswer[]) {
  const { othersOf } = await import('./app-promises.ts')
  const asked = answers.flatMap(({ company, items }) =>
    items.map(({ sku, unit }) => ({ company, sku, unit })),
  )
  const found = await othersOf(database, asked)
  return found.map(({ itemId: _, available, onHold, unreconciled, ...row }) => ({
    ...row,
    ...NOT_OURS,
    onHand: formatQuantity(available + onHold),
    onHold: formatQuantity(onHold),
    unreconciled: formatQuantity(unreconciled),
  }))
}

/** From what is on hand to what is available, place by place. */
export async function inventoryExplain(context: Context): Promise<number> {
  const { terminal } = context
  for (const answer of (await ask(context)).answers) {
    terminal.data(answer, () => explained(answer, (text) => terminal.paint('bold', text)))
  }
  return EXIT.ok
}

function explained(answer: AvailabilityAnswer, bold: (text: string) => string): string {
  const { company, formula, asOf, items } = answer
  return items
    .flatMap(({ sku, unit, available, places }) => [
      `${bold(`${available} ${unit} of ${sku} can be promised`)} by ${company} ${forWhom(answer)}, as of ${asOf}`,
      ...places.flatMap(({ location, available: here, ageSeconds, dates = [], explain, ...place }) => [
        '',
        `${bold(location)}  ${here} ${unit}, told of ${ageSeconds} s ago, confidence: ${place.confidence}`,
        ...caution(place, unit),
        ...explain!.steps.map(
          ({ what, change, leaves }) => `  ${change.padStart(12)}  ${what.padEnd(64)}${leaves.padStart(12)}`,
        ),
        ...dates.slice(1).map(({ date, available: then }) => `  ${then.padStart(12)}  on ${date}`),
      ]),
      '',
      `formula ${formula.version}: ${formula.text}`,
    ])
    .join('\n')
}

const caution = ({ careful }: Pick<Place, 'careful'>, unit: string): string[] => {
  if (!careful) return []
  const { source, flow, rule, since, heldBack } = careful
  return [
    `  ${heldBack} ${unit} held back by the rule "${rule}": ${source} (${flow}) is silent, too long since ${since}`,
  ]
}

function forWhom({ channel, customer, date, minimumShelfLifeDays: days }: AvailabilityAnswer): string {
  const asked = [channel === undefined ? 'without a channel' : `for ${channel}`, date && `on ${date}`]
  const through = asked.filter(Boolean).join(' ')
  if (customer === undefined) return through
  const wants = days === undefined ? 'any lot will do' : `what has lots is to live for ${days} days`
  return `${through} to customer ${customer} (${wants})`
}

/** By each company that has the item; a customer is one company's. */
async function ask(
  context: Context,
): Promise<{ readonly answers: AvailabilityAnswer[]; readonly database: Queries }> {
  const sku = context.args[0]!
  const { company, channel, location, locationGroup, customer, date } = context.options as Options
  if (date !== undefined && !DAY.safeParse(date).success)
    throw wrongUse(`"${date}" is no day.`, 'Write it as year, month and day: --date 2026-12-01')
  const { database, config } = await openDatabase(context)
  const all = config.companies.map(({ code }) => code)
  const one = company ?? (customer === undefined ? undefined : onlyCompany(config.companies))
  const companies = one === undefined ? all : [one]
  if (companies.length === 0) {
    throw wrongUse('No company is configured here.', 'Name one: --company NWF')
  }
  const { explainItem } = await import('./app-promises.ts')
  const asked = { sku, channel, location, locationGroup, customer, date }
  const found = await Promise.all(
    companies.map((code) => explainItem(database, config, { company: code, ...asked })),
  )
  const answers = found.flatMap((answer) => answer ?? [])
  if (answers.length > 0) return { answers, database }
  throw new CommandFailure({
    problem: `${companies.join(', ')} has no item ${sku} that could be anywhere.`,
    reason:
      'Items are known by the number that the ERP gives them. Of a company that is not configured here, only places with a stock position are known.',
    cure: 'Look at the lines of an order that has it: crossdock trace ANY-ID',
  })
}

const DAY = z.iso.date()
