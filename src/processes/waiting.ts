/** Who waits for stock, by item and queue: what it is worth, since when it waits, and when supply reaches it. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { WaitingItem, WaitingQueue } from '#domains/inventory/contract/waiting.ts'
import { type PromisedLine, queuesOf, waitedItems } from '#domains/inventory/operations/promises.ts'
import { headersOf, linesOf, type OrderLine } from '#domains/orders/views.ts'

type Asked = {
  readonly company: string
  readonly queue?: WaitingQueue | undefined
  readonly after: number
  readonly items: number
}

type Row = PromisedLine & { readonly orderLine: OrderLine; readonly currency: string }

/** A page of items behind one; `last` where there may be more. */
export async function waitingOf(
  queries: Queries,
  clock: Clock,
  { company, queue, after, items: limit }: Asked,
): Promise<{ items: WaitingItem[]; last: number | undefined }> {
  const items = await waitedItems(queries, after, limit)
  const lines = (await queuesOf(queries, items)).filter((line) => line.company === company)
  const rows = await ordered(queries, lines)
  const groups = [...Map.groupBy(rows, (row) => `${row.itemId} ${queueOf(row)}`).values()]
  const told = groups
    .filter(([first]) => queue === undefined || queueOf(first!) === queue)
    .map((group) => tellGroup(group, clock.now()))
  return { items: told, last: items.length === limit ? items.at(-1) : undefined }
}

async function ordered(queries: Queries, lines: readonly PromisedLine[]): Promise<Row[]> {
  const docs = [...new Set(lines.map(({ doc }) => doc))]
  if (docs.length === 0) return []
  const [headers, orderLines] = await Promise.all([headersOf(queries, docs), linesOf(queries, docs)])
  const currencies = new Map(headers.map(({ doc, currency }) => [doc, currency]))
  const lineOf = new Map(orderLines.map((line) => [`${line.doc} ${line.n}`, line]))
  return lines.flatMap((row) => {
    const line = lineOf.get(`${row.doc} ${row.line}`)
    return line ? [{ ...row, orderLine: line, currency: currencies.get(row.doc)! }] : []
  })
}

function queueOf({ promisedAt, promisedOn }: PromisedLine): WaitingQueue {
  if (promisedAt === null) return 'new'
  return promisedOn === null ? 'unfillable' : 'promised'
}

function tellGroup(rows: readonly Row[], now: Date): WaitingItem {
  const [first] = rows
  const since = rows.reduce((oldest, row) => (row.since < oldest ? row.since : oldest), first!.since)
  const days = rows.flatMap(({ promisedOn }) => promisedOn ?? []).toSorted()
  const worth = Map.groupBy(rows, ({ currency }) => currency)
  return {
    company: first!.company,
    sku: first!.orderLine.sku,
    queue: queueOf(first!),
    lines: rows.length,
    orders: new Set(rows.map(({ doc }) => doc)).size,
    quantity: formatQuantity(rows.reduce((sum, { quantity }) => sum + quantity, 0)),
    unit: first!.orderLine.baseUnit,
    value: [...worth].map(([currency, some]) => ({
      amount: formatAmount(
        some.reduce((sum, row) => sum + worthOf(row), 0),
        currency,
      ),
      currency,
    })),
    since: since.toISOString(),
    ageSeconds: Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1_000)),
    ...(days.length > 0 && { promisedFrom: days[0], promisedTo: days.at(-1) }),
    slipped: rows.filter(({ slippedFrom }) => slippedFrom !== null).length,
    shelfLife: rows.filter(({ minimumShelfLifeDays }) => minimumShelfLifeDays !== null).length,
  }
}

const worthOf = ({ quantity, orderLine: { netMinor, ordered: all } }: Row): number =>
  Math.floor((netMinor * quantity) / all)
