/** What each waiting line can expect and when, kept as supply moves; who was promised an earlier day is told. */
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence, type OpenExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { Runner } from '#platform/runner.ts'
import { localDate } from '#platform/time-zone.ts'
import {
  afterMove,
  datesFor,
  endAvoiding,
  type NewPromise,
  promise,
  type PromisedLine,
  queuesOf,
  stockFor,
  waitedItems,
} from '#domains/inventory/operations/promises.ts'
import type { ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import { changeHeaders } from '#domains/orders/operations.ts'
import { headersOf, linesOf, lockHeaders, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import { supplyFor } from '#domains/supply/views.ts'
import { wakeOrder } from './order-work.ts'
import { readLives } from './shelf-life.ts'

export type PromiseWatch = {
  readonly database: Database
  readonly runner: () => Runner
  readonly clock: Clock
  readonly companies: readonly {
    readonly code: string
    readonly timeZone: string
    readonly locations: readonly string[]
  }[]
  readonly openExceptions: OpenExceptions
}

export const SLIPPED = 'orders.promise_slipped'
const ITEMS = 200
const ORDERS = 100
const CAUSE = { source: 'promises', actor: 'promises' }

/** One look at all who wait. It remembers nothing: a look that was broken off is made good by the next. */
export async function watchPromises(watch: PromiseWatch): Promise<void> {
  const slipped = new Set<string>()
  let after = 0
  for (;;) {
    const items = await waitedItems(watch.database, after, ITEMS)
    if (items.length === 0) break
    after = items.at(-1)!
    const changes = await changesOf(watch, items, slipped)
    for (const portion of portionsOf(changes)) await keep(watch, portion)
  }
  await closeKept(watch, slipped)
  await lookAgain(watch)
}

type Change = { readonly before: PromisedLine; readonly promised: NewPromise; readonly slips: boolean }

/** Whose promise is for another day now. */
async function changesOf(
  watch: PromiseWatch,
  items: readonly number[],
  slipped: Set<string>,
): Promise<Change[]> {
  const { database, clock, companies } = watch
  const locations = [...new Set(companies.flatMap((company) => company.locations))]
  const [queues, stock, supply] = await Promise.all([
    queuesOf(database, items),
    stockFor(database, items, locations),
    supplyFor(database, items),
  ])
  const lives = await livesFor(watch, queues, locations)
  const now = clock.now()
  return [...Map.groupBy(queues, ({ itemId }) => itemId)].flatMap(([itemId, lines]) => {
    const company = companies.find(({ code }) => code === lines[0]!.company)
    if (!company) return []
    const there = stock.of([itemId])
    if (lives) there.countLives(lives.of(itemId, company.locations))
    const dates = datesFor({
      itemId,
      queue: lines,
      stock: there,
      coming: supply.flatMap(({ itemId: of, location, expectedOn, quantity }) =>
        of === itemId && expectedOn !== null ? [{ on: expectedOn, location, quantity }] : [],
      ),
      locations: company.locations,
      today: localDate(now, company.timeZone),
    })
    return lines.flatMap((line, at) => {
      const { slips, ...next } = afterMove(line, dates[at]!)
      if (next.slippedFrom !== null) slipped.add(keyOf({ company: company.code, cause: causeOf(itemId) }))
      const isSame =
        line.promisedAt !== null &&
        line.promisedOn === next.promisedOn &&
        line.slippedFrom === next.slippedFrom
      const { doc, line: n, quantity } = line
      return isSame ? [] : [{ before: line, promised: { itemId, doc, line: n, quantity, ...next }, slips }]
    })
  })
}

/** Undefined where nobody waits for what lives long. */
async function livesFor(
  { database, clock, companies }: PromiseWatch,
  queues: readonly PromisedLine[],
  locations: readonly string[],
): Promise<ShelfLives | undefined> {
  const wanted = queues.flatMap((line) => (line.minimumShelfLifeDays === null ? [] : [line.itemId]))
  if (wanted.length === 0) return undefined
  const company = (of: string) => companies.find(({ code }) => code === of)!
  return readLives(database, { clock, company }, [...new Set(wanted)], locations)
}

/** All changes of an order are one event, so they stay together. */
function* portionsOf(changes: readonly Change[]): Generator<Change[]> {
  const orders = [...Map.groupBy(changes, ({ before }) => before.doc)].toSorted(([a], [b]) => a - b)
  for (let from = 0; from < orders.length; from += ORDERS)
    yield orders.slice(from, from + ORDERS).flatMap(([, own]) => own)
}

/** Keeps promises with the events of their orders; of what slipped a person and the channel are told. */
async function keep({ runner, openExceptions }: PromiseWatch, changes: readonly Change[]): Promise<void> {
  await runner().transaction(CAUSE, async (tx, turn) => {
    const docs = [...new Set(changes.map(({ before }) => before.doc))]
    tx.locking('document', docs)
    const [headers, lines] = await Promise.all([lockHeaders(tx, docs), linesOf(tx, docs)])
    const kept = await promise(
      tx,
      changes.map(({ promised }) => promised),
    )
    const still = new Set(kept.map(({ doc, line }) => `${doc} ${line}`))
    const made = changes.filter(({ before: { doc, line } }) => still.has(`${doc} ${line}`))
    const of = Map.groupBy(made, ({ before }) => before.doc)
    const orders = headers.filter(({ doc }) => of.has(doc))
    const slipping = orders.filter(({ doc }) => of.get(doc)!.some(({ slips }) => slips))
    const rest = orders.filter((order) => !slipping.includes(order))
    await tell(tx, rest, of, 'touched')
    await tell(tx, slipping, of, 'promise slipped')
    await openExceptions(tx, occurrencesOf(made, headers, lines))
    turn.wakeAfterwards(slipping.map(wakeOrder))
  })
}

async function tell(
  tx: Transaction,
  orders: readonly OrderHeader[],
  of: ReadonlyMap<number, readonly Change[]>,
  change: 'touched' | 'promise slipped',
): Promise<void> {
  const told = orders.map((order) => ({
    ...order,
    data: {
      promises: of.get(order.doc)!.map(({ before, promised }) => ({
        line: before.line,
        from: before.promisedOn,
        on: promised.promisedOn,
      })),
    },
  }))
  const type = change === 'touched' ? 'order.promised' : 'order.promise_slipped'
  await changeHeaders(tx, told, { change, type }, CAUSE)
}

const causeOf = (itemId: number): string => `${SLIPPED}:${itemId}`
const keyOf = ({ company, cause }: { readonly company: string; readonly cause: string }): string =>
  `${company}\0${cause}`

function occurrencesOf(
  changes: readonly Change[],
  headers: readonly OrderHeader[],
  lines: readonly OrderLine[],
): Occurrence[] {
  const headerOf = new Map(headers.map((header) => [header.doc, header]))
  return changes.flatMap(({ before: { doc, line: n, itemId, promisedOn }, promised, slips }) => {
    const line = lines.find((one) => one.doc === doc && one.n === n)
    if (!slips || !line) return []
    const { company, currency } = headerOf.get(doc)!
    const amountMinor = Math.floor((line.netMinor * line.backordered) / line.ordered)
    return [
      {
        company,
        code: SLIPPED,
        cause: causeOf(itemId),
        title: `${line.sku} comes later than those who wait for it were promised`,
        suggestedAction:
          'Ask the supplier for what is missing, find it elsewhere, or tell the customers; their channels are told of the new day.',
        facts: { sku: line.sku, promisedOn, expectedOn: promised.promisedOn },
        affects: { doc, kind: 'order', value: { amountMinor, currency } },
      },
    ]
  })
}

/** Closes what is slipped no more: filled, cancelled, or on its first day again. */
async function closeKept({ database, companies }: PromiseWatch, slipped: ReadonlySet<string>): Promise<void> {
  const open = await openCausesOf(
    database,
    companies.map(({ code }) => code),
    [SLIPPED],
  )
  const gone = open.filter((one) => !slipped.has(keyOf(one)))
  if (gone.length > 0)
    await database.transaction((tx) =>
      closeExceptions(tx, gone, 'what was promised can be kept, or waits no more'),
    )
}

/** Where a pick found too little something was told since: who waits for it may be sent there again. */
async function lookAgain({ runner }: PromiseWatch): Promise<void> {
  await runner().transaction(CAUSE, async (tx, turn) => {
    const orders = await headersOf(tx, await endAvoiding(tx))
    turn.wakeAfterwards(orders.filter(({ closed }) => !closed).map(wakeOrder))
  })
}
