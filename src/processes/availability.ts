/** Answers what can be promised: items in any of their units, at places by name or group, with its arithmetic when asked. */
import { Refusal } from '#platform/faults.ts'
import { localDate } from '#platform/time-zone.ts'
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import { customerKey } from '#domains/customers/contract.ts'
import type { findCustomers } from '#domains/customers/operations.ts'
import {
  type AvailabilityAnswer,
  type AvailabilityQuestion,
  ITEMS_MAX,
} from '#domains/inventory/contract/availability.ts'
import type { Careful } from '#domains/inventory/contract/freshness.ts'
import type { ShelfLives } from '#domains/inventory/operations/shelf-life.ts'
import type { reservedByOthers } from '#domains/inventory/views/availability.ts'
import { confidenceIn, FORMULA, type Promisable } from '#domains/inventory/views/promising.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { resolveLines } from '#domains/items/operations.ts'
import { placesOf, type SellingPlaces } from './places.ts'
import { FIELDS, refusedOr } from './reservation-request.ts'
import type { Day, Days } from './stock-ahead.ts'
import type { StockReader } from './stock-in-memory.ts'

type Item = {
  readonly item: SellingItem
  readonly asked: { readonly quantity: string; readonly unit: string; readonly base: Quantity } | undefined
}

/** By whose clock its days begin. */
export type SellingCompany = SellingPlaces & { readonly timeZone: string }

export type AvailabilitySources = {
  readonly clock: { readonly now: () => Date }
  readonly findCompany: (code: string) => SellingCompany
  /** For who only wants to know how much there is. */
  readonly stock: StockReader
  /** For who wants it explained: the same, together with what channels have reserved of it. */
  readonly explained: StockReader
  readonly reserved: (items: readonly number[]) => ReturnType<typeof reservedByOthers>
  readonly customers: (keys: readonly CustomerKey[]) => ReturnType<typeof findCustomers>
  /** What lives how long and is left for who comes new. */
  readonly lives: (items: readonly number[], locations: readonly string[]) => Promise<ShelfLives>
}

type CustomerKey = { readonly company: string; readonly number: string }

export async function answerAvailability(
  sources: AvailabilitySources,
  question: AvailabilityQuestion,
): Promise<AvailabilityAnswer> {
  const { channel, explain, items: asked, maxAgeMs } = question
  const company = sources.findCompany(question.company)
  const places = placesOf(company, question)
  if (places.length === 0) {
    throw new Refusal('inventory.location_unknown', `${company.code} sells from no location`, {}, '/company')
  }
  assertFew(asked)
  const days = daysOf(question, localDate(sources.clock.now(), company.timeZone))
  const life = await lifeWantedBy(sources, question)
  // what lives how long is known by the database, which then says the rest as well
  const read = explain || life !== null ? sources.explained : sources.stock
  const skus = asked.map(({ sku }) => sku)
  const { locations } = company
  const reading = await read({ company: company.code, skus, days, locations, channel, maxAgeMs })
  const items = itemsOf(reading.items, question)
  const reserved = explain ? await sources.reserved(items.map(({ item }) => item.id)) : undefined
  const living = await livingAmong(sources, { life, items, locations })
  const hereOf = (rows: readonly Told[]): readonly Told[] =>
    places === locations ? rows : rows.filter(({ location }) => places.includes(location))
  const { asOf } = reading
  return {
    company: company.code,
    ...(channel === undefined ? {} : { channel }),
    ...(question.customer === undefined ? {} : { customer: question.customer }),
    ...(life === null ? {} : { minimumShelfLifeDays: life }),
    ...(question.date === undefined ? {} : { date: question.date }),
    formula: FORMULA,
    asOf: asOf.toISOString(),
    ageMs: Math.max(0, sources.clock.now().getTime() - asOf.getTime()),
    items: items.map((one) =>
      tellItem(one, {
        rows: hereOf(living(one.item, reading.rows.get(one.item.id)!)),
        ahead: reading.ahead
          .get(one.item.id)
          ?.map(({ date, rows }) => ({ date, rows: living(one.item, rows) })),
        reserved,
        asOf,
      }),
    ),
  }
}

/** What is left where a customer wants goods to live for so many days. */
type Told = Promisable & { readonly tooOld?: { readonly days: number; readonly quantity: Quantity } }

/** For how many days a customer wants goods to live; null where any lot will do. */
async function lifeWantedBy(
  { customers }: AvailabilitySources,
  { company, customer: number }: AvailabilityQuestion,
): Promise<number | null> {
  if (number === undefined) return null
  const found = (await customers([{ company, number }])).get(customerKey(company, number))
  if (found) return found.minimumShelfLifeDays
  throw new Refusal('orders.customer_unknown', `${company} has no customer ${number}`, {}, '/customer')
}

