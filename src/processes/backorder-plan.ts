/** Plans a backorder run: who wants and keeps what, by class and rank, and what that would change. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { findCustomers } from '#domains/customers/operations.ts'
import type { BackorderRules, CarefulRun, DemandClass } from '#domains/inventory/contract/backorder-runs.ts'
import {
  claimsOfItems,
  type Demand,
  type NewMove,
  shifted,
  shiftsOf,
} from '#domains/inventory/operations/backorder-runs.ts'
import {
  datesFor,
  type PromisedLine,
  queuesOf,
  stockFor,
  waitedItems,
} from '#domains/inventory/operations/promises.ts'
import type { ChannelStock } from '#domains/inventory/operations.ts'
import type { ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { headersOf, linesOf, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import { type ComingSupply, supplyFor } from '#domains/supply/views.ts'
import type { Care, CareNow } from './care.ts'
import { withheldFrom } from './backorder-withheld.ts'
import { wholePart } from './ordered-unit.ts'
import type { CompanyRules } from './ports.ts'
import { readLives } from './shelf-life.ts'

export type RunAsked = {
  readonly items?: readonly string[] | undefined
  readonly locations?: readonly string[] | undefined
  readonly rules: BackorderRules
}

/** What of a company a run depends on. */
export type Selling = Pick<CompanyRules, 'code' | 'locations' | 'timeZone'>

const LINES_MAX = 20_000
const ITEMS_PAGE = 500

/** A line that takes part, with its place among the others. */
type Ranked = {
  readonly order: OrderHeader
  readonly line: OrderLine
  readonly class: DemandClass
  readonly kept: ReadonlyMap<string, Quantity>
  readonly queued: PromisedLine | undefined
}

export type PlanPorts = {
  readonly company: Selling
  readonly clock: Pick<Clock, 'now'>
  readonly care: Pick<Care, 'now'>
}

export type Plan = { readonly moves: readonly NewMove[]; readonly careful: readonly CarefulRun[] }

/** What the run would move, item by item, and whose silence it allows for. */
export async function planMoves(
  queries: Queries,
  { company, clock, care: memory }: PlanPorts,
  asked: RunAsked,
): Promise<Plan> {
  const locations = placesOf(company, asked)
  const items = await itemsOf(queries, company, asked)
  const [queues, claims, stock, supply, care] = await Promise.all([
    queuesOf(queries, items),
    claimsOfItems(queries, items),
    stockFor(queries, items, company.locations),
    supplyFor(queries, items),
    memory.now(queries, items),
  ])
  const waiting = queues.filter((row) => row.company === company.code)
  if (waiting.length + claims.length > LINES_MAX) {
    const message = `${waiting.length + claims.length} lines wait for or keep these items`
    throw new Refusal('inventory.backorder_run_too_large', message, {}, '/items')
  }
  const [ranked, lives] = await Promise.all([
    rank(queries, company, { waiting, claims, asked }),
    livesAmong(queries, { company, clock }, [...waiting, ...claims]),
  ])
  const stockOf = (itemId: number): ChannelStock => {
    const there = stock.of([itemId])
    if (lives) there.countLives(lives.of(itemId, company.locations))
    return there
  }
  const today = localDate(clock.now(), company.timeZone)
  const moves = items.flatMap((itemId) => {
    const mine = ranked.filter(({ line }) => line.itemId === itemId)
    if (!mine.some(({ queued }) => queued)) return []
    const there = stockOf(itemId)
    if (care) there.beCareful(care.figure)
    const planned = movesOf(mine, { itemId, stock: there, locations })
    const dated = {
      itemId,
      today,
      queue: waiting.filter((row) => row.itemId === itemId),
      stock: stockOf(itemId),
      supply: supply.filter((one) => one.itemId === itemId),
    }
    const silent = care?.withholdersOf(itemId, locations) ?? []
    const ifHeard = silent.length > 0 ? movesOf(mine, { itemId, stock: stockOf(itemId), locations }) : planned
    return [...withDates(planned, dated, company), ...withheldFrom(planned, ifHeard, { silent, locations })]
  })
  const skus = new Map(ranked.map(({ line }) => [line.itemId, line.sku]))
  return { moves, careful: care ? carefulOf(care, locations, skus) : [] }
}

/** What lives how long of items of which somebody wants to know; undefined where nobody does. */
async function livesAmong(
  queries: Queries,
  { company, clock }: Pick<PlanPorts, 'company' | 'clock'>,
  lines: readonly Pick<PromisedLine, 'itemId' | 'minimumShelfLifeDays'>[],
): Promise<ShelfLives | undefined> {
  const wanted = lines.flatMap((line) => (line.minimumShelfLifeDays === null ? [] : [line.itemId]))
  if (wanted.length === 0) return undefined
  return readLives(queries, { clock, company: () => company }, [...new Set(wanted)], company.locations)
}

