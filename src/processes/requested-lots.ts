/** Which lots a request to a warehouse is for: of items that have lots, what expires first goes first. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { firstLots, lockLotsOf, type LotToName } from '#domains/inventory/operations/lots.ts'
import { lifeClaims } from '#domains/inventory/operations/shelf-life.ts'
import { controlledItems } from '#domains/items/operations.ts'
import type {
  LotPart,
  NewFulfillment,
  NewFulfillmentLine,
  OtherLot,
  RequestedLot,
  ShipmentLine,
} from '#domains/shipments/contract.ts'
import { changeRequestedLots, requestedOfLots, stillRequested } from '#domains/shipments/operations/lots.ts'
import type { OrderLine } from '#domains/orders/views.ts'
import type { OrderFacts } from './order-facts.ts'
import type { ProcessPorts } from './ports.ts'
import { expiringFrom } from './shelf-life.ts'
import { type Books, leftOf, lineKey } from './warehouse-books.ts'

/** Those of what these orders are to be sent that have lots. */
export async function itemsWithLots(
  tx: Transaction,
  works: readonly { readonly facts: Pick<OrderFacts, 'lines'> }[],
): Promise<ReadonlyMap<number, string>> {
  const items = works.flatMap(({ facts }) =>
    facts.lines.flatMap(({ itemId, reserved }) => (reserved > 0 ? [itemId] : [])),
  )
  const controlled = await controlledItems(tx, [...new Set(items)])
  return new Map([...controlled.values()].filter(({ lots }) => lots).map(({ id, sku }) => [id, sku]))
}

type NewLine = NewFulfillmentLine & Pick<OrderLine, 'minimumShelfLifeDays'>
type NewRequest = Omit<NewFulfillment, 'lines'> & { readonly lines: readonly NewLine[] }

/**
 * Names what nobody else's request is for; where less is known by lot than is wanted, the rest may come from any. What
 * lives long is left to lines that want it, also to those of other orders that are not asked for yet.
 */
export async function nameLots(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'clock' | 'company'>,
  requests: readonly NewRequest[],
  lotted: ReadonlyMap<number, string>,
): Promise<readonly NewFulfillment[]> {
  if (lotted.size === 0) return requests
  const places = requests.flatMap(({ location, lines }) =>
    lines.flatMap(({ itemId }) => (lotted.has(itemId) ? [{ itemId, location }] : [])),
  )
  const items = [...lotted.keys()]
  const locations = [...new Set(places.map(({ location }) => location))]
  const [lots, taken, claims] = await Promise.all([
    lockLotsOf(tx, places),
    // sent behind the lock, so that what others have named meanwhile is seen
    requestedOfLots(tx, items, locations),
    lifeClaims(tx, items, locations),
  ])
  const left = leftOfLots(lots, taken)
  const todayOf = (company: string) => localDate(ports.clock.now(), ports.company(company).timeZone)
  const wanted = requests.flatMap((request) =>
    request.lines.flatMap((line): Wanted[] => {
      if (!lotted.has(line.itemId)) return []
      const { minimumShelfLifeDays: days, itemId, quantity } = line
      return [{ line, days, itemId, quantity, location: request.location, today: todayOf(request.company) }]
    }),
  )
  const named = nameAll(left, [...wanted, ...othersOf(requests, claims, wanted)])
  return requests.map((request) => ({
    ...request,
    lines: request.lines.map((line) => ({ ...line, ...named.get(line) })),
  }))
}

type Wanted = {
  /** Absent of what another order keeps. */
  readonly line?: NewLine | undefined
  /** Null where any lot will do. */
  readonly days: number | null
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
  readonly today: string
}

/** Who can use the fewest lots comes first; who can use any takes what expires first of what they leave. */
function nameAll(
  left: ReturnType<typeof leftOfLots>,
  wanted: readonly Wanted[],
): ReadonlyMap<NewLine, Pick<NewFulfillmentLine, 'lots' | 'minimumExpiry'>> {
  const named = new Map<NewLine, Pick<NewFulfillmentLine, 'lots' | 'minimumExpiry'>>()
  for (const { line, days, itemId, location, quantity, today } of wanted.toSorted(longestFirst)) {
    const here = left(itemId, location)
    const minimumExpiry = days === null ? undefined : expiringFrom(today, days)
    const good = minimumExpiry === undefined ? here : here.filter(({ expiresOn }) => expiresOn !== null)
    const lots = take(good, quantity, minimumExpiry ?? today)
    if (line) named.set(line, { lots, minimumExpiry })
  }
  return named
}