type Living = {
  readonly life: number | null
  readonly items: readonly Item[]
  readonly locations: readonly string[]
}

/** Leaves of what has lots what lives long enough; what is to come is taken to. */
async function livingAmong(
  sources: AvailabilitySources,
  { life, items, locations }: Living,
): Promise<(item: SellingItem, rows: readonly Promisable[]) => readonly Told[]> {
  const lotted = items.flatMap(({ item }) => (item.lotControlled ? [item.id] : []))
  if (life === null || lotted.length === 0) return (_, rows) => rows
  const lives = await sources.lives(lotted, locations)
  return ({ id, lotControlled }, rows) =>
    !lotControlled
      ? rows
      : rows.map((row) => {
          const available = Math.min(row.available, lives.at(id, row.location, life) + row.coming)
          return { ...row, available, tooOld: { days: life, quantity: row.available - available } }
        })
}

type Reserved = Awaited<ReturnType<typeof reservedByOthers>> | undefined

type Books = {
  readonly rows: readonly Told[]
  readonly ahead: readonly Day[] | undefined
  readonly reserved: Reserved
  readonly asOf: Date
}

function tellItem({ item, asked }: Item, books: Books): AvailabilityAnswer['items'][number] {
  const { available, places } = books.ahead || books.reserved ? tellPlaces(books) : toldBefore(books)
  return {
    sku: item.sku,
    unit: item.baseUnit,
    available: formatQuantity(available),
    ...(asked && {
      asked: { quantity: asked.quantity, unit: asked.unit, canBePromised: available >= asked.base },
    }),
    places,
  }
}

type Places = {
  readonly available: Quantity
  readonly places: AvailabilityAnswer['items'][number]['places']
}

const told = new WeakMap<readonly Told[], Places & { readonly asOfMs: number }>()

/** Rows that memory keeps are asked for again and again, and say the same until it has looked anew. */
function toldBefore(books: Books): Places {
  const before = told.get(books.rows)
  const asOfMs = books.asOf.getTime()
  if (before?.asOfMs === asOfMs) return before
  const now = { ...tellPlaces(books), asOfMs }
  told.set(books.rows, now)
  return now
}

const tellPlaces = ({ rows, ahead, reserved, asOf }: Books): Places => ({
  available: rows.reduce((sum, row) => sum + row.available, 0),
  places: rows.map((row) => ({
    location: row.location,
    available: formatQuantity(row.available),
    ageSeconds: row.toldMs === null ? 0 : Math.max(0, Math.round((asOf.getTime() - row.toldMs) / 1_000)),
    confidence: confidenceIn(row),
    ...(row.careful && { careful: row.careful }),
    ...(ahead && { dates: datesAt(row.location, ahead) }),
    ...(reserved && { explain: explainRow(row, reserved) }),
  })),
})

/** Days on which nothing changes here are left out. */
function datesAt(location: string, ahead: readonly Day[]) {
  const all = ahead.map(({ date, rows }) => ({
    date,
    available: formatQuantity(rows.find((row) => row.location === location)!.available),
  }))
  return all.filter(({ available }, at) => at === 0 || available !== all[at - 1]!.available)
}

type Explained = NonNullable<AvailabilityAnswer['items'][number]['places'][number]['explain']>

function explainRow({ tooOld, ...left }: Told, reserved: NonNullable<Reserved>): Explained {
  const row = { ...left, available: left.available + (tooOld?.quantity ?? 0) }
  const of = (kind: 'firm' | 'soft' | 'external') => reserved(kind, row.itemId, row.location)
  const [firm, soft, external] = [of('firm'), of('soft'), of('external')]
  const figures = {
    onHand: row.onHand,
    onHold: row.onHold,
    reservedByOrders: row.reserved - firm - soft - external,
    reservedFirm: firm,
    reservedSoft: soft,
    reservedExternally: external,
    unreconciled: row.unreconciled,
    safetyStock: row.safetyStock,
    keptForOthers: row.keptForOthers,
    keptForChannel: row.keptForChannel,
    coming: row.coming,
    waiting: row.waiting,
  }
  const steps = [...stepsOf(figures, row), ...stepOfLife(left, tooOld)]
  return { ...formatted(figures), steps }
}

