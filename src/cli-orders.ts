/** `crossdock orders list` and `crossdock trace ANY-ID`. */
import {
  CommandFailure,
  type Context,
  EXIT,
  minute,
  printList,
  type Terminal,
  wrongUse,
} from './cli-context.ts'
import { openDatabase } from './cli-database.ts'
import { type ListedOrder, listOrders, type OrderFilter } from './domains/orders/views/lists.ts'
import { ASKING_WORDS } from './domains/shipments/contract/tracking.ts'
import { formatAmount } from './platform/money.ts'
import type { Story } from './app.ts'

const LIMIT_MOST = 1_000

export function limitOf({ options }: Context): number {
  const limit = Number(options['limit'])
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MOST) return limit
  throw wrongUse(
    `--limit is a number from 1 to ${LIMIT_MOST}, not "${String(options['limit'])}".`,
    'For example: --limit 50',
  )
}

export async function ordersList(context: Context): Promise<number> {
  const limit = limitOf(context)
  const { company, state } = context.options as Pick<OrderFilter, 'company' | 'state'>
  const { database } = await openDatabase(context)
  const orders = (await listOrders(database, { company, state }, undefined, limit)).map(listed)
  printList(context.terminal, orders, {
    ORDER: ({ id }) => id,
    ACCEPTED: ({ acceptedAt }) => acceptedAt.slice(0, 19).replace('T', ' '),
    COMPANY: ({ company }) => company,
    CUSTOMER: ({ customer }) => customer,
    'CUSTOMER ORDER': ({ customerOrder }) => customerOrder,
    BY: ({ channel }) => channel,
    LINES: ({ lines }) => String(lines),
    TOTAL: ({ total, currency }) => `${total} ${currency}`,
    'ERP ORDER': ({ erpNumber }) => erpNumber ?? '–',
    STAGE: ({ stage, held }) => (held ? `${stage} (held)` : stage),
  })
  if (orders.length === 0) context.terminal.note('There are no such orders.')
  return EXIT.ok
}

const listed = (order: ListedOrder) => ({
  id: `O-${order.id}`,
  acceptedAt: order.createdAt,
  company: order.company,
  customer: order.customer,
  customerOrder: order.customerOrder,
  channel: order.channel,
  lines: order.lineCount,
  total: formatAmount(order.totalMinor, order.currency),
  currency: order.currency,
  erpNumber: order.erpNumber,
  stage: order.stage,
  held: order.held,
})

export async function trace(context: Context): Promise<number> {
  const anyId = context.args[0]!
  const { database } = await openDatabase(context)
  const { orderStories } = await import('./app.ts')
  const found = await orderStories.find(database, anyId)
  if (found.length === 0) {
    throw new CommandFailure({
      problem: `No order is known by "${anyId}".`,
      reason:
        'It is searched whole among our numbers, purchase orders, ERP, warehouse, tracking and invoice numbers.',
      cure: 'See the newest ones: crossdock orders list',
    })
  }
  for (const doc of found) {
    const story = await orderStories.tell(database, doc)
    if (story) context.terminal.data(story, () => told(story, context.terminal))
  }
  return EXIT.ok
}

/** The story as a page of text: header, lines, documents on both sides, what happened, what is open. */
function told(story: Story, terminal: Terminal): string {
  const { order, money, lines, documents, entries } = story
  const dim = (text: string): string => terminal.paint('dim', text)
  const section = (title: string, rows: readonly string[]): string[] =>
    rows.length === 0 ? [] : ['', terminal.paint('bold', title), ...rows.map((row) => `  ${row}`)]
  return [
    `${terminal.paint('bold', order.id)}  ${terminal.paint(order.held ? 'yellow' : 'green', order.stage)}  ${order.company}, customer ${order.customer}, purchase order ${order.customerOrder}, by ${order.channel}`,
    `${money.total} ${money.currency} ordered, ${money.invoiced} invoiced with tax, ${money.paid} paid`,
    ...section(
      'Lines',
      lines.map(
        (line) =>
          `${line.line}  ${line.quantity} ${line.unit} of ${line.sku} at ${line.price}: ${quantities(line)}`,
      ),
    ),
    ...section(
      'Documents',
      documents.flatMap(({ id, kind, state, location, amount, references, parcels = [], asked = [] }) => [
        `${id.padEnd(12)} ${kind}${location ? ` at ${location}` : ''}, ${state}${amount ? `, ${amount}` : ''}  ${dim(references.map(({ scheme, value }) => `${scheme} ${value}`).join(', '))}`,
        ...parcels.map((parcel) => `${''.padEnd(12)} ${parcelLine(parcel)}`),
        ...asked.map((parcel) => `${''.padEnd(12)} ${askedLine(parcel)}`),
      ]),
    ),
    ...section(
      'What happened',
      entries.map(
        ({ at, document, title, source }) =>
          `${dim(at.slice(0, 23).replace('T', ' '))}  ${document.padEnd(12)} ${title}  ${dim(source)}`,
      ),
    ),
    ...section(
      'Holds',
      story.holds.map(
        ({ id, type, reason, blocks }) => `${id} ${type}: ${reason} (blocks ${blocks.join(', ')})`,
      ),
    ),
    ...section(
      'Exceptions',
      story.exceptions.map(
        ({ document, title, owner, dueAt, suggestedAction }) =>
          `${document} ${title}; ${owner}, due ${dueAt.slice(0, 16)}. ${suggestedAction}`,
      ),
    ),
    ...section(
      'Waiting for other systems',
      story.openCalls.map(
        ({ document, operation, system, state, attempts }) =>
          `${document} ${operation} at ${system}: ${state}, ${attempts} attempts`,
      ),
    ),
  ].join('\n')
}

const parcelLine = ({ tracking, milestone, code, at, place, signedBy }: StoryParcel): string =>
  `parcel ${tracking}, ${milestone} (${code}) at ${minute(new Date(at))}${place ? `, ${place}` : ''}${signedBy ? `, signed for by ${signedBy}` : ''}`

/** What came of asking for a parcel of which nothing was heard. */
export const askedLine = ({ tracking, at, answer, unansweredSince }: AskedParcel): string =>
  `parcel ${tracking}, its carrier was last asked at ${minute(new Date(at))}: ${ASKING_WORDS[answer]}${unansweredSince ? ` since ${minute(new Date(unansweredSince))}` : ''}`

type AskedParcel = NonNullable<Story['documents'][number]['asked']>[number]
type StoryParcel = NonNullable<Story['documents'][number]['parcels']>[number]

const BUCKETS = [
  'shipped',
  'packed',
  'picked',
  'released',
  'reserved',
  'backordered',
  'open',
  'cancelled',
] as const

/** Where the line's quantity stands, in base units. */
const quantities = (line: Story['lines'][number]): string =>
  line.rejection ??
  BUCKETS.flatMap((bucket) =>
    line[bucket] === '0' ? [] : [`${line[bucket]} ${line.baseUnit} ${bucket}`],
  ).join(', ')
