/** `crossdock inventory by-hand|by-hand-list|by-hand-settle`: what a warehouse did while its system was away. */
import type { App } from './app.ts'
import { type Context, EXIT, minute, printList, wrongUse } from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { openDoors } from './cli-doors.ts'
import { limitOf } from './cli-orders.ts'
import { actorOf, onlyCompany } from './cli-adjustments.ts'
import { readTyped } from './cli-typed.ts'
import { type HandAnswer, HandRequest } from './domains/inventory/contract/by-hand.ts'

type Options = {
  readonly company?: string
  readonly reference: string
  readonly at: string
  readonly line?: readonly string[]
  readonly short?: readonly string[]
  readonly carrier?: string
  readonly tracking?: string
  readonly sscc?: string
  readonly final?: boolean
  readonly further?: boolean
  readonly note?: string
  readonly by?: string
  readonly dryRun?: boolean
}

const KINDS: Readonly<Record<string, string>> = { pick: 'picked', ship: 'shipped' }

export async function inventoryByHand(context: Context): Promise<number> {
  const [act = '', request] = context.args
  const options = context.options as Options
  const { company, line = [], short = [], by, dryRun = false, ...more } = options
  const kind = KINDS[act]
  if (!kind) throw wrongUse(`"${act}" is nothing that a warehouse does.`, 'Either pick or ship')
  const opened = await openDatabase(context)
  const lines = [
    ...line.map((text) => lineOf(text, {})),
    ...short.map((text) => lineOf(text, { short: true })),
  ]
  const { reference, at, carrier, tracking, sscc, final, further, note } = more
  const typed = {
    company: company ?? onlyCompany(opened.config.companies),
    kind,
    request,
    reference,
    at,
    carrier,
    tracking,
    sscc,
    final,
    further,
    note,
    dryRun,
    lines,
  }
  const asked = readTyped(HandRequest, typed, 'See: crossdock inventory by-hand --help')
  const app = await openDoors(context, opened)
  const answer = bodyOf(await app.enterByHand({ request: asked, actor: actorOf(by) }))
  context.terminal.data(answer, () => told(answer))
  return EXIT.ok
}

/** `LINE=QUANTITY`, `LINE=QUANTITY/UNIT`, `LINE=QUANTITY@LOT`, each with `::SERIAL,SERIAL` behind it. */
function lineOf(text: string, more: object): object {
  const [, line, quantity, unit, lot, serials] =
    /^(\d{1,5})=(-?[\d.]+)(?:\/([A-Z0-9]{2,3}))?(?:@(.+?))?(?:::(.+))?$/.exec(text) ?? []
  if (line === undefined)
    throw wrongUse(
      `"${text}" is no line.`,
      'Write LINE=QUANTITY, such as 1=24, 1=2/CA, 1=24@L2419 or 1=2::SN-1,SN-2',
    )
  return { line: Number(line), quantity, unit, lot, serials: serials?.split(','), ...more }
}

const bodyOf = (given: Awaited<ReturnType<App['enterByHand']>>): HandAnswer =>
  'body' in given ? given.body : (given.replayed.body as HandAnswer)

const told = ({ document, order, request, lines, dryRun }: HandAnswer): string =>
  [
    dryRun
      ? `It would be booked on ${request} of ${order}`
      : `${document} is booked on ${request} of ${order}`,
    ...lines.map(
      ({ line, sku, quantity, unit, lot, short }) =>
        `  line ${line}: ${short ? 'short ' : ''}${quantity} ${unit} of ${sku}${lot === undefined ? '' : `, lot ${lot}`}`,
    ),
  ].join('\n')

export async function inventoryByHandList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { company, open = false } = context.options as { company?: string; open?: boolean }
  const { database, config } = await openDatabase(context)
  const { listedByHand } = await import('./app-by-hand.ts')
  const wanted = company ?? onlyCompany(config.companies)
  const found = await listedByHand(database, { company: wanted, open }, limit)
  printList(context.terminal, found, {
    DOCUMENT: ({ document }) => document,
    KIND: ({ kind }) => kind,
    REQUEST: ({ request }) => request ?? '–',
    LINE: ({ line }) => (line === undefined ? '–' : String(line)),
    SKU: ({ sku }) => sku,
    LOCATION: ({ location }) => location,
    LOT: ({ lot }) => lot ?? '–',
    QUANTITY: ({ quantity, unit }) => `${quantity} ${unit}`,
    OPEN: ({ open: left }) => left,
    OUTCOME: ({ outcome }) => outcome ?? 'open',
    REFERENCE: ({ reference }) => reference,
    BY: ({ actor }) => actor,
    ENTERED: ({ enteredAt }) => minute(new Date(enteredAt)),
  })
  if (found.length === 0) context.terminal.note('There is none.')
  return EXIT.ok
}

export async function inventoryByHandSettle(context: Context): Promise<number> {
  const [document = ''] = context.args
  const { reason, by } = context.options as { reason: string; by?: string }
  const app = await openDoors(context, await openDatabase(context))
  await app.settleByHand({ document, reason, actor: actorOf(by) })
  context.terminal.note(`${document} stands as the paper says.`)
  return EXIT.ok
}