const longestFirst = (a: Wanted, b: Wanted): number => (b.days ?? -1) - (a.days ?? -1)

/** What orders that are not among these keep of lots that live long. */
function othersOf(
  requests: readonly NewRequest[],
  claims: Awaited<ReturnType<typeof lifeClaims>>,
  wanted: readonly Wanted[],
): Wanted[] {
  const own = new Set(
    requests.flatMap(({ orderId, location, lines }) =>
      lines.map(({ line }) => `${orderId} ${line} ${location}`),
    ),
  )
  const todayOf = new Map(wanted.map(({ itemId, today }) => [itemId, today]))
  return claims.flatMap(({ doc, line, ...claim }) => {
    const today = todayOf.get(claim.itemId)
    return today === undefined || own.has(`${doc} ${line} ${claim.location}`) ? [] : [{ ...claim, today }]
  })
}

type LotLeft = LotToName & { left: Quantity }

function leftOfLots(lots: readonly LotToName[], taken: Awaited<ReturnType<typeof requestedOfLots>>) {
  const named = new Map(taken.map((row) => [`${row.itemId} ${row.location} ${row.lot}`, row.quantity]))
  const rows = lots.map((row): LotLeft => {
    const others = named.get(`${row.itemId} ${row.location} ${row.lot}`) ?? 0
    return { ...row, left: Math.max(0, row.available - others) }
  })
  const of = Map.groupBy(rows, ({ itemId, location }) => `${itemId} ${location}`)
  return (itemId: number, location: string): LotLeft[] => of.get(`${itemId} ${location}`) ?? []
}

/** Counts down what is left of the lots. */
function take(lots: readonly LotLeft[], quantity: Quantity, today: string): LotPart[] {
  const taken = firstLots(
    lots.map((row) => ({ ...row, available: row.left, row })),
    quantity,
    today,
  )
  const parts = [...taken].flatMap(([{ row, lot }, part]): LotPart[] => {
    row.left -= part
    return part > 0 ? [{ lot, quantity: part }] : []
  })
  const open = parts.reduce((rest, part) => rest - part.quantity, quantity)
  return open > 0 ? [...parts, { lot: '', quantity: open }] : parts
}

/** Nothing where the warehouse says no lot, or was asked for none. */
export function otherThanRequested(
  books: Books,
  request: number,
  lines: readonly ShipmentLine[],
): OtherLot[] {
  return [...Map.groupBy(lines, ({ line }) => line)].flatMap(([line, own]) => {
    const asked = books.lots.get(lineKey(request, line)) ?? []
    const names = asked.flatMap(({ lot }) => (lot === '' ? [] : [lot]))
    if (names.length === 0) return []
    const open = new Map(asked.map(({ lot, quantity }) => [lot, quantity]))
    const beyond = (lot: string, quantity: Quantity): Quantity => {
      const mine = Math.min(quantity, open.get(lot) ?? 0)
      open.set(lot, (open.get(lot) ?? 0) - mine)
      return quantity - mine
    }
    return own.flatMap(({ lot, itemId, quantity }): OtherLot[] => {
      const rest = lot === null ? 0 : beyond('', beyond(lot, quantity))
      return rest > 0 ? [{ line, itemId, lot: lot!, quantity: rest, asked: names }] : []
    })
  })
}

/** What requests are still for once the warehouse has told of them. */
export function settleRequestedLots(tx: Transaction, books: Books): void {
  const changed: { readonly doc: number; readonly line: number }[] = []
  const left: RequestedLot[] = []
  for (const lots of books.lots.values()) {
    const { doc, line } = lots[0]!
    const open = leftOf(books, doc, line)
    if (open === lots.reduce((sum, { quantity }) => sum + quantity, 0)) continue
    changed.push({ doc, line })
    left.push(...stillRequested(lots, open))
  }
  if (changed.length > 0) changeRequestedLots(tx, changed, left)
}
