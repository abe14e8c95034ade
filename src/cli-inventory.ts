/** `crossdock inventory show|explain SKU`: what can be promised of an item at each place, and the arithmetic of it. */
import { onlyCompany } from './cli-adjustments.ts'
import { CommandFailure, type Context, EXIT, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import type { AvailabilityAnswer } from './domains/inventory/contract/availability.ts'

type Options = {
  readonly company?: string
  readonly channel?: string
  readonly location?: string
  readonly customer?: string
}

/** A row for each place. */
export async function inventoryShow(context: Context): Promise<number> {
  const answers = await ask(context)
  const rows = answers.flatMap(({ company, customer, minimumShelfLifeDays, items }) =>
    items.flatMap(({ sku, unit, places }) =>
      places.map(({ explain, ...place }) => {
        const { steps: _, ...figures } = explain!
        return { company, customer, minimumShelfLifeDays, sku, unit, ...place, ...figures }
      }),
    ),
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
    'TOLD AGO': ({ ageSeconds }) => `${ageSeconds} s`,
  })
  return EXIT.ok
}

/** From what is on hand to what is available, place by place. */
export async function inventoryExplain(context: Context): Promise<number> {
  const { terminal } = context
  for (const answer of await ask(context)) {
    terminal.data(answer, () => explained(answer, (text) => terminal.paint('bold', text)))
  }
  return EXIT.ok
}

function explained(answer: AvailabilityAnswer, bold: (text: string) => string): string {
  const { company, formula, asOf, items } = answer
  return items
    .flatMap(({ sku, unit, available, places }) => [
      `${bold(`${available} ${unit} of ${sku} can be promised`)} by ${company} ${forWhom(answer)}, as of ${asOf}`,
      ...places.flatMap(({ location, available: here, ageSeconds, dates = [], explain }) => [
        '',
        `${bold(location)}  ${here} ${unit}, told of ${ageSeconds} s ago`,
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

function forWhom({ channel, customer, minimumShelfLifeDays: days }: AvailabilityAnswer): string {
  const through = channel === undefined ? 'without a channel' : `for ${channel}`
  if (customer === undefined) return through
  const wants = days === undefined ? 'any lot will do' : `what has lots is to live for ${days} days`
  return `${through} to customer ${customer} (${wants})`
}

/** By each company that has the item; a customer is one company's. */
async function ask(context: Context): Promise<AvailabilityAnswer[]> {
  const sku = context.args[0]!
  const { company, channel, location, customer } = context.options as Options
  const { database, config } = await openDatabase(context)
  const all = config.companies.map(({ code }) => code)
  const one = company ?? (customer === undefined ? undefined : onlyCompany(config.companies))
  const companies = one === undefined ? all : [one]
  if (companies.length === 0) {
    throw wrongUse('No company is configured here.', 'Name one: --company NWF')
  }
  const { explainItem } = await import('./app-promises.ts')
  const found = await Promise.all(
    companies.map((code) => {
      const timeZone = config.companies.find((known) => known.code === code)?.timeZone ?? 'UTC'
      return explainItem(database, { company: code, timeZone, sku, channel, location, customer })
    }),
  )
  const answers = found.flatMap((answer) => answer ?? [])
  if (answers.length > 0) return answers
  throw new CommandFailure({
    problem: `${companies.join(', ')} has no stock position of an item ${sku}.`,
    reason:
      'Items are known by the number that the ERP gives them; one that was never stocked has no position.',
    cure: 'Look at the lines of an order that has it: crossdock trace ANY-ID',
  })
}
