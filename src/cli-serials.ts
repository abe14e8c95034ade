/** `crossdock inventory serial|serials`: where a single unit is and has been, and which units a place has. */
import { onlyCompany } from './cli-adjustments.ts'
import { CommandFailure, type Context, EXIT, minute, printList, type Terminal } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { limitOf } from './cli-orders.ts'
import { isOwn, type Owned } from './domains/inventory/contract/owners.ts'
import type { SerialStory } from './domains/inventory/contract/serials.ts'
import { Refusal } from './platform/faults.ts'

type Options = {
  readonly company?: string
  readonly sku?: string
  readonly location?: string
  readonly status?: string
  readonly owner?: string
}

export async function inventorySerial(context: Context): Promise<number> {
  const [serial = ''] = context.args
  const { company, sku } = context.options as Options
  const { database, config } = await openDatabase(context)
  const { serialStory } = await import('./app-serials.ts')
  const asked = { company: company ?? onlyCompany(config.companies), serial, sku }
  const story = await serialStory(database, asked).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error
    const cure =
      error.code === 'inventory.serial_of_several'
        ? 'Name the item: --sku'
        : 'Serials are told as they stand on the unit; upper and lower case count.'
    throw new CommandFailure({ problem: error.message, reason: error.code, cure }, EXIT.failed, error)
  })
  context.terminal.data(story, () => told(story, context.terminal))
  return EXIT.ok
}

function told(story: SerialStory, { paint }: Terminal): string {
  const { serial, sku, state, location, status, lot, shipment, order, customer, shippedAt, doubt } = story
  const stock = stockOf(story)
  const where = {
    here: `is ${status}${stock} at ${location}`,
    in_transit: `is on its way to ${location}${stock}`,
    shipped: shipment
      ? `was shipped with ${shipment} of ${order} to customer ${customer}, ${minute(new Date(shippedAt!))}`
      : 'was shipped',
    gone: 'is not with us any more',
  }[state]
  return [
    `${paint('bold', `${serial} of ${sku}`)} ${where}${lot === undefined ? '' : `, lot ${lot}`}`,
    ...(doubt
      ? [paint('yellow', `in doubt (${doubt.kind}): ${doubt.location}${stockOf(doubt)} has to explain it`)]
      : []),
    ...story.history.map(({ at, from, fromLocation, fromOwner, to, toLocation, toOwner, ...fact }) =>
      [
        `  ${minute(new Date(at))}  ${placed(from, fromLocation, fromOwner)} → ${placed(to, toLocation, toOwner)}`,
        `${fact.reason}, told by ${fact.source}${fact.document === undefined ? '' : ` as ${fact.document}`}`,
        ...(fact.moved ? [] : ['late']),
      ].join('  '),
    ),
  ].join('\n')
}

const placed = (bucket: string, location: string | undefined, owner: string): string =>
  location === undefined ? bucket : `${bucket}${stockOf({ owner })} at ${location}`

/** Named where it is not ours. */
const stockOf = (of: Owned): string => (isOwn(of) ? '' : ` of ${of.owner}`)

export async function inventorySerials(context: Context): Promise<number> {
  const limit = limitOf(context)
  const [sku = ''] = context.args
  const { company, location, status, owner } = context.options as Options
  const { database, config } = await openDatabase(context)
  const { listedSerials } = await import('./app-serials.ts')
  const asked = { company: company ?? onlyCompany(config.companies), sku, location, status, owner }
  const found = await listedSerials(database, asked, limit)
  if (!found)
    throw new CommandFailure({
      problem: `${asked.company} has no item ${sku}.`,
      reason: 'Items are known by the number that the ERP gives them.',
      cure: 'Look at the lines of an order that has it: crossdock trace ANY-ID',
    })
  printList(context.terminal, found, {
    LOCATION: ({ location: at }) => at ?? '–',
    OWNER: ({ owner: whose }) => whose ?? '–',
    SERIAL: ({ serial }) => serial,
    STATUS: ({ state, status: now }) => now ?? state,
    LOT: ({ lot }) => lot ?? '–',
    TOLD: ({ toldAt }) => minute(new Date(toldAt)),
    DOUBT: ({ doubt }) => (doubt ? `${doubt.kind}: ${doubt.location}${stockOf(doubt)}` : '–'),
  })
  if (found.length === 0) context.terminal.note('There is none.')
  return EXIT.ok
}