const stepOfLife = ({ available }: Promisable, tooOld: Told['tooOld']): Explained['steps'] =>
  tooOld === undefined || tooOld.quantity === 0
    ? []
    : [
        {
          what: `not known to live for ${tooOld.days} days`,
          change: formatQuantity(-tooOld.quantity),
          leaves: formatQuantity(available),
        },
      ]

type Figures = Readonly<Record<Exclude<keyof Explained, 'steps'>, Quantity>>

const formatted = (figures: Figures) =>
  Object.fromEntries(
    Object.entries(figures).map(([name, quantity]) => [name, formatQuantity(quantity)]),
  ) as Record<keyof Figures, string>

/** From what is on hand to what is available, leaving out what changes nothing. */
function stepsOf(figures: Figures, { available: promised, careful }: Promisable): Explained['steps'] {
  const heldBack = careful ? parseQuantity(careful.heldBack) : 0
  const available = promised + heldBack
  const changes: [string, Quantity][] = [
    ['on hand', figures.onHand],
    ['on hold, in quarantine, damaged or blocked', -figures.onHold],
    ['reserved by orders', -figures.reservedByOrders],
    ['reserved firmly by channels', -figures.reservedFirm],
    ['reserved softly by channels', -figures.reservedSoft],
    ['sold by other systems', -figures.reservedExternally],
    ['missing until somebody explains it', Math.min(0, figures.unreconciled)],
    ['safety stock', -figures.safetyStock],
    ['expected until the date', figures.coming],
    ['kept for other channels', -figures.keptForOthers],
    ['waited for by orders', -figures.waiting],
  ]
  let left = 0
  const steps = changes.flatMap(([what, change], at) => {
    left += change
    return change === 0 && at > 0
      ? []
      : [{ what, change: formatQuantity(change), leaves: formatQuantity(left) }]
  })
  const silence = careful && heldBack > 0 ? [silenceStep(careful, { heldBack, promised })] : []
  if (left === available) return [...steps, ...silence]
  const what =
    left < available
      ? 'never less than nothing, nor than what is kept for the channel'
      : 'beyond the wall of the channel'
  const change = formatQuantity(available - left)
  return [...steps, { what, change, leaves: formatQuantity(available) }, ...silence]
}

const silenceStep = (
  { source, rule }: Careful,
  { heldBack, promised }: { readonly heldBack: Quantity; readonly promised: Quantity },
) => ({
  what: `held back while ${source} is silent (${rule})`,
  change: formatQuantity(-heldBack),
  leaves: formatQuantity(promised),
})

function daysOf({ date, dates }: AvailabilityQuestion, today: string): Days | undefined {
  if (date === undefined && !dates) return undefined
  if (date === undefined || date >= today) return { today, on: date, timeline: dates }
  throw new Refusal('inventory.date_past', `${date} has passed: it is ${today}`, {}, '/date')
}

function assertFew(asked: AvailabilityQuestion['items']): void {
  if (asked.length <= ITEMS_MAX) return
  const message = `${asked.length} items are asked about, ${ITEMS_MAX} are answered at once`
  throw new Refusal('inventory.too_many_items', message, {}, '/items')
}

/** In the order of the question; refuses each item that is unknown, or asked about in a way that means nothing. */
function itemsOf(
  found: ReadonlyMap<string, SellingItem>,
  { company, items: asked }: AvailabilityQuestion,
): Item[] {
  const read = asked.map(({ sku, quantity, unit }) => {
    const item = found.get(sku)
    if (!item) return new Refusal('inventory.item_unknown', `${company} has no item ${sku}`)
    if (quantity === undefined) return { item, asked: undefined }
    return readAsked(item, { quantity, unit: unit ?? item.baseUnit })
  })
  const errors = read.flatMap((one, place) =>
    one instanceof Refusal
      ? [
          {
            pointer: `/items/${place}/${FIELDS[one.code] ?? 'quantity'}`,
            code: one.code,
            message: one.message,
          },
        ]
      : [],
  )
  if (errors[0]) throw new Refusal(errors[0].code, errors[0].message, { errors })
  return read as Item[]
}

function readAsked(
  item: SellingItem,
  { quantity: text, unit }: { readonly quantity: string; readonly unit: string },
): Item | Refusal {
  const quantity = refusedOr(() => parseQuantity(text))
  if (quantity instanceof Refusal) return quantity
  const { company, sku } = item
  const line = resolveLines(new Map([[itemKey(company, sku), item]]), [
    { key: sku, company, sku, quantity, unit },
  ]).get(sku)!
  if (line instanceof Refusal) return line
  return { item, asked: { quantity: formatQuantity(quantity), unit, base: line.base } }
}