const carefulOf = (
  care: CareNow,
  locations: readonly string[],
  skus: ReadonlyMap<number, string>,
): CarefulRun[] =>
  care.silentAt(locations).map(({ source, flow, rule, since, locations: places }) => ({
    source,
    flow,
    rule: rule.kind,
    since: since.toISOString(),
    locations: places.filter((place) => locations.includes(place)),
    items: [...skus].flatMap(([id, sku]) =>
      care.withholdersOf(id, locations).some((one) => one.source === source && one.flow === flow)
        ? [sku]
        : [],
    ),
  }))

function placesOf({ code, locations }: Selling, { locations: asked }: RunAsked): readonly string[] {
  const unknown = asked?.findIndex((location) => !locations.includes(location)) ?? -1
  if (unknown >= 0) {
    const message = `${code} does not sell from ${asked![unknown]!}; it sells from ${locations.join(', ')}`
    throw new Refusal('inventory.location_unknown', message, {}, `/locations/${unknown}`)
  }
  return asked ? locations.filter((location) => asked.includes(location)) : locations
}

async function itemsOf(queries: Queries, { code: company }: Selling, { items }: RunAsked): Promise<number[]> {
  if (!items) {
    const all: number[] = []
    for (let page = [0]; page.length > 0; all.push(...page))
      page = await waitedItems(queries, all.at(-1) ?? 0, ITEMS_PAGE)
    return all
  }
  const found = await findItems(
    queries,
    items.map((sku) => ({ company, sku })),
  )
  return items.map((sku, at) => {
    const item = found.get(itemKey(company, sku))
    if (item) return item.id
    throw new Refusal('inventory.item_unknown', `${company} has no item ${sku}`, {}, `/items/${at}`)
  })
}

type Known = {
  readonly waiting: readonly PromisedLine[]
  readonly claims: Awaited<ReturnType<typeof claimsOfItems>>
  readonly asked: RunAsked
}

/**
 * All that take part, in the order of their segments and inside each as it says. Orders that are taken back do not, nor
 * lines that moved while queue, claims and orders were read one after the other: what they have would be taken for less.
 */
async function rank(
  queries: Queries,
  { code }: Selling,
  { waiting, claims, asked }: Known,
): Promise<Ranked[]> {
  const own = claims.filter((claim) => claim.company === code)
  const docs = [...new Set([...waiting, ...own].map(({ doc }) => doc))]
  const [headers, lines] = await Promise.all([
    headersOf(queries, docs),
    docs.length > 0 ? linesOf(queries, docs) : [],
  ])
  const orders = new Map(headers.map((header) => [header.doc, header]))
  const customers = await findCustomers(
    queries,
    headers.map(({ company, customer: number }) => ({ company, number })),
  )
  const keptBy = Map.groupBy(own, ({ doc, line }) => `${doc} ${line}`)
  const queuedBy = new Map(waiting.map((row) => [`${row.doc} ${row.line}`, row]))
  const items = new Set([...waiting, ...own].map(({ itemId }) => itemId))
  const placed = lines.flatMap((line) => {
    const order = orders.get(line.doc)!
    const key = `${line.doc} ${line.n}`
    const [kept, queued] = [keptBy.get(key), queuedBy.get(key)]
    if (!items.has(line.itemId) || (!kept && !queued) || order.closed || order.cancelRequested) return []
    if (line.backordered !== (queued?.quantity ?? 0) || line.reserved !== sumOf(kept ?? [])) return []
    const group = customers.get(customerKey(order.company, order.customer))?.priceList
    const at = asked.rules.segments.findIndex(({ when }) => fits(when, order, { line, group }))
    const segment = asked.rules.segments[at]
    const places = new Map((kept ?? []).map(({ location, quantity }) => [location, quantity]))
    const ranked = { order, line, queued, kept: places, class: segment?.class ?? asked.rules.otherwise }
    return [{ ranked, at: at < 0 ? asked.rules.segments.length : at, sortBy: segment?.sortBy ?? [] }]
  })
  return placed
    .toSorted((a, b) => a.at - b.at || compared(a.ranked, b.ranked, a.sortBy))
    .map(({ ranked }) => ranked)
}

const sumOf = (some: readonly { readonly quantity: Quantity }[]): Quantity =>
  some.reduce((sum, { quantity }) => sum + quantity, 0)

type Segment = BackorderRules['segments'][number]

function fits(
  when: Segment['when'],
  order: OrderHeader,
  { line, group }: { readonly line: OrderLine; readonly group: string | undefined },
): boolean {
  const wanted = line.requestedDate ?? order.requestedDate
  const named = (all: readonly string[] | undefined, one: string | undefined): boolean =>
    all === undefined || (one !== undefined && all.includes(one))
  return (
    named(when.customers, order.customer) &&
    named(when.customerGroups, group) &&
    named(when.channels, order.channel) &&
    named(when.shippingRules, order.shippingRule) &&
    (when.requestedUntil === undefined || (wanted !== null && wanted <= when.requestedUntil))
  )
}

const SORTS: Readonly<Record<Segment['sortBy'][number], (one: Ranked) => number | string>> = {
  'requested-date': ({ order, line }) => line.requestedDate ?? order.requestedDate ?? '9999',
  value: ({ line }) => -line.netMinor,
  'waiting-since': ({ queued }) => queued?.since.getTime() ?? Number.MAX_SAFE_INTEGER,
  order: ({ order }) => order.doc,
}

function compared(a: Ranked, b: Ranked, sortBy: Segment['sortBy']): number {
  for (const name of sortBy) {
    const [one, other] = [SORTS[name](a), SORTS[name](b)]
    if (one !== other) return one < other ? -1 : 1
  }
  return a.order.doc - b.order.doc || a.line.n - b.line.n
}

type Shared = {
  readonly itemId: number
  readonly stock: ChannelStock
  readonly locations: readonly string[]
}

function movesOf(ranked: readonly Ranked[], shared: Shared): Move[] {
  const demands = ranked.map(({ order, line, queued, ...one }) => ({
    ...one,
    doc: order.doc,
    line: line.n,
    channel: order.channel,
    waiting: queued?.quantity ?? 0,
    part: wholePart(line),
    whole: order.shippingRule === 'line-complete',
    minimumShelfLifeDays: line.minimumShelfLifeDays,
  }))
  const of = new Map<Demand, Ranked>(demands.map((demand, at) => [demand, ranked[at]!]))
  return shiftsOf({ demands, ...shared }).map(({ demand, location, quantity }) => {
    const { line } = of.get(demand)!
    const { doc, n, itemId, sku, reserved, backordered } = line
    const dates = { expectedBefore: null, expectedAfter: null, withheld: null }
    return {
      itemId,
      sku,
      doc,
      line: n,
      channel: demand.channel,
      minimumShelfLifeDays: demand.minimumShelfLifeDays,
      class: demand.class,
      location,
      quantity,
      reserved,
      backordered,
      ...dates,
    }
  })
}

type Dated = {
  readonly itemId: number
  readonly today: string
  readonly queue: readonly PromisedLine[]
  readonly stock: ChannelStock
  readonly supply: readonly ComingSupply[]
}

type Move = NewMove & Pick<Demand, 'channel' | 'minimumShelfLifeDays'>

type Queued = Pick<PromisedLine, 'channel' | 'quantity' | 'minimumShelfLifeDays'>

/** When each line has all it wants, before and after: who loses waits behind all others. */
function withDates(
  moves: readonly Move[],
  { itemId, today, queue, stock, supply }: Dated,
  { locations }: Selling,
): Move[] {
  const coming = supply.flatMap(({ location, expectedOn, quantity }) =>
    expectedOn === null ? [] : [{ on: expectedOn, location, quantity }],
  )
  const lines = new Map<string, Queued>(queue.map((row) => [lineKey(row), row]))
  const datesThen = (there: ChannelStock) => {
    const waiting = [...lines].filter(([, { quantity }]) => quantity > 0)
    const asked = { itemId, queue: waiting.map(([, line]) => line), stock: there, coming, locations, today }
    const dates = datesFor(asked)
    const of = new Map(waiting.map(([key], at) => [key, dates[at]!]))
    return (move: Move): string | null => (of.has(lineKey(move)) ? of.get(lineKey(move))! : today)
  }
  const expectedBefore = datesThen(stock)
  const then = stock.copy()
  shifted(then, itemId, moves)
  for (const move of moves) {
    const before = lines.get(lineKey(move)) ?? { ...move, quantity: 0 }
    lines.set(lineKey(move), { ...before, quantity: before.quantity - move.quantity })
  }
  const expectedAfter = datesThen(then)
  return moves.map((move) => ({
    ...move,
    expectedBefore: expectedBefore(move),
    expectedAfter: expectedAfter(move),
  }))
}

const lineKey = ({ doc, line }: { readonly doc: number; readonly line: number }): string => `${doc} ${line}`
